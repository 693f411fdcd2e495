//! The answer on its way through the filters.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use gateway_core::filter::{self, HttpFilter, RequestEdits};
use http::Response;
use pin_project_lite::pin_project;

use crate::decided::Decided;
use crate::outcome::{AnsweredBy, Outcome};
use crate::refusal::Refusal;
use crate::routed::Routed;

pin_project! {
    /// The answer of the service within, or of a filter, with the filters of the list run on it.
    #[derive(Debug)]
    pub struct FiltersFuture<F> {
        #[pin]
        answer: Decided<F>,
        // In a box, so that requests without filters have a small future.
        on_answer: Option<Box<OnAnswer>>,
    }
}

/// The filters of one list, waiting for the answer.
#[derive(Debug)]
pub(crate) struct OnAnswer {
    routed: Routed,
    list: List,
    edits: RequestEdits,
}

#[derive(Clone, Copy, Debug)]
enum List {
    Rule,
    /// The filters of the rule's backend at this position.
    Backend(usize),
}

// === impl FiltersFuture ===

impl<F> FiltersFuture<F> {
    pub(super) fn forwarded(future: F, on_answer: Option<Box<OnAnswer>>) -> Self {
        Self { answer: Decided::forwarded(future), on_answer }
    }

    pub(super) fn refused(refusal: Refusal, on_answer: Option<Box<OnAnswer>>) -> Self {
        Self { answer: Decided::refused(refusal), on_answer }
    }

    pub(super) fn answered(response: Box<Response<Bytes>>, on_answer: Box<OnAnswer>) -> Self {
        Self { answer: Decided::answered(response), on_answer: Some(on_answer) }
    }
}

impl<F, B, E> Future for FiltersFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: From<Bytes>,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = this.answer.poll(cx);
        match this.on_answer {
            Some(on_answer) => answer.map_ok(|response| on_answer.run(response)),
            None => answer,
        }
    }
}

// === impl OnAnswer ===

impl OnAnswer {
    /// The filters of the rule.
    pub(super) fn rule(routed: Routed, edits: RequestEdits) -> Box<Self> {
        Box::new(Self { routed, list: List::Rule, edits })
    }

    /// The filters of the rule's backend at position `backend`.
    pub(crate) fn backend(routed: Routed, backend: usize, edits: RequestEdits) -> Box<Self> {
        Box::new(Self { routed, list: List::Backend(backend), edits })
    }

    /// Runs them; on an answer of the gateway's own only those that are for such.
    ///
    /// # Spec
    /// FHM-11, FCO-02.
    pub(crate) fn run<B>(&self, response: Response<B>) -> Response<B> {
        let (mut parts, body) = response.into_parts();
        let local = parts.extensions.get::<Outcome>().is_some_and(|outcome| match outcome.answered_by {
            AnsweredBy::Gateway(_) => true,
            AnsweredBy::Backend | AnsweredBy::Filter => false,
        });
        if local {
            filter::on_local_response(self.filters(), &self.edits, &mut parts);
        } else {
            filter::on_response(self.filters(), &self.edits, &mut parts);
        }
        Response::from_parts(parts, body)
    }

    fn filters(&self) -> &[HttpFilter] {
        let rule = self.routed.rule();
        match self.list {
            List::Rule => &rule.filters,
            List::Backend(backend) => rule.filters_of(backend),
        }
    }
}
