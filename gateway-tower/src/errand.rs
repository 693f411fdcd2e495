//! Requests of the gateway's own: to services that it asks or tells something, over the client of the gateway.

use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use gateway_core::rule::Backend;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, Response, Uri, request};
use http_body::Body;
use http_body_util::{BodyExt, Limited};
use prost::Message;
use tower_layer::Layer;
use tower_service::Service;

use crate::balance::{Attempt, Pick, Tried, aim};
use crate::body::{BoxError, RequestBody};
use crate::client::UpstreamTarget;
use crate::outcome::{Refusal, Refused};
use crate::recover::{Recover, RecoverLayer};

/// At how many endpoints a service is tried, where those before cannot have seen the request.
pub(crate) const MAX_ATTEMPTS: usize = 3;

/// The most bytes that are read of the body of an answer.
pub(crate) const MAX_ANSWER: usize = 64 << 10;

/// Sends requests of the gateway's own through clones of a client, at the endpoints that a picker chooses.
#[derive(Clone)]
pub(crate) struct Errands<C> {
    client: Recover<C>,
    picker: Arc<dyn Pick>,
}

/// An answer with its body and its trailers.
pub(crate) type Answer = Response<(Bytes, Option<HeaderMap>)>;

// === impl Errands ===

impl<C> Errands<C> {
    pub(crate) fn new(client: C, picker: Arc<dyn Pick>) -> Self {
        Self { client: RecoverLayer.layer(client), picker }
    }

    /// Sends a request to endpoints of a service, one after the other, until one has taken it. `target` says for a client where
    /// the endpoint at this position is.
    pub(crate) async fn send<B, RB>(
        &mut self,
        backend: &Backend,
        target: impl Fn(usize) -> UpstreamTarget,
        (parts, body): (request::Parts, Bytes),
    ) -> Result<Answer, BoxError>
    where
        C: Service<Request<RequestBody<B>>, Response = Response<RB>>,
        C::Error: Into<BoxError>,
        RB: Body<Data = Bytes>,
        RB::Error: Into<BoxError>,
    {
        let mut tried = Vec::new();
        loop {
            let mut request = Request::from_parts(parts.clone(), RequestBody::whole(body.clone(), None));
            request.extensions_mut().insert(Tried(tried.as_slice().into()));
            // Held until the answer is here.
            let picked = match backend.endpoints.is_empty() {
                false => {
                    self.picker.pick(&Attempt::new(backend, &request)).ok_or("no endpoint was chosen")?
                }
                true => return Err("the service has no ready endpoints".into()),
            };
            let position = picked.position();
            let endpoint = backend.endpoints.get(position).ok_or("no endpoint was chosen")?;
            aim(&mut request, endpoint, backend);
            request.extensions_mut().insert(target(position));
            tried.push(position as u32);
            match self.exchange(request).await {
                Err(error) if has_not_seen_it(&*error) && tried.len() < MAX_ATTEMPTS => drop(picked),
                result => return result,
            }
        }
    }

    async fn exchange<B, RB>(&mut self, request: Request<RequestBody<B>>) -> Result<Answer, BoxError>
    where
        C: Service<Request<RequestBody<B>>, Response = Response<RB>>,
        C::Error: Into<BoxError>,
        RB: Body<Data = Bytes>,
        RB::Error: Into<BoxError>,
    {
        poll_fn(|cx| Service::<Request<RequestBody<B>>>::poll_ready(&mut self.client, cx)).await?;
        let (parts, body) = self.client.call(request).await?.into_parts();
        Ok(Response::from_parts(parts, whole(body).await?))
    }
}

/// All of a body, and its trailers. Its bytes are copied as they come: a piece may hold room for thousands more, and a service may
/// send one byte at a time.
///
/// # Errors
/// When it breaks off, or is longer than [`MAX_ANSWER`].
async fn whole<B>(body: B) -> Result<(Bytes, Option<HeaderMap>), BoxError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let mut body = pin!(Limited::new(body, MAX_ANSWER));
    let (mut whole, mut trailers) = (Vec::new(), None);
    while let Some(frame) = body.frame().await {
        match frame?.into_data() {
            Ok(data) => whole.extend_from_slice(&data),
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
    Ok((whole.into(), trailers))
}

/// Whether a service that gave no answer cannot have seen the request.
fn has_not_seen_it(error: &(dyn Error + 'static)) -> bool {
    let refused: Option<&Refused> = error.downcast_ref();
    refused.is_some_and(|refused| matches!(refused.refusal(), Refusal::Unreachable(_)))
}

/// The host that a service is known by.
pub(crate) fn host(Backend { service, port, hostname, .. }: &Backend) -> Option<HeaderValue> {
    let host = match hostname {
        Some(hostname) => format!("{hostname}:{port}"),
        None => format!("{}.{}:{port}", service.name, service.namespace),
    };
    HeaderValue::try_from(host).ok()
}

/// The head of a call of gRPC.
pub(crate) fn call(path: &'static str, backend: &Backend) -> Option<request::Parts> {
    let (mut call, ()) = Request::new(()).into_parts();
    call.method = Method::POST;
    call.uri = Uri::from_static(path);
    call.headers.extend([
        (header::HOST, host(backend)?),
        (header::CONTENT_TYPE, HeaderValue::from_static("application/grpc")),
        (header::TE, HeaderValue::from_static("trailers")),
    ]);
    Some(call)
}

/// The body of a call of gRPC with one message.
pub(crate) fn framed(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut framed = BytesMut::with_capacity(5 + length);
    framed.put_u8(0);
    framed.put_u32(length as u32);
    message.encode(&mut framed).expect("there is room for all of it");
    framed.freeze()
}

/// What a call of gRPC ends with: `grpc-status`, in the trailers or in the head.
pub(crate) fn grpc_status(answer: &Answer) -> Option<&HeaderValue> {
    let (_, trailers) = answer.body();
    trailers.as_ref().unwrap_or(answer.headers()).get("grpc-status")
}

impl<C: fmt::Debug> fmt::Debug for Errands<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Errands").field("client", &self.client).field("picker", &self.picker).finish()
    }
}

#[cfg(test)]
mod tests {
    use http_body::Frame;
    use http_body_util::StreamBody;

    use super::*;

    /// A byte, in room for more.
    struct Piece {
        _room: Arc<()>,
    }

    impl AsRef<[u8]> for Piece {
        fn as_ref(&self) -> &[u8] {
            b"x"
        }
    }

    #[tokio::test]
    async fn an_answer_in_many_pieces_holds_its_bytes_and_not_their_room() {
        let room = Arc::new(());
        let pieces = (0..1_000).map(|number| {
            assert!(Arc::strong_count(&room) < 4, "{number} pieces, and they are held");
            Ok::<_, BoxError>(Frame::data(Bytes::from_owner(Piece { _room: Arc::clone(&room) })))
        });
        let (whole, trailers) = whole(StreamBody::new(futures_util::stream::iter(pieces))).await.unwrap();
        assert_eq!((whole.len(), trailers), (1_000, None));
    }
}
