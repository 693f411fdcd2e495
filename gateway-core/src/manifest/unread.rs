//! Fields of Kubernetes that routing does not look at. They are no mistake, and are passed over without a word.

use crate::api::Kind;

/// Whether a field that the type does not have is one of Kubernetes that routing does not look at, rather than a mistake.
///
/// `shape` is the path with `[]` for every list.
pub(super) fn is_unread(kind: Kind, shape: &str) -> bool {
    let unread = || UNREAD.iter().filter(|(known, _)| *known == kind).flat_map(|(_, fields)| *fields);
    // These two were read before the object was.
    matches!(shape, "apiVersion" | "kind")
        || UNREAD_METADATA.contains(&shape)
        || unread().any(|field| *field == shape)
        // What its controller says of it.
        || matches!(kind, Kind::Own(_)) && shape.split(['.', '[']).next() == Some("status")
        // Nearly all of it.
        || kind == Kind::Pod && ["spec.", "status."].iter().any(|part| shape.starts_with(part))
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

/// What there is of it beyond the metadata.
const UNREAD: &[(Kind, &[&str])] = &[
    (Kind::Namespace, &["spec", "status"]),
    (
        Kind::Service,
        &[
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
    ),
    (Kind::Secret, &["immutable"]),
    (Kind::ConfigMap, &["immutable"]),
    (
        Kind::EndpointSlice,
        &[
            "endpoints[].deprecatedTopology",
            "endpoints[].hints",
            "endpoints[].targetRef.apiVersion",
            "endpoints[].targetRef.fieldPath",
            "endpoints[].targetRef.resourceVersion",
        ],
    ),
    (
        Kind::ServiceImport,
        &[
            "status",
            "spec.internalTrafficPolicy",
            "spec.ipFamilies",
            "spec.sessionAffinityConfig",
            "spec.trafficDistribution",
        ],
    ),
];
