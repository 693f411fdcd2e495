//! One request over a connection of HTTP/2, and the head of its answer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{Reason, RecvStream};
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, Version, request};
use http_body::Body;
use pin_project_lite::pin_project;

use super::http2_body::Http2Body;
use super::http2_connection::Place;
use super::http2_unsent::Piece;
use super::http2_upload::{HandedOver, Rest, Upload};
use crate::body::BoxError;

/// Why there is no answer.
pub(super) enum Failure {
    /// The backend has processed nothing of the request.
    ///
    /// # Spec
    /// RFC 9113 section 8.7: a stream refused with REFUSED_STREAM, or one above the last that a GOAWAY names.
    NotProcessed(h2::Error),
    /// It may have.
    Failed(BoxError),
}

pin_project! {
    /// The answer's head, while the request's body is sent.
    pub(super) struct Http2Exchange<B> {
        answer: ResponseFuture,
        upload: Option<Pin<Box<Upload<B>>>>,
        // Once that is all of the body.
        handed_over: Option<HandedOver>,
        place: Option<Place>,
    }
}

// === impl Failure ===

impl Failure {
    /// The failure of a request that a connection has not taken.
    pub(super) fn unsent(error: h2::Error) -> Self {
        // Anything else is a fault of the request.
        if error.is_go_away() || error.is_io() {
            Self::NotProcessed(error)
        } else {
            Self::Failed(error.into())
        }
    }
}

impl From<h2::Error> for Failure {
    fn from(error: h2::Error) -> Self {
        // A GOAWAY fails none but the streams above the last one it names.
        let refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
        if error.is_remote() && (refused || error.is_go_away()) {
            Self::NotProcessed(error)
        } else {
            Self::Failed(error.into())
        }
    }
}

// === impl Http2Exchange ===

impl<B> Http2Exchange<B>
where
    B: Body<Data = Bytes>,
{
    /// Sends the request in its `place`.
    pub(super) fn start(
        mut sender: SendRequest<Piece>,
        place: Place,
        head: &request::Parts,
        body: Option<B>,
    ) -> Result<Self, Failure> {
        place.check(&mut sender).map_err(Failure::unsent)?;
        let mut request = Request::new(());
        *request.method_mut() = head.method.clone();
        *request.uri_mut() = head.uri.clone();
        *request.version_mut() = Version::HTTP_2;
        *request.headers_mut() = head.headers.clone();
        announce_length(&mut request, body.as_ref());
        let (answer, stream) = sender.send_request(request, body.is_none()).map_err(Failure::unsent)?;
        let upload = body.map(|body| Box::pin(Upload::new(body, stream)));
        Ok(Self { answer, upload, handed_over: None, place: Some(place) })
    }
}

/// Says how long a body is, where that is known and not said.
fn announce_length<B: Body>(request: &mut Request<()>, body: Option<&B>) {
    let Some(length) = body.map_or(Some(0), |body| body.size_hint().exact()) else { return };
    let bodiless = matches!(*request.method(), Method::GET | Method::HEAD | Method::DELETE);
    if length > 0 || !bodiless {
        request.headers_mut().entry(header::CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(length));
    }
}

impl<B> Future for Http2Exchange<B>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<Http2Body>, Failure>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(upload) = this.upload
            && let Poll::Ready(sent) = upload.as_mut().poll(cx)
        {
            *this.upload = None;
            *this.handed_over = Some(sent.map_err(Failure::Failed)?);
        }
        let answer = ready!(Pin::new(this.answer).poll(cx));
        let mut place = this.place.take().expect("a future is not polled after it was ready");
        place.heard();
        let answer: Response<RecvStream> = answer?;
        let rest = match (this.upload.take(), this.handed_over.take()) {
            (Some(upload), _) => Some(Rest::spawn(upload)),
            (None, handed_over) => handed_over.map(Rest::handed_over),
        };
        Poll::Ready(Ok(answer.map(|stream| Http2Body::new(stream, place, rest))))
    }
}
