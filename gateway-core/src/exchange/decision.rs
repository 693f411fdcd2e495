//! A whole decision in one call.

use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, Uri, request, response};

use super::arrival::Arrival;
use super::authorization::AuthAnswer;
use super::form::Form;
use super::search::{Search, Sought};
use super::steps::Exchange;
use super::stopped::Stopped;
use crate::filter::{ExternalAuth, MirrorCopy};
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
    /// An authorization service is to be asked first.
    Ask(Box<Question>),
}

/// A request that waits for the answer of an authorization service.
///
/// ```
/// use gateway_core::exchange::{Arrival, AuthAnswer, Decision};
/// use gateway_core::filter::ExternalAuth;
/// # use gateway_core::rule::Backend;
/// # fn ask(_: &ExternalAuth, _: &Backend, _: &http::request::Parts) -> AuthAnswer { AuthAnswer::Failed }
///
/// fn settle(mut decision: Decision, arrival: &Arrival<'_>) -> Decision {
///     while let Decision::Ask(question) = decision {
///         let answer = ask(question.auth(), question.backend(), question.request_parts());
///         decision = question.go_on(answer, arrival, &mut || 4);
///     }
///     decision
/// }
/// ```
#[derive(Debug)]
pub struct Question {
    auth: Arc<ExternalAuth>,
    parts: request::Parts,
    form: Form,
    waiting: Waiting,
}

/// How far a request has come that waits.
#[derive(Debug)]
enum Waiting {
    /// Its rule is not known.
    Search(Arc<RouteTable>, Search),
    /// It is, and how long it may take.
    Exchange(Exchange, Timeouts),
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
        match Sought::begin(self, arrival, &mut request) {
            Ok(Sought::Found(matched)) => {
                serve(Exchange::new(self.clone(), matched), arrival, request, form, random)
            }
            Ok(Sought::Filters(search)) => search_on(self.clone(), search, arrival, request, form, random),
            Err(stopped) => Decision::Answer(stopped.into_response(form)),
        }
    }
}

fn search_on(
    table: Arc<RouteTable>,
    mut search: Search,
    arrival: &Arrival<'_>,
    mut request: Request<()>,
    form: Form,
    random: &mut dyn FnMut() -> u64,
) -> Decision {
    match search.run(&table, &mut request) {
        Ok(matched) => serve(Exchange::new(table, matched).after(search), arrival, request, form, random),
        Err(Stopped::Asks(auth)) => {
            let ((parts, ()), waiting) = (request.into_parts(), Waiting::Search(table, search));
            Decision::Ask(Box::new(Question { auth, parts, form, waiting }))
        }
        Err(stopped) => Decision::Answer(stopped.into_response(form)),
    }
}

fn serve(
    mut exchange: Exchange,
    arrival: &Arrival<'_>,
    mut request: Request<()>,
    form: Form,
    random: &mut dyn FnMut() -> u64,
) -> Decision {
    let timeouts = exchange.rule().timeouts_for(request.headers());
    exchange.tell(arrival, &mut request);
    filter_on(exchange, timeouts, request.into_parts().0, form, random)
}

fn filter_on(
    mut exchange: Exchange,
    timeouts: Timeouts,
    mut parts: request::Parts,
    form: Form,
    random: &mut dyn FnMut() -> u64,
) -> Decision {
    match exchange.run(&mut parts, random) {
        Ok(backend) => {
            into_origin_form(&mut parts);
            for copy in exchange.mirrors_mut().into_iter().flatten() {
                into_origin_form(&mut copy.parts);
            }
            Decision::Forward(Box::new(Forward { exchange, backend, parts, timeouts }))
        }
        Err(Stopped::Asks(auth)) => {
            let waiting = Waiting::Exchange(exchange, timeouts);
            Decision::Ask(Box::new(Question { auth, parts, form, waiting }))
        }
        Err(stopped) => Decision::Answer(exchange.answer(stopped, form)),
    }
}

// === impl Question ===

impl Question {
    /// How the service is asked, and what it is asked.
    pub fn auth(&self) -> &ExternalAuth {
        &self.auth
    }

    /// Where the service is. Without endpoints there is no answer.
    pub fn backend(&self) -> &Backend {
        let table = match &self.waiting {
            Waiting::Search(table, _) => table,
            Waiting::Exchange(exchange, _) => exchange.table(),
        };
        table.backend(self.auth.backend)
    }

    /// The request that is asked about, as the filters so far have left it.
    pub fn request_parts(&self) -> &request::Parts {
        &self.parts
    }

    /// How long the request may take, with the time that the service takes, where its rule is known.
    pub fn timeouts(&self) -> Timeouts {
        match &self.waiting {
            Waiting::Search(..) => Timeouts::default(),
            Waiting::Exchange(_, timeouts) => *timeouts,
        }
    }

    /// Decides on, with what came of asking. `arrival` and `random` are as they were before.
    pub fn go_on(
        self,
        answer: AuthAnswer,
        arrival: &Arrival<'_>,
        random: &mut dyn FnMut() -> u64,
    ) -> Decision {
        let Self { auth: _, mut parts, form, waiting } = self;
        match waiting {
            Waiting::Search(table, mut search) => match search.on_auth_answer(answer, &mut parts.headers) {
                Ok(()) => search_on(table, search, arrival, Request::from_parts(parts, ()), form, random),
                Err(stopped) => Decision::Answer(stopped.into_response(form)),
            },
            Waiting::Exchange(mut exchange, timeouts) => {
                match exchange.on_auth_answer(answer, &mut parts.headers, form.clone()) {
                    Ok(()) => filter_on(exchange, timeouts, parts, form, random),
                    Err(stopped) => Decision::Answer(exchange.answer(stopped, form)),
                }
            }
        }
    }
}

// === impl Forward ===

impl Forward {
    /// Where the request goes. There is at least one endpoint, but for a backend that [your client answers for](Backend::is_answered_by_client).
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
