//! The codes by which gRPC says that a call failed.
//!
//! The gateway answers calls of gRPC by itself where it must refuse them; a client of gRPC looks for one of these codes
//! and for nothing else. A code is chosen by the [reason](super::Refusal::grpc_code); a status of HTTP is
//! [translated](GrpcCode::from_http_status) only where there is nothing better to go by.
//!
//! ```
//! use gateway_core::exchange::GrpcCode;
//! use http::StatusCode;
//!
//! assert_eq!(GrpcCode::from_http_status(StatusCode::UNAUTHORIZED), GrpcCode::Unauthenticated);
//! assert_eq!(GrpcCode::Unauthenticated.as_str(), "16");
//! ```

use http::StatusCode;

/// A code of gRPC other than `OK`.
///
/// # Spec
/// gRPC, `doc/statuscodes.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GrpcCode {
    /// 1: the caller gave up.
    Cancelled,
    /// 2: nothing better is known.
    Unknown,
    /// 3: the arguments are wrong whatever the state of the system.
    InvalidArgument,
    /// 4: the time was over.
    DeadlineExceeded,
    /// 5: what was asked for does not exist.
    NotFound,
    /// 6: what was to be made exists already.
    AlreadyExists,
    /// 7: the caller is known and may not do this.
    PermissionDenied,
    /// 8: something is used up, such as a quota.
    ResourceExhausted,
    /// 9: the system is not in the state that the call needs.
    FailedPrecondition,
    /// 10: a conflict with another call.
    Aborted,
    /// 11: past the end of a valid range.
    OutOfRange,
    /// 12: the method does not exist here.
    Unimplemented,
    /// 13: something is broken.
    Internal,
    /// 14: the service cannot be reached now; the call may be tried again.
    Unavailable,
    /// 15: data is lost.
    DataLoss,
    /// 16: the caller is not known.
    Unauthenticated,
}

// === impl GrpcCode ===

impl GrpcCode {
    /// The code that a client of gRPC makes of an answer without one.
    ///
    /// # Spec
    /// gRPC, `doc/http-grpc-status-mapping.md`.
    pub fn from_http_status(status: StatusCode) -> Self {
        match status {
            StatusCode::BAD_REQUEST => Self::Internal,
            StatusCode::UNAUTHORIZED => Self::Unauthenticated,
            StatusCode::FORBIDDEN => Self::PermissionDenied,
            StatusCode::NOT_FOUND => Self::Unimplemented,
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Self::Unavailable,
            _ => Self::Unknown,
        }
    }

    /// The number, as `grpc-status` carries it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cancelled => "1",
            Self::Unknown => "2",
            Self::InvalidArgument => "3",
            Self::DeadlineExceeded => "4",
            Self::NotFound => "5",
            Self::AlreadyExists => "6",
            Self::PermissionDenied => "7",
            Self::ResourceExhausted => "8",
            Self::FailedPrecondition => "9",
            Self::Aborted => "10",
            Self::OutOfRange => "11",
            Self::Unimplemented => "12",
            Self::Internal => "13",
            Self::Unavailable => "14",
            Self::DataLoss => "15",
            Self::Unauthenticated => "16",
        }
    }
}
