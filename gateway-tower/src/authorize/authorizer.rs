//! What asks services.

use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn, ready};
use std::net::{IpAddr, Ipv6Addr};
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use gateway_core::exchange::AuthAnswer;
use gateway_core::filter::{AuthProtocol, GrpcAuth, HttpAuth};
use gateway_core::rule::Backend;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri, request};
use http_body::Body;
use http_body_util::{BodyExt, Limited};
use tokio::time;
use tower_layer::Layer;
use tower_service::Service;

use super::hold::{Held, hold};
use super::question::Question;
use super::room::{Holder, Room};
use super::{MAX_ANSWER, MAX_ATTEMPTS, TIME_LIMIT, check};
use crate::balance::{Attempt, Pick, Tried, aim};
use crate::body::{BoxError, RequestBody};
use crate::outcome::{Refusal, Refused};
use crate::recover::{Recover, RecoverLayer};

/// The request again, with what came of asking, or with why the request itself cannot go on.
pub type Asked<B> = Pin<Box<dyn Future<Output = (Request<B>, Result<AuthAnswer, Refused>)> + Send>>;

/// Asks authorization services about requests with bodies of this type.
pub trait Authorize<B>: Clone + Send + 'static {
    /// Asks, and gives the request back as it is to go on: where its body was sent along, with all of it.
    fn ask(&self, question: Question, request: Request<B>) -> Asked<B>;
}

/// Asks no service, so that no request passes that one is to be asked about.
#[derive(Clone, Copy, Debug, Default)]
pub struct AskNobody;

/// Asks services through a client, which may be that of the gateway. What it answers is [received](crate::recover) as the answer
/// of any backend is.
#[derive(Clone)]
pub struct Authorizer<C> {
    client: Recover<C>,
    picker: Arc<dyn Pick>,
    room: Room,
}

// === impl AskNobody ===

impl<B: Send + 'static> Authorize<B> for AskNobody {
    fn ask(&self, question: Question, request: Request<B>) -> Asked<B> {
        tracing::debug!(?question, "a layer without an authorizer asks nobody");
        Box::pin(ready((request, Ok(AuthAnswer::Failed))))
    }
}

// === impl Authorizer ===

impl<C> Authorizer<C> {
    /// Asks through clones of `client`, at the endpoints that `picker` chooses. Clones share the [room](super::MAX_HELD) for bodies.
    pub fn new(client: C, picker: Arc<dyn Pick>) -> Self {
        Self { client: RecoverLayer.layer(client), picker, room: Room::default() }
    }
}

impl<C, B, RB> Authorize<RequestBody<B>> for Authorizer<C>
where
    C: Service<Request<RequestBody<B>>, Response = Response<RB>> + Clone + Send + 'static,
    C::Error: Into<BoxError>,
    C::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    RB: Body<Data = Bytes> + Send,
    RB::Error: Into<BoxError>,
{
    fn ask(&self, question: Question, request: Request<RequestBody<B>>) -> Asked<RequestBody<B>> {
        let authorizer = self.clone();
        Box::pin(async move {
            let (parts, mut body) = request.into_parts();
            let mut sent_along = None;
            let limit = question.auth().terms.max_body as usize;
            let answer = match limit {
                0 => Ok(None),
                limit => {
                    match hold(std::mem::take(&mut body), limit, authorizer.room.permit(holder(&question)))
                        .await
                    {
                        Ok(Held::Whole(held, whole)) => {
                            (sent_along, body) = (Some(held), whole);
                            Ok(None)
                        }
                        Ok(Held::TooLong) => Ok(Some(AuthAnswer::BodyTooLong)),
                        Ok(Held::NoRoom) => {
                            tracing::debug!(?question, "there is no room for the body of a request");
                            Ok(Some(AuthAnswer::Failed))
                        }
                        Err(refused) => Err(refused),
                    }
                }
            };
            let answer = match answer {
                Ok(None) => {
                    let asking = authorizer.answer(&question, &parts, sent_along);
                    match time::timeout(TIME_LIMIT, asking).await {
                        Ok(answer) => Ok(answer),
                        Err(_) => {
                            tracing::debug!(?question, "an authorization service takes too long");
                            Ok(AuthAnswer::Failed)
                        }
                    }
                }
                Ok(Some(answer)) => Ok(answer),
                Err(refused) => Err(refused),
            };
            (Request::from_parts(parts, body), answer)
        })
    }
}

impl<C> Authorizer<C> {
    /// What a service answers about a request with this head and this body, as far as that is sent along.
    async fn answer<B, RB>(
        mut self,
        question: &Question,
        parts: &request::Parts,
        body: Option<Bytes>,
    ) -> AuthAnswer
    where
        C: Service<Request<RequestBody<B>>, Response = Response<RB>>,
        C::Error: Into<BoxError>,
        RB: Body<Data = Bytes>,
        RB::Error: Into<BoxError>,
    {
        let asked = match &question.auth().terms.protocol {
            AuthProtocol::Http(http) => over_http(http, parts, body.unwrap_or_default()),
            AuthProtocol::Grpc(grpc) => over_grpc(grpc, question, parts, body.as_ref()),
        };
        let answer = match asked {
            Some(asked) => self.send(question, asked).await,
            None => Err("a request with this target cannot be asked about over HTTP".into()),
        };
        let answer = match (answer, &question.auth().terms.protocol) {
            (Ok(answer), AuthProtocol::Http(http)) => Ok(http.answer(answer.map(|(body, _)| body))),
            (Ok(answer), AuthProtocol::Grpc(_)) => of_call(answer),
            (Err(error), _) => Err(error),
        };
        answer.unwrap_or_else(|error| {
            tracing::debug!(?question, error = &*error as &dyn Error, "nobody can be asked");
            AuthAnswer::Failed
        })
    }

    /// Sends what is asked to endpoints of the service, one after the other, until one has taken it.
    async fn send<B, RB>(
        &mut self,
        question: &Question,
        asked: (request::Parts, Bytes),
    ) -> Result<Response<(Bytes, Option<HeaderMap>)>, BoxError>
    where
        C: Service<Request<RequestBody<B>>, Response = Response<RB>>,
        C::Error: Into<BoxError>,
        RB: Body<Data = Bytes>,
        RB::Error: Into<BoxError>,
    {
        let backend = question.backend();
        let (parts, body) = asked;
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
            request.extensions_mut().insert(question.target(position));
            tried.push(position as u32);
            match self.exchange(request).await {
                Err(error) if has_not_seen_it(&*error) && tried.len() < MAX_ATTEMPTS => drop(picked),
                result => return result,
            }
        }
    }

    async fn exchange<B, RB>(
        &mut self,
        request: Request<RequestBody<B>>,
    ) -> Result<Response<(Bytes, Option<HeaderMap>)>, BoxError>
    where
        C: Service<Request<RequestBody<B>>, Response = Response<RB>>,
        C::Error: Into<BoxError>,
        RB: Body<Data = Bytes>,
        RB::Error: Into<BoxError>,
    {
        poll_fn(|cx| Service::<Request<RequestBody<B>>>::poll_ready(&mut self.client, cx)).await?;
        let (parts, body) = self.client.call(request).await?.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await?;
        let trailers = body.trailers().cloned();
        Ok(Response::from_parts(parts, (body.to_bytes(), trailers)))
    }
}

/// Whether a service that gave no answer cannot have seen the question.
fn has_not_seen_it(error: &(dyn Error + 'static)) -> bool {
    let refused: Option<&Refused> = error.downcast_ref();
    refused.is_some_and(|refused| matches!(refused.refusal(), Refusal::Unreachable(_)))
}

/// For whom the body of a request is held. With IPv6, whoever has one address mostly has all of its /64.
fn holder(question: &Question) -> Holder {
    let Backend { service, port, .. } = question.backend();
    let client = question.connection().peer.map(|peer| match peer.ip().to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
        ip => ip,
    });
    Holder { service: (service.clone(), *port), client }
}

fn over_http(http: &HttpAuth, parts: &request::Parts, body: Bytes) -> Option<(request::Parts, Bytes)> {
    Some((http.question(parts, body.len() as u64).ok()?, body))
}

fn over_grpc(
    grpc: &GrpcAuth,
    question: &Question,
    parts: &request::Parts,
    body: Option<&Bytes>,
) -> Option<(request::Parts, Bytes)> {
    let Backend { service, port, .. } = question.backend();
    let (mut call, ()) = Request::new(()).into_parts();
    call.method = Method::POST;
    call.uri = Uri::from_static(check::PATH);
    let host = HeaderValue::try_from(format!("{}.{}:{port}", service.name, service.namespace)).ok()?;
    call.headers.extend([
        (header::HOST, host),
        (header::CONTENT_TYPE, HeaderValue::from_static("application/grpc")),
        (header::TE, HeaderValue::from_static("trailers")),
    ]);
    Some((call, check::question(grpc, question.connection(), parts, body)))
}

/// What the answer to a call means.
fn of_call(answer: Response<(Bytes, Option<HeaderMap>)>) -> Result<AuthAnswer, BoxError> {
    let (parts, (body, trailers)) = answer.into_parts();
    let status = trailers.as_ref().unwrap_or(&parts.headers).get("grpc-status");
    match (parts.status, status) {
        (StatusCode::OK, Some(status)) if status == "0" => Ok(check::answer(&body)),
        (status, code) => Err(format!("the call ends with {status} and grpc-status {code:?}").into()),
    }
}

impl<C: fmt::Debug> fmt::Debug for Authorizer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorizer").field("client", &self.client).field("picker", &self.picker).finish()
    }
}
