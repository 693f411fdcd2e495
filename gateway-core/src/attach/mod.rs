//! What is attached to what: classes to the controller, Gateways to classes, listeners to Gateways.
//!
//! Every object is judged on its own and nothing is thrown away: what is wrong becomes a condition of the object that is
//! wrong, and bad listeners stay visible, since Routes attach to them and wait.
//!
//! The order is fixed. A Gateway's own listeners come first, then those of its ListenerSets, oldest set first. Whoever
//! comes first has the place; inside one object nobody wins. Gateways with the same address compete for its ports, oldest
//! first.

mod allowed_routes;
mod attached;
mod backend_ref;
mod gateway;
mod gateway_class;
mod http_filter;
mod http_route;
mod http_rule;
mod listener;
mod listener_set;
mod lookups;
mod options;
mod parent_ref;
mod reference_grant;

use std::collections::BTreeMap;

use crate::api::ObjectKey;
use crate::validate::Validated;

pub use self::allowed_routes::{AllowedNamespaces, Namespaces};
pub use self::attached::{Attached, attach};
pub use self::backend_ref::RefProblem;
pub use self::gateway::AttachedGateway;
pub use self::gateway_class::AttachedGatewayClass;
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

/// Everything of ours that holds listeners.
#[derive(Clone, Debug, Default)]
pub struct Gateways {
    /// The GatewayClasses of this controller.
    pub classes: BTreeMap<ObjectKey, AttachedGatewayClass>,
    /// The Gateways of these classes.
    pub gateways: BTreeMap<ObjectKey, AttachedGateway>,
    /// The ListenerSets of these Gateways.
    pub listener_sets: BTreeMap<ObjectKey, AttachedListenerSet>,
    /// What was asked for on the way: Secrets and ConfigMaps.
    pub lookups: Lookups,
    listener_count: usize,
}

/// Attaches classes, Gateways and ListenerSets, and judges every listener.
pub fn gateways(_valid: &Validated, _grants: &Grants<'_>, _options: &Options) -> Gateways {
    Gateways::default()
}

// === impl Gateways ===

impl Gateways {
    /// How many listeners there are; every [`ListenerKey`] is below.
    pub fn listener_count(&self) -> usize {
        self.listener_count
    }

    /// Every listener: of each Gateway its own ones, then those of the ListenerSets.
    pub fn listeners(&self) -> impl Iterator<Item = &AttachedListener> {
        let own = self.gateways.values().flat_map(|gateway| &gateway.listeners);
        own.chain(self.listener_sets.values().flat_map(|set| &set.listeners))
    }
}
