//! Predicates on requests: what one match entry of a route asks for, and how specific that is.
//!
//! This module says whether a request meets one [`HttpMatch`] or [`GrpcMatch`] (behind one trait, [`Match`]) and in which order
//! entries go before each other. It knows neither resources nor the table; finding the entry among thousands is the table's
//! work.

mod automaton;
pub mod call;
mod expressions;
mod grpc_match;
mod grpc_method;
mod header;
mod http_match;
mod match_entry;
mod path;
mod pattern;
mod pattern_set;
mod precedence;
pub mod query;
mod query_index;
mod query_param;
mod request;
mod value;

pub(crate) use self::expressions::Expressions;
pub use self::grpc_match::GrpcMatch;
pub use self::grpc_method::{GrpcMethod, GrpcMethodMatch};
pub use self::header::HeaderMatch;
pub use self::http_match::{Conditions, HttpMatch, Unmet};
pub use self::match_entry::Match;
pub use self::path::{MatchedPath, PathMatch, PathSpecificity, normalize_path};
pub use self::pattern::{Pattern, PatternError};
pub use self::precedence::{GrpcSpecificity, HostnameSpecificity, Precedence, Specificity};
pub use self::query_param::QueryParamMatch;
pub use self::request::{RequestError, RequestHead};
pub use self::value::ValueMatch;
