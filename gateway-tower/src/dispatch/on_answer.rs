//! Edits of an answer on its way back.

use std::mem;

use gateway_core::exchange::Exchange;
use http::{Response, response};

use crate::handle::Snapshot;
use crate::outcome::Refused;

/// What is to be done to the answer.
#[derive(Debug)]
pub(super) enum OnAnswer {
    /// Nothing: there are no filters.
    Plain,
    /// The filters that have run on the request.
    Filters(Box<Exchange<Snapshot>>),
}

// === impl OnAnswer ===

impl OnAnswer {
    /// What is to be done to the answer of a backend.
    pub(super) fn finish<B>(&self, response: &mut Response<B>) {
        match self {
            Self::Plain => {}
            Self::Filters(exchange) => edit_head(response, |head| {
                exchange.on_backend_response(head);
                exchange.on_response(head);
            }),
        }
    }

    /// What is to be done to an answer of the gateway's own.
    ///
    /// # Spec
    /// FHM-11, FCO-02.
    pub(super) fn finish_refused(&self, refused: &mut Refused) {
        match self {
            Self::Plain => {}
            Self::Filters(exchange) => refused.edit_head(|head| exchange.finish_local(head)),
        }
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
