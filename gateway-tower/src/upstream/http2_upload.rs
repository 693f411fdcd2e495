//! The body of a request over HTTP/2.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::{Reason, SendStream};
use http_body::{Body, Frame};
use pin_project_lite::pin_project;
use tokio::task::AbortHandle;

use super::http2_unsent::{Piece, Unsent};
use crate::body::BoxError;
use crate::body::gathered::Gathered;

pin_project! {
    /// Sends a body. Dropped before its end, it takes the whole exchange back.
    pub(super) struct Upload<B> {
        #[pin]
        body: Gathered<B>,
        // Until that is all of it.
        handed_over: Option<HandedOver>,
        // What there is no room for yet.
        piece: Option<Bytes>,
    }
}

/// What the connection has got of a body.
pub(super) struct HandedOver {
    stream: SendStream<Piece>,
    unsent: Unsent,
}

/// The same once the answer has begun. When that is over, what was not written is taken back: h2 would hold it, and its stream, until the
/// window is opened. If nothing of it waits, the backend is told nothing.
///
/// # Spec
/// RFC 9113 section 8.1.
pub(super) struct UntilAnswered(HandedOver);

/// What is still being sent when the answer has begun; it ends at the latest with the answer.
pub(super) enum Rest {
    /// More of the body may come.
    Sending(AbortHandle),
    /// All of it was handed over, and may wait for its window.
    HandedOver { _until_then: UntilAnswered },
}

// === impl Upload ===

impl<B> Upload<B> {
    pub(super) fn new(body: B, stream: SendStream<Piece>) -> Self {
        let handed_over = HandedOver { stream, unsent: Unsent::default() };
        Self { body: Gathered::new(body), handed_over: Some(handed_over), piece: None }
    }
}

impl<B> Upload<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    fn poll_send(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let mut this = self.project();
        let HandedOver { stream, unsent } =
            this.handed_over.as_mut().expect("a future is not polled after it was ready");
        loop {
            let sent = if let Some(piece) = this.piece.as_ref() {
                let ended = this.body.is_end_stream();
                // The last may wait within the stream as well as here: it goes with the head then where it is all there is, since a stream
                // has no room before it is opened. Before any other is handed over, there must be room for a byte.
                if !ended {
                    stream.reserve_capacity(usize::from(!piece.is_empty()));
                    while !piece.is_empty() && stream.capacity() == 0 {
                        let Some(Ok(_)) = ready!(stream.poll_capacity(cx)) else {
                            return Poll::Ready(Ok(()));
                        };
                    }
                }
                let piece = this.piece.take().unwrap_or_default();
                stream.send_data(unsent.piece(piece), ended).map(|()| ended)
            } else {
                match ready!(this.body.as_mut().poll_frame(cx)).transpose() {
                    Ok(Some(frame)) => match frame.into_data().map_err(Frame::into_trailers) {
                        Ok(piece) => {
                            *this.piece = Some(piece);
                            Ok(false)
                        }
                        Err(Ok(trailers)) => stream.send_trailers(trailers).map(|()| true),
                        Err(Err(_unknown)) => Ok(false),
                    },
                    Ok(None) => stream.send_data(unsent.piece(Bytes::new()), true).map(|()| true),
                    Err(error) => {
                        stream.send_reset(Reason::CANCEL);
                        return Poll::Ready(Err(error));
                    }
                }
            };
            match sent {
                Ok(false) => {}
                Ok(true) | Err(_) => return Poll::Ready(Ok(())),
            }
        }
    }
}

impl<B> Future for Upload<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Output = Result<HandedOver, BoxError>;

    /// Ready with an error only if the body broke off; how the stream ends otherwise, the answer tells.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let sent = self.as_mut().poll_send(cx);
        let handed_over = self.project().handed_over;
        let mut is_reset = || handed_over.as_mut().is_some_and(|it| it.stream.poll_reset(cx).is_ready());
        let sent = match sent {
            // Otherwise sending to a stream that was reset fails.
            Poll::Pending if is_reset() => Ok(()),
            sent => ready!(sent),
        };
        Poll::Ready(sent.map(|()| handed_over.take().expect("it was there for sending")))
    }
}

// === impl UntilAnswered ===

impl Drop for UntilAnswered {
    fn drop(&mut self) {
        let Self(HandedOver { stream, unsent }) = self;
        if !unsent.is_empty() {
            stream.send_reset(Reason::CANCEL);
        }
    }
}

// === impl Rest ===

impl Rest {
    /// All of the body was handed over.
    pub(super) fn handed_over(handed_over: HandedOver) -> Self {
        Self::HandedOver { _until_then: UntilAnswered(handed_over) }
    }

    /// The rest is sent by a task of its own.
    pub(super) fn spawn<B>(upload: Pin<Box<Upload<B>>>) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let task = tokio::spawn(async move {
            match upload.await {
                Ok(handed_over) => {
                    let _until_then = UntilAnswered(handed_over);
                    std::future::pending().await
                }
                Err(error) => {
                    tracing::debug!(error = &*error, "a request broke off after its answer had begun");
                }
            }
        });
        Self::Sending(task.abort_handle())
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        if let Self::Sending(task) = self {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use http::Request;
    use http_body_util::{BodyExt, Full};

    use super::*;
    use crate::body::RequestBody;

    #[tokio::test]
    async fn a_body_that_is_all_here_waits_for_no_room() {
        const BODY: &[u8] = b"body";
        let (client, server) = tokio::io::duplex(1 << 16);
        let served = tokio::spawn(async move {
            let mut connection = h2::server::handshake(server).await.unwrap();
            let (request, mut respond) = connection.accept().await.unwrap().unwrap();
            tokio::spawn(async move { while connection.accept().await.is_some() {} });
            let mut body = request.into_body();
            let mut received = Vec::new();
            while let Some(piece) = body.data().await {
                received.extend_from_slice(&piece.unwrap());
            }
            respond.send_response(http::Response::new(()), true).unwrap();
            received
        });
        let (mut sender, connection) =
            h2::client::Builder::new().handshake::<_, Piece>(client).await.unwrap();
        let (answer, stream) =
            sender.send_request(Request::post("http://a/").body(()).unwrap(), false).unwrap();
        let mut upload = Box::pin(Upload::new(RequestBody::new(Full::from(BODY)), stream));
        let cx = &mut Context::from_waker(Waker::noop());
        let Poll::Ready(Ok(_until_it_is_sent)) = upload.as_mut().poll(cx) else {
            panic!("it waits, although the connection was not polled yet")
        };

        let (_more, stream) =
            sender.send_request(Request::post("http://a/").body(()).unwrap(), false).unwrap();
        let endless = Full::from(BODY).with_trailers(std::future::pending());
        let mut upload = Box::pin(Upload::new(RequestBody::new(endless), stream));
        assert!(upload.as_mut().poll(cx).is_pending(), "more may come, which would be held, too");

        tokio::spawn(connection);
        assert!(answer.await.unwrap().status().is_success());
        assert_eq!(served.await.unwrap(), BODY);
    }
}
