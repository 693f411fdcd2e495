//! Refusals: why a request gets no further than the decision, and the answer that it gets instead.
//!
//! The texts are for people at a terminal and do not tell what the gateway knows about backends. What can go wrong later,
//! such as a backend that is not reached, is known to those who carry the decision out only, and is not among these.
//!
//! | refusal | status | gRPC | rule |
//! | --- | --- | --- | --- |
//! | no valid host or target, or no valid length | 400 | 13 `INTERNAL` | [AMB-16](crate::choices#AMB-16), [MSG-01](crate::choices#MSG-01), [MSG-03](crate::choices#MSG-03) |
//! | `OPTIONS` or `TRACE` that may not be forwarded any further | 200, 501 | 2 `UNKNOWN` | [MSG-06](crate::choices#MSG-06) |
//! | no listener or no rule matches | 404 | 12 `UNIMPLEMENTED` | [HRM-16](crate::spec#HRM-16), [HST-10](crate::spec#HST-10), [GRP-10](crate::spec#GRP-10) |
//! | regular expressions cannot look at all of the target | 414 | 12 `UNIMPLEMENTED` | [AMB-08](crate::choices#AMB-08) |
//! | or of the headers | 431 | 12 `UNIMPLEMENTED` | [AMB-08](crate::choices#AMB-08) |
//! | the connection was made for another listener | 421 | 12 `UNIMPLEMENTED` | [HST-20](crate::spec#HST-20) |
//! | a filter of the listener cannot be carried out | 500 | 13 `INTERNAL` | [PRF-07](crate::spec#PRF-07) |
//! | a filter of the rule or the backend cannot be carried out | 500 | 13 `INTERNAL` | [FLT-05](crate::spec#FLT-05), [GRP-15](crate::spec#GRP-15) |
//! | no backend, or none with a weight | 500 | 12 `UNIMPLEMENTED` | [HRB-11](crate::spec#HRB-11), [HRB-13](crate::spec#HRB-13), [AMB-20](crate::choices#AMB-20), [GRP-12](crate::spec#GRP-12) |
//! | the reference to the backend is invalid | 500 | 14 `UNAVAILABLE` | [HRB-10](crate::spec#HRB-10), [GRP-11](crate::spec#GRP-11) |
//! | the authorization service gives no answer | 503 | 14 `UNAVAILABLE` | [FEA-01](crate::spec#FEA-01) |
//! | the body is longer than what the authorization service may be sent | 413 | 8 `RESOURCE_EXHAUSTED` | [FEA-08](crate::spec#FEA-08), [CON-13](crate::choices#CON-13) |
//! | the backend has no endpoints | 503 | 14 `UNAVAILABLE` | [HRB-12](crate::spec#HRB-12) |
//! | the name of the backend leads to no address | 503 | 14 `UNAVAILABLE` | [XBK-01](crate::spec#XBK-01) |

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};

use super::form::Form;
use super::framing::FramingError;
use super::grpc_code::GrpcCode;
use crate::matching::RequestError;
use crate::rule::Backend;
use crate::table::NoMatch;

/// Why a request is not forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The request does not name one valid host, or has no valid target.
    #[error(transparent)]
    Malformed(#[from] RequestError),
    /// It cannot be told where the request's body ends.
    #[error(transparent)]
    Framing(#[from] FramingError),
    /// The request asks for the options of the last that it may reach, which is the gateway.
    #[error("the request may not be forwarded; it asks for the options of the gateway")]
    OptionsOfGateway,
    /// The request is to be sent back by the last that it may reach, which is the gateway.
    #[error("the request may not be forwarded; the gateway sends no requests back")]
    TraceOfGateway,
    /// The request was passed on so often that it seems to go round.
    #[error("the request was passed on too often; a backend on its way leads back to the gateway")]
    GoesRound,
    /// No rule serves the request.
    #[error(transparent)]
    Unmatched(#[from] NoMatch),
    /// A filter of the listener cannot be resolved or carried out.
    #[error("a filter of the listener cannot be resolved or carried out")]
    ListenerFilter,
    /// A filter of the rule or the backend cannot be carried out, or was left out.
    #[error("a filter cannot be resolved or carried out")]
    Filter,
    /// The authorization service gives no answer, or none that is understood.
    #[error("the authorization service gives no proper answer")]
    NotAuthorized,
    /// The body is longer than what the authorization service may be sent along.
    #[error("the body is longer than what the authorization service may be sent")]
    BodyTooLong,
    /// The rule has no backend with a weight.
    #[error("the rule has no backend with a weight above zero")]
    NoBackend,
    /// The chosen reference to a backend is invalid.
    #[error("the reference to the backend is invalid")]
    UnresolvedBackend {
        /// Its position among those of the rule, whose [`Backends`](crate::rule::Backends::unresolved) name it.
        position: u16,
    },
    /// The chosen backend has no endpoints that are ready.
    #[error("the backend has no ready endpoints")]
    NoEndpoints,
    /// The chosen backend is a name outside the cluster, and no address of it is known.
    #[error("the name of the backend leads to no address")]
    NoAddress,
}

// === impl Refusal ===

impl Refusal {
    /// What a backend without endpoints refuses requests with.
    pub fn without_endpoints(backend: &Backend) -> Self {
        if backend.hostname.is_some() { Self::NoAddress } else { Self::NoEndpoints }
    }

    /// The status that a client of HTTP gets.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Malformed(_) | Self::Framing(_) => StatusCode::BAD_REQUEST,
            Self::OptionsOfGateway => StatusCode::OK,
            Self::TraceOfGateway => StatusCode::NOT_IMPLEMENTED,
            Self::GoesRound => StatusCode::LOOP_DETECTED,
            Self::Unmatched(unmatched) => unmatched.status(),
            Self::ListenerFilter | Self::Filter | Self::NoBackend | Self::UnresolvedBackend { .. } => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::BodyTooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotAuthorized | Self::NoEndpoints | Self::NoAddress => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The code that a client of gRPC gets.
    ///
    /// # Spec
    /// [GRP-10](crate::spec#GRP-10), [GRP-11](crate::spec#GRP-11), [GRP-12](crate::spec#GRP-12), [GRP-15](crate::spec#GRP-15),
    /// [HST-10](crate::spec#HST-10).
    pub fn grpc_code(self) -> GrpcCode {
        match self {
            Self::Malformed(_) | Self::Framing(_) | Self::GoesRound | Self::ListenerFilter | Self::Filter => {
                GrpcCode::Internal
            }
            Self::OptionsOfGateway | Self::TraceOfGateway => GrpcCode::Unknown,
            Self::Unmatched(_) | Self::NoBackend => GrpcCode::Unimplemented,
            Self::BodyTooLong => GrpcCode::ResourceExhausted,
            Self::NotAuthorized | Self::UnresolvedBackend { .. } | Self::NoEndpoints | Self::NoAddress => {
                GrpcCode::Unavailable
            }
        }
    }

    /// One line for the client, with the status and a line feed.
    pub fn text(self) -> &'static str {
        match self {
            Self::Malformed(RequestError::Target) => "400: the target of the request is not valid\n",
            Self::Malformed(RequestError::HeaderValue) => "400: a header of the request is not valid\n",
            Self::Malformed(_) => "400: the request does not name one valid host\n",
            Self::Framing(_) => "400: it cannot be told where the request ends\n",
            Self::OptionsOfGateway => "200: the gateway was the last that the request might reach\n",
            Self::TraceOfGateway => "501: the gateway does not send requests back\n",
            Self::GoesRound => "508: the request was passed on too often, and seems to go round\n",
            Self::Unmatched(NoMatch::NoListener | NoMatch::NoRule(_)) => {
                "404: no route matches the request\n"
            }
            Self::Unmatched(NoMatch::TargetTooLong(_)) => "414: the target is too long to be matched\n",
            Self::Unmatched(NoMatch::HeadersTooLong(_)) => "431: the headers are too long to be matched\n",
            Self::Unmatched(NoMatch::Misdirected { .. }) => {
                "421: this connection was made for another host; open a new one\n"
            }
            Self::ListenerFilter => "500: a filter of the listener cannot be carried out\n",
            Self::Filter => "500: a filter of the route cannot be carried out\n",
            Self::NotAuthorized => "503: it cannot be found out whether the request is authorized\n",
            Self::BodyTooLong => "413: the body is too long to be authorized\n",
            Self::NoBackend => "500: the route has no backend\n",
            Self::UnresolvedBackend { .. } => "500: the backend of the route is invalid\n",
            Self::NoEndpoints => "503: the backend has no ready endpoints\n",
            Self::NoAddress => "503: the backend cannot be found\n",
        }
    }

    /// The answer in the form that the client understands, with the refusal itself in the extensions, for logs.
    ///
    /// The filters that are for such answers have not run on it.
    pub fn into_response(self, form: Form) -> Response<Bytes> {
        let mut response = form.answer(self.status(), self.grpc_code(), self.text(), HeaderMap::new());
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::ListenerId;

    // AMB-16, MSG-01, MSG-03, MSG-06, HRM-16, HST-10, HST-20, PRF-07, FLT-05, FEA-01, FEA-08, CON-13, HRB-10, HRB-11, HRB-12, HRB-13, AMB-20
    #[test]
    fn every_refusal_says_its_status_in_its_text() {
        let listener = ListenerId(0);
        for (refusal, status) in [
            (RequestError::NoHost.into(), 400),
            (RequestError::Target.into(), 400),
            (RequestError::HeaderValue.into(), 400),
            (FramingError::Length.into(), 400),
            (Refusal::OptionsOfGateway, 200),
            (Refusal::TraceOfGateway, 501),
            (Refusal::GoesRound, 508),
            (NoMatch::NoListener.into(), 404),
            (NoMatch::NoRule(listener).into(), 404),
            (NoMatch::TargetTooLong(listener).into(), 414),
            (NoMatch::HeadersTooLong(listener).into(), 431),
            (NoMatch::Misdirected { connection: None, host: listener }.into(), 421),
            (Refusal::ListenerFilter, 500),
            (Refusal::Filter, 500),
            (Refusal::NotAuthorized, 503),
            (Refusal::BodyTooLong, 413),
            (Refusal::NoBackend, 500),
            (Refusal::UnresolvedBackend { position: 0 }, 500),
            (Refusal::NoEndpoints, 503),
            (Refusal::NoAddress, 503),
        ] {
            let response = refusal.into_response(Form::Http);
            assert_eq!(response.status(), status, "{refusal}");
            assert!(response.body().starts_with(format!("{status}: ").as_bytes()), "{refusal}");
            assert!(response.body().ends_with(b"\n"), "{refusal}");
            assert_eq!(response.extensions().get(), Some(&refusal));
        }
    }

    // GRP-10, GRP-11, GRP-12
    #[test]
    fn a_call_that_no_rule_serves_is_unimplemented_and_a_backend_that_is_not_there_unavailable() {
        for (refusal, code) in [
            (NoMatch::NoListener.into(), GrpcCode::Unimplemented),
            (Refusal::NoBackend, GrpcCode::Unimplemented),
            (Refusal::UnresolvedBackend { position: 0 }, GrpcCode::Unavailable),
            (Refusal::NoEndpoints, GrpcCode::Unavailable),
            (Refusal::NoAddress, GrpcCode::Unavailable),
            (Refusal::ListenerFilter, GrpcCode::Internal),
            (Refusal::Filter, GrpcCode::Internal),
        ] {
            assert_eq!(refusal.grpc_code(), code, "{refusal}");
        }
    }
}
