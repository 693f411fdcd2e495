//! The options of watches: kinds, namespaces and limits.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use gateway_core::api::{Kind, MULTICLUSTER_GROUP};
use gateway_core::manifest::OwnTypes;

use super::part::Scope;
use crate::observe::Observe;

/// What is watched, and how.
#[derive(Clone, Debug)]
pub struct WatchOptions {
    /// The kinds, each watched as a whole. Secrets and ConfigMaps among them are passed over: they are looked up by name.
    pub kinds: BTreeSet<Kind>,
    /// The kinds of the embedder's own, each watched as a whole, too. A [controller](crate::controller) has those of its translation here.
    pub own_types: OwnTypes,
    /// The namespaces.
    pub scope: Scope,
    /// How long it takes until a kind that is left out is asked for again; 10 s by default, and 100 ms at least.
    pub retry: Duration,
    /// The most Secrets, ConfigMaps and ClusterTrustBundles that are looked up; 4,096 by default. Each takes a connection. A namespace has no
    /// more of them than it leaves to others.
    pub max_lookups: usize,
    /// Who is told of watches that begin again.
    pub observer: Option<Arc<dyn Observe>>,
}

// === impl WatchOptions ===

impl WatchOptions {
    /// The kinds that [`gateway_core`] carries out, beside those that are looked up: Secrets and ConfigMaps by name, Pods by namespace.
    pub const KINDS: &[Kind] = &[
        Kind::Namespace,
        Kind::Service,
        Kind::EndpointSlice,
        Kind::ServiceImport,
        Kind::GatewayClass,
        Kind::Gateway,
        Kind::ListenerSet,
        Kind::HttpRoute,
        Kind::GrpcRoute,
        Kind::TlsRoute,
        Kind::TcpRoute,
        Kind::UdpRoute,
        Kind::ReferenceGrant,
        Kind::BackendTlsPolicy,
        Kind::XBackend,
        Kind::XBackendTrafficPolicy,
        Kind::XTelemetryPolicy,
    ];
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self {
            kinds: Self::KINDS.iter().copied().collect(),
            own_types: OwnTypes::default(),
            scope: Scope::All,
            retry: Duration::from_secs(10),
            max_lookups: 4_096,
            observer: None,
        }
    }
}

/// Whether clusters mostly go without the kind, so that there is nothing to tell where it is missing: it is not of Gateway API, and no
/// Route refers to it there.
pub(super) fn may_be_missing(kind: Kind) -> bool {
    kind.group() == MULTICLUSTER_GROUP
}
