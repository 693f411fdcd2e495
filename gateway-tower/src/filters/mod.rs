//! Running the filters of the rule on the request, and on its answer.
//!
//! What the filters leave behind for others, such as copies for mirrors, travels in the request's extensions as
//! [`RequestEdits`](gateway_core::filter::RequestEdits); the dispatch layer takes it up there to run the filters of the
//! backend.
//!
//! The layer stands outside of the request timeout. Filters take no time, and so the answer to a timeout passes them on
//! its way out: a script whose request times out can read the 504, where CORS allows that.
//!
//! The surprising case: a request that no route layer has seen gets 500. Passing it on would pass it without the
//! filters that its rule may have.

mod future;
mod layer;
mod service;

pub use self::future::FiltersFuture;
pub(crate) use self::future::OnAnswer;
pub use self::layer::FiltersLayer;
pub use self::service::Filters;
