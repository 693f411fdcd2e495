//! How long a request and one attempt at a backend may take.

use std::time::Duration;

/// The timeouts of a rule. `None` is no limit: the field is absent, or `0s`.
///
/// # Spec
/// `HTTPRouteTimeouts`, TMO-01 to TMO-06, CON-10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Timeouts {
    /// From the request's arrival to the end of the response.
    pub request: Option<Duration>,
    /// One attempt: from the first byte sent to the backend to the end of its response.
    pub backend_request: Option<Duration>,
}
