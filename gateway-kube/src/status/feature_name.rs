//! Features by the names that the installed definitions belong to.
//!
//! Who reads `supportedFeatures` (the conformance suite first of all) is of the version of the installed definitions: it
//! knows a feature by the name of that version.

use gateway_core::feature::Feature;

/// The version of the installed definitions, as far as names of features depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Minor {
    /// v1.6 or before.
    V1_6,
    /// v1.7, and whatever comes after it.
    #[default]
    V1_7,
}

/// The names of features to publish, sorted; those that the version does not know are left out.
///
/// ```
/// use gateway_core::feature::Feature;
/// use gateway_kube::status::{Minor, published_names};
///
/// let features = [Feature::GatewayRouteHostnameIntersectionPrecedence, Feature::HttpRouteRetryCodes];
/// assert_eq!(published_names(&features, Minor::V1_6), ["HTTPRouteRetry"]);
/// assert_eq!(published_names(&features, Minor::V1_7)[1], "HTTPRouteRetryCodes");
/// ```
///
/// # Spec
/// GC-11
pub fn published_names(features: &[Feature], minor: Minor) -> Vec<String> {
    let name = |feature: &Feature| match minor {
        Minor::V1_7 => Some(feature.as_str()),
        Minor::V1_6 => name_in_v1_6(*feature),
    };
    let mut names: Vec<String> = features.iter().filter_map(name).map(str::to_owned).collect();
    names.sort_unstable();
    names
}

fn name_in_v1_6(feature: Feature) -> Option<&'static str> {
    match feature {
        Feature::GatewayInfrastructure => Some("GatewayInfrastructurePropagation"),
        Feature::HttpRouteRetryCodes => Some("HTTPRouteRetry"),
        Feature::ClusterTrustBundle
        | Feature::GrpcRouteRequestHeaderModifier
        | Feature::GatewayAddressRoutability
        | Feature::GatewayAddressRoutabilityCluster
        | Feature::GatewayListenerFilters
        | Feature::GatewayRouteHostnameIntersectionPrecedence
        | Feature::HttpRouteBackendUrlRewrite => None,
        same => Some(same.as_str()),
    }
}
