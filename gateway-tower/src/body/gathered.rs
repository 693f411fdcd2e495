//! Small pieces of a body, together.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::BoxError;

/// A piece of so many bytes goes on as it is.
const ENOUGH: usize = 8 * 1024;

/// Pieces become no larger together: it is what a frame of HTTP/2 takes. Where there are two, room for so many bytes is made at
/// once.
const MOST: usize = 16 * 1024;

pin_project! {
    /// A body whose small pieces go on together, as far as they are here together: none waits for the next.
    ///
    /// Over HTTP/2 each piece costs a frame, and in most cases a write; who streams messages sends a piece for each.
    pub(crate) struct Gathered<B> {
        #[pin]
        body: B,
        // What came behind the pieces that went on, if that is known; in a box, since bodies are moved from layer to layer.
        next: Option<Box<Next>>,
    }
}

/// A frame, an error, or the end.
type Next = Option<Result<Frame<Bytes>, BoxError>>;

// === impl Gathered ===

impl<B> Gathered<B> {
    pub(crate) fn new(body: B) -> Self {
        Self { body, next: None }
    }
}

impl<B> Body for Gathered<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Next> {
        let mut this = self.project();
        let first = match this.next.take() {
            Some(next) => *next,
            None => ready!(this.body.as_mut().poll_frame(cx)).map(|frame| frame.map_err(Into::into)),
        };
        let first = match first {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(piece) if piece.len() < ENOUGH => piece,
                Ok(piece) => return Poll::Ready(Some(Ok(Frame::data(piece)))),
                Err(frame) => return Poll::Ready(Some(Ok(frame))),
            },
            end => return Poll::Ready(end),
        };
        let mut gathered = BytesMut::new();
        // In most cases the first is the last.
        while !gathered.is_empty() || !this.body.is_end_stream() {
            let length = first.len().max(gathered.len());
            let Poll::Ready(next) = this.body.as_mut().poll_frame(cx) else { break };
            let next = next.map(|frame| frame.map_err(Into::into));
            let piece = next.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
            let Some(piece) = piece.filter(|piece| length + piece.len() <= MOST) else {
                *this.next = Some(Box::new(next));
                break;
            };
            if gathered.is_empty() {
                gathered.reserve(MOST);
                gathered.extend_from_slice(&first);
            }
            gathered.extend_from_slice(piece);
        }
        let piece = match gathered.len() {
            0 => first,
            // What waits to be sent is bounded by its bytes, and must not hold room for many more.
            1..ENOUGH => Bytes::copy_from_slice(&gathered),
            _ => gathered.freeze(),
        };
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.next {
            Some(next) => next.is_none(),
            None => self.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.body.size_hint();
        if let Some(Some(Ok(frame))) = self.next.as_deref()
            && let Some(piece) = frame.data_ref()
        {
            let (lower, upper) = (hint.lower(), hint.upper());
            hint = SizeHint::new();
            hint.set_lower(lower + piece.len() as u64);
            if let Some(upper) = upper {
                hint.set_upper(upper + piece.len() as u64);
            }
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::task::Waker;

    use http::HeaderMap;

    use super::*;

    /// What a body gives when it is asked, one after the other.
    struct Script(VecDeque<Poll<Next>>);

    impl Body for Script {
        type Data = Bytes;
        type Error = BoxError;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Next> {
            self.0.pop_front().unwrap_or(Poll::Ready(None))
        }
    }

    fn piece(length: usize) -> Poll<Next> {
        Poll::Ready(Some(Ok(Frame::data(vec![b'x'; length].into()))))
    }

    /// What comes out: the lengths of pieces, and words for all else.
    fn gathered(script: impl IntoIterator<Item = Poll<Next>>) -> Vec<String> {
        let mut body = Gathered::new(Script(script.into_iter().collect()));
        let mut seen = Vec::new();
        loop {
            let frame = Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop()));
            seen.push(match frame {
                Poll::Pending => "pending".to_owned(),
                Poll::Ready(None) => return seen,
                Poll::Ready(Some(Err(error))) => error.to_string(),
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => data.len().to_string(),
                    Err(_) => "trailers".to_owned(),
                },
            });
        }
    }

    #[test]
    fn small_pieces_that_are_here_together_go_on_together_and_none_waits() {
        let trailers = || Poll::Ready(Some(Ok(Frame::trailers(HeaderMap::new()))));
        let pending = || Poll::Pending;
        assert_eq!(gathered([piece(1), piece(2), pending(), pending(), piece(3)]), ["3", "pending", "3"]);
        assert_eq!(gathered([piece(5), pending(), pending()]), ["5", "pending"]);
        assert_eq!(gathered([piece(1), piece(2), trailers()]), ["3", "trailers"]);
        assert_eq!(
            gathered([piece(1), Poll::Ready(Some(Err("broken".into()))), piece(2)]),
            ["1", "broken", "2"]
        );
        assert_eq!(gathered([piece(0), piece(0), piece(7)]), ["7"]);
    }

    #[test]
    fn what_is_gathered_holds_little_more_room_than_its_bytes() {
        for (pieces, most) in [([1, 1], 2), ([ENOUGH - 1, 2], MOST)] {
            let mut body = Gathered::new(Script(pieces.map(piece).into()));
            let frame = Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop()));
            let Poll::Ready(Some(Ok(frame))) = frame else { panic!("{frame:?}") };
            let bytes = frame.into_data().unwrap().try_into_mut().expect("nobody else has it");
            assert!(bytes.capacity() <= most, "{} bytes hold {}", bytes.len(), bytes.capacity());
        }
    }

    #[test]
    fn no_piece_becomes_larger_than_a_frame_of_http2() {
        assert_eq!(gathered([piece(ENOUGH), piece(1)]), [&*ENOUGH.to_string(), "1"]);
        assert_eq!(gathered([piece(1), piece(MOST - 1), piece(1)]), [&*MOST.to_string(), "1"]);
        assert_eq!(gathered([piece(1), piece(MOST), piece(1)]), ["1", &*MOST.to_string(), "1"]);
        let (pieces, whole) = (std::iter::repeat_with(|| piece(1024)).take(64), gathered);
        assert_eq!(whole(pieces), vec![MOST.to_string(); 64 * 1024 / MOST]);
    }
}
