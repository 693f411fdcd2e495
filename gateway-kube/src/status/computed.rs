//! What a translation says about one object.

use std::collections::BTreeSet;

use gateway_core::api::{self, Kind, SupportedFeature, Timestamp};
use gateway_core::name::{ObjectName, RouteKey, RouteKind};
use gateway_core::status::{
    GatewayClassStatus, GatewayStatus, ListenerSetStatus, RouteStatus, Statuses, merge,
};

use super::feature_name::{Minor, published_names};
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
}

// === impl Computed ===

impl Computed {
    /// What the statuses of a translation say about an object, if it is ours.
    pub fn find(statuses: &Statuses, kind: Kind, key: &ObjectName) -> Option<Self> {
        let route = |kind| statuses.routes.get(&RouteKey::new(kind, key.clone())).cloned().map(Self::Route);
        match kind {
            Kind::GatewayClass => statuses.gateway_classes.get(key).cloned().map(Self::GatewayClass),
            Kind::Gateway => statuses.gateways.get(key).cloned().map(Self::Gateway),
            Kind::ListenerSet => statuses.listener_sets.get(key).cloned().map(Self::ListenerSet),
            Kind::HttpRoute => route(RouteKind::Http),
            Kind::GrpcRoute => route(RouteKind::Grpc),
            Kind::TlsRoute => route(RouteKind::Tls),
            Kind::TcpRoute => route(RouteKind::Tcp),
            Kind::UdpRoute => route(RouteKind::Udp),
            Kind::Namespace
            | Kind::Service
            | Kind::Secret
            | Kind::ConfigMap
            | Kind::EndpointSlice
            | Kind::ReferenceGrant
            | Kind::BackendTlsPolicy
            | Kind::XBackend
            | Kind::XBackendTrafficPolicy
            | Kind::XTelemetryPolicy
            | Kind::XMesh => None,
        }
    }

    /// What there is to say about an object that is not ours, or not any more: a Route loses what we said about it. Other
    /// objects keep it, since another controller may have them now.
    ///
    /// # Spec
    /// GEN-11, RTE-10
    pub fn nothing(stored: &Stored) -> Option<Self> {
        match &stored.status {
            StoredStatus::Route(_) => {
                Some(Self::Route(RouteStatus { generation: stored.generation, ..RouteStatus::default() }))
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
            Self::Route(status) => status.generation,
        }
    }

    /// The status to write; nothing if it is the one that is stored. `controller_name` is ours.
    pub fn merged(
        &self,
        stored: &StoredStatus,
        controller_name: &str,
        minor: Minor,
        now: &Timestamp,
    ) -> Option<StoredStatus> {
        match (stored, self) {
            (StoredStatus::GatewayClass(stored), Self::GatewayClass(computed)) => {
                gateway_class(stored, computed, minor, now).map(StoredStatus::GatewayClass)
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
            // Of another kind, or not to be read.
            (_, _) => None,
        }
    }
}

/// The features by the names that the installed definitions know.
fn gateway_class(
    stored: &api::GatewayClassStatus,
    computed: &GatewayClassStatus,
    minor: Minor,
    now: &Timestamp,
) -> Option<api::GatewayClassStatus> {
    let later = |condition: &api::Condition| condition.observed_generation > computed.generation;
    if stored.conditions.iter().any(later) {
        return None;
    }
    let names = published_names(&computed.supported_features, minor);
    let merged = api::GatewayClassStatus {
        conditions: merge::conditions(&stored.conditions, &computed.conditions, computed.generation, now)
            .unwrap_or_else(|| stored.conditions.clone()),
        supported_features: names.into_iter().map(|name| SupportedFeature { name }).collect(),
    };
    (*stored != merged).then_some(merged)
}
