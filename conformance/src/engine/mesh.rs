//! A request in a mesh as a gateway gets it, and the end of a call as cases of meshes look at it.

use http::Request;

use super::EngineError;
use super::arrival;
use crate::case::{ECHO_SERVICE, GrpcCall, HttpRequest, MeshProtocol, Way};
use crate::exchange::{Echo, GrpcAnswer, GrpcEcho, HttpAnswer};

/// The head of a request of a workload.
pub(super) fn head(way: &Way, request: &HttpRequest) -> Result<Request<()>, EngineError> {
    let host = host(way, request);
    match way.speak {
        MeshProtocol::Http => arrival::head(request, &host),
        MeshProtocol::Grpc => arrival::head_of_call(&call(request), &host),
    }
}

/// The host that a request names: a client that dials a Service by its name names that.
pub(crate) fn host(way: &Way, request: &HttpRequest) -> String {
    if let Some(host) = &request.host {
        return host.clone();
    }
    let key = &way.to.0;
    let name = match key.namespace == way.from.0.namespace {
        true => key.name.to_string(),
        false => format!("{}.{}", key.name, key.namespace),
    };
    if way.port == 80 { name } else { format!("{name}:{}", way.port) }
}

/// The call of gRPC that a request stands for.
pub(crate) fn call(request: &HttpRequest) -> GrpcCall {
    let (service, method) = (ECHO_SERVICE.to_owned(), "Echo".to_owned());
    GrpcCall { service, method, authority: None, headers: request.headers.clone(), tls: None }
}

/// The end of a call as cases of meshes look at it: a success counts as 200.
pub(crate) fn of_call(end: GrpcAnswer) -> HttpAnswer {
    let echo = end.echo.map(|GrpcEcho { pod, method, headers, .. }| Echo {
        pod,
        path: method,
        headers,
        ..Echo::default()
    });
    let headers = vec![("grpc-status".to_owned(), end.code.to_string())];
    HttpAnswer { status: if end.code == 0 { 200 } else { 503 }, headers, echo, certificate_requested: false }
}
