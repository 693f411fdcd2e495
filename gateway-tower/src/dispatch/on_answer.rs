//! Edits of an answer on its way back.

use std::mem;

use gateway_core::exchange::Exchange;
use http::{Response, response};

use crate::handle::Snapshot;
use crate::outcome::Refused;

/// What is to be done to the answer: the filters that have run on the request.
#[derive(Debug)]
pub(super) struct OnAnswer(Box<Exchange<Snapshot>>);

// === impl OnAnswer ===

impl OnAnswer {
    /// What the filters of this exchange do.
    pub(super) fn new(exchange: Exchange<Snapshot>) -> Self {
        Self(Box::new(exchange))
    }

    /// What is to be done to the answer of a backend.
    pub(super) fn finish<B>(&self, response: &mut Response<B>) {
        edit_head(response, |head| {
            self.0.on_backend_response(head);
            self.0.on_response(head);
        });
    }

    /// What is to be done to an answer of the gateway's own.
    ///
    /// # Spec
    /// FHM-11, FCO-02.
    pub(super) fn finish_refused(&self, refused: &mut Refused) {
        refused.edit_head(|head| self.0.finish_local(head));
    }
}

fn edit_head<B>(response: &mut Response<B>, edit: impl FnOnce(&mut response::Parts)) {
    let mut swap = |head: &mut response::Parts| {
        mem::swap(&mut head.status, response.status_mut());
        mem::swap(&mut head.version, response.version_mut());
        mem::swap(&mut head.headers, response.headers_mut());
        mem::swap(&mut head.extensions, response.extensions_mut());
    };
    let (mut head, ()) = Response::new(()).into_parts();
    swap(&mut head);
    edit(&mut head);
    swap(&mut head);
}
