//! The answer of a client, or what its error means.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use gateway_core::exchange::{framing, hop_by_hop};
use http::{HeaderValue, Response, StatusCode, Version, header};
use pin_project_lite::pin_project;

use crate::body::{BoxError, Inflow, ResponseBody};
use crate::outcome::Refused;
use crate::tunnel::Joined;

pin_project! {
    /// The client's answer, or a refusal in place of its error.
    #[derive(Debug)]
    pub struct RecoverFuture<F> {
        #[pin]
        future: F,
        inflow: Option<Inflow>,
        // In a box: few requests ask for one.
        upgrade: Option<Box<HeaderValue>>,
    }
}

// === impl RecoverFuture ===

impl<F> RecoverFuture<F> {
    /// Waits for the answer to a request whose body may break, and which may ask for an upgrade.
    pub(super) fn new(future: F, inflow: Option<Inflow>, upgrade: Option<Box<HeaderValue>>) -> Self {
        Self { future, inflow, upgrade }
    }
}

impl<F, B, E> Future for RecoverFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
{
    type Output = Result<Response<ResponseBody<B>>, Refused>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let error = match ready!(this.future.poll(cx)) {
            Ok(mut response) => match receive(&mut response, this.upgrade.as_deref()) {
                Ok(()) => return Poll::Ready(Ok(response_with_body(response))),
                Err(error) => error,
            },
            Err(error) => error.into(),
        };
        Poll::Ready(Err(Refused::from_client_error(error, this.inflow.as_ref())))
    }
}

/// An answer as it is passed on: in the gateway's own version of HTTP, saying in one way where it ends, and final; a switch
/// of protocols only as it was asked for.
///
/// # Spec
/// MSG-03, MSG-07, MSG-11; RFC 9110 sections 2.5, 7.8 and 15.2.
fn receive<B>(response: &mut Response<B>, upgrade: Option<&HeaderValue>) -> Result<(), BoxError> {
    let status = response.status();
    if status.is_informational() {
        let is_asked = |asked| hop_by_hop::is_asked_switch(asked, response.headers());
        if status != StatusCode::SWITCHING_PROTOCOLS || !upgrade.is_some_and(is_asked) {
            return Err(NotFinal(status).into());
        }
        if response.extensions().get::<Joined>().is_none() {
            tracing::warn!("{NotJoined}");
            return Err(NotJoined.into());
        }
    }
    *response.version_mut() = Version::default();
    Ok(framing::check_answer(status, response.headers_mut())?)
}

/// The answer with the body that it has in the gateway. One that resets a form must have no content; a client that knows
/// this takes what follows the head for the next answer.
///
/// # Spec
/// MSG-14; RFC 9110 section 15.3.6.
fn response_with_body<B>(mut response: Response<B>) -> Response<ResponseBody<B>> {
    if response.status() != StatusCode::RESET_CONTENT {
        return response.map(ResponseBody::upstream);
    }
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    response.map(|_| ResponseBody::default())
}

/// An answer that is none: another is to follow it, or another protocol than one that was asked for.
#[derive(Debug, thiserror::Error)]
#[error("the answer is {0}, which does not end the exchange as it was asked for")]
struct NotFinal(StatusCode);

/// The gateway is not put together correctly.
#[derive(Debug, thiserror::Error)]
#[error(
    "a backend switched protocols, and nobody joins its connection with the client's: put \
    gateway_tower::tunnel::TunnelLayer around the client, or tunnel::Joined into the answer if it joins them itself"
)]
struct NotJoined;
