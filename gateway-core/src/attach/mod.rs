//! What is attached to what: classes to the controller, Gateways to classes, listeners to Gateways.
//!
//! Every object is judged on its own and nothing is thrown away: what is wrong becomes a condition of the object that is
//! wrong, and bad listeners stay visible, since Routes attach to them and wait.
//!
//! The order is fixed. A Gateway's own listeners come first, then those of its ListenerSets, oldest set first. Whoever
//! comes first has the place; inside one object nobody wins. Gateways with the same address compete for its ports, oldest
//! first.

mod address;
mod allowed_routes;
mod attached;
mod backend_ref;
mod certificate_ref;
mod client_validation;
mod distinct;
mod finding;
mod gateway;
mod gateway_class;
mod gateways;
mod hostnames;
mod http_filter;
mod http_route;
mod http_rule;
mod listener;
mod listener_draft;
mod listener_set;
mod lookups;
mod options;
mod parent_ref;
mod patterns;
mod reference_grant;

pub use self::allowed_routes::{AllowedNamespaces, Namespaces};
pub use self::attached::{Attached, attach};
pub use self::backend_ref::RefProblem;
pub use self::gateway::AttachedGateway;
pub use self::gateway_class::{AttachedGatewayClass, is_known_bundle_version};
pub use self::gateways::{Gateways, gateways};
pub use self::http_filter::{ExtensionError, Extensions, RuleProblem};
pub use self::http_route::AttachedHttpRoute;
pub use self::http_rule::AttachedHttpRule;
pub use self::listener::{AttachedListener, ListenerKey, Protocol};
pub use self::listener_set::AttachedListenerSet;
pub use self::lookups::Lookups;
pub use self::options::{
    Address, AddressPolicy, DEFAULT_CONTROLLER_NAME, DEFAULT_MAX_LISTENERS, DefaultAddresses, Options,
    UsableAddresses,
};
pub use self::parent_ref::{AttachedParent, AttachedTo, NotAttached};
pub use self::reference_grant::{Granted, Grants, Referrer, Target};
