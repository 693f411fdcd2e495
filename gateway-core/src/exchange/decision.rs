//! A whole decision in one call.

use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, Uri, request, response};

use super::arrival::Arrival;
use super::form::Form;
use super::steps::Exchange;
use crate::filter::MirrorCopy;
use crate::name::BackendId;
use crate::rule::{Backend, HttpRule, Retry, Timeouts};
use crate::table::RouteTable;

/// What is to happen with a request.
#[derive(Debug)]
pub enum Decision {
    /// This is the answer, finished: a redirect, the answer to a CORS preflight, or that of a [`Refusal`](super::Refusal) in the
    /// [form](Form) that the client understands. The refusal is then in the extensions.
    Answer(Response<Bytes>),
    /// A backend gets it.
    Forward(Box<Forward>),
}

/// A request for a backend, and what waits for the answer.
#[derive(Debug)]
pub struct Forward {
    exchange: Exchange,
    backend: BackendId,
    parts: request::Parts,
    timeouts: Timeouts,
}

// === impl RouteTable ===

impl RouteTable {
    /// Decides about a request: finds its rule, runs all filters, chooses the backend.
    ///
    /// `random` gives numbers that are uniform over all of `u64`.
    pub fn decide(
        self: &Arc<Self>,
        arrival: &Arrival<'_>,
        parts: request::Parts,
        random: &mut dyn FnMut() -> u64,
    ) -> Decision {
        let form = Form::from_request(&parts.method, &parts.headers);
        let mut request = Request::from_parts(parts, ());
        let mut exchange = match Exchange::begin(self, arrival, &mut request) {
            Ok(exchange) => exchange,
            Err(stopped) => return Decision::Answer(stopped.into_response(form)),
        };
        let timeouts = exchange.rule().timeouts_for(request.headers());
        exchange.tell(arrival, &mut request);
        let (mut parts, ()) = request.into_parts();
        match exchange.run(&mut parts, random) {
            Ok(backend) => {
                into_origin_form(&mut parts);
                for copy in exchange.mirrors_mut().into_iter().flatten() {
                    into_origin_form(&mut copy.parts);
                }
                Decision::Forward(Box::new(Forward { exchange, backend, parts, timeouts }))
            }
            Err(stopped) => Decision::Answer(exchange.answer(stopped, form)),
        }
    }
}

// === impl Forward ===

impl Forward {
    /// Where the request goes. There is at least one endpoint.
    pub fn backend(&self) -> &Backend {
        self.exchange.table().backend(self.backend)
    }

    /// The request that the backend gets: the same for every attempt.
    ///
    /// The target is in origin form, path and query, and the Host header, which is always there, has the host that the backend
    /// is to see. A client that speaks HTTP/2 sends it as `:authority`.
    pub fn request_parts(&self) -> &request::Parts {
        &self.parts
    }

    /// The copies for mirrors, in the same form. Send them once, when the request itself is attempted; what becomes of them
    /// makes no difference to it.
    pub fn mirrors(&self) -> &[MirrorCopy] {
        self.exchange.mirrors()
    }

    /// Where a copy goes. Without endpoints it is not sent.
    pub fn mirror_backend(&self, copy: &MirrorCopy) -> &Backend {
        self.exchange.table().backend(copy.backend)
    }

    /// How long it may take.
    pub fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// When it is tried again; never without it.
    pub fn retry(&self) -> Option<&Retry> {
        self.rule().retry.as_deref()
    }

    /// The rule that serves the request.
    pub fn rule(&self) -> &HttpRule {
        self.exchange.rule()
    }

    /// Everything else that is known.
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Does all that is to be done to the answer of the backend, before the client gets it.
    pub fn finish(&self, response: &mut response::Parts) {
        self.exchange.finish(response);
    }

    /// Does all that is to be done to an answer that the embedding makes by itself, because the backend cannot be reached
    /// (503), fails (502), or takes too long (504).
    pub fn finish_local(&self, response: &mut response::Parts) {
        self.exchange.finish_local(response);
    }
}

/// Takes the authority out of the target and into the Host header.
///
/// # Spec
/// FRW-08, AMB-43.
fn into_origin_form(parts: &mut request::Parts) {
    // The target of a CONNECT is nothing but an authority.
    if parts.method == Method::CONNECT {
        return;
    }
    let mut target = mem::take(&mut parts.uri).into_parts();
    if let Some(authority) = target.authority.take()
        && parts.headers.get(header::HOST).is_none_or(|host| host != authority.as_str())
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        // A request with so many headers that there is no room for another goes without.
        let _full = parts.headers.try_insert(header::HOST, host);
    }
    parts.uri = target.path_and_query.map(Uri::from).unwrap_or_default();
}
