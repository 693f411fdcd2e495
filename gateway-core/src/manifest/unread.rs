//! Fields of Kubernetes that routing does not look at. They are no mistake, and are passed over without a word.

use crate::api::Kind;

/// Whether a field that the type does not have is one of Kubernetes that routing does not look at, rather than a mistake.
///
/// `shape` is the path with `[]` for every list.
pub(super) fn is_unread(kind: Kind, shape: &str) -> bool {
    let unread: &[&str] = match kind {
        Kind::Namespace => &["spec", "status"],
        Kind::Service => &[
            "status",
            "spec.allocateLoadBalancerNodePorts",
            "spec.externalIPs",
            "spec.externalTrafficPolicy",
            "spec.healthCheckNodePort",
            "spec.internalTrafficPolicy",
            "spec.ipFamilies",
            "spec.ipFamilyPolicy",
            "spec.loadBalancerClass",
            "spec.loadBalancerIP",
            "spec.loadBalancerSourceRanges",
            "spec.sessionAffinityConfig",
            "spec.trafficDistribution",
        ],
        Kind::Secret | Kind::ConfigMap => &["immutable"],
        Kind::EndpointSlice => &[
            "endpoints[].deprecatedTopology",
            "endpoints[].hints",
            "endpoints[].targetRef.apiVersion",
            "endpoints[].targetRef.fieldPath",
            "endpoints[].targetRef.resourceVersion",
        ],
        Kind::GatewayClass
        | Kind::Gateway
        | Kind::ListenerSet
        | Kind::HttpRoute
        | Kind::GrpcRoute
        | Kind::TlsRoute
        | Kind::TcpRoute
        | Kind::UdpRoute
        | Kind::ReferenceGrant
        | Kind::BackendTlsPolicy
        | Kind::XBackend
        | Kind::XBackendTrafficPolicy
        | Kind::XMesh => &[],
    };
    // These two were read before the object was.
    matches!(shape, "apiVersion" | "kind") || UNREAD_METADATA.contains(&shape) || unread.contains(&shape)
}

/// Metadata that every object may have.
const UNREAD_METADATA: &[&str] = &[
    "metadata.clusterName",
    "metadata.deletionGracePeriodSeconds",
    "metadata.finalizers",
    "metadata.generateName",
    "metadata.managedFields",
    "metadata.ownerReferences",
    "metadata.selfLink",
];
