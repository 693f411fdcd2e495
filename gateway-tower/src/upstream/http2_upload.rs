//! The body of a request over HTTP/2.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::{Reason, SendStream};
use http_body::{Body, Frame};
use pin_project_lite::pin_project;
use tokio::task::AbortHandle;

use crate::body::BoxError;
use crate::body::gathered::Gathered;

pin_project! {
    /// Sends a body. Dropped before its end, it takes the whole exchange back.
    pub(super) struct Upload<B> {
        #[pin]
        body: Gathered<B>,
        stream: SendStream<Bytes>,
        // What there is no room for yet.
        piece: Option<Bytes>,
    }
}

/// What is still being sent when the answer has begun; it ends at the latest with the answer.
pub(super) struct Rest(AbortHandle);

// === impl Upload ===

impl<B> Upload<B> {
    pub(super) fn new(body: B, stream: SendStream<Bytes>) -> Self {
        Self { body: Gathered::new(body), stream, piece: None }
    }
}

impl<B> Upload<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    fn poll_send(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let mut this = self.project();
        loop {
            let sent = if let Some(piece) = this.piece.as_ref() {
                let ended = this.body.is_end_stream();
                // The last may wait within the stream as well as here: it goes with the head then where it is all there is, since a stream
                // has no room before it is opened. Before any other is handed over, there must be room for a byte.
                if !ended {
                    this.stream.reserve_capacity(usize::from(!piece.is_empty()));
                    while !piece.is_empty() && this.stream.capacity() == 0 {
                        let Some(Ok(_)) = ready!(this.stream.poll_capacity(cx)) else {
                            return Poll::Ready(Ok(()));
                        };
                    }
                }
                let piece = this.piece.take().unwrap_or_default();
                this.stream.send_data(piece, ended).map(|()| ended)
            } else {
                match ready!(this.body.as_mut().poll_frame(cx)).transpose() {
                    Ok(Some(frame)) => match frame.into_data().map_err(Frame::into_trailers) {
                        Ok(piece) => {
                            *this.piece = Some(piece);
                            Ok(false)
                        }
                        Err(Ok(trailers)) => this.stream.send_trailers(trailers).map(|()| true),
                        Err(Err(_unknown)) => Ok(false),
                    },
                    Ok(None) => this.stream.send_data(Bytes::new(), true).map(|()| true),
                    Err(error) => {
                        this.stream.send_reset(Reason::CANCEL);
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
    type Output = Result<(), BoxError>;

    /// Ready with an error only if the body broke off; how the stream ends otherwise, the answer tells.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let sent = self.as_mut().poll_send(cx);
        // Otherwise sending to a stream that was reset fails.
        if sent.is_pending() && self.project().stream.poll_reset(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        sent
    }
}

// === impl Rest ===

impl Rest {
    pub(super) fn spawn<B>(upload: Pin<Box<Upload<B>>>) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let task = tokio::spawn(async move {
            if let Err(error) = upload.await {
                tracing::debug!(error = &*error, "a request broke off after its answer had begun");
            }
        });
        Self(task.abort_handle())
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        self.0.abort();
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
        let (mut sender, connection) = h2::client::handshake(client).await.unwrap();
        let (answer, stream) =
            sender.send_request(Request::post("http://a/").body(()).unwrap(), false).unwrap();
        let mut upload = Box::pin(Upload::new(RequestBody::new(Full::from(BODY)), stream));
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(matches!(upload.as_mut().poll(cx), Poll::Ready(Ok(()))), "the connection was not polled yet");

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
