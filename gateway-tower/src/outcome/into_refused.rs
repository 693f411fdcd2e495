//! The errors that layers take from the services within.

use std::convert::Infallible;
use std::task::Poll;

use super::{Refusal, Refused};
use crate::body::BoxError;

/// An error that becomes a refusal: that of a layer of this crate, that of one which knows nothing of refusals, or none.
///
/// An error type of one's own takes part by saying which refusal it is:
///
/// ```
/// use gateway_tower::outcome::{CustomRefusal, IntoRefused, Refused};
/// use http::StatusCode;
///
/// struct Exhausted;
///
/// impl IntoRefused for Exhausted {
///     fn into_refused(self) -> Refused {
///         CustomRefusal::new("quota", StatusCode::TOO_MANY_REQUESTS).into()
///     }
/// }
///
/// assert_eq!(Exhausted.into_refused().refusal().status(), 429);
/// ```
pub trait IntoRefused: Sized {
    /// The refusal.
    fn into_refused(self) -> Refused;

    /// What a service within has said, or the refusal.
    #[inline]
    fn refuse<R>(polled: Poll<Result<R, Self>>) -> Poll<Result<R, Refused>> {
        polled.map_err(Self::into_refused)
    }

    /// What `poll` gives, or the refusal: for answers, which are large to move, and stay where they are put if the error is a
    /// refusal already.
    #[inline]
    fn refuse_from<R>(poll: impl FnOnce() -> Poll<Result<R, Self>>) -> Poll<Result<R, Refused>> {
        Self::refuse(poll())
    }
}

impl IntoRefused for Refused {
    #[inline]
    fn into_refused(self) -> Refused {
        self
    }

    #[inline]
    fn refuse<R>(polled: Poll<Result<R, Self>>) -> Poll<Result<R, Refused>> {
        polled
    }

    #[inline]
    fn refuse_from<R>(poll: impl FnOnce() -> Poll<Result<R, Self>>) -> Poll<Result<R, Refused>> {
        poll()
    }
}

/// A refusal that a layer has passed on as it was, or the failure of that layer.
impl IntoRefused for BoxError {
    fn into_refused(self) -> Refused {
        match self.downcast::<Refused>() {
            Ok(refused) => *refused,
            Err(error) => Refusal::LayerFailed(error.into()).into(),
        }
    }
}

/// For services that always answer.
impl IntoRefused for Infallible {
    fn into_refused(self) -> Refused {
        match self {}
    }
}
