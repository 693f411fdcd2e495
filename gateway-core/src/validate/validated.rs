//! All objects that are fit to be translated, and those that are not.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::problem::Problem;
use super::valid::{Valid, Validate, check};
use crate::api::{
    BackendTlsPolicy, ConfigMap, EndpointSlice, Gateway, GatewayClass, GrpcRoute, HttpRoute, Kind,
    ListenerSet, Namespace, ReferenceGrant, Resources, Secret, Service, TcpRoute, TlsRoute, UdpRoute,
    XBackend, XBackendTrafficPolicy, XMesh,
};
use crate::name::ObjectName;

/// An object that is left out, because an API server would not have stored it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The kind.
    pub kind: Kind,
    /// Namespace and name.
    pub key: ObjectName,
    /// Everything that is wrong with it; at least one entry.
    pub problems: Vec<Problem>,
}

macro_rules! validated {
    ($($(#[doc = $doc:literal])* $field:ident: $name:ident,)+) => {
        /// All objects without problems, each kind sorted by namespace and name, and what is wrong with the others.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Validated {
            $($(#[doc = $doc])* pub $field: BTreeMap<ObjectName, Valid<$name>>,)+
            /// The objects that are left out, by kind and then by key.
            pub rejected: Vec<Rejected>,
        }

        /// Checks every object by itself: an invalid one is left out, and no other suffers from it.
        pub fn validate(resources: &Resources) -> Validated {
            let mut rejected = Vec::new();
            Validated {
                $($field: sift(&resources.$field, &mut rejected),)+
                rejected,
            }
        }
    };
}

validated! {
    /// Namespaces.
    namespaces: Namespace,
    /// Services.
    services: Service,
    /// Secrets.
    secrets: Secret,
    /// ConfigMaps.
    config_maps: ConfigMap,
    /// EndpointSlices.
    endpoint_slices: EndpointSlice,
    /// GatewayClasses.
    gateway_classes: GatewayClass,
    /// Gateways.
    gateways: Gateway,
    /// ListenerSets.
    listener_sets: ListenerSet,
    /// HTTPRoutes.
    http_routes: HttpRoute,
    /// GRPCRoutes.
    grpc_routes: GrpcRoute,
    /// TLSRoutes.
    tls_routes: TlsRoute,
    /// TCPRoutes.
    tcp_routes: TcpRoute,
    /// UDPRoutes.
    udp_routes: UdpRoute,
    /// ReferenceGrants.
    reference_grants: ReferenceGrant,
    /// BackendTLSPolicies.
    backend_tls_policies: BackendTlsPolicy,
    /// XBackends.
    backends: XBackend,
    /// XBackendTrafficPolicies.
    backend_traffic_policies: XBackendTrafficPolicy,
    /// XMeshes.
    meshes: XMesh,
}

/// The objects without problems; the others go to `rejected`.
fn sift<T: Validate>(
    objects: &BTreeMap<ObjectName, Arc<T>>,
    rejected: &mut Vec<Rejected>,
) -> BTreeMap<ObjectName, Valid<T>> {
    let valid = objects.iter().filter_map(|(key, object)| match check(object) {
        Ok(valid) => Some((key.clone(), valid)),
        Err(problems) => {
            rejected.push(Rejected { kind: T::KIND_ID, key: key.clone(), problems });
            None
        }
    });
    // The keys come in order, from which a map is built in linear time.
    valid.collect()
}

// === impl Rejected ===

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} is invalid", self.kind, self.key)?;
        for (position, problem) in self.problems.iter().enumerate() {
            write!(f, "{}{problem}", if position == 0 { ": " } else { "; " })?;
        }
        Ok(())
    }
}
