//! The client of authorization services.

use std::error::Error;
use std::fmt;
use std::future::{Future, ready};
use std::net::{IpAddr, Ipv6Addr};
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use gateway_core::exchange::AuthAnswer;
use gateway_core::filter::{AuthProtocol, GrpcAuth, HttpAuth};
use gateway_core::rule::Backend;
use http::{Request, Response, StatusCode, request};
use http_body::Body;
use tokio::time;
use tower_service::Service;

use super::hold::{Held, hold};
use super::question::Question;
use super::room::{Holder, Room};
use super::{TIME_LIMIT, check};
use crate::balance::Pick;
use crate::body::{BoxError, RequestBody};
use crate::errand::{self, Answer, Errands};
use crate::outcome::Refused;

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
    errands: Errands<C>,
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
        Self { errands: Errands::new(client, picker), room: Room::default() }
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
            Some(asked) => {
                let target = |endpoint| question.target(endpoint);
                self.errands.send(question.backend(), target, asked).await
            }
            None => Err("a request with this target cannot be asked about over HTTP".into()),
        };
        let answer = match (answer, &question.auth().terms.protocol) {
            (Ok(answer), AuthProtocol::Http(http)) => Ok(http.answer(answer.map(|(body, _)| body))),
            (Ok(answer), AuthProtocol::Grpc(_)) => of_call(&answer),
            (Err(error), _) => Err(error),
        };
        answer.unwrap_or_else(|error| {
            tracing::debug!(?question, error = &*error as &dyn Error, "nobody can be asked");
            AuthAnswer::Failed
        })
    }
}

/// For whom the body of a request is held. With IPv6, a client that has one address mostly has all of its /64.
fn holder(question: &Question) -> Holder {
    let Backend { kind, service, port, .. } = question.backend();
    let client = question.connection().peer.map(|peer| match peer.ip().to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
        ip => ip,
    });
    Holder { service: (*kind, service.clone(), *port), client }
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
    let call = errand::call(check::PATH, question.backend())?;
    Some((call, check::question(grpc, question.connection(), parts, body)))
}

/// What the answer to a call means.
fn of_call(answer: &Answer) -> Result<AuthAnswer, BoxError> {
    match (answer.status(), errand::grpc_status(answer)) {
        (StatusCode::OK, Some(status)) if status == "0" => Ok(check::answer(&answer.body().0)),
        (status, code) => Err(format!("the call ends with {status} and grpc-status {code:?}").into()),
    }
}

impl<C: fmt::Debug> fmt::Debug for Authorizer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorizer").field("errands", &self.errands).finish_non_exhaustive()
    }
}
