//! What a decision is made about within a mesh.

use gateway_core::name::ObjectName;
use http::{Request, Response};

use super::EngineError;
use super::arrival;
use crate::case::{ECHO_SERVICE, GrpcCall, HttpRequest, MeshProtocol, Way};
use crate::exchange::{Echo, GrpcAnswer, GrpcEcho, HttpAnswer};

/// A request of a workload to a Service, and all that is random about what becomes of it.
#[derive(Clone, Debug)]
pub struct MeshArrival {
    /// The namespace of the workload.
    pub client_namespace: String,
    /// The Service that is dialled.
    pub service: ObjectName,
    /// The port of the Service.
    pub port: u16,
    /// The request.
    pub request: Request<()>,
    /// The random numbers that decide, as in [`Arrival`](super::Arrival::randoms).
    pub randoms: Vec<u64>,
    /// What a backend answers.
    pub answer: Response<()>,
}

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
