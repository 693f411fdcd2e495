"""Calls what grpc_server.py serves: argument 1 is the target, 2 the name that it goes by, 3 a file of authorities for TLS."""

import sys
from queue import SimpleQueue

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

target, name = sys.argv[1:3]
if len(sys.argv) > 3:
    with open(sys.argv[3], "rb") as authorities:
        credentials = grpc.ssl_channel_credentials(authorities.read())
    channel = grpc.secure_channel(target, credentials, [("grpc.ssl_target_name_override", name)])
else:
    channel = grpc.insecure_channel(target, [("grpc.default_authority", name)])
with channel:
    health = health_pb2_grpc.HealthStub(channel)
    asked = health_pb2.HealthCheckRequest(service="shop")
    for _ in range(200):
        assert health.Check(asked, timeout=20).status == health_pb2.HealthCheckResponse.SERVING
    watched = health.Watch(asked, timeout=20)
    assert next(iter(watched)).status == health_pb2.HealthCheckResponse.SERVING
    watched.cancel()

    # Many messages in both directions, the largest as large as a client takes without being asked.
    messages = [bytes([n % 256]) * n for n in (0, 1, 100_000, 4 * 1024 * 1024 - 16)] + [b"%d" % n for n in range(300)]
    each = channel.stream_stream("/shop.Shop/Each")
    assert list(each(iter(messages), timeout=20)) == messages

    # Each message only after the answer to the one before.
    questions = SimpleQueue()
    answers = each(iter(questions.get, None), timeout=20)
    for number in range(20):
        questions.put(b"%d" % number)
        assert next(answers) == b"%d" % number
    questions.put(None)
    assert list(answers) == []
    assert channel.stream_unary("/shop.Shop/Total")(iter([b"x" * 65536] * 256), timeout=20) == b"16777216"

    try:
        channel.unary_unary("/shop.Shop/Refuse")(b"", timeout=20)
        sys.exit("it is not refused")
    except grpc.RpcError as refused:
        assert refused.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, refused
        assert refused.details() == "none is left, sch\u00f6n", refused
        told = dict(refused.trailing_metadata())
        assert (told["x-why"], told["x-why-bin"]) == ("sold out", b"\x00\xff"), told
    for method, timeout, code in [
        ("/shop.Shop/Absent", 20, grpc.StatusCode.UNIMPLEMENTED),
        ("/shop.Shop/Hang", 0.3, grpc.StatusCode.DEADLINE_EXCEEDED),
        # No rule takes it.
        ("/other.Shop/Each", 20, grpc.StatusCode.UNIMPLEMENTED),
    ]:
        try:
            channel.unary_unary(method)(b"", timeout=timeout)
            sys.exit(f"{method} has an answer")
        except grpc.RpcError as failed:
            assert failed.code() == code, failed
print("grpcio", grpc.__version__, "is served")
