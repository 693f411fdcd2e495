//! The copy of a body that a mirror gets while the body itself streams to its backend.
//!
//! The body never waits for the copy. What the mirror has not taken yet is held, up to [`LIMIT`]; a mirror that falls
//! further behind loses its copy, which then ends in an error, so that its backend does not take it for complete.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::mpsc;

use super::BoxError;

/// The most bytes that are held for one mirror: 1 MiB.
pub(crate) const LIMIT: usize = 1 << 20;

/// The most frames that are held for one mirror, so that many small ones cost no more than a few large ones.
const FRAMES: usize = 1024;

/// A piece of so many bytes is held as it is. Of a smaller one its bytes are: it may be a part of much more room, which would be held
/// for it.
const ENOUGH: usize = 8 * 1024;

/// Where the frames of a body are copied to. Dropped before [`finish`](Self::finish), it leaves the copy incomplete.
#[derive(Debug)]
pub(crate) struct CopySender {
    parts: mpsc::Sender<Part>,
    held: Arc<AtomicUsize>,
}

/// The copy as a mirror reads it.
#[derive(Debug)]
pub(crate) struct Copy {
    parts: mpsc::Receiver<Part>,
    held: Arc<AtomicUsize>,
    hint: SizeHint,
    ended: bool,
}

#[derive(Debug)]
enum Part {
    Frame(Frame<Bytes>),
    End,
}

/// The copy ends before the body did.
#[derive(Debug, thiserror::Error)]
#[error("the copy of the request's body is not complete")]
struct Incomplete;

/// The two ends of a copy of a body with this size.
pub(crate) fn copy(hint: SizeHint) -> (CopySender, Copy) {
    // One more, for the end.
    let (sender, receiver) = mpsc::channel(FRAMES + 1);
    let held = Arc::new(AtomicUsize::new(0));
    let copy = Copy { parts: receiver, held: Arc::clone(&held), hint, ended: false };
    (CopySender { parts: sender, held }, copy)
}

// === impl CopySender ===

impl CopySender {
    /// Copies a frame; false when the mirror is gone or has fallen too far behind.
    pub(super) fn send(&mut self, frame: &Frame<Bytes>) -> bool {
        let frame = match (frame.data_ref(), frame.trailers_ref()) {
            (Some(data), _) => {
                let held = self.held.fetch_add(data.len(), Ordering::Relaxed) + data.len();
                if held > LIMIT || self.parts.capacity() <= 1 {
                    tracing::debug!(held, "a mirror is too slow; its copy of a request is given up");
                    return false;
                }
                Frame::data(if data.len() < ENOUGH { Bytes::copy_from_slice(data) } else { data.clone() })
            }
            (None, Some(trailers)) => Frame::trailers(trailers.clone()),
            (None, None) => return true,
        };
        self.parts.try_send(Part::Frame(frame)).is_ok()
    }

    /// Says that the body ended.
    pub(super) fn finish(self) {
        // Fails when the mirror is gone, and does not matter then.
        let _gone = self.parts.try_send(Part::End);
    }
}

// === impl Copy ===

impl Copy {
    pub(super) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        match ready!(self.parts.poll_recv(cx)) {
            Some(Part::Frame(frame)) => {
                if let Some(data) = frame.data_ref() {
                    self.held.fetch_sub(data.len(), Ordering::Relaxed);
                    let rest = self.hint.exact().and_then(|exact| exact.checked_sub(data.len() as u64));
                    self.hint = rest.map_or_else(SizeHint::default, SizeHint::with_exact);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Part::End) => {
                self.ended = true;
                Poll::Ready(None)
            }
            // The body's reader stopped at the announced length without looking for an end.
            None if self.hint.exact() == Some(0) => {
                self.ended = true;
                Poll::Ready(None)
            }
            None => {
                self.ended = true;
                Poll::Ready(Some(Err(Incomplete.into())))
            }
        }
    }

    pub(super) fn is_end_stream(&self) -> bool {
        self.ended
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        self.hint
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use http_body_util::Empty;

    use super::*;
    use crate::body::RequestBody;

    fn data(length: usize) -> Frame<Bytes> {
        Frame::data(vec![0; length].into())
    }

    async fn read(copy: Copy) -> Result<usize, BoxError> {
        let body = RequestBody::<Empty<Bytes>>::copy(copy);
        Ok(body.collect().await?.to_bytes().len())
    }

    #[test]
    fn small_pieces_do_not_hold_the_room_that_they_are_a_part_of() {
        let (mut sender, _copy) = copy(SizeHint::default());
        let room = Bytes::from(vec![0; 2 * ENOUGH]);
        assert!((0..100).all(|at| sender.send(&Frame::data(room.slice(at..=at)))));
        assert!(room.is_unique());
        assert!(sender.send(&Frame::data(room.slice(..ENOUGH))));
        assert!(!room.is_unique(), "what is large is not copied");
    }

    #[tokio::test]
    async fn a_copy_is_whole_when_its_end_was_said() {
        let (mut sender, whole) = copy(SizeHint::default());
        assert!(sender.send(&data(10)));
        sender.finish();
        assert_eq!(read(whole).await.unwrap(), 10);
        let (mut sender, broken) = copy(SizeHint::default());
        assert!(sender.send(&data(10)));
        drop(sender);
        assert!(read(broken).await.is_err());
    }

    #[tokio::test]
    async fn a_copy_is_whole_when_it_has_its_announced_length() {
        let (mut sender, whole) = copy(SizeHint::with_exact(10));
        assert_eq!(whole.size_hint().exact(), Some(10));
        assert!(sender.send(&data(10)));
        drop(sender);
        assert_eq!(read(whole).await.unwrap(), 10);
    }

    #[tokio::test]
    async fn what_a_mirror_has_not_taken_is_limited_in_bytes_and_frames() {
        let (mut sender, _copy) = copy(SizeHint::default());
        assert!(sender.send(&data(LIMIT)));
        assert!(!sender.send(&data(1)));
        let (mut sender, copy) = copy(SizeHint::default());
        for _ in 0..FRAMES {
            assert!(sender.send(&data(1)));
        }
        assert!(!sender.send(&data(1)));
        sender.finish();
        assert_eq!(read(copy).await.unwrap(), FRAMES, "there is always room for the end");
    }

    #[tokio::test]
    async fn what_a_mirror_takes_makes_room() {
        let (mut sender, mut copy) = copy(SizeHint::default());
        for _ in 0..3 {
            assert!(sender.send(&data(LIMIT)));
            std::future::poll_fn(|cx| copy.poll_frame(cx)).await.unwrap().unwrap();
        }
    }
}
