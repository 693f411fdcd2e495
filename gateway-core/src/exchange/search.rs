//! The way of a request to the rule that serves it.

use std::borrow::Cow;

use http::Request;
use http::header::{self, HeaderMap, HeaderValue};

use super::arrival::Arrival;
use super::authorization::{AuthAnswer, Permit};
use super::form::Form;
use super::one_form;
use super::refusal::Refusal;
use super::stopped::{Asked, Stopped};
use crate::filter::{self, ListenerFilter, Verdict};
use crate::hostname::Host;
use crate::matching::RequestHead;
use crate::table::{ListenerId, Matched, NoMatch, RouteTable, Transport};

/// The way of a request through the filters of its listener to its rule, for embeddings that ask authorization services.
///
/// ```
/// use gateway_core::exchange::{Arrival, AuthAnswer, Sought, Stopped};
/// # use gateway_core::filter::ExternalAuth;
/// # use gateway_core::name::ObjectName;
/// # use gateway_core::table::{Matched, RouteTable};
/// # fn ask(_: &ExternalAuth, _: &http::Request<()>) -> AuthAnswer { AuthAnswer::Failed }
///
/// fn find(table: &RouteTable, arrival: &Arrival<'_>, request: &mut http::Request<()>) -> Result<Matched, Stopped> {
///     let mut search = match Sought::begin(table, arrival, request)? {
///         Sought::Found(matched) => return Ok(matched),
///         Sought::Filters(search) => search,
///     };
///     loop {
///         match search.run(table, request) {
///             Err(Stopped::Asks(auth)) => search.on_auth_answer(ask(&auth, request), request.headers_mut())?,
///             found => return found,
///         }
///     }
/// }
/// # let (table, gateway) = (RouteTable::default(), ObjectName::new("default", "web"));
/// # assert!(find(&table, &Arrival::new(&gateway, 80), &mut http::Request::new(())).is_err());
/// ```
#[derive(Clone, Debug)]
pub struct Search {
    listener: ListenerId,
    progress: Progress,
    /// What the authorization services so far have said about the answer. Allocates nothing where there was none.
    permits: Vec<Permit>,
    /// That of the request as the client sent it, where a service may have to answer.
    form: Form,
}

/// Where a search stands once the listener is known.
#[derive(Debug)]
pub enum Sought {
    /// At its end: the listener has no filters, and this rule serves the request.
    Found(Matched),
    /// Before the filters of the listener.
    Filters(Search),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// No filter has run.
    Begun,
    /// They have run so far.
    Filters(Asked),
    /// A filter has stopped the request.
    Stopped,
}

/// Brings a request into the form that is matched, as [`find`] does, and runs the filters of its listener: for those who ask
/// the table by themselves afterwards.
///
/// # Errors
/// When the request is malformed, or a filter of the listener answers it, asks a service or cannot be carried out. That no
/// listener takes it is for the table to say.
///
/// # Spec
/// [MSG-01](crate::choices#MSG-01) to [MSG-04](crate::choices#MSG-04); [PRF-01](crate::spec#PRF-01), [PRF-03](crate::spec#PRF-03)
/// to [PRF-05](crate::spec#PRF-05).
pub fn prepare<B>(
    table: &RouteTable,
    arrival: &Arrival<'_>,
    request: &mut Request<B>,
) -> Result<(), Stopped> {
    one_form::prepare(arrival, request)?;
    let head = RequestHead::from_request(request)?;
    let Ok(listener) = select(table, arrival, &head.host) else { return Ok(()) };
    drop(head);
    Search::behind(listener).filter(table, request)
}

/// Brings a request into the form that is matched and forwarded, runs the filters of its listener, and finds the rule that
/// serves it: what [`Exchange::begin`](super::Exchange::begin) does first.
///
/// The listener is that of the host that the client named. Its filters have run also where no rule is found, and what they
/// have made of the request decides which one is. A [`Search`] is the same for those who can ask authorization services.
///
/// # Errors
/// When the request is malformed, a filter of the listener answers it or asks a service, no rule serves it, or it may not be
/// forwarded.
///
/// # Spec
/// [AMB-01](crate::choices#AMB-01), [AMB-16](crate::choices#AMB-16), [HST-08](crate::spec#HST-08), [HRM-16](crate::spec#HRM-16);
/// [PRF-01](crate::spec#PRF-01) to [PRF-05](crate::spec#PRF-05), [PRF-08](crate::spec#PRF-08); [MSG-01](crate::choices#MSG-01) to
/// [MSG-04](crate::choices#MSG-04), [MSG-06](crate::choices#MSG-06).
pub fn find<B>(
    table: &RouteTable,
    arrival: &Arrival<'_>,
    request: &mut Request<B>,
) -> Result<Matched, Stopped> {
    match Sought::begin(table, arrival, request)? {
        Sought::Found(matched) => Ok(matched),
        Sought::Filters(mut search) => search.run(table, request),
    }
}

// === impl Sought ===

impl Sought {
    /// Brings a request into the form that is matched, and finds the listener that takes it: that of the host that the client
    /// named. Where the listener has no filters, finds the rule, too.
    ///
    /// # Errors
    /// When the request is malformed, no listener takes it, or, without filters, no rule serves it or it may not be forwarded.
    ///
    /// # Spec
    /// [AMB-16](crate::choices#AMB-16), [HST-08](crate::spec#HST-08); [PRF-04](crate::spec#PRF-04);
    /// [MSG-01](crate::choices#MSG-01) to [MSG-04](crate::choices#MSG-04).
    pub fn begin<B>(
        table: &RouteTable,
        arrival: &Arrival<'_>,
        request: &mut Request<B>,
    ) -> Result<Self, Stopped> {
        one_form::prepare(arrival, request)?;
        let head = RequestHead::from_request(request)?;
        let listener = select(table, arrival, &head.host)?;
        if table.listener_filters(listener).is_empty() {
            return found(table, listener, head).finish(request).map(Self::Found);
        }
        Ok(Self::Filters(Search::behind(listener)))
    }
}

// === impl Search ===

impl Search {
    fn behind(listener: ListenerId) -> Self {
        Self { listener, progress: Progress::Begun, permits: Vec::new(), form: Form::Http }
    }

    /// Runs the filters of the listener, and finds the rule that serves the request, in the same table; goes on where it was
    /// left for an authorization service.
    ///
    /// # Errors
    /// When a filter answers the request, asks an authorization service, or cannot be carried out; when no rule serves it, or
    /// it may not be forwarded.
    ///
    /// # Spec
    /// [AMB-01](crate::choices#AMB-01), [HRM-16](crate::spec#HRM-16); [PRF-01](crate::spec#PRF-01) to
    /// [PRF-03](crate::spec#PRF-03), [PRF-05](crate::spec#PRF-05), [PRF-08](crate::spec#PRF-08); [MSG-06](crate::choices#MSG-06).
    pub fn run<B>(&mut self, table: &RouteTable, request: &mut Request<B>) -> Result<Matched, Stopped> {
        self.filter(table, request)?;
        // It was one before the filters.
        let head = RequestHead::from_request(request).map_err(|_| Refusal::ListenerFilter)?;
        found(table, self.listener, head).finish(request)
    }

    /// Takes what came of asking the authorization service that the last step has [named](Stopped::Asks). Where the request
    /// passes, its headers are changed, and the search goes on.
    ///
    /// # Errors
    /// When the request does not pass; also when no service was named.
    ///
    /// # Spec
    /// [FEA-01](crate::spec#FEA-01), [FEA-02](crate::spec#FEA-02), [PRF-05](crate::spec#PRF-05).
    pub fn on_auth_answer(&mut self, answer: AuthAnswer, headers: &mut HeaderMap) -> Result<(), Stopped> {
        let Progress::Filters(Asked::Waits(position)) = self.progress else {
            return Err(Refusal::ListenerFilter.into());
        };
        self.progress = Progress::Stopped;
        self.permits.push(answer.pass(headers, self.form.clone())?);
        self.progress = Progress::Filters(Asked::Passed(position));
        Ok(())
    }

    /// What the authorization services have said.
    pub(super) fn permits(&self) -> &[Permit] {
        &self.permits
    }

    fn filter<B>(&mut self, table: &RouteTable, request: &mut Request<B>) -> Result<(), Stopped> {
        let filters = table.listener_filters(self.listener);
        let verdict = match self.progress {
            Progress::Begun if filters.is_empty() => Verdict::Continue,
            Progress::Begun => {
                self.form = Form::from_request(request.method(), request.headers());
                filter::before_routing(filters, request)
            }
            Progress::Filters(Asked::Passed(position)) => {
                filter::resume_before_routing(filters, position.into(), request)
            }
            Progress::Filters(Asked::Not) => Verdict::Continue,
            // FEA-01: nothing passes without an answer.
            Progress::Filters(Asked::Waits(_)) | Progress::Stopped => Verdict::Fail,
        };
        self.progress = Progress::Stopped;
        match verdict {
            Verdict::Continue => {
                self.progress = Progress::Filters(Asked::Not);
                Ok(())
            }
            Verdict::Respond(response) => Err(Stopped::Answered(response)),
            Verdict::Fail => Err(Refusal::ListenerFilter.into()),
            Verdict::Ask(position) => match filters.get(position) {
                Some(ListenerFilter::ExternalAuth(auth)) => {
                    self.progress = Progress::Filters(Asked::Waits(position as u8));
                    Err(Stopped::Asks(auth.clone()))
                }
                Some(ListenerFilter::Extension(_) | ListenerFilter::Unresolved) | None => {
                    Err(Refusal::ListenerFilter.into())
                }
            },
        }
    }
}

/// The listener that takes a request for this host.
fn select(table: &RouteTable, arrival: &Arrival<'_>, host: &Host<'_>) -> Result<ListenerId, NoMatch> {
    let server_name = arrival.server_name.and_then(|name| Host::from_name(name).ok());
    let look_up = || table.frontend_for(arrival.owner, Transport::Tcp, arrival.port);
    let frontend = arrival.frontend.or_else(look_up).ok_or(NoMatch::NoListener)?;
    table.select(frontend, server_name.as_ref(), host)
}

/// What the table has said of a request, and what the request still lacks.
struct Found {
    matched: Result<Matched, NoMatch>,
    normal_path: Option<String>,
    host_is_absent: bool,
}

fn found(table: &RouteTable, listener: ListenerId, head: RequestHead<'_>) -> Found {
    Found {
        matched: table.find_behind(listener, &head),
        host_is_absent: head.host.as_str().is_empty(),
        normal_path: match head.path {
            Cow::Owned(normal) => Some(normal),
            Cow::Borrowed(_) => None,
        },
    }
}

// === impl Found ===

impl Found {
    /// Brings the request into the form that is forwarded.
    fn finish<B>(self, request: &mut Request<B>) -> Result<Matched, Stopped> {
        let matched = self.matched?;
        one_form::put_path(request.uri_mut(), self.normal_path);
        one_form::count_forward(request)?;
        if self.host_is_absent {
            // "If the authority component is missing", a Host header is sent nevertheless, and empty: RFC 9112 section 3.2.
            request.headers_mut().insert(header::HOST, HeaderValue::from_static(""));
        }
        Ok(matched)
    }
}
