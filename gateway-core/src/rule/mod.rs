//! Rules of the table: filters, backends, timeouts and retries, which follow when a match was found.
//!
//! A rule for requests is an [`HttpRule`]; one for what is passed on as it comes, a [`StreamRule`].

mod backend;
mod backend_filters;
mod backend_tls;
mod data;
mod grpc_timeout;
mod retry;
mod retry_budget;
mod session;
mod session_key;
mod stream;
mod timeouts;

use std::sync::Arc;

use http::HeaderMap;

pub use self::backend::{
    Backend, BackendKind, BackendProtocol, BackendRef, BackendTarget, Backends, Endpoint, Locality,
};
pub use self::backend_filters::BackendFilters;
pub use self::backend_tls::{Authorities, BackendTls, Identity};
pub use self::data::{RuleData, RuleDataSource};
pub use self::grpc_timeout::grpc_timeout;
pub use self::retry::Retry;
pub use self::retry_budget::{RetryBudget, RetryRate};
pub use self::session::{
    NewSession, SessionCarrier, SessionCookie, SessionCookieError, SessionHeader, SessionPersistence,
    Sessions,
};
pub use self::session_key::{SessionKey, ShownSessions};
pub use self::stream::StreamRule;
pub use self::timeouts::Timeouts;
use crate::filter::HttpFilter;
use crate::name::{RouteKey, RouteKind};

/// One rule of an HTTPRoute or a GRPCRoute, compiled. A call of gRPC is a request.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpRule {
    /// The route, and which of its rules this is.
    pub id: RuleName,
    /// What is done to every request and response of the rule.
    pub filters: Box<[HttpFilter]>,
    /// Where the requests go.
    pub backends: Backends,
    /// What is done to the requests and responses of each backend, by its position in `backends`.
    pub backend_filters: BackendFilters,
    /// How long they may take, as far as the rule says so; see [`timeouts_for`](Self::timeouts_for).
    pub timeouts: Timeouts,
    /// When they are tried again; never without it.
    pub retry: Option<Box<Retry>>,
    /// How the requests of a client stay with one endpoint, where they do.
    pub sessions: Option<Box<Sessions>>,
    /// What the embedder wants to know about the rule.
    pub data: Option<RuleData>,
}

/// Which rule it is: the identity that logs, metrics and `explain` give.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleName {
    /// The route.
    pub route: Arc<RouteKey>,
    /// The position in the route's `rules`, from 0.
    pub index: u16,
    /// The rule's name, where it has one.
    pub name: Option<Box<str>>,
}

// === impl HttpRule ===

impl HttpRule {
    /// A rule that does nothing, without backends: what a rule made by hand starts from.
    pub fn new(id: RuleName) -> Self {
        Self {
            id,
            filters: Box::default(),
            backends: Backends::default(),
            backend_filters: BackendFilters::default(),
            timeouts: Timeouts::default(),
            retry: None,
            sessions: None,
            data: None,
        }
    }

    /// The filters of the backend at this position: those that run within the filters of the rule.
    pub fn filters_of(&self, backend: usize) -> &[HttpFilter] {
        self.backend_filters.of(backend)
    }

    /// How long a request with these headers may take. A GRPCRoute says nothing of it; its calls do, in `grpc-timeout`.
    pub fn timeouts_for(&self, headers: &HeaderMap) -> Timeouts {
        match self.id.route.kind {
            RouteKind::Grpc => match grpc_timeout(headers) {
                Some(limit) => self.timeouts.with_request_within(limit),
                None => self.timeouts,
            },
            RouteKind::Http | RouteKind::Tls | RouteKind::Tcp | RouteKind::Udp => self.timeouts,
        }
    }

    /// Whether an authorization service is asked about its requests.
    pub fn asks(&self) -> bool {
        self.filters.iter().any(|filter| matches!(filter, HttpFilter::ExternalAuth(_)))
    }

    /// Whether it has filters, be it for some of its backends only.
    pub fn has_filters(&self) -> bool {
        !self.filters.is_empty() || !self.backend_filters.is_empty()
    }
}

// === impl RuleName ===

impl std::fmt::Display for RuleName {
    /// `namespace/name/rule`, where the rule is its name or its index. The alternate form (`{:#}`) has the kind of the
    /// Route before it, since Routes of two kinds may have one name.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if f.alternate() {
            write!(f, "{} ", self.route.kind)?;
        }
        match &self.name {
            Some(name) => write!(f, "{}/{name}", self.route.name),
            None => write!(f, "{}/{}", self.route.name, self.index),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_takes_few_bytes_for_what_most_rules_do_not_have() {
        assert!(size_of::<HttpRule>() <= 15 * size_of::<usize>(), "{}", size_of::<HttpRule>());
    }
}
