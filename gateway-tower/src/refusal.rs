//! The answers that the gateway gives by itself: the specification's, in one place.
//!
//! Every layer that cannot carry a request on makes a [`Refusal`]; what the client sees of it is decided here. The
//! texts are for people at a terminal and do not tell what the gateway knows about backends; the refusal itself, with
//! its cause, goes with the answer in an [`Outcome`], for access logs.
//!
//! | refusal | status | rule |
//! | --- | --- | --- |
//! | no valid host | 400 | AMB-16 |
//! | no listener or no rule matches | 404 | HRM-16, HST-10 |
//! | the connection was made for another listener | 421 | HST-20 |
//! | a filter cannot be carried out | 500 | FLT-05 |
//! | no backend, or none with a weight | 500 | HRB-11, HRB-13, AMB-20 |
//! | the reference to the backend is invalid | 500 | HRB-10 |
//! | the backend has no endpoints | 503 | HRB-12 |
//! | no connection to the endpoint | 503 | HRB-22 |
//! | the endpoint gave no proper answer | 502 | HRB-22 |
//! | a timeout expired | 504 | TMO-01, TMO-02 |

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use gateway_core::matching::RequestError;
use gateway_core::table::NoMatch;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};

use crate::body::{BoxError, Limit};
use crate::connect_error::ConnectError;
use crate::outcome::{AnsweredBy, Outcome};

/// Why the gateway answers by itself.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refusal {
    /// The request does not name one valid host.
    #[error(transparent)]
    Malformed(#[from] RequestError),
    /// No rule serves the request.
    #[error(transparent)]
    Unmatched(#[from] NoMatch),
    /// Nobody said which connection the request came in on: the gateway is not put together correctly.
    #[error(
        "the route layer knows no connection; give it one, or put an Arc<Connection> into the extensions"
    )]
    NoConnection,
    /// No route layer has seen the request: the gateway is not put together correctly.
    #[error("the request has not been routed; put the route layer outside of this one")]
    NotRouted,
    /// A filter of the rule or the backend cannot be carried out.
    #[error("a filter cannot be resolved or carried out")]
    Filter,
    /// The rule has no backend with a weight.
    #[error("the rule has no backend with a weight above zero")]
    NoBackend,
    /// The chosen reference to a backend is invalid.
    #[error("the reference to the backend is invalid")]
    UnresolvedBackend,
    /// The chosen backend has no endpoints that are ready.
    #[error("the backend has no ready endpoints")]
    NoEndpoints,
    /// No connection to the endpoint could be made.
    #[error("the backend cannot be reached")]
    Unreachable(#[source] Arc<dyn Error + Send + Sync>),
    /// The exchange with the endpoint failed.
    #[error("the backend failed")]
    BackendFailed(#[source] Arc<dyn Error + Send + Sync>),
    /// The rule's timeout expired before the answer began.
    #[error("the {} timeout expired", .0.as_str())]
    TimedOut(Limit),
}

// === impl Refusal ===

impl Refusal {
    /// Why a client could not get an answer.
    pub fn of_client_error(error: BoxError) -> Self {
        if ConnectError::is(&*error) {
            Self::Unreachable(error.into())
        } else {
            Self::BackendFailed(error.into())
        }
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Unmatched(unmatched) => unmatched.status(),
            Self::NoConnection
            | Self::NotRouted
            | Self::Filter
            | Self::NoBackend
            | Self::UnresolvedBackend => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NoEndpoints | Self::Unreachable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::BackendFailed(_) => StatusCode::BAD_GATEWAY,
            Self::TimedOut(_) => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// Whether an attempt at a backend failed, so that another may succeed.
    ///
    /// # Spec
    /// RTY-07, RTY-08.
    pub fn is_failed_attempt(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::BackendFailed(_) | Self::TimedOut(Limit::BackendRequest) => true,
            Self::Malformed(_)
            | Self::Unmatched(_)
            | Self::NoConnection
            | Self::NotRouted
            | Self::Filter
            | Self::NoBackend
            | Self::UnresolvedBackend
            | Self::NoEndpoints
            | Self::TimedOut(Limit::Request) => false,
        }
    }

    /// The answer, with an [`Outcome`] in its extensions.
    pub fn into_response<B: From<Bytes>>(self) -> Response<B> {
        let status = self.status();
        tracing::debug!(status = status.as_u16(), error = &self as &dyn Error, "answered by the gateway");
        let mut response = Response::new(B::from(Bytes::from_static(self.text().as_bytes())));
        *response.status_mut() = status;
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, text);
        Outcome::of(&mut response).answered_by = AnsweredBy::Gateway(self);
        response
    }

    fn text(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "400: the request does not name one valid host\n",
            Self::Unmatched(NoMatch::NoListener | NoMatch::NoRule(_)) => {
                "404: no route matches the request\n"
            }
            Self::Unmatched(NoMatch::Misdirected { .. }) => {
                "421: this connection was made for another host; open a new one\n"
            }
            Self::NoConnection | Self::NotRouted => "500: the gateway is not set up correctly\n",
            Self::Filter => "500: a filter of the route cannot be carried out\n",
            Self::NoBackend => "500: the route has no backend\n",
            Self::UnresolvedBackend => "500: the backend of the route is invalid\n",
            Self::NoEndpoints => "503: the backend has no ready endpoints\n",
            Self::Unreachable(_) => "503: the backend cannot be reached\n",
            Self::BackendFailed(_) => "502: the backend did not answer properly\n",
            Self::TimedOut(_) => "504: the time for the request is over\n",
        }
    }
}
