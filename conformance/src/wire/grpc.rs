//! gRPC calls.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use gateway_tower::BoxError;
use http::Uri;
use http::uri::PathAndQuery;
use http_body::Body as HttpBody;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::metadata::{Ascii, KeyAndValueRef, MetadataKey, MetadataMap, MetadataValue};
use tonic_prost::ProstCodec;

use super::connection::{Stream, Tls, connect};
use super::failure::failure;
use crate::backend::{EchoRequest, EchoResponse};
use crate::case::GrpcCall;
use crate::engine::EngineError;
use crate::exchange::{Answer, Failure, GrpcAnswer, GrpcEcho, Pod};

/// Makes a call on a new connection. `authority` is for a call that names none.
pub(super) async fn call(
    call: &GrpcCall,
    address: SocketAddr,
    authority: &str,
) -> Result<Answer, EngineError> {
    let request = request(call)?;
    let tls = call.tls.as_ref().map(|tls| Tls::new(tls, &["h2"])).transpose()?;
    let (origin, path) = target(call, authority)?;
    Ok(match exchange(request, tls.as_ref(), address, origin, path).await {
        Ok(answer) => Answer::Grpc(answer),
        Err(failure) => Answer::Failed(failure),
    })
}

/// Makes a call on this connection.
pub(super) async fn call_on(
    call: &GrpcCall,
    stream: TcpStream,
    authority: &str,
) -> Result<Answer, EngineError> {
    let (origin, path) = target(call, authority)?;
    let answer = exchange_on(request(call)?, Stream::Plain(stream), origin, path).await;
    Ok(answer.map_or_else(Answer::Failed, Answer::Grpc))
}

async fn exchange(
    request: tonic::Request<EchoRequest>,
    tls: Option<&Tls>,
    address: SocketAddr,
    origin: Uri,
    path: PathAndQuery,
) -> Result<GrpcAnswer, Failure> {
    let stream = match tls {
        None => Stream::Plain(connect(address).await?),
        Some(tls) => Stream::Tls(Box::new(tls.connect(address).await?)),
    };
    exchange_on(request, stream, origin, path).await
}

async fn exchange_on(
    request: tonic::Request<EchoRequest>,
    stream: Stream,
    origin: Uri,
    path: PathAndQuery,
) -> Result<GrpcAnswer, Failure> {
    let stream = TokioIo::new(stream);
    let handshake = http2::handshake::<_, _, Body>(TokioExecutor::new(), stream).await;
    let (sender, connection) = handshake.map_err(|error| failure(&error))?;
    // The task that carries the connection ends with this exchange.
    let mut driver = JoinSet::new();
    driver.spawn(async { drop(connection.await) });

    let service = tower::service_fn(move |request| sender.clone().send_request(request));
    unary(service, request, origin, path).await
}

/// Makes a call by a service that needs no connection.
pub(crate) async fn call_by<S>(service: S, call: &GrpcCall, authority: &str) -> Result<Answer, EngineError>
where
    S: GrpcService<Body, ResponseBody: HttpBody<Data: Send, Error: Into<BoxError>> + Send + 'static>,
{
    let (origin, path) = target(call, authority)?;
    Ok(match unary(service, request(call)?, origin, path).await {
        Ok(answer) => Answer::Grpc(answer),
        Err(failure) => Answer::Failed(failure),
    })
}

async fn unary<S>(
    service: S,
    request: tonic::Request<EchoRequest>,
    origin: Uri,
    path: PathAndQuery,
) -> Result<GrpcAnswer, Failure>
where
    S: GrpcService<Body, ResponseBody: HttpBody<Data: Send, Error: Into<BoxError>> + Send + 'static>,
{
    let mut client = tonic::client::Grpc::with_origin(service, origin);
    client.ready().await.map_err(|error| failure(&*error.into()))?;
    let codec = ProstCodec::<EchoRequest, EchoResponse>::default();
    Ok(match client.unary(request, path, codec).await {
        Ok(response) => {
            let headers = headers(response.metadata());
            GrpcAnswer { headers, echo: echo(response.into_inner()), ..GrpcAnswer::default() }
        }
        Err(status) => {
            let code = u8::try_from(i32::from(status.code())).expect("codes are small");
            GrpcAnswer { code, message: status.message().to_owned(), ..GrpcAnswer::default() }
        }
    })
}

/// Where a call goes: the origin, and the path there.
fn target(call: &GrpcCall, authority: &str) -> Result<(Uri, PathAndQuery), EngineError> {
    let scheme = if call.tls.is_some() { "https" } else { "http" };
    let wrong = |what: &str, error: &dyn std::fmt::Display| EngineError::failed(format!("{what}: {error}"));
    let authority = call.authority.as_deref().unwrap_or(authority);
    let origin = format!("{scheme}://{authority}").parse().map_err(|error| wrong("authority", &error))?;
    let path = format!("/{}/{}", call.service, call.method);
    Ok((origin, path.parse().map_err(|error| wrong("method", &error))?))
}

fn headers(metadata: &MetadataMap) -> Vec<(String, String)> {
    let text = metadata.iter().filter_map(|field| match field {
        KeyAndValueRef::Ascii(name, value) => Some((name.to_string(), value.to_str().ok()?.to_owned())),
        KeyAndValueRef::Binary(..) => None,
    });
    text.collect()
}

fn echo(response: EchoResponse) -> Option<GrpcEcho> {
    let assertions = response.assertions?;
    let context = assertions.context?;
    let pod = Pod { namespace: context.namespace, name: context.pod };
    let mut headers = BTreeMap::<String, Vec<String>>::new();
    for header in assertions.headers {
        headers.entry(header.key).or_default().push(header.value);
    }
    let server_name = assertions.tls_assertions.map(|tls| tls.server_name).filter(|name| !name.is_empty());
    Some(GrpcEcho { pod, method: assertions.fully_qualified_method, headers, server_name })
}

fn request(call: &GrpcCall) -> Result<tonic::Request<EchoRequest>, EngineError> {
    let mut request = tonic::Request::new(EchoRequest {});
    for (name, lines) in &call.headers {
        let wrong = |error: &dyn std::fmt::Display| EngineError::failed(format!("metadata {name}: {error}"));
        let key = name.to_ascii_lowercase();
        let key = MetadataKey::<Ascii>::from_bytes(key.as_bytes()).map_err(|error| wrong(&error))?;
        for line in lines.as_slice() {
            let value: MetadataValue<Ascii> = line.parse().map_err(|error| wrong(&error))?;
            request.metadata_mut().append(key.clone(), value);
        }
    }
    Ok(request)
}
