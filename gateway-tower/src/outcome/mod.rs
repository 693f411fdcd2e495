//! Ends of requests: an answer of a backend, of a filter, or of the gateway itself, and then why; and ends of streams.
//!
//! | type | is |
//! | --- | --- |
//! | [`Refusal`] | why the gateway answers by itself; its page has the table of statuses and codes |
//! | [`Reason`] | the same in one word, for metrics and traces |
//! | [`CustomRefusal`] | the same, for layers of one's own |
//! | [`Refused`] | the error of all layers: a refusal on its way out |
//! | [`IntoRefused`] | what becomes one: the errors of services within |
//! | [`OrRefused`] | the future of a layer that carries a request on or refuses it |
//! | [`Outcome`] | in the extensions of every answer, for access logs and metrics |
//! | [`StreamOutcome`] | the same of a stream, for those who [are told](crate::observe::ObserveStreams) of them |
//!
//! ```
//! use gateway_core::exchange;
//! use gateway_tower::outcome::{GrpcCode, Refusal, Refused};
//!
//! let refused = Refused::from(exchange::Refusal::NoEndpoints);
//! assert_eq!(refused.refusal().status(), 503);
//! assert_eq!(refused.refusal().grpc_code(), GrpcCode::Unavailable);
//! ```

mod custom_refusal;
mod refusal;
mod reason;
#[expect(clippy::module_inception, reason = "a file is named after its main type")]
mod outcome;
mod stream;
mod refused;
mod into_refused;
mod or_refused;

pub use gateway_core::exchange::GrpcCode;

pub use self::custom_refusal::CustomRefusal;
pub use self::into_refused::IntoRefused;
pub use self::or_refused::OrRefused;
pub use self::outcome::{AnsweredBy, Outcome};
pub use self::reason::Reason;
pub use self::refusal::Refusal;
pub use self::refused::Refused;
pub use self::stream::{StreamEnd, StreamOutcome, StreamRefusal};
