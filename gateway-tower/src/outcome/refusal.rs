//! The reasons for which the gateway answers by itself, and what clients of HTTP and of gRPC see of each.
//!
//! Every layer that cannot carry a request on says why with a [`Refusal`]. Those of the decision itself are the
//! [core's](gateway_core::exchange::Refusal), with their statuses and texts; here are those of carrying it out. The texts are
//! for people at a terminal and do not tell what the gateway knows about backends. The
//! [`respond`](crate::respond) layer makes the answer, in the form of HTTP or of gRPC; the refusal itself, with its cause,
//! goes with the answer in an [`Outcome`](crate::outcome::Outcome), for access logs.
//!
//! | refusal | status | gRPC | rule |
//! | --- | --- | --- | --- |
//! | no valid host or target, or no valid length | 400 | 13 `INTERNAL` | [AMB-16](gateway_core::choices#AMB-16), [MSG-01](gateway_core::choices#MSG-01), [MSG-03](gateway_core::choices#MSG-03) |
//! | the request's body broke off or is framed wrongly | 400 | 13 `INTERNAL` | [MSG-10](gateway_core::choices#MSG-10) |
//! | `OPTIONS` or `TRACE` that may not be forwarded any further | 200, 501 | 2 `UNKNOWN` | [MSG-06](gateway_core::choices#MSG-06) |
//! | no listener or no rule matches | 404 | 12 `UNIMPLEMENTED` | [HRM-16](gateway_core::spec#HRM-16), [HST-10](gateway_core::spec#HST-10), [GRP-10](gateway_core::spec#GRP-10) |
//! | the connection was made for another listener | 421 | 12 `UNIMPLEMENTED` | [HST-20](gateway_core::spec#HST-20) |
//! | a filter cannot be carried out | 500 | 13 `INTERNAL` | [FLT-05](gateway_core::spec#FLT-05) |
//! | no backend, or none with a weight | 500 | 12 `UNIMPLEMENTED` | [HRB-11](gateway_core::spec#HRB-11), [HRB-13](gateway_core::spec#HRB-13), [AMB-20](gateway_core::choices#AMB-20), [GRP-12](gateway_core::spec#GRP-12) |
//! | the reference to the backend is invalid | 500 | 14 `UNAVAILABLE` | [HRB-10](gateway_core::spec#HRB-10), [GRP-11](gateway_core::spec#GRP-11) |
//! | the backend has no endpoints | 503 | 14 `UNAVAILABLE` | [HRB-12](gateway_core::spec#HRB-12) |
//! | an authorization service gives no answer | 503 | 14 `UNAVAILABLE` | [FEA-01](gateway_core::spec#FEA-01) |
//! | the body is longer than what it may be sent | 413 | 8 `RESOURCE_EXHAUSTED` | [FEA-08](gateway_core::spec#FEA-08), [CON-13](gateway_core::choices#CON-13) |
//! | no connection to the endpoint, or it did not take the request | 503 | 14 `UNAVAILABLE` | [HRB-22](gateway_core::spec#HRB-22) |
//! | an attempt failed, and the backend has used up its retries | 503 | 14 `UNAVAILABLE` | [RTB-03](gateway_core::spec#RTB-03) |
//! | the endpoint gave no proper answer | 502 | 14 `UNAVAILABLE` | [HRB-22](gateway_core::spec#HRB-22) |
//! | a timeout expired | 504 | 4 `DEADLINE_EXCEEDED` | [TMO-01](gateway_core::spec#TMO-01), [TMO-02](gateway_core::spec#TMO-02) |
//! | the layers are put together wrongly, or one of them failed | 500 | 13 `INTERNAL` | |
//! | a [layer of one's own](CustomRefusal) refuses | the layer's | the layer's, or what gRPC makes of the status | |
//!
//! The surprising case: a timeout is 504 to a client of HTTP, of which gRPC would make `UNAVAILABLE`, as if the call might
//! be tried again at once.
//!
//! ```
//! use gateway_core::exchange;
//! use gateway_tower::outcome::{GrpcCode, Refusal};
//!
//! let refusal = Refusal::from(exchange::Refusal::NoEndpoints);
//! assert_eq!((refusal.status().as_u16(), refusal.grpc_code()), (503, GrpcCode::Unavailable));
//! assert_eq!(refusal.text(), "503: the backend has no ready endpoints\n");
//! ```

use std::error::Error;
use std::sync::Arc;

use gateway_core::exchange::{self, GrpcCode};
use gateway_core::table::NoMatch;
use http::{Method, StatusCode};

use super::{CustomRefusal, Reason};
use crate::body::{BoxError, Limit};
use crate::client::NotProcessed;

/// Why the gateway answers by itself.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It was not decided where the request goes: it is malformed, no rule serves it, a filter cannot be carried out, or
    /// there is no backend for it.
    #[error(transparent)]
    Undecided(#[from] exchange::Refusal),
    /// No layer said which connection the request came in on: the gateway is not put together correctly.
    #[error(
        "the route layer knows no connection; give it one, or put an Arc<Connection> into the extensions"
    )]
    NoConnection,
    /// No route layer has seen the request: the gateway is not put together correctly.
    #[error("the request has not been routed; put the route layer outside of this one")]
    NotRouted,
    /// No connection to the endpoint could be made, or the endpoint [did not take](NotProcessed) the request: it has processed
    /// nothing.
    #[error("the backend cannot be reached")]
    Unreachable(#[source] Arc<dyn Error + Send + Sync>),
    /// An attempt failed, and the backend has got as many retries as its budget allows.
    #[error("the retries of the backend are used up")]
    RetriesUsedUp,
    /// The exchange with the endpoint failed.
    #[error("the backend failed")]
    BackendFailed(#[source] Arc<dyn Error + Send + Sync>),
    /// The request's body broke off, or was framed wrongly. The backend is not to blame.
    #[error("the body of the request broke")]
    RequestBroken(#[source] Arc<dyn Error + Send + Sync>),
    /// The rule's timeout expired before the answer began.
    #[error("the {} timeout expired", .0.as_str())]
    TimedOut(Limit),
    /// A layer that is not of this crate failed, and says nothing of an answer.
    #[error("a layer failed")]
    LayerFailed(#[source] Arc<dyn Error + Send + Sync>),
    /// A layer that is not of this crate refuses.
    // In a box: it is larger than all others, and every answer has room for a refusal.
    #[error(transparent)]
    Custom(Box<CustomRefusal>),
}

// === impl Refusal ===

impl Refusal {
    /// Why a client could not get an answer.
    pub fn from_client_error(error: BoxError) -> Self {
        if NotProcessed::is(&*error) {
            Self::Unreachable(error.into())
        } else {
            Self::BackendFailed(error.into())
        }
    }

    /// The same where the request itself broke, and the client could not but fail.
    pub(crate) fn of_broken_request(self) -> Self {
        match self {
            Self::BackendFailed(error) => Self::RequestBroken(error),
            other => other,
        }
    }

    /// The same in one word, for metrics and traces.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Undecided(undecided) => match undecided {
                exchange::Refusal::Malformed(_) => Reason::Malformed,
                exchange::Refusal::Framing(_) => Reason::Framing,
                exchange::Refusal::OptionsOfGateway => Reason::OptionsOfGateway,
                exchange::Refusal::TraceOfGateway => Reason::TraceOfGateway,
                exchange::Refusal::GoesRound => Reason::GoesRound,
                exchange::Refusal::Unmatched(unmatched) => match unmatched {
                    NoMatch::NoListener => Reason::NoListener,
                    NoMatch::NoRule(_) => Reason::NoRule,
                    NoMatch::TargetTooLong(_) | NoMatch::HeadersTooLong(_) => Reason::TooLongToMatch,
                    NoMatch::Misdirected { .. } => Reason::Misdirected,
                },
                exchange::Refusal::ListenerFilter => Reason::ListenerFilter,
                exchange::Refusal::Filter => Reason::Filter,
                exchange::Refusal::NotAuthorized => Reason::NotAuthorized,
                exchange::Refusal::BodyTooLong => Reason::BodyTooLong,
                exchange::Refusal::NoBackend => Reason::NoBackend,
                exchange::Refusal::UnresolvedBackend { .. } => Reason::UnresolvedBackend,
                exchange::Refusal::NoEndpoints => Reason::NoEndpoints,
                exchange::Refusal::NoAddress => Reason::NoAddress,
                // One that the core has got since.
                _ => Reason::Gateway,
            },
            Self::Unreachable(_) => Reason::Unreachable,
            Self::RetriesUsedUp => Reason::RetriesUsedUp,
            Self::BackendFailed(_) => Reason::BackendFailed,
            Self::RequestBroken(_) => Reason::RequestBroken,
            Self::TimedOut(Limit::Request) => Reason::RequestTimeout,
            Self::TimedOut(Limit::BackendRequest) => Reason::BackendRequestTimeout,
            Self::LayerFailed(_) => Reason::LayerFailed,
            Self::Custom(_) => Reason::LayerRefused,
            Self::NoConnection | Self::NotRouted => Reason::Gateway,
        }
    }

    /// The status of the answer to a client of HTTP.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Undecided(refusal) => refusal.status(),
            Self::NoConnection | Self::NotRouted | Self::LayerFailed(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unreachable(_) | Self::RetriesUsedUp => StatusCode::SERVICE_UNAVAILABLE,
            Self::BackendFailed(_) => StatusCode::BAD_GATEWAY,
            Self::RequestBroken(_) => StatusCode::BAD_REQUEST,
            Self::TimedOut(_) => StatusCode::GATEWAY_TIMEOUT,
            Self::Custom(custom) => custom.parts().0,
        }
    }

    /// The code of the answer to a client of gRPC.
    ///
    /// # Spec
    /// [GRP-10](gateway_core::spec#GRP-10), [GRP-11](gateway_core::spec#GRP-11), [GRP-12](gateway_core::spec#GRP-12),
    /// [HST-10](gateway_core::spec#HST-10).
    pub fn grpc_code(&self) -> GrpcCode {
        match self {
            Self::Undecided(refusal) => refusal.grpc_code(),
            Self::NoConnection | Self::NotRouted | Self::LayerFailed(_) | Self::RequestBroken(_) => {
                GrpcCode::Internal
            }
            Self::Unreachable(_) | Self::RetriesUsedUp | Self::BackendFailed(_) => GrpcCode::Unavailable,
            Self::TimedOut(_) => GrpcCode::DeadlineExceeded,
            Self::Custom(custom) => custom.parts().1,
        }
    }

    /// Whether an attempt at a backend failed in a way in which another may be made: the backend has processed nothing, or
    /// it took too long and `method` is one that may be repeated.
    ///
    /// # Spec
    /// [RTY-07](gateway_core::spec#RTY-07), [RTY-08](gateway_core::spec#RTY-08), [RTY-11](gateway_core::spec#RTY-11).
    pub fn is_failed_attempt(&self, method: &Method) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::TimedOut(Limit::BackendRequest) => method.is_idempotent(),
            Self::Custom(custom) => custom.is_failed_attempt(),
            // What an endpoint broke off it may have processed.
            Self::BackendFailed(_)
            | Self::RetriesUsedUp
            | Self::Undecided(_)
            | Self::NoConnection
            | Self::NotRouted
            | Self::RequestBroken(_)
            | Self::LayerFailed(_)
            | Self::TimedOut(Limit::Request) => false,
        }
    }

    /// What the client reads.
    pub fn text(&self) -> &str {
        match self {
            Self::Undecided(refusal) => refusal.text(),
            Self::NoConnection | Self::NotRouted => "500: the gateway is not set up correctly\n",
            Self::Unreachable(_) => "503: the backend cannot be reached\n",
            Self::RetriesUsedUp => "503: the backend fails too often\n",
            Self::BackendFailed(_) => "502: the backend did not answer properly\n",
            Self::RequestBroken(_) => "400: the body of the request is not valid\n",
            Self::TimedOut(_) => "504: the time for the request is over\n",
            Self::LayerFailed(_) => "500: the gateway failed\n",
            Self::Custom(custom) => custom.parts().2,
        }
    }
}

impl From<CustomRefusal> for Refusal {
    fn from(custom: CustomRefusal) -> Self {
        Self::Custom(Box::new(custom))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_of_grpc_is_told_what_its_status_of_http_would_not() {
        for (refusal, code) in [
            (exchange::Refusal::NoBackend.into(), GrpcCode::Unimplemented),
            (Refusal::TimedOut(Limit::Request), GrpcCode::DeadlineExceeded),
        ] {
            assert_eq!(refusal.grpc_code(), code, "{refusal}");
        }
    }
}
