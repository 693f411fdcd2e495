//! A body that can be sent once more, as long as it is short.
//!
//! What streams through an attempt is kept, up to [`LIMIT`]. A longer body streams on, but what was kept is forgotten,
//! and the request cannot be tried again. Nor can it once the [`Replay`] is dropped: the last attempt keeps nothing.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use super::BoxError;

/// The most bytes of a body that are kept for a retry: 64 KiB.
pub(crate) const LIMIT: usize = 64 << 10;

/// A body that attempts share, one after the other.
pub(crate) struct Replay<B>(Arc<Mutex<Shared<B>>>);

/// The body as one attempt reads it: first what is kept, then what is still to come.
pub(crate) struct Replayed<B> {
    shared: Arc<Mutex<Shared<B>>>,
    attempt: u32,
    trailers_read: bool,
    /// What the layers ask for, as it was after the last frame: looking takes the lock.
    ended: bool,
    hint: SizeHint,
}

struct Shared<B> {
    source: B,
    /// The size before anything was read.
    hint: SizeHint,
    kept: BytesMut,
    /// How much of what is kept the attempt has read.
    read: usize,
    trailers: Option<HeaderMap>,
    progress: Progress,
    /// The attempt that may read; an earlier one may be around for a while.
    attempt: u32,
    /// There will be no attempt after it.
    is_last: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// More may come, and all that came is kept.
    Open,
    /// All came and is kept.
    Ended,
    /// It cannot be sent again: it is too long, or it broke.
    Lost,
}

/// Another attempt has taken the body over.
#[derive(Debug, thiserror::Error)]
#[error("the request is being tried again")]
struct Superseded;

// === impl Replay ===

impl<B> Replay<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    /// Keeps `body` for more than one attempt.
    pub(crate) fn new(body: B) -> Self {
        Self(Arc::new(Mutex::new(Shared {
            hint: body.size_hint(),
            source: body,
            kept: BytesMut::new(),
            read: 0,
            trailers: None,
            progress: Progress::Open,
            attempt: 0,
            is_last: false,
        })))
    }

    /// The body for the next attempt; none when it cannot be sent again. The attempts before it get no more of it.
    pub(crate) fn attempt(&self) -> Option<Replayed<B>> {
        let mut shared = lock(&self.0);
        if shared.progress == Progress::Lost {
            return None;
        }
        shared.attempt += 1;
        shared.read = 0;
        Some(Replayed {
            shared: Arc::clone(&self.0),
            attempt: shared.attempt,
            trailers_read: false,
            ended: shared.has_ended(false),
            hint: shared.hint,
        })
    }
}

impl<B> Drop for Replay<B> {
    fn drop(&mut self) {
        let mut shared = lock(&self.0);
        shared.is_last = true;
        if shared.progress == Progress::Open {
            shared.progress = Progress::Lost;
        }
        shared.forget();
    }
}

// === impl Replayed ===

impl<B> Body for Replayed<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let mut shared = lock(&this.shared);
        if shared.attempt != this.attempt {
            return Poll::Ready(Some(Err(Superseded.into())));
        }
        let frame = ready!(shared.poll_frame(&mut this.trailers_read, cx));
        this.ended = shared.has_ended(this.trailers_read);
        // Only of an attempt that has read nothing is it wanted, to announce the length.
        this.hint = SizeHint::default();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
    }
}

// === impl Shared ===

impl<B> Shared<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    /// The next frame of the attempt, which has read the trailers or not.
    fn poll_frame(
        &mut self,
        trailers_read: &mut bool,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>>
    where
        B::Error: Into<BoxError>,
    {
        if self.read < self.kept.len() {
            let rest = Bytes::copy_from_slice(&self.kept[self.read..]);
            self.read = self.kept.len();
            if self.is_last {
                self.forget();
            }
            return Poll::Ready(Some(Ok(Frame::data(rest))));
        }
        if let Some(trailers) = &self.trailers
            && !*trailers_read
        {
            *trailers_read = true;
            return Poll::Ready(Some(Ok(Frame::trailers(trailers.clone()))));
        }
        if self.progress == Progress::Ended {
            return Poll::Ready(None);
        }
        let frame = ready!(Pin::new(&mut self.source).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                self.keep(frame);
                self.read = self.kept.len();
                *trailers_read = frame.is_trailers();
            }
            Some(Err(_)) => self.lose(),
            None if self.progress == Progress::Open => self.progress = Progress::Ended,
            None => {}
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    /// Whether there is nothing more for an attempt that has read the trailers or not.
    fn has_ended(&self, trailers_read: bool) -> bool {
        let caught_up = self.read >= self.kept.len() && (trailers_read || self.trailers.is_none());
        caught_up && (self.progress == Progress::Ended || self.source.is_end_stream())
    }
}

impl<B> Shared<B> {
    fn keep(&mut self, frame: &Frame<Bytes>) {
        if self.progress == Progress::Lost {
            return;
        }
        if let Some(data) = frame.data_ref() {
            if self.kept.len() + data.len() > LIMIT {
                self.lose();
            } else {
                self.kept.extend_from_slice(data);
            }
        } else if let Some(trailers) = frame.trailers_ref() {
            self.trailers = Some(trailers.clone());
        }
    }

    fn lose(&mut self) {
        self.progress = Progress::Lost;
        self.forget();
    }

    /// Gives back the room of what is kept, unless an attempt has still to read it.
    fn forget(&mut self) {
        if self.read >= self.kept.len() {
            self.kept = BytesMut::new();
        }
    }
}

fn lock<B>(shared: &Mutex<Shared<B>>) -> MutexGuard<'_, Shared<B>> {
    // A body that panicked while it was polled is only told so again.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Full};

    use super::*;
    use crate::body::RequestBody;

    fn replay(body: &'static [u8]) -> Replay<RequestBody<Full<Bytes>>> {
        Replay::new(RequestBody::new(Full::from(body)))
    }

    #[tokio::test]
    async fn every_attempt_has_the_body_and_its_length() {
        let replay = replay(b"body");
        for _ in 0..3 {
            let attempt = RequestBody::replayed(replay.attempt().expect("it is short"));
            assert_eq!(attempt.size_hint().exact(), Some(4));
            assert!(!attempt.is_end_stream());
            assert_eq!(attempt.collect().await.unwrap().to_bytes(), "body");
        }
    }

    #[tokio::test]
    async fn what_is_kept_is_given_back_when_there_will_be_no_other_attempt() {
        for read_before in [false, true] {
            let replay = replay(b"body");
            if read_before {
                let first = RequestBody::replayed(replay.attempt().unwrap());
                assert_eq!(first.collect().await.unwrap().to_bytes(), "body");
            }
            let mut last = replay.attempt().unwrap();
            let shared = Arc::clone(&last.shared);
            drop(replay);
            assert_eq!(last.frame().await.unwrap().unwrap().into_data().unwrap(), "body");
            assert!(last.is_end_stream());
            assert_eq!(lock(&shared).kept.capacity(), 0, "read before: {read_before}");
        }
    }

    #[tokio::test]
    async fn an_attempt_that_was_given_up_gets_no_more() {
        let replay = replay(b"body");
        let first = RequestBody::replayed(replay.attempt().unwrap());
        let second = RequestBody::replayed(replay.attempt().unwrap());
        let error = first.collect().await.unwrap_err();
        assert_eq!(error.to_string(), "the request is being tried again");
        assert_eq!(second.collect().await.unwrap().to_bytes(), "body");
    }
}
