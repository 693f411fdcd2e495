//! The computed status of one object.

use std::collections::BTreeSet;

use gateway_core::api::{self, Kind, ParentReference, SupportedFeature, Timestamp};
use gateway_core::name::{ObjectName, RouteKey, RouteKind};
use gateway_core::status::{
    GatewayClassStatus, GatewayStatus, ListenerSetStatus, PolicyStatus, RouteStatus, Statuses, merge,
};

use super::feature_name::{Vocabulary, published_names};
use crate::object::{Stored, StoredStatus};

/// The computed status of one object.
#[derive(Clone, Debug, PartialEq)]
pub enum Computed {
    /// Of a GatewayClass.
    GatewayClass(GatewayClassStatus),
    /// Of a Gateway.
    Gateway(GatewayStatus),
    /// Of a ListenerSet.
    ListenerSet(ListenerSetStatus),
    /// Of a Route of any kind; one without parents takes away what was said before.
    Route(RouteStatus),
    /// Of a Route with parents that cannot be seen from here: what was said about these stays, since it was another instance
    /// of this controller that saw them.
    RouteBeside(RouteStatus, Vec<ParentReference>),
    /// Of a policy for backends, or of an XBackend; one without ancestors takes away what was said before.
    Policy(PolicyStatus),
    /// Of a policy for backends with ancestors that cannot be seen from here, as with a Route.
    PolicyBeside(PolicyStatus, Vec<ParentReference>),
}

// === impl Computed ===

impl Computed {
    /// What the statuses of a translation say about an object, if it is ours.
    pub fn find(statuses: &Statuses, kind: Kind, key: &ObjectName) -> Option<Self> {
        let route = |kind| {
            let status = statuses.routes.get(&RouteKey::new(kind, key.clone()))?;
            Some(Self::Route(RouteStatus::clone(status)))
        };
        match kind {
            Kind::GatewayClass => statuses.gateway_classes.get(key).cloned().map(Self::GatewayClass),
            Kind::Gateway => statuses.gateways.get(key).cloned().map(Self::Gateway),
            Kind::ListenerSet => statuses.listener_sets.get(key).cloned().map(Self::ListenerSet),
            Kind::BackendTlsPolicy => statuses.backend_tls_policies.get(key).cloned().map(Self::Policy),
            Kind::XBackendTrafficPolicy => {
                statuses.backend_traffic_policies.get(key).cloned().map(Self::Policy)
            }
            Kind::XTelemetryPolicy => statuses.telemetry_policies.get(key).cloned().map(Self::Policy),
            Kind::XBackend => statuses.backends.get(key).cloned().map(Self::Policy),
            Kind::HttpRoute => route(RouteKind::Http),
            Kind::GrpcRoute => route(RouteKind::Grpc),
            Kind::TlsRoute => route(RouteKind::Tls),
            Kind::TcpRoute => route(RouteKind::Tcp),
            Kind::UdpRoute => route(RouteKind::Udp),
            Kind::Namespace
            | Kind::Service
            | Kind::Secret
            | Kind::ConfigMap
            | Kind::ClusterTrustBundle
            | Kind::EndpointSlice
            | Kind::ServiceImport
            | Kind::Pod
            | Kind::ReferenceGrant
            | Kind::XMesh
            | Kind::Own(_) => None,
        }
    }

    /// What there is to say about an object that is not ours, or not any more: a Route or a policy loses what we said about it.
    /// Other objects keep it, since another controller may have them now.
    ///
    /// # Spec
    /// [GEN-11](gateway_core::spec#GEN-11), [RTE-10](gateway_core::spec#RTE-10), [BTP-09](gateway_core::spec#BTP-09)
    pub fn nothing(stored: &Stored) -> Option<Self> {
        match &stored.status {
            StoredStatus::Route(_) => {
                Some(Self::Route(RouteStatus { generation: stored.generation, ..RouteStatus::default() }))
            }
            StoredStatus::Policy(_) | StoredStatus::Backend(_) => {
                Some(Self::Policy(PolicyStatus { generation: stored.generation, ..PolicyStatus::default() }))
            }
            _ => None,
        }
    }

    /// The generation of the object that was looked at.
    pub fn generation(&self) -> Option<i64> {
        match self {
            Self::GatewayClass(status) => status.generation,
            Self::Gateway(status) => status.generation,
            Self::ListenerSet(status) => status.generation,
            Self::Route(status) | Self::RouteBeside(status, _) => status.generation,
            Self::Policy(status) | Self::PolicyBeside(status, _) => status.generation,
        }
    }

    /// The parents or ancestors that cannot be seen from here.
    pub(super) fn unseen(&self) -> &[ParentReference] {
        match self {
            Self::RouteBeside(_, unseen) | Self::PolicyBeside(_, unseen) => unseen,
            Self::GatewayClass(_)
            | Self::Gateway(_)
            | Self::ListenerSet(_)
            | Self::Route(_)
            | Self::Policy(_) => &[],
        }
    }

    /// The status to write; nothing if it is the one that is stored. `controller_name` is ours.
    pub fn merged(
        &self,
        stored: &StoredStatus,
        controller_name: &str,
        vocabulary: &Vocabulary,
        now: &Timestamp,
    ) -> Option<StoredStatus> {
        match (stored, self) {
            (StoredStatus::GatewayClass(stored), Self::GatewayClass(computed)) => {
                gateway_class(stored, computed, vocabulary, now).map(StoredStatus::GatewayClass)
            }
            (StoredStatus::Gateway(stored), Self::Gateway(computed)) => {
                merge::gateway(stored, computed, now).map(StoredStatus::Gateway)
            }
            (StoredStatus::ListenerSet(stored), Self::ListenerSet(computed)) => {
                merge::listener_set(stored, computed, now).map(StoredStatus::ListenerSet)
            }
            (StoredStatus::Route(stored), Self::Route(computed)) => {
                merge::route(stored, computed, &BTreeSet::from([controller_name]), now)
                    .map(StoredStatus::Route)
            }
            (StoredStatus::Route(stored), Self::RouteBeside(computed, unseen)) => {
                let ours = BTreeSet::from([controller_name]);
                let (beside, parents): (Vec<_>, Vec<_>) = stored.parents.iter().cloned().partition(|entry| {
                    entry.controller_name == controller_name && unseen.contains(&entry.parent_ref)
                });
                let mut merged = merge::route(&api::RouteStatus { parents }, computed, &ours, now)?;
                merged.parents.extend(beside);
                Some(StoredStatus::Route(merged))
            }
            (StoredStatus::Policy(stored), Self::Policy(computed)) => {
                merge::policy(stored, computed, &BTreeSet::from([controller_name]), now)
                    .map(StoredStatus::Policy)
            }
            (StoredStatus::Policy(stored), Self::PolicyBeside(computed, unseen)) => {
                let ours = BTreeSet::from([controller_name]);
                let (beside, ancestors): (Vec<_>, Vec<_>) =
                    stored.ancestors.iter().cloned().partition(|entry| {
                        entry.controller_name == controller_name && unseen.contains(&entry.ancestor_ref)
                    });
                let seen = api::PolicyStatus { ancestors };
                let mut merged = merge::policy(&seen, computed, &ours, now)?;
                merged.ancestors.extend(beside);
                Some(StoredStatus::Policy(merged))
            }
            (StoredStatus::Backend(stored), Self::Policy(computed)) => {
                merge::x_backend(stored, computed, &BTreeSet::from([controller_name]), now)
                    .map(StoredStatus::Backend)
            }
            (StoredStatus::Backend(stored), Self::PolicyBeside(computed, unseen)) => {
                let ours = BTreeSet::from([controller_name]);
                let (beside, ancestors): (Vec<_>, Vec<_>) =
                    stored.ancestors.iter().cloned().partition(|entry| {
                        entry.controller_name == controller_name && unseen.contains(&entry.ancestor_ref)
                    });
                let seen = api::BackendStatus { ancestors };
                let mut merged = merge::x_backend(&seen, computed, &ours, now)?;
                merged.ancestors.extend(beside);
                Some(StoredStatus::Backend(merged))
            }
            // Of another kind, or not to be read.
            (_, _) => None,
        }
    }
}

/// The features by the names that the installed definitions know.
fn gateway_class(
    stored: &api::GatewayClassStatus,
    computed: &GatewayClassStatus,
    vocabulary: &Vocabulary,
    now: &Timestamp,
) -> Option<api::GatewayClassStatus> {
    let later = |condition: &api::Condition| condition.observed_generation > computed.generation;
    if stored.conditions.iter().any(later) {
        return None;
    }
    let names = published_names(&computed.supported_features, vocabulary);
    let merged = api::GatewayClassStatus {
        conditions: merge::conditions(&stored.conditions, &computed.conditions, computed.generation, now)
            .unwrap_or_else(|| stored.conditions.clone()),
        supported_features: names.into_iter().map(|name| SupportedFeature { name }).collect(),
    };
    (*stored != merged).then_some(merged)
}

#[cfg(test)]
mod tests {
    use gateway_core::api::RouteParentStatus;

    use super::*;

    // GEN-11
    #[test]
    fn what_was_said_about_parents_out_of_sight_stays() {
        let entry = |name: &str, controller_name: &str| RouteParentStatus {
            parent_ref: serde_json::from_str(&format!(r#"{{"name": "{name}"}}"#)).unwrap(),
            controller_name: controller_name.to_owned(),
            conditions: Vec::new(),
        };
        let (unseen, gone, theirs) =
            (entry("unseen", "ours"), entry("gone", "ours"), entry("gone", "theirs"));
        let stored =
            StoredStatus::Route(api::RouteStatus { parents: vec![unseen.clone(), gone, theirs.clone()] });
        let computed = Computed::RouteBeside(RouteStatus::default(), vec![unseen.parent_ref.clone()]);
        let merge = |stored: &StoredStatus| {
            computed.merged(stored, "ours", &Vocabulary::default(), &Timestamp::default())
        };
        let merged = merge(&stored).unwrap();
        assert_eq!(merged, StoredStatus::Route(api::RouteStatus { parents: vec![theirs, unseen] }));
        assert_eq!(merge(&merged), None);
    }
}
