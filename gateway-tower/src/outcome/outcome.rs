//! The outcome of a request, for access logs and metrics.

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;

use gateway_core::exchange;
use gateway_core::rule::Endpoint;
use gateway_core::table::{Listener, ListenerId, NoMatch, RouteTable};
use http::Response;

use super::Refusal;
use crate::handle::Snapshot;
use crate::routed::{Reached, Routed};

/// What the gateway did with a request; in the extensions of every answer.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Outcome {
    /// Who made the answer.
    pub answered_by: AnsweredBy,
    /// The rule that served the request, unless none did; with the backend and the endpoint of the last attempt, where there
    /// was one. Of a request that was given up while the next attempt was waited for, there is no endpoint.
    pub routed: Option<Routed>,
    /// How often the request was tried again.
    pub retries: u32,
    /// What of it the balance layer says, before the route layer puts it together.
    pub(crate) reached: Option<Reached>,
    /// What an observer of the last attempt has said for one of the request.
    pub(crate) note: Option<Arc<dyn Any + Send + Sync>>,
    refusal: Option<Refusal>,
    /// The table, for requests that no rule served: that none matched, or that a filter of the listener answered.
    snapshot: Option<Snapshot>,
}

/// Who made an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AnsweredBy {
    /// The backend, or whatever service the layers are wrapped around.
    #[default]
    Backend,
    /// A filter: a redirect, the answer to a CORS preflight, an extension's answer.
    Filter,
    /// A layer of one's own, of this name: it [refused](crate::outcome::CustomRefusal), or [said](Outcome::answered_by_layer) that
    /// the answer is its own.
    Layer(&'static str),
    /// The gateway, which could not carry the request on.
    Gateway,
}

// === impl AnsweredBy ===

impl AnsweredBy {
    /// One word for logs and metrics; that for a layer is its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Backend => "backend",
            Self::Filter => "filter",
            Self::Layer(layer) => layer,
            Self::Gateway => "gateway",
        }
    }
}

// === impl Outcome ===

impl Outcome {
    /// The outcome that goes with `response`; a new one when there is none yet.
    pub(crate) fn of<B>(response: &mut Response<B>) -> &mut Self {
        response.extensions_mut().get_or_insert_default()
    }

    /// Says of an answer that a layer of one's own has made, rather than a backend: from a cache, for example.
    ///
    /// ```
    /// use gateway_tower::outcome::{AnsweredBy, Outcome};
    ///
    /// let mut response = http::Response::new("kept from before");
    /// Outcome::answered_by_layer(&mut response, "cache");
    /// let outcome = response.extensions().get::<Outcome>().unwrap();
    /// assert_eq!(outcome.answered_by, AnsweredBy::Layer("cache"));
    /// ```
    pub fn answered_by_layer<B>(response: &mut Response<B>, layer: &'static str) {
        Self::of(response).answered_by = AnsweredBy::Layer(layer);
    }

    /// Says that the gateway answers, and why.
    pub(crate) fn refused(&mut self, refusal: Refusal) {
        self.answered_by = match &refusal {
            Refusal::Custom(custom) => AnsweredBy::Layer(custom.layer()),
            Refusal::Undecided(_)
            | Refusal::NoConnection
            | Refusal::NotRouted
            | Refusal::Unreachable(_)
            | Refusal::RetriesUsedUp
            | Refusal::BackendFailed(_)
            | Refusal::RequestBroken(_)
            | Refusal::TimedOut(_)
            | Refusal::LayerFailed(_) => AnsweredBy::Gateway,
        };
        self.refusal = Some(refusal);
    }

    /// Says in which table no rule was found, or none was looked for.
    pub(crate) fn unmatched(&mut self, snapshot: Snapshot) {
        self.snapshot = Some(snapshot);
    }

    /// What an observer of the last attempt has [noted](crate::observe::ObserveAttempt::note) for one of the request, if it is of
    /// this type.
    pub fn note<N: Send + Sync + 'static>(&self) -> Option<Arc<N>> {
        Arc::clone(self.note.as_ref()?).downcast().ok()
    }

    /// Why the gateway answered by itself, if it did.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }

    /// The endpoint of the last attempt, where there was one.
    pub fn endpoint(&self) -> Option<SocketAddr> {
        self.routed.as_ref()?.endpoint().map(Endpoint::address)
    }

    /// What the reference to a backend is to that the request fell to, where that leads nowhere.
    pub fn unresolved_backend(&self) -> Option<&Arc<str>> {
        self.routed.as_ref()?.rule().backends.unresolved(self.unresolved_position()?.into())
    }

    /// The position of that reference in the rule.
    pub(crate) fn unresolved_position(&self) -> Option<u16> {
        match self.refusal()? {
            Refusal::Undecided(exchange::Refusal::UnresolvedBackend { position }) => Some(*position),
            _ => None,
        }
    }

    /// The table that decided about the request.
    pub fn table(&self) -> Option<&RouteTable> {
        match (&self.routed, &self.snapshot) {
            (Some(routed), _) => Some(routed.table()),
            (None, snapshot) => snapshot.as_deref(),
        }
    }

    /// The listener that serves the request's host, even when no rule matched.
    pub fn listener(&self) -> Option<&Listener> {
        Some(self.table()?.listener(self.listener_id()?))
    }

    /// The number of that listener in the [table](Self::table).
    pub(crate) fn listener_id(&self) -> Option<ListenerId> {
        if let Some(routed) = &self.routed {
            return Some(routed.matched().listener);
        }
        match self.refusal()? {
            Refusal::Undecided(exchange::Refusal::Unmatched(
                NoMatch::NoRule(id)
                | NoMatch::TargetTooLong(id)
                | NoMatch::HeadersTooLong(id)
                | NoMatch::Misdirected { host: id, .. },
            )) => Some(*id),
            Refusal::Undecided(_)
            | Refusal::NoConnection
            | Refusal::NotRouted
            | Refusal::Unreachable(_)
            | Refusal::RetriesUsedUp
            | Refusal::BackendFailed(_)
            | Refusal::RequestBroken(_)
            | Refusal::TimedOut(_)
            | Refusal::LayerFailed(_)
            | Refusal::Custom(_) => None,
        }
    }
}
