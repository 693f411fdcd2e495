//! gRPC backends on connections.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use gateway_tower::BoxError;
use http::{Request, Response};
use http_body::Body as HttpBody;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tonic::Status;
use tonic::body::Body;
use tonic_prost::ProstCodec;

use super::check::check;
use super::echo::Tls;
use super::grpc_message::{
    Assertions, CheckRequest, CheckResponse, Code, Context, Denied, EchoRequest, EchoResponse, Header,
    HeaderOption, Permitted, TlsAssertions,
};
use super::pods::BackendPort;
use super::received::Received;
use super::tls;
use crate::case::ECHO_SERVICE;
use crate::decision::CheckReply;
use crate::exchange::Pod;

/// The method of the authorization service.
const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";

/// A pod with the echo service, whose methods `Echo` and `EchoTwo` say what they got, and with an
/// [authorization service](super::check); there is no other.
#[derive(Clone)]
pub(crate) struct GrpcBackend {
    pod: Pod,
    received: Received,
}

/// HTTP/2 without TLS.
pub(super) async fn serve(stream: TcpStream, backend: GrpcBackend) {
    serve_on(stream, backend, None).await;
}

/// HTTP/2 over TLS.
pub(super) async fn serve_tls(stream: TcpStream, acceptor: TlsAcceptor, backend: GrpcBackend) {
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let seen = tls::seen(stream.get_ref().1);
    serve_on(stream, backend, Some(seen)).await;
}

async fn serve_on(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    backend: GrpcBackend,
    tls: Option<Tls>,
) {
    let backend = Arc::new((backend, tls));
    let service = service_fn(move |request| {
        let backend = backend.clone();
        async move { Ok::<_, Infallible>(backend.0.answer(request, backend.1.as_ref()).await) }
    });
    // How a connection ends is for its client to judge.
    let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

/// What the authorization service says.
fn authorize(request: CheckRequest) -> CheckResponse {
    let http = request.attributes.and_then(|it| it.request?.http).unwrap_or_default();
    let told = http.headers.iter().map(|(name, value)| (name.as_str(), value.clone()));
    let options = |headers: Vec<(String, String)>| {
        let option = |(key, value)| HeaderOption { header: Some(Header { key, value }) };
        headers.into_iter().map(option).collect()
    };
    match check(&http.path, told) {
        CheckReply::Permit(headers) => CheckResponse {
            status: Some(Code { code: 0 }),
            denied: None,
            ok: Some(Permitted { headers: options(headers) }),
        },
        CheckReply::Deny(status, headers, body) => {
            let status = Some(Code { code: status.into() });
            let denied = Some(Denied { status, headers: options(headers), body });
            CheckResponse { status: Some(Code { code: 7 }), denied, ok: None }
        }
    }
}

// === impl GrpcBackend ===

impl GrpcBackend {
    pub(super) fn new(pod: Pod, received: Received) -> Self {
        Self { pod, received }
    }

    /// That behind a port of a pod.
    pub(crate) fn of_port(port: &BackendPort) -> Self {
        Self::new(port.pod().clone(), port.http.received().clone())
    }

    /// Takes a call.
    pub(crate) async fn answer<B>(&self, request: Request<B>, tls: Option<&Tls>) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError> + Send,
    {
        let target = request.uri().path_and_query().map_or("", |target| target.as_str());
        self.received.count(&self.pod, target);
        let path = request.uri().path();
        if path == CHECK {
            let unary = tower::service_fn(async |request: tonic::Request<CheckRequest>| {
                Ok::<_, Status>(tonic::Response::new(authorize(request.into_inner())))
            });
            let codec = ProstCodec::<CheckResponse, CheckRequest>::default();
            return tonic::server::Grpc::new(codec).unary(unary, request).await;
        }
        let method = path.strip_prefix('/').and_then(|path| path.strip_prefix(ECHO_SERVICE));
        if !matches!(method, Some("/Echo" | "/EchoTwo")) {
            return Status::unimplemented(format!("there is no method {path}")).into_http();
        }
        let assertions = self.assertions(&request, tls);
        let unary = tower::service_fn(move |request: tonic::Request<EchoRequest>| {
            let assertions = Some(assertions.clone());
            async move {
                let request = Some(request.into_inner());
                Ok::<_, Status>(tonic::Response::new(EchoResponse { assertions, request }))
            }
        });
        let codec = ProstCodec::<EchoResponse, EchoRequest>::default();
        tonic::server::Grpc::new(codec).unary(unary, request).await
    }

    fn assertions<B>(&self, request: &Request<B>, tls: Option<&Tls>) -> Assertions {
        let headers = request.headers().iter().map(|(name, value)| Header {
            key: name.to_string(),
            value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
        });
        Assertions {
            fully_qualified_method: request.uri().path().to_owned(),
            headers: headers.collect(),
            authority: request.uri().authority().map(ToString::to_string).unwrap_or_default(),
            context: Some(Context {
                namespace: self.pod.namespace.clone(),
                pod: self.pod.name.clone(),
                ..Context::default()
            }),
            tls_assertions: tls.cloned().map(|tls| TlsAssertions {
                version: tls.version,
                negotiated_protocol: tls.negotiated_protocol,
                server_name: tls.server_name,
                cipher_suite: tls.cipher_suite,
                peer_certificates: tls.peer_certificates,
            }),
        }
    }
}
