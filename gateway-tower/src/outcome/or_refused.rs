//! The future of a layer that carries a request on or refuses it.

use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::{IntoRefused, Refused};

pin_project! {
    /// What the service within answers, or the refusal in its place.
    #[derive(Debug)]
    pub struct OrRefused<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjected]
    #[derive(Debug)]
    enum State<F> {
        Forwarded { #[pin] future: F },
        Refused { refused: Option<Refused> },
    }
}

// === impl OrRefused ===

impl<F> OrRefused<F> {
    /// The service within answers.
    pub fn forwarded(future: F) -> Self {
        Self { state: State::Forwarded { future } }
    }

    /// The request is refused.
    pub fn refused(refused: impl Into<Refused>) -> Self {
        Self { state: State::Refused { refused: Some(refused.into()) } }
    }
}

impl<F> OrRefused<F> {
    /// The same as `poll`, with the answer, or the refusal in its place, edited where it is: an answer is large to move.
    #[inline]
    pub(crate) fn poll_edited<R, E>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        edit: impl FnOnce(Result<&mut R, &mut Refused>),
    ) -> Poll<Result<R, Refused>>
    where
        F: Future<Output = Result<R, E>>,
        E: IntoRefused,
    {
        let mut answer = self.poll(cx);
        // Not moved before it is there: hence no arm that gives it back.
        let Poll::Ready(end) = &mut answer else { return Poll::Pending };
        edit(end.as_mut());
        answer
    }
}

impl<F, R, E> Future for OrRefused<F>
where
    F: Future<Output = Result<R, E>>,
    E: IntoRefused,
{
    type Output = Result<R, Refused>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjected::Forwarded { future } => E::refuse_from(|| future.poll(cx)),
            StateProjected::Refused { refused } => {
                Poll::Ready(Err(refused.take().expect("a future is not polled after it was ready")))
            }
        }
    }
}
