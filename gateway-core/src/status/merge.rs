//! Statuses to be written: the computed one brought together with the stored one.
//!
//! A status is shared. Other controllers have conditions and entries in it, which stay as they are and where they are;
//! our own are replaced, added, or removed when nothing computes them any more. A condition keeps the time of its last
//! transition for as long as its status stays the same. Where nothing changes, nothing is written, so that writing a
//! status does not cause another round.
//!
//! Every function takes the stored status of the newest object that is known, and gives the whole status to write.
//! [`all`] does so for all objects at once.
//!
//! ```
//! use gateway_core::api::{self, Timestamp};
//! use gateway_core::condition::Condition;
//! use gateway_core::status::{GatewayStatus, merge};
//!
//! let computed = GatewayStatus {
//!     generation: Some(3),
//!     conditions: vec![Condition::accepted(), Condition::programmed()],
//!     ..GatewayStatus::default()
//! };
//! let (ten, eleven) = (Timestamp::from("2026-01-01T10:00:00Z"), Timestamp::from("2026-01-01T11:00:00Z"));
//! let written = merge::gateway(&api::GatewayStatus::default(), &computed, &ten).expect("it was pending");
//! assert_eq!(written.conditions[0].observed_generation, Some(3));
//! assert_eq!(written.conditions[0].last_transition_time, ten);
//! assert_eq!(merge::gateway(&written, &computed, &eleven), None, "nothing has changed");
//! ```
//!
//! # Spec
//! [GEN-01](crate::spec#GEN-01) to [GEN-08](crate::spec#GEN-08), [GEN-12](crate::spec#GEN-12), [RTE-10](crate::spec#RTE-10),
//! [RTE-11](crate::spec#RTE-11).

use std::collections::BTreeSet;
use std::iter;

use super::{
    GatewayClassStatus, GatewayStatus, ListenerSetStatus, ListenerStatus, PolicyStatus, RouteStatus,
    StatusAddress, Statuses,
};
use crate::api::{
    self, AddressType, AnyObject, ConditionStatus, GATEWAY_GROUP, Kind, ParentReference, Resources, Timestamp,
};
use crate::condition::{Condition, ConditionType, Polarity, Reason};
use crate::name::{ObjectName, RouteKey};
use crate::options::Address;

/// How long a message may be, in bytes; the schema counts characters, of which there are no more.
const MAX_MESSAGE: usize = 32_768;

/// How many addresses the status of a Gateway may have.
const MAX_ADDRESSES: usize = 16;

/// How many parents the status of a Route may have.
const MAX_PARENTS: usize = 32;

/// How many ancestors the status of a policy may have.
const MAX_ANCESTORS: usize = 16;

/// How many ancestors the status of an XBackend may have.
const MAX_BACKEND_ANCESTORS: usize = 32;

/// What a status says about one parent or ancestor, under the name of a controller.
trait Entry: Clone {
    fn new(about: &ParentReference, controller_name: &str, conditions: Vec<api::Condition>) -> Self;
    fn about(&self) -> &ParentReference;
    fn controller_name(&self) -> &str;
    fn conditions(&self) -> &[api::Condition];
}

/// The same, as it is computed.
struct ComputedEntry<'c> {
    about: &'c ParentReference,
    controller_name: &'c str,
    conditions: &'c [Condition],
}

/// The objects whose status is to be written, with that status; `stored` holds the newest ones that are known.
///
/// A Route or policy about which nothing is computed, because it has no parent or ancestor of ours any more, loses what we said about it: under
/// `controller_name`, or under the name that one of our classes asks for. A ListenerSet whose Gateway is there no more waits
/// for a controller again, as it did when it was new: its status does not say whose it was.
///
/// # Spec
/// [GEN-11](crate::spec#GEN-11), [GEN-12](crate::spec#GEN-12), [LST-06](crate::spec#LST-06), [RTE-10](crate::spec#RTE-10), and
/// those of the functions for each kind.
pub fn all<'a>(
    stored: &'a Resources,
    computed: &'a Statuses,
    controller_name: &'a str,
    now: &'a Timestamp,
) -> impl Iterator<Item = AnyObject> + 'a {
    let Statuses {
        gateway_classes,
        gateways,
        listener_sets,
        routes,
        backend_tls_policies,
        backend_traffic_policies,
        telemetry_policies,
        backends,
    } = computed;
    let of_classes = gateway_classes.keys().filter_map(|key| stored.gateway_classes.get(key));
    let ours: BTreeSet<&str> = of_classes
        .map(|class| class.spec.controller_name.as_str())
        .chain(iter::once(controller_name))
        .collect();
    let classes = gateway_classes.iter().filter_map(move |(key, computed)| {
        let object = stored.gateway_classes.get(key)?;
        let status = gateway_class(&object.status, computed, now)?;
        Some(api::GatewayClass { status, ..api::GatewayClass::clone(object) }.into())
    });
    let gateways = gateways.iter().filter_map(move |(key, computed)| {
        let object = stored.gateways.get(key)?;
        let status = gateway(&object.status, computed, now)?;
        Some(api::Gateway { status, ..api::Gateway::clone(object) }.into())
    });
    let sets = stored.listener_sets.iter().filter_map(move |(key, object)| {
        let status = match listener_sets.get(key) {
            Some(computed) => listener_set(&object.status, computed, now)?,
            None if is_orphan(key, object, stored) => waiting_again(object, now)?,
            None => return None,
        };
        Some(api::ListenerSet { status, ..api::ListenerSet::clone(object) }.into())
    });
    let of_routes = ours.clone();
    let routes = stored.iter().filter_map(move |mut object| {
        let found = object.as_route()?;
        let nothing = RouteStatus { generation: object.metadata().generation, ..RouteStatus::default() };
        let computed =
            routes.get(&RouteKey::new(found.kind, object.key())).map_or(&nothing, |computed| &**computed);
        let status = route(found.status, computed, &of_routes, now)?;
        *object.status_mut()? = status;
        Some(object)
    });
    let nothing = |generation| PolicyStatus { generation, ..PolicyStatus::default() };
    let (of_policies, of_traffic, of_telemetry) = (ours.clone(), ours.clone(), ours.clone());
    let tls = stored.backend_tls_policies.iter().filter_map(move |(key, object)| {
        let nothing = nothing(object.metadata.generation);
        let computed = backend_tls_policies.get(key).unwrap_or(&nothing);
        let status = policy(&object.status, computed, &of_policies, now)?;
        Some(api::BackendTlsPolicy { status, ..api::BackendTlsPolicy::clone(object) }.into())
    });
    let traffic = stored.backend_traffic_policies.iter().filter_map(move |(key, object)| {
        let nothing = nothing(object.metadata.generation);
        let computed = backend_traffic_policies.get(key).unwrap_or(&nothing);
        let status = policy(&object.status, computed, &of_traffic, now)?;
        Some(api::XBackendTrafficPolicy { status, ..api::XBackendTrafficPolicy::clone(object) }.into())
    });
    let telemetry = stored.telemetry_policies.iter().filter_map(move |(key, object)| {
        let nothing = nothing(object.metadata.generation);
        let computed = telemetry_policies.get(key).unwrap_or(&nothing);
        let status = policy(&object.status, computed, &of_telemetry, now)?;
        Some(api::XTelemetryPolicy { status, ..api::XTelemetryPolicy::clone(object) }.into())
    });
    let x_backends = stored.backends.iter().filter_map(move |(key, object)| {
        let nothing = nothing(object.metadata.generation);
        let computed = backends.get(key).unwrap_or(&nothing);
        let status = x_backend(&object.status, computed, &ours, now)?;
        Some(api::XBackend { status, ..api::XBackend::clone(object) }.into())
    });
    let policies = tls.chain(traffic).chain(telemetry).chain(x_backends);
    classes.chain(gateways).chain(sets).chain(routes).chain(policies)
}

/// Whether the Gateway of a ListenerSet is not there.
fn is_orphan(key: &ObjectName, set: &api::ListenerSet, stored: &Resources) -> bool {
    let parent = &set.spec.parent_ref;
    let namespace = parent.namespace.as_deref().unwrap_or(&key.namespace);
    parent.group == GATEWAY_GROUP
        && parent.kind == Kind::Gateway.as_str()
        && !stored.gateways.contains_key(&ObjectName::new(namespace, parent.name.as_str()))
}

/// The status of a ListenerSet that some controller looked at while there was a Gateway; nothing for one that waits already.
fn waiting_again(set: &api::ListenerSet, now: &Timestamp) -> Option<api::ListenerSetStatus> {
    const SAID: [ConditionType; 2] = [ConditionType::Accepted, ConditionType::Programmed];
    let generation = set.metadata.generation;
    let is_said = |condition: &api::Condition| {
        ConditionType::parse(&condition.r#type).is_some_and(|kind| SAID.contains(&kind))
    };
    if is_newer(&set.status.conditions, generation) {
        return None;
    }
    let conditions = set.status.conditions.iter().map(|condition| match condition {
        said if is_said(said) && said.status != ConditionStatus::Undecided => api::Condition {
            r#type: said.r#type.clone(),
            status: ConditionStatus::Undecided,
            observed_generation: generation,
            last_transition_time: now.clone(),
            reason: Reason::Pending.to_string(),
            message: "Waiting for controller: the Gateway is not there".to_owned(),
        },
        other => other.clone(),
    });
    changed(&set.status, api::ListenerSetStatus { conditions: conditions.collect(), listeners: Vec::new() })
}

/// The conditions to write; nothing if they are those that are stored.
///
/// `generation` is that of the object that was looked at. A stored condition about a later generation is left alone.
///
/// # Spec
/// [GEN-01](crate::spec#GEN-01) to [GEN-08](crate::spec#GEN-08).
pub fn conditions(
    stored: &[api::Condition],
    computed: &[Condition],
    generation: Option<i64>,
    now: &Timestamp,
) -> Option<Vec<api::Condition>> {
    changed(stored, merged_conditions(stored, computed, generation, now))
}

/// The status of a GatewayClass to write; nothing if it is the one that is stored.
pub fn gateway_class(
    stored: &api::GatewayClassStatus,
    computed: &GatewayClassStatus,
    now: &Timestamp,
) -> Option<api::GatewayClassStatus> {
    if is_newer(&stored.conditions, computed.generation) {
        return None;
    }
    let features = computed.supported_features.iter();
    let merged = api::GatewayClassStatus {
        conditions: merged_conditions(&stored.conditions, &computed.conditions, computed.generation, now),
        supported_features: features
            .map(|feature| api::SupportedFeature { name: feature.to_string() })
            .collect(),
    };
    changed(stored, merged)
}

/// The status of a Gateway to write; nothing if it is the one that is stored.
pub fn gateway(
    stored: &api::GatewayStatus,
    computed: &GatewayStatus,
    now: &Timestamp,
) -> Option<api::GatewayStatus> {
    let GatewayStatus { generation, conditions, addresses, listeners, attached_listener_sets, causes: _ } =
        computed;
    if is_newer(&stored.conditions, *generation) {
        return None;
    }
    let merged = api::GatewayStatus {
        // LIM-05: an API server would refuse the whole status for one too many.
        addresses: addresses.iter().take(MAX_ADDRESSES).map(written_address).collect(),
        conditions: merged_conditions(&stored.conditions, conditions, *generation, now),
        listeners: merged_listeners(&stored.listeners, listeners, *generation, now),
        attached_listener_sets: Some(written_count(*attached_listener_sets)),
    };
    changed(stored, merged)
}

/// The status of a ListenerSet to write; nothing if it is the one that is stored.
pub fn listener_set(
    stored: &api::ListenerSetStatus,
    computed: &ListenerSetStatus,
    now: &Timestamp,
) -> Option<api::ListenerSetStatus> {
    let ListenerSetStatus { generation, conditions, listeners, causes: _ } = computed;
    if is_newer(&stored.conditions, *generation) {
        return None;
    }
    let merged = api::ListenerSetStatus {
        conditions: merged_conditions(&stored.conditions, conditions, *generation, now),
        listeners: merged_listeners(&stored.listeners, listeners, *generation, now),
    };
    changed(stored, merged)
}

/// The status of a Route to write; nothing if it is the one that is stored.
///
/// `ours` are the names of controllers that are this one. Entries of others stay. For a Route that has no parent of ours any more, `computed` is without parents, and
/// what is left of ours goes.
///
/// # Spec
/// [GEN-11](crate::spec#GEN-11), [GEN-12](crate::spec#GEN-12), [RTE-10](crate::spec#RTE-10) to [RTE-12](crate::spec#RTE-12),
/// [RTE-36](crate::spec#RTE-36).
pub fn route(
    stored: &api::RouteStatus,
    computed: &RouteStatus,
    ours: &BTreeSet<&str>,
    now: &Timestamp,
) -> Option<api::RouteStatus> {
    let RouteStatus { generation, parents, without_effect: _, causes: _ } = computed;
    let computed: Vec<_> = parents
        .iter()
        .map(|parent| ComputedEntry {
            about: &parent.parent_ref,
            controller_name: &parent.controller_name,
            conditions: &parent.conditions,
        })
        .collect();
    let parents = merged_entries(&stored.parents, &computed, *generation, MAX_PARENTS, ours, now)?;
    changed(stored, api::RouteStatus { parents })
}

/// The status of a policy to write; nothing if it is the one that is stored.
///
/// `ours` are the names of controllers that are this one. Entries of others stay, also where they leave no room for ours.
///
/// # Spec
/// [GEN-11](crate::spec#GEN-11), [GEN-12](crate::spec#GEN-12), [BTP-09](crate::spec#BTP-09), [BTP-10](crate::spec#BTP-10),
/// [BTP-25](crate::spec#BTP-25).
pub fn policy(
    stored: &api::PolicyStatus,
    computed: &PolicyStatus,
    ours: &BTreeSet<&str>,
    now: &Timestamp,
) -> Option<api::PolicyStatus> {
    let entries = computed_entries(computed);
    let ancestors =
        merged_entries(&stored.ancestors, &entries, computed.generation, MAX_ANCESTORS, ours, now)?;
    changed(stored, api::PolicyStatus { ancestors })
}

/// The status of an XBackend to write; nothing if it is the one that is stored. As with a [`policy`], but for how many entries it may
/// have.
///
/// # Spec
/// [XBK-06](crate::spec#XBK-06), [LIM-23](crate::spec#LIM-23), [GEN-11](crate::spec#GEN-11), [GEN-12](crate::spec#GEN-12).
pub fn x_backend(
    stored: &api::BackendStatus,
    computed: &PolicyStatus,
    ours: &BTreeSet<&str>,
    now: &Timestamp,
) -> Option<api::BackendStatus> {
    let (entries, most) = (computed_entries(computed), MAX_BACKEND_ANCESTORS);
    let ancestors = merged_entries(&stored.ancestors, &entries, computed.generation, most, ours, now)?;
    changed(stored, api::BackendStatus { ancestors })
}

fn computed_entries(computed: &PolicyStatus) -> Vec<ComputedEntry<'_>> {
    let entries = computed.ancestors.iter().map(|ancestor| ComputedEntry {
        about: &ancestor.ancestor_ref,
        controller_name: &ancestor.controller_name,
        conditions: &ancestor.conditions,
    });
    entries.collect()
}

/// Entries of others as they are, and ours as they are computed, up to `most` of them. Nothing if ours are about a later
/// generation.
fn merged_entries<E: Entry>(
    stored: &[E],
    computed: &[ComputedEntry<'_>],
    generation: Option<i64>,
    most: usize,
    ours: &BTreeSet<&str>,
    now: &Timestamp,
) -> Option<Vec<E>> {
    let ours = |entry: &E| ours.contains(entry.controller_name());
    if stored.iter().any(|entry| ours(entry) && is_newer(entry.conditions(), generation)) {
        return None;
    }
    let mut merged: Vec<E> = Vec::with_capacity(computed.len());
    for entry in stored {
        if !ours(entry) {
            merged.push(entry.clone());
        } else if let Some(about) = computed.iter().find(|computed| computed.is_about(entry))
            && !merged.iter().any(|known| about.is_about(known))
        {
            merged.push(about.written(entry.conditions(), generation, now));
        }
    }
    for about in computed {
        let known = merged.iter().any(|known| about.is_about(known));
        // When others fill the list, theirs is not ours to remove.
        if !known && merged.len() < most {
            merged.push(about.written(&[], generation, now));
        }
    }
    Some(merged)
}

fn changed<T: PartialEq<O> + ?Sized, O>(stored: &T, merged: O) -> Option<O> {
    (*stored != merged).then_some(merged)
}

/// Whether another controller of our name has seen a later generation than this one.
///
/// # Spec
/// GEN-04
fn is_newer(stored: &[api::Condition], generation: Option<i64>) -> bool {
    stored.iter().any(|condition| {
        ConditionType::parse(&condition.r#type).is_some()
            && is_later(condition.observed_generation, generation)
    })
}

fn is_later(observed: Option<i64>, generation: Option<i64>) -> bool {
    matches!((observed, generation), (Some(observed), Some(generation)) if observed > generation)
}

fn merged_conditions(
    stored: &[api::Condition],
    computed: &[Condition],
    generation: Option<i64>,
    now: &Timestamp,
) -> Vec<api::Condition> {
    let mut merged = Vec::with_capacity(computed.len());
    for known in stored {
        let kind = ConditionType::parse(&known.r#type);
        let update = computed.iter().find(|condition| Some(condition.kind) == kind);
        match update {
            _ if is_later(known.observed_generation, generation) => merged.push(known.clone()),
            Some(condition) => merged.push(written_condition(condition, Some(known), generation, now)),
            // GEN-08: it is there only while it is true, and goes when nothing computes it.
            None if kind.is_some_and(|kind| kind.polarity() == Polarity::Negative) => {}
            None => merged.push(known.clone()),
        }
    }
    for condition in computed {
        if !merged.iter().any(|known| known.r#type == condition.kind.as_str()) {
            merged.push(written_condition(condition, None, generation, now));
        }
    }
    merged
}

fn written_condition(
    condition: &Condition,
    stored: Option<&api::Condition>,
    generation: Option<i64>,
    now: &Timestamp,
) -> api::Condition {
    let Condition { kind, status, reason, message } = condition;
    let status = ConditionStatus::from(*status);
    let unchanged = stored.filter(|stored| stored.status == status);
    api::Condition {
        r#type: kind.to_string(),
        observed_generation: generation,
        last_transition_time: unchanged.map_or(now, |stored| &stored.last_transition_time).clone(),
        reason: reason.to_string(),
        message: clipped(message).to_owned(),
        status,
    }
}

/// # Spec
/// LIM-08
fn clipped(message: &str) -> &str {
    let end = (0..=MAX_MESSAGE.min(message.len())).rev().find(|end| message.is_char_boundary(*end));
    &message[..end.unwrap_or(0)]
}

/// # Spec
/// GWL-20: an entry for each listener there is, and for no other.
fn merged_listeners(
    stored: &[api::ListenerStatus],
    computed: &[ListenerStatus],
    generation: Option<i64>,
    now: &Timestamp,
) -> Vec<api::ListenerStatus> {
    let written = |listener: &ListenerStatus| {
        let ListenerStatus { name, supported_kinds, attached_routes, conditions } = listener;
        let known = stored.iter().find(|known| known.name == *name);
        let known = known.map_or(&[][..], |known| &known.conditions);
        let kinds = supported_kinds.iter();
        api::ListenerStatus {
            name: name.clone(),
            supported_kinds: kinds
                .map(|kind| api::RouteGroupKind { group: GATEWAY_GROUP.to_owned(), kind: kind.to_string() })
                .collect(),
            attached_routes: written_count(*attached_routes),
            conditions: merged_conditions(known, conditions, generation, now),
        }
    };
    computed.iter().map(written).collect()
}

fn written_address(StatusAddress { address, routability }: &StatusAddress) -> api::GatewayStatusAddress {
    let r#type = match address {
        Address::Ip(_) => AddressType::IpAddress,
        Address::Hostname(_) => AddressType::Hostname,
    };
    api::GatewayStatusAddress {
        r#type,
        value: address.to_string(),
        routability: routability.map(str::to_owned),
    }
}

fn written_count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

// === impl ComputedEntry ===

impl ComputedEntry<'_> {
    /// Whether an entry is what we said about the same.
    fn is_about<E: Entry>(&self, entry: &E) -> bool {
        self.controller_name == entry.controller_name() && self.about == entry.about()
    }

    fn written<E: Entry>(&self, stored: &[api::Condition], generation: Option<i64>, now: &Timestamp) -> E {
        let conditions = merged_conditions(stored, self.conditions, generation, now);
        E::new(self.about, self.controller_name, conditions)
    }
}

// === impl Entry ===

macro_rules! entries {
    ($($entry:ident { $about:ident }),+ $(,)?) => { $(
        impl Entry for api::$entry {
            fn new(about: &ParentReference, controller_name: &str, conditions: Vec<api::Condition>) -> Self {
                Self { $about: about.clone(), controller_name: controller_name.to_owned(), conditions }
            }

            fn about(&self) -> &ParentReference {
                &self.$about
            }

            fn controller_name(&self) -> &str {
                &self.controller_name
            }

            fn conditions(&self) -> &[api::Condition] {
                &self.conditions
            }
        }
    )+ };
}

entries!(
    RouteParentStatus { parent_ref },
    PolicyAncestorStatus { ancestor_ref },
    BackendAncestorStatus { ancestor_ref },
);
