//! The answer of a client, or what its error means.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use gateway_core::exchange::{HeaderSet, framing, hop_by_hop};
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

/// An answer as it is passed on: in the gateway's own version of HTTP, without what is for one hop, saying in one way where it
/// ends, and final; a switch of protocols only as it was asked for.
///
/// # Spec
/// MSG-03, MSG-07, MSG-11; RFC 9110 sections 2.5, 7.6.1, 7.8 and 15.2.
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
    let headers = response.headers_mut();
    let present = HeaderSet::from_received(headers);
    hop_by_hop::remove(headers, present, status == StatusCode::SWITCHING_PROTOCOLS);
    Ok(framing::check_answer(status, headers, present)?)
}

/// The answer with the body that it has in the gateway. Some have no content, whatever follows their head, as it can over HTTP/2. One that
/// resets a form must have none; a client that knows this takes what follows the head for the next answer.
///
/// # Spec
/// MSG-14; RFC 9110 sections 6.4.1 and 15.3.6.
fn response_with_body<B>(mut response: Response<B>) -> Response<ResponseBody<B>> {
    match response.status() {
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED => {}
        StatusCode::RESET_CONTENT => {
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        _ => return response.map(ResponseBody::upstream),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn received(lines: &[(&'static str, &'static str)]) -> Result<Vec<String>, BoxError> {
        let mut response = Response::new(());
        for (name, value) in lines {
            response.headers_mut().append(*name, HeaderValue::from_static(value));
        }
        receive(&mut response, None)?;
        Ok(response.headers().keys().map(ToString::to_string).collect())
    }

    // MSG-03; RFC 9112 section 6.3: a transfer coding overrides the length, which must not be passed on beside it.
    #[test]
    fn a_length_beside_a_transfer_coding_is_not_passed_on() {
        let length = ("content-length", "3");
        assert_eq!(received(&[length]).unwrap(), ["content-length"]);
        assert!(received(&[length, ("transfer-encoding", "chunked")]).unwrap().is_empty());
        let error = received(&[length, ("transfer-encoding", "gzip")]).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&framing::FramingError::Coding));
    }

    // RFC 9110 section 7.6.1
    #[test]
    fn what_a_backend_says_about_its_connection_is_not_passed_on() {
        let lines =
            [("connection", "close, x-hop"), ("x-hop", "1"), ("keep-alive", "timeout=5"), ("x-a", "1")];
        assert_eq!(received(&lines).unwrap(), ["x-a"]);
    }
}
