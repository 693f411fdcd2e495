//! Requests that are not forwarded: answered, refused, or waiting for an authorization service.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Response};

use super::authorization::{AuthAnswer, Permit};
use super::form::Form;
use super::refusal::Refusal;
use crate::filter::ExternalAuth;
use crate::matching::RequestError;
use crate::table::NoMatch;

/// Why a request is not forwarded. [`Exchange::answer`](super::Exchange::answer) makes the answer.
#[derive(Debug)]
pub enum Stopped {
    /// A filter answers. The filters of the response are still to be run on it.
    Answered(Box<Response<Bytes>>),
    /// The gateway answers by itself. Only the filters for such answers are to be run.
    Refused(Refusal),
    /// Not yet: this authorization service is to be asked first. Hand in what [came of that](AuthAnswer), and take the same
    /// step again.
    Asks(Arc<ExternalAuth>),
}

/// How far a list of filters has come that asks an authorization service: the position of the filter that does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Asked {
    /// It was not left.
    #[default]
    Not,
    /// The answer is waited for.
    Waits(u8),
    /// The request passes.
    Passed(u8),
}

// === impl Stopped ===

impl Stopped {
    /// The answer to a request that was stopped before a rule was found, so that there are no filters to be run on it.
    pub fn into_response(self, form: Form) -> Response<Bytes> {
        match self {
            Self::Answered(response) => *response,
            Self::Refused(refusal) => refusal.into_response(form),
            // A service that is not asked lets nothing pass.
            Self::Asks(_) => Refusal::NotAuthorized.into_response(form),
        }
    }
}

impl From<Refusal> for Stopped {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<NoMatch> for Stopped {
    fn from(no_match: NoMatch) -> Self {
        Self::Refused(no_match.into())
    }
}

impl From<RequestError> for Stopped {
    fn from(error: RequestError) -> Self {
        Self::Refused(error.into())
    }
}

// === impl AuthAnswer ===

impl AuthAnswer {
    /// Changes the headers of a request that passes as the service says.
    pub(super) fn pass(self, headers: &mut HeaderMap, form: Form) -> Result<Permit, Stopped> {
        match self {
            Self::Permit(permit) => match permit.apply(headers) {
                Ok(()) => Ok(permit),
                Err(_) => Err(Refusal::NotAuthorized.into()),
            },
            Self::Deny(denial) => Err(Stopped::Answered(Box::new(denial.into_response(form)))),
            Self::Failed => Err(Refusal::NotAuthorized.into()),
            Self::BodyTooLong => Err(Refusal::BodyTooLong.into()),
        }
    }
}
