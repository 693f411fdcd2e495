"""Serves grpc.health.v1.Health, and methods of a service that has no descriptors: argument 1 is the port."""

import sys
from concurrent.futures import ThreadPoolExecutor
from time import sleep

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc


def each(requests, _context):
    yield from requests


def total(requests, _context):
    return str(sum(len(request) for request in requests)).encode()


def refuse(_request, context):
    context.set_trailing_metadata((("x-why", "sold out"), ("x-why-bin", b"\x00\xff")))
    context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "none is left, sch\u00f6n")


server = grpc.server(ThreadPoolExecutor(max_workers=8))
checks = health.HealthServicer()
checks.set("shop", health_pb2.HealthCheckResponse.SERVING)
health_pb2_grpc.add_HealthServicer_to_server(checks, server)
methods = {
    "Each": grpc.stream_stream_rpc_method_handler(each),
    "Total": grpc.stream_unary_rpc_method_handler(total),
    "Refuse": grpc.unary_unary_rpc_method_handler(refuse),
    "Hang": grpc.unary_unary_rpc_method_handler(lambda _request, _context: sleep(1)),
}
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("shop.Shop", methods)])
assert server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
server.start()
server.wait_for_termination()
