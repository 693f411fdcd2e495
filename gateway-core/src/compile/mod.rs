//! Compilation of what is attached: rules that work, and the listeners that serve them.
//!
//! A rule that cannot be carried out as written says so in its findings and serves what is left of it, so that
//! its requests fail rather than go to another rule.

mod filters;
mod grpc_rule;
mod http_match;
mod http_rule;
mod listeners;
mod patterns;
mod places;
mod route;
mod rule;
mod scope;
mod service_listeners;
mod session;
mod stream_rule;

pub(crate) use self::listeners::Listeners;
pub(crate) use self::patterns::Patterns;
pub(crate) use self::places::Places;
pub(crate) use self::route::{CompileRoute, CompiledRoute, route};
pub(crate) use self::rule::CompiledRules;
pub(crate) use self::scope::Compiler;
pub(crate) use self::service_listeners::ServiceListeners;
