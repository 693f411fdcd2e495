//! Refusals of layers that are not of this crate.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;

use gateway_core::exchange::GrpcCode;
use http::StatusCode;

/// Why a layer of one's own does not carry a request on.
///
/// It travels like any other [`Refusal`](crate::outcome::Refusal): past the filters of the rule, into access logs, and to the one
/// place that makes the answer, so that a client of gRPC gets a code, and one of HTTP a status and a text.
///
/// ```
/// use gateway_tower::outcome::{CustomRefusal, GrpcCode, Refused};
/// use http::{HeaderValue, StatusCode, header};
///
/// let quota = CustomRefusal::new("quota", StatusCode::TOO_MANY_REQUESTS)
///     .text("429: come back later\n")
///     .grpc_code(GrpcCode::ResourceExhausted);
/// assert_eq!(quota.to_string(), "refused by quota");
/// let refused = Refused::from(quota).with_header(header::RETRY_AFTER, HeaderValue::from_static("60"));
/// assert_eq!(refused.refusal().status(), 429);
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[error("refused by {layer}")]
pub struct CustomRefusal {
    layer: &'static str,
    status: StatusCode,
    grpc_code: GrpcCode,
    text: Cow<'static, str>,
    failed_attempt: bool,
    #[source]
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

// === impl CustomRefusal ===

impl CustomRefusal {
    /// A refusal by the layer of this name. To a client of gRPC it is what that makes of the status by itself.
    pub fn new(layer: &'static str, status: StatusCode) -> Self {
        let grpc_code = GrpcCode::from_http_status(status);
        Self { layer, status, grpc_code, text: Cow::Borrowed(""), failed_attempt: false, cause: None }
    }

    /// What a client of HTTP reads, plain text unless a header says otherwise; over gRPC the message. Nothing without it.
    pub fn text(self, text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), ..self }
    }

    /// What a client of gRPC gets.
    pub fn grpc_code(self, grpc_code: GrpcCode) -> Self {
        Self { grpc_code, ..self }
    }

    /// What led to it, for access logs; clients do not see it.
    pub fn cause(self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { cause: Some(cause.into().into()), ..self }
    }

    /// Counts as an attempt at a backend that failed: a rule with a retry tries another endpoint. For layers that see each
    /// attempt, such as one that gives endpoints a rest.
    pub fn failed_attempt(self) -> Self {
        Self { failed_attempt: true, ..self }
    }

    /// The name of the layer.
    pub fn layer(&self) -> &'static str {
        self.layer
    }

    pub(crate) fn parts(&self) -> (StatusCode, GrpcCode, &str) {
        (self.status, self.grpc_code, &self.text)
    }

    pub(crate) fn is_failed_attempt(&self) -> bool {
        self.failed_attempt
    }
}
