//! Features by the names that the installed definitions belong to.
//!
//! Who reads `supportedFeatures` (the conformance suite first of all) is of the version of the installed definitions: it
//! knows a feature by the name of that version. A feature that cannot be asked for is none: its kind is not installed, or its
//! fields are of the experimental channel and the definition is not.

use std::collections::BTreeSet;

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

/// The features that can be used with the installed definitions, and their names there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vocabulary {
    /// The version that names are taken from.
    pub minor: Minor,
    /// Features for which there is no definition, or none with their fields.
    pub without: BTreeSet<Feature>,
}

/// The names of features to publish, sorted; those that the installed definitions have no place for are left out.
///
/// ```
/// use gateway_core::feature::Feature;
/// use gateway_kube::status::{Minor, Vocabulary, published_names};
///
/// let features = [Feature::GatewayRouteHostnameIntersectionPrecedence, Feature::HttpRouteRetryCodes];
/// let former = Vocabulary { minor: Minor::V1_6, ..Vocabulary::default() };
/// assert_eq!(published_names(&features, &former), ["HTTPRouteRetry"]);
/// assert_eq!(published_names(&features, &Vocabulary::default())[1], "HTTPRouteRetryCodes");
///
/// let standard = Vocabulary { without: [Feature::HttpRouteRetryCodes].into(), ..former };
/// assert!(published_names(&features, &standard).is_empty());
/// ```
///
/// # Spec
/// [GC-11](gateway_core::spec#GC-11)
pub fn published_names(features: &[Feature], vocabulary: &Vocabulary) -> Vec<String> {
    let known = features.iter().copied().filter(|feature| !vocabulary.without.contains(feature));
    let names = known.filter_map(|feature| vocabulary.minor.name(feature));
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort_unstable();
    names
}

// === impl Minor ===

impl Minor {
    /// The name of a feature, if the version knows it.
    fn name(self, feature: Feature) -> Option<&'static str> {
        match self {
            Self::V1_7 => Some(feature.as_str()),
            Self::V1_6 => name_in_v1_6(feature),
        }
    }

    /// Whether a feature is in the experimental channel only, so that definitions of the standard channel have not all of its
    /// fields.
    ///
    /// In v1.6 `TLSRouteModeMixed` was called experimental, too, and is none here: it has no field of its own, is served with
    /// definitions of either channel, and a class that does not name it promises to refuse such listeners.
    pub fn is_experimental(self, feature: Feature) -> bool {
        let became_standard =
            matches!(feature, Feature::HttpRouteRetryCodes | Feature::HttpRouteRetryConnectionError);
        feature.is_experimental() || (self == Self::V1_6 && became_standard)
    }
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
