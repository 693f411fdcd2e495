//! Statuses, computed from what is attached, then merged with what is stored.
//!
//! Every condition is made here, from the typed states and findings of the stages before. A condition has to say in one
//! message what is wrong at several places; beside the conditions stand their [causes](Cause), one a place.
//!
//! A computed status is a value without history: the conditions and the generation they are about. [`merge`] brings in
//! the stored status and the time, and says what must be written, or that nothing must.

mod cause;
mod gateway;
mod gateway_class;
mod listener;
mod listener_set;
pub mod merge;
mod policy;
mod route;
mod shared;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::api::{Kind, ParentReference};
use crate::attach::{Gateways, ListenerKey};
use crate::condition::Condition;
use crate::feature::Feature;
use crate::finding::Finding;
use crate::name::{ObjectName, RouteKey, RouteKind};
use crate::options::{Address, Options};

pub use self::cause::Cause;
pub(crate) use self::policy::{backend_tls_policy, backend_traffic_policy, telemetry_policy, x_backend};
pub(crate) use self::route::route;
pub(crate) use self::shared::SharedStatuses;

/// The statuses of everything of ours.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statuses {
    /// GatewayClasses.
    pub gateway_classes: BTreeMap<ObjectName, GatewayClassStatus>,
    /// Gateways.
    pub gateways: BTreeMap<ObjectName, GatewayStatus>,
    /// ListenerSets.
    pub listener_sets: BTreeMap<ObjectName, ListenerSetStatus>,
    /// Routes of every kind. Those that have the same to say share it.
    pub routes: BTreeMap<RouteKey, Arc<RouteStatus>>,
    /// BackendTLSPolicies of which some target is reached from a Gateway of ours.
    pub backend_tls_policies: BTreeMap<ObjectName, PolicyStatus>,
    /// XBackendTrafficPolicies of which some target is reached from a Gateway of ours.
    pub backend_traffic_policies: BTreeMap<ObjectName, PolicyStatus>,
    /// XTelemetryPolicies that name a Gateway of ours, or one that is not there.
    pub telemetry_policies: BTreeMap<ObjectName, PolicyStatus>,
    /// XBackends that are reached from a Gateway of ours.
    pub backends: BTreeMap<ObjectName, PolicyStatus>,
}

/// The computed status of a GatewayClass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GatewayClassStatus {
    /// The generation of the object that was looked at.
    pub generation: Option<i64>,
    /// The conditions.
    pub conditions: Vec<Condition>,
    /// What is wrong, field by field.
    pub causes: Vec<Cause>,
    /// What Gateways of the class can do, sorted by name.
    pub supported_features: Vec<Feature>,
}

/// The computed status of a Gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GatewayStatus {
    /// The generation of the object that was looked at.
    pub generation: Option<i64>,
    /// The conditions.
    pub conditions: Vec<Condition>,
    /// What is wrong with it and with its own listeners, field by field.
    pub causes: Vec<Cause>,
    /// The addresses at which it can be reached.
    pub addresses: Vec<StatusAddress>,
    /// Its own listeners, in the order of its specification.
    pub listeners: Vec<ListenerStatus>,
    /// How many accepted ListenerSets are attached.
    pub attached_listener_sets: usize,
}

/// An address of a Gateway, as its status shows it; displayed as the address, and in parentheses from where it can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusAddress {
    /// The address.
    pub address: Address,
    /// From where it can be reached: an empty text says that there is nothing to say, and `None` that the embedder is not to say it.
    ///
    /// # Spec
    /// [ADR-02](crate::spec#ADR-02)
    pub routability: Option<&'static str>,
}

/// The computed status of a ListenerSet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListenerSetStatus {
    /// The generation of the object that was looked at.
    pub generation: Option<i64>,
    /// The conditions.
    pub conditions: Vec<Condition>,
    /// What is wrong with it and with its listeners, field by field.
    pub causes: Vec<Cause>,
    /// Its listeners, in the order of its specification.
    pub listeners: Vec<ListenerStatus>,
}

/// The computed status of a listener.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListenerStatus {
    /// The name.
    pub name: String,
    /// The kinds of Routes that it takes.
    pub supported_kinds: Vec<RouteKind>,
    /// How many Routes are attached.
    pub attached_routes: usize,
    /// The conditions.
    pub conditions: Vec<Condition>,
}

/// The computed status of a Route.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RouteStatus {
    /// The generation of the Route that was looked at.
    pub generation: Option<i64>,
    /// An entry for every parent of ours, in the order of the Route's specification.
    pub parents: Vec<RouteParentStatus>,
    /// What is wrong, field by field.
    pub causes: Vec<Cause>,
    /// What has no effect although the Route is accepted; the message of `Accepted` says it too.
    pub without_effect: Vec<Finding>,
}

/// The computed status of a Route with regard to one parent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RouteParentStatus {
    /// The parent, as the Route names it, with the namespace.
    pub parent_ref: ParentReference,
    /// The controller that the parent's class names: ours, under that name.
    pub controller_name: Arc<str>,
    /// The conditions.
    pub conditions: Vec<Condition>,
}

/// The computed status of a policy, or of an XBackend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyStatus {
    /// The generation of the policy that was looked at.
    pub generation: Option<i64>,
    /// An entry for every Gateway of ours that reaches one of its targets or is one, sorted by name.
    pub ancestors: Vec<PolicyAncestorStatus>,
    /// What is wrong, field by field.
    pub causes: Vec<Cause>,
    /// What has no effect although the policy is accepted; the message of `Accepted` says it too.
    pub without_effect: Vec<Finding>,
}

/// The computed status of a policy with regard to one ancestor of its targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyAncestorStatus {
    /// The ancestor: a Gateway.
    pub ancestor_ref: ParentReference,
    /// The controller that the Gateway's class names: ours, under that name.
    pub controller_name: Arc<str>,
    /// The conditions.
    pub conditions: Vec<Condition>,
}

// === impl StatusAddress ===

impl From<(Address, Option<&'static str>)> for StatusAddress {
    fn from((address, routability): (Address, Option<&'static str>)) -> Self {
        Self { address, routability }
    }
}

impl fmt::Display for StatusAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.routability {
            None | Some("") => self.address.fmt(f),
            Some(routability) => write!(f, "{} ({routability})", self.address),
        }
    }
}

// === impl Statuses ===

impl Statuses {
    /// What is wrong with everything of ours, cause by cause, with kind and name of the object.
    pub fn causes(&self) -> impl Iterator<Item = (Kind, &ObjectName, &Cause)> {
        fn of<'s>(
            kind: Kind,
            key: &'s ObjectName,
            causes: &'s [Cause],
        ) -> impl Iterator<Item = (Kind, &'s ObjectName, &'s Cause)> {
            causes.iter().map(move |cause| (kind, key, cause))
        }
        let classes = self.gateway_classes.iter();
        let classes = classes.flat_map(|(key, status)| of(Kind::GatewayClass, key, &status.causes));
        let gateways = self.gateways.iter();
        let gateways = gateways.flat_map(|(key, status)| of(Kind::Gateway, key, &status.causes));
        let sets = self.listener_sets.iter();
        let sets = sets.flat_map(|(key, status)| of(Kind::ListenerSet, key, &status.causes));
        let routes = self.routes.iter();
        let routes = routes.flat_map(|(key, status)| of(Kind::from(key.kind), &key.name, &status.causes));
        let policies = self.policies().flat_map(|(kind, key, status)| of(kind, key, &status.causes));
        classes.chain(gateways).chain(sets).chain(routes).chain(policies)
    }

    /// The objects that the statuses are about.
    pub fn keys(&self) -> impl Iterator<Item = (Kind, &ObjectName)> {
        let classes = self.gateway_classes.keys().map(|key| (Kind::GatewayClass, key));
        let gateways = self.gateways.keys().map(|key| (Kind::Gateway, key));
        let sets = self.listener_sets.keys().map(|key| (Kind::ListenerSet, key));
        let routes = self.routes.keys().map(|key| (Kind::from(key.kind), &key.name));
        let policies = self.policies().map(|(kind, key, _)| (kind, key));
        classes.chain(gateways).chain(sets).chain(routes).chain(policies)
    }

    /// The statuses of policies of every kind, and of XBackends, which have the same form: with kind and name of the object.
    pub fn policies(&self) -> impl Iterator<Item = (Kind, &ObjectName, &PolicyStatus)> {
        // All fields are named, so that none is forgotten.
        let Self {
            gateway_classes: _,
            gateways: _,
            listener_sets: _,
            routes: _,
            backend_tls_policies,
            backend_traffic_policies,
            telemetry_policies,
            backends,
        } = self;
        let by_kind = [
            (Kind::BackendTlsPolicy, backend_tls_policies),
            (Kind::XBackendTrafficPolicy, backend_traffic_policies),
            (Kind::XTelemetryPolicy, telemetry_policies),
            (Kind::XBackend, backends),
        ];
        by_kind.into_iter().flat_map(|(kind, all)| all.iter().map(move |(key, status)| (kind, key, status)))
    }
}

/// Sets the statuses of classes, Gateways and ListenerSets. `attached_routes` says how many Routes are attached to a listener.
pub(crate) fn set_listeners(
    statuses: &mut Statuses,
    gateways: &Gateways,
    attached_routes: &dyn Fn(ListenerKey) -> usize,
    options: &Options,
) {
    statuses.gateway_classes = each(&gateways.classes, |class| gateway_class::gateway_class(class, options));
    statuses.gateways = each(&gateways.gateways, |gateway| gateway::gateway(gateway, attached_routes));
    statuses.listener_sets =
        each(&gateways.listener_sets, |set| listener_set::listener_set(set, attached_routes));
}

fn each<A, S>(attached: &BTreeMap<ObjectName, A>, status: impl Fn(&A) -> S) -> BTreeMap<ObjectName, S> {
    attached.iter().map(|(key, attached)| (key.clone(), status(attached))).collect()
}
