//! The reasons for refusals as single words, for metrics and traces.

use std::fmt;

/// Why the gateway answered by itself, without what is particular to the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// No valid host or target.
    Malformed,
    /// No valid length.
    Framing,
    /// `OPTIONS` that may not be forwarded.
    OptionsOfGateway,
    /// `TRACE` that may not be forwarded.
    TraceOfGateway,
    /// It was passed on too often.
    GoesRound,
    /// No listener serves the host.
    NoListener,
    /// No rule matches.
    NoRule,
    /// Regular expressions cannot look at all of it.
    TooLongToMatch,
    /// The connection was made for another listener.
    Misdirected,
    /// A filter of the listener cannot be carried out.
    ListenerFilter,
    /// A filter cannot be carried out.
    Filter,
    /// An authorization service gives no answer.
    NotAuthorized,
    /// The body is longer than what the authorization service may be sent.
    BodyTooLong,
    /// The rule has no backend with a weight.
    NoBackend,
    /// The reference to the backend is invalid.
    UnresolvedBackend,
    /// The backend has no endpoints.
    NoEndpoints,
    /// The name of the backend leads to no address.
    NoAddress,
    /// No connection to the endpoint, or it did not take the request.
    Unreachable,
    /// An attempt failed, and the backend has got as many retries as its budget allows.
    RetriesUsedUp,
    /// The endpoint gave no proper answer.
    BackendFailed,
    /// The body of the request broke off.
    RequestBroken,
    /// The time for the request was over.
    RequestTimeout,
    /// The time for the last attempt was over.
    BackendRequestTimeout,
    /// A layer of one's own failed.
    LayerFailed,
    /// A layer of one's own refused.
    LayerRefused,
    /// The layers are put together wrongly, or the core has a reason that has no word here.
    Gateway,
}

// === impl Reason ===

impl Reason {
    /// All of them, in the order in which they are declared.
    pub const ALL: [Self; 26] = [
        Self::Malformed,
        Self::Framing,
        Self::OptionsOfGateway,
        Self::TraceOfGateway,
        Self::GoesRound,
        Self::NoListener,
        Self::NoRule,
        Self::TooLongToMatch,
        Self::Misdirected,
        Self::ListenerFilter,
        Self::Filter,
        Self::NotAuthorized,
        Self::BodyTooLong,
        Self::NoBackend,
        Self::UnresolvedBackend,
        Self::NoEndpoints,
        Self::NoAddress,
        Self::Unreachable,
        Self::RetriesUsedUp,
        Self::BackendFailed,
        Self::RequestBroken,
        Self::RequestTimeout,
        Self::BackendRequestTimeout,
        Self::LayerFailed,
        Self::LayerRefused,
        Self::Gateway,
    ];

    /// The word for logs, metrics and traces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Framing => "framing",
            Self::OptionsOfGateway => "options_of_gateway",
            Self::TraceOfGateway => "trace_of_gateway",
            Self::GoesRound => "goes_round",
            Self::NoListener => "no_listener",
            Self::NoRule => "no_rule",
            Self::TooLongToMatch => "too_long_to_match",
            Self::Misdirected => "misdirected",
            Self::ListenerFilter => "listener_filter",
            Self::Filter => "filter",
            Self::NotAuthorized => "not_authorized",
            Self::BodyTooLong => "body_too_long",
            Self::NoBackend => "no_backend",
            Self::UnresolvedBackend => "unresolved_backend",
            Self::NoEndpoints => "no_endpoints",
            Self::NoAddress => "no_address",
            Self::Unreachable => "unreachable",
            Self::RetriesUsedUp => "retries_used_up",
            Self::BackendFailed => "backend_failed",
            Self::RequestBroken => "request_broken",
            Self::RequestTimeout => "request_timeout",
            Self::BackendRequestTimeout => "backend_request_timeout",
            Self::LayerFailed => "layer_failed",
            Self::LayerRefused => "layer_refused",
            Self::Gateway => "gateway",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_listed_at_its_place_and_has_a_word_of_its_own() {
        let words: std::collections::BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        assert_eq!(words.len(), Reason::ALL.len());
        for (index, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index, "{reason}");
        }
    }
}
