//! The body of an answer over HTTP/2.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::RecvStream;
use http_body::{Body, Frame, SizeHint};

use super::http2_connection::Place;
use super::http2_upload::Rest;

/// The body of an answer over HTTP/2.
pub(super) struct Http2Body {
    stream: RecvStream,
    data_ended: bool,
    /// The bytes of the window that the last piece takes, until the next is asked for.
    taken: usize,
    /// What is held until the end.
    held: Option<(Place, Option<Rest>)>,
}

/// The backend, or its connection, broke an answer off.
///
/// It does not give the error of HTTP/2 as its source: the server would reset the client's stream for the same reason. To the
/// client REFUSED_STREAM would mean that nothing was processed, and NO_ERROR that the answer is whole.
#[derive(Debug, thiserror::Error)]
#[error("the answer broke off: {0}")]
pub(super) struct BrokenOff(h2::Error);

// === impl Http2Body ===

impl Http2Body {
    pub(super) fn new(stream: RecvStream, place: Place, rest: Option<Rest>) -> Self {
        let mut body = Self { stream, data_ended: false, taken: 0, held: Some((place, rest)) };
        body.release_at_end();
        body
    }

    fn heard(&self) {
        if let Some((place, _)) = &self.held {
            place.heard();
        }
    }

    fn release_at_end(&mut self) {
        if self.stream.is_end_stream() {
            self.held = None;
        }
    }
}

impl Body for Http2Body {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        if !self.data_ended {
            // No earlier: what a client has not taken is to count for the window. Fails only for a stream that is over.
            let taken = std::mem::take(&mut self.taken);
            let _ = self.stream.flow_control().release_capacity(taken);
            match ready!(self.stream.poll_data(cx)) {
                Some(Ok(data)) => {
                    self.taken = data.len();
                    self.heard();
                    self.release_at_end();
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Some(Err(error)) => {
                    self.held = None;
                    return Poll::Ready(Some(Err(BrokenOff(error))));
                }
                None => self.data_ended = true,
            }
        }
        let trailers = ready!(self.stream.poll_trailers(cx));
        self.heard();
        self.held = None;
        Poll::Ready(trailers.map(|trailers| trailers.map(Frame::trailers)).map_err(BrokenOff).transpose())
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        // Where the length is known it is among the headers.
        if self.stream.is_end_stream() { SizeHint::with_exact(0) } else { SizeHint::default() }
    }
}
