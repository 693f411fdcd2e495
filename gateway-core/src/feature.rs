//! The one list of the features, with everything that is known of each: its channel, whether Gateways or meshes have it,
//! the conformance profiles that it belongs to, and whether it is supported here.
//!
//! Statuses publish what is supported, the conformance suite selects its cases by it and learns from it which profile
//! they count for, and listeners decide by it which protocols they know: there is no second list anywhere. An embedding
//! whose data plane does less passes fewer features.
//!
//! ```
//! use gateway_core::feature::{Feature, Profile, SUPPORTED, SupportLevel};
//!
//! let cors = Feature::parse("HTTPRouteCORS").expect("a feature");
//! assert!(SUPPORTED.contains(&cors) && !cors.is_experimental());
//! assert_eq!(cors.level(Profile::GatewayHttp), Some(SupportLevel::Extended));
//! assert_eq!(cors.level(Profile::GatewayTls), None);
//! ```

use std::fmt;
use std::str::FromStr;

use Profile::{GatewayGrpc, GatewayHttp, GatewayTcp, GatewayTls, GatewayUdp, MeshGrpc, MeshHttp};

macro_rules! features {
    ($(
        $variant:ident = $text:literal,
        $channel:ident, $side:ident, $level:ident, $profiles:expr, $support:ident;
    )+) => {
        /// A feature of the Gateway API, by the name that upstream gives it.
        ///
        /// Orders by that name.
        ///
        /// # Spec
        /// `pkg/features` and GEP-2162.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Feature {
            $(#[doc = concat!("`", $text, "`")] $variant,)+
        }

        impl Feature {
            /// Every feature of v1.7.0, sorted by name.
            pub const ALL: &'static [Feature] = &[$(Feature::$variant),+];

            /// The name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Feature::$variant => $text,)+ }
            }

            /// Whether the feature is in the experimental channel only.
            pub const fn is_experimental(self) -> bool {
                match self { $(Feature::$variant => matches!(Channel::$channel, Channel::Experimental),)+ }
            }

            /// Whether it is a mesh that has the feature, and not a Gateway.
            pub const fn is_mesh(self) -> bool {
                match self { $(Feature::$variant => matches!(Side::$side, Side::Mesh),)+ }
            }

            /// Whether the engine and its data plane have the feature: it is one of [`SUPPORTED`], or of [`SUPPORTED_IN_MESHES`].
            pub const fn is_supported(self) -> bool {
                match self { $(Feature::$variant => matches!(Support::$support, Support::Supported),)+ }
            }

            /// What the feature is in the profiles that it belongs to, and which these are.
            fn membership(self) -> (SupportLevel, &'static [Profile]) {
                match self { $(Feature::$variant => (SupportLevel::$level, $profiles),)+ }
            }
        }
    };
}

enum Channel {
    Standard,
    Experimental,
}

enum Side {
    Gateway,
    Mesh,
}

enum Support {
    Supported,
    #[expect(dead_code, reason = "of v1.7.0, there is none; of a later version, there will be some")]
    Unsupported,
}

/// The profiles of Gateways.
const GATEWAYS: &[Profile] = &[GatewayHttp, GatewayGrpc, GatewayTls, GatewayTcp, GatewayUdp];

/// The profiles of meshes.
const MESHES: &[Profile] = &[MeshHttp, MeshGrpc];

/// A conformance profile: a bundle of features that implementations claim together.
///
/// # Spec
/// GEP-1709, `conformance/utils/suite/profiles.go`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// `GATEWAY-HTTP`
    GatewayHttp,
    /// `GATEWAY-GRPC`
    GatewayGrpc,
    /// `GATEWAY-TLS`
    GatewayTls,
    /// `GATEWAY-TCP`
    GatewayTcp,
    /// `GATEWAY-UDP`
    GatewayUdp,
    /// `MESH-HTTP`
    MeshHttp,
    /// `MESH-GRPC`
    MeshGrpc,
}

/// What a feature is in a profile.
///
/// # Spec
/// GEP-1709
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SupportLevel {
    /// Every implementation that claims the profile has it.
    Core,
    /// It is optional in the profile.
    Extended,
}

/// No profile has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no profile {0:?}; there are {known}", known = Profile::names())]
pub struct UnknownProfile(String);

// Sorted by name: the order of the variants is the order of publication, which a test checks. No feature is core in one
// profile and extended in another.
features! {
    BackendTlsPolicy = "BackendTLSPolicy",
        Standard, Gateway, Extended, &[GatewayHttp, GatewayGrpc, GatewayTls], Supported;
    BackendTlsPolicySanValidation = "BackendTLSPolicySANValidation",
        Standard, Gateway, Extended, &[GatewayHttp, GatewayGrpc, GatewayTls], Supported;
    ClusterTrustBundle = "ClusterTrustBundle", Experimental, Gateway, Extended, GATEWAYS, Supported;
    GrpcRoute = "GRPCRoute", Standard, Gateway, Core, &[GatewayGrpc, MeshGrpc], Supported;
    GrpcRouteNamedRouteRule = "GRPCRouteNamedRouteRule", Standard, Gateway, Extended, &[], Supported;
    GrpcRouteRequestHeaderModifier =
        "GRPCRouteRequestHeaderModifier", Standard, Gateway, Extended, &[], Supported;
    Gateway = "Gateway", Standard, Gateway, Core, GATEWAYS, Supported;
    GatewayAddressEmpty = "GatewayAddressEmpty", Standard, Gateway, Extended, GATEWAYS, Supported;
    GatewayAddressRoutability =
        "GatewayAddressRoutability", Experimental, Gateway, Extended, GATEWAYS, Supported;
    GatewayAddressRoutabilityCluster =
        "GatewayAddressRoutabilityCluster", Experimental, Gateway, Extended, GATEWAYS, Supported;
    GatewayBackendClientCertificate =
        "GatewayBackendClientCertificate", Standard, Gateway, Extended, GATEWAYS, Supported;
    GatewayFrontendClientCertificateValidation =
        "GatewayFrontendClientCertificateValidation", Standard, Gateway, Extended, GATEWAYS, Supported;
    GatewayFrontendClientCertificateValidationInsecureFallback =
        "GatewayFrontendClientCertificateValidationInsecureFallback",
        Standard, Gateway, Extended, GATEWAYS, Supported;
    GatewayHttpListenerIsolation =
        "GatewayHTTPListenerIsolation", Standard, Gateway, Extended, GATEWAYS, Supported;
    GatewayHttpsListenerDetectMisdirectedRequests =
        "GatewayHTTPSListenerDetectMisdirectedRequests", Standard, Gateway, Extended, GATEWAYS, Supported;
    GatewayInfrastructure = "GatewayInfrastructure", Standard, Gateway, Extended, GATEWAYS, Supported;
    GatewayListenerFilters = "GatewayListenerFilters", Experimental, Gateway, Extended, GATEWAYS, Supported;
    GatewayPort8080 = "GatewayPort8080", Standard, Gateway, Extended, GATEWAYS, Supported;
    GatewayRouteHostnameIntersectionPrecedence =
        "GatewayRouteHostnameIntersectionPrecedence", Standard, Gateway, Extended, GATEWAYS, Supported;
    GatewayStaticAddresses = "GatewayStaticAddresses", Standard, Gateway, Extended, GATEWAYS, Supported;
    HttpRoute = "HTTPRoute", Standard, Gateway, Core, &[GatewayHttp, MeshHttp], Supported;
    HttpRoute303RedirectStatusCode =
        "HTTPRoute303RedirectStatusCode", Standard, Gateway, Extended, &[GatewayHttp], Supported;
    HttpRoute307RedirectStatusCode =
        "HTTPRoute307RedirectStatusCode", Standard, Gateway, Extended, &[GatewayHttp], Supported;
    HttpRoute308RedirectStatusCode =
        "HTTPRoute308RedirectStatusCode", Standard, Gateway, Extended, &[GatewayHttp], Supported;
    HttpRouteBackendProtocolH2c =
        "HTTPRouteBackendProtocolH2C", Standard, Gateway, Extended, &[GatewayHttp], Supported;
    HttpRouteBackendProtocolWebSocket =
        "HTTPRouteBackendProtocolWebSocket", Standard, Gateway, Extended, &[GatewayHttp], Supported;
    HttpRouteBackendRequestHeaderModification =
        "HTTPRouteBackendRequestHeaderModification", Standard, Gateway, Extended, &[GatewayHttp], Supported;
    HttpRouteBackendTimeout =
        "HTTPRouteBackendTimeout", Standard, Gateway, Extended, &[GatewayHttp], Supported;
    HttpRouteBackendUrlRewrite =
        "HTTPRouteBackendURLRewrite", Standard, Gateway, Extended, &[GatewayHttp], Supported;
    HttpRouteCors = "HTTPRouteCORS", Standard, Gateway, Extended, &[GatewayHttp], Supported;
    HttpRouteDestinationPortMatching =
        "HTTPRouteDestinationPortMatching", Experimental, Gateway, Extended, &[GatewayHttp], Supported;
    HttpRouteHostRewrite = "HTTPRouteHostRewrite", Standard, Gateway, Extended, &[GatewayHttp], Supported;
    HttpRouteMethodMatching =
        "HTTPRouteMethodMatching", Standard, Gateway, Extended, &[GatewayHttp], Supported;
    HttpRouteNamedRouteRule =
        "HTTPRouteNamedRouteRule", Standard, Gateway, Extended, &[GatewayHttp], Supported;
    HttpRouteParentRefPort = "HTTPRouteParentRefPort", Standard, Gateway, Extended, &[GatewayHttp], Supported;
    HttpRoutePathRedirect = "HTTPRoutePathRedirect", Standard, Gateway, Extended, &[GatewayHttp], Supported;
    HttpRoutePathRewrite = "HTTPRoutePathRewrite", Standard, Gateway, Extended, &[GatewayHttp], Supported;
    HttpRoutePortRedirect = "HTTPRoutePortRedirect", Standard, Gateway, Extended, &[GatewayHttp], Supported;
    HttpRouteQueryParamMatching =
        "HTTPRouteQueryParamMatching", Standard, Gateway, Extended, &[GatewayHttp], Supported;
    HttpRouteRequestMirror = "HTTPRouteRequestMirror", Standard, Gateway, Extended, &[GatewayHttp], Supported;
    HttpRouteRequestMultipleMirrors =
        "HTTPRouteRequestMultipleMirrors", Standard, Gateway, Extended, &[GatewayHttp], Supported;
    HttpRouteRequestPercentageMirror =
        "HTTPRouteRequestPercentageMirror", Standard, Gateway, Extended, &[GatewayHttp], Supported;
    HttpRouteRequestTimeout =
        "HTTPRouteRequestTimeout", Standard, Gateway, Extended, &[GatewayHttp], Supported;
    HttpRouteResponseHeaderModification =
        "HTTPRouteResponseHeaderModification", Standard, Gateway, Extended, &[GatewayHttp], Supported;
    HttpRouteRetryCodes = "HTTPRouteRetryCodes", Standard, Gateway, Extended, &[GatewayHttp], Supported;
    HttpRouteRetryConnectionError =
        "HTTPRouteRetryConnectionError", Standard, Gateway, Extended, &[GatewayHttp], Supported;
    HttpRouteSchemeRedirect =
        "HTTPRouteSchemeRedirect", Standard, Gateway, Extended, &[GatewayHttp], Supported;
    ListenerSet = "ListenerSet", Standard, Gateway, Extended, GATEWAYS, Supported;
    Mesh = "Mesh", Standard, Mesh, Core, MESHES, Supported;
    MeshClusterIpMatching = "MeshClusterIPMatching", Standard, Mesh, Extended, MESHES, Supported;
    MeshConsumerRoute = "MeshConsumerRoute", Standard, Mesh, Extended, MESHES, Supported;
    MeshHttpRouteBackendRequestHeaderModification =
        "MeshHTTPRouteBackendRequestHeaderModification", Standard, Mesh, Extended, MESHES, Supported;
    MeshHttpRouteNamedRouteRule =
        "MeshHTTPRouteNamedRouteRule", Standard, Mesh, Extended, MESHES, Supported;
    MeshHttpRouteQueryParamMatching =
        "MeshHTTPRouteQueryParamMatching", Standard, Mesh, Extended, MESHES, Supported;
    MeshHttpRouteRedirectPath = "MeshHTTPRouteRedirectPath", Standard, Mesh, Extended, MESHES, Supported;
    MeshHttpRouteRedirectPort = "MeshHTTPRouteRedirectPort", Standard, Mesh, Extended, MESHES, Supported;
    MeshHttpRouteRewritePath = "MeshHTTPRouteRewritePath", Standard, Mesh, Extended, MESHES, Supported;
    MeshHttpRouteSchemeRedirect =
        "MeshHTTPRouteSchemeRedirect", Standard, Mesh, Extended, MESHES, Supported;
    ReferenceGrant = "ReferenceGrant", Standard, Gateway, Core, GATEWAYS, Supported;
    TcpRoute = "TCPRoute", Standard, Gateway, Core, &[GatewayTcp], Supported;
    TlsRoute = "TLSRoute", Standard, Gateway, Core, &[GatewayTls], Supported;
    TlsRouteModeMixed = "TLSRouteModeMixed", Standard, Gateway, Extended, &[GatewayTls], Supported;
    TlsRouteModeTerminate = "TLSRouteModeTerminate", Standard, Gateway, Extended, &[GatewayTls], Supported;
    UdpRoute = "UDPRoute", Standard, Gateway, Core, &[GatewayUdp], Supported;
}

/// What the engine and its data plane do, sorted by name.
///
/// # Spec
/// [GC-11](crate::spec#GC-11), [GC-12](crate::spec#GC-12): no more than 64, and no mesh features.
pub const SUPPORTED: &[Feature] = &supported::<{ count_supported(false) }>(false);

/// What the engine and its data plane do in a mesh besides, sorted by name: for an embedding that
/// [carries it out](crate::options::Options::features).
pub const SUPPORTED_IN_MESHES: &[Feature] = &supported::<{ count_supported(true) }>(true);

const fn supported<const N: usize>(in_meshes: bool) -> [Feature; N] {
    let mut supported = [Feature::Gateway; N];
    let (mut from, mut to) = (0, 0);
    while from < Feature::ALL.len() {
        if Feature::ALL[from].is_supported() && Feature::ALL[from].is_mesh() == in_meshes {
            supported[to] = Feature::ALL[from];
            to += 1;
        }
        from += 1;
    }
    supported
}

const fn count_supported(in_meshes: bool) -> usize {
    let (mut position, mut count) = (0, 0);
    while position < Feature::ALL.len() {
        let feature = Feature::ALL[position];
        count += (feature.is_supported() && feature.is_mesh() == in_meshes) as usize;
        position += 1;
    }
    count
}

// === impl Feature ===

impl Feature {
    /// The feature with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|feature| feature.as_str() == name)
    }

    /// What the feature is in the profile; nothing if it does not belong to it.
    pub fn level(self, profile: Profile) -> Option<SupportLevel> {
        let (level, profiles) = self.membership();
        profiles.contains(&profile).then_some(level)
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl Profile ===

impl Profile {
    /// Every profile.
    pub const ALL: &[Profile] =
        &[GatewayHttp, GatewayGrpc, GatewayTls, GatewayTcp, GatewayUdp, MeshHttp, MeshGrpc];

    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GatewayHttp => "GATEWAY-HTTP",
            Self::GatewayGrpc => "GATEWAY-GRPC",
            Self::GatewayTls => "GATEWAY-TLS",
            Self::GatewayTcp => "GATEWAY-TCP",
            Self::GatewayUdp => "GATEWAY-UDP",
            Self::MeshHttp => "MESH-HTTP",
            Self::MeshGrpc => "MESH-GRPC",
        }
    }

    fn names() -> String {
        Self::ALL.iter().map(|profile| profile.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// The features of this level in the profile, sorted by name.
    pub fn features(self, level: SupportLevel) -> impl Iterator<Item = Feature> {
        Feature::ALL.iter().copied().filter(move |feature| feature.level(self) == Some(level))
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, UnknownProfile> {
        let named = |profile: &Profile| profile.as_str().eq_ignore_ascii_case(text);
        Self::ALL.iter().copied().find(named).ok_or_else(|| UnknownProfile(text.to_owned()))
    }
}

// === impl SupportLevel ===

impl SupportLevel {
    /// `core` or `extended`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Extended => "extended",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // GC-11, LIM-20
    #[test]
    fn the_supported_features_are_sorted_by_name_unique_and_few_enough() {
        assert!(Feature::ALL.is_sorted_by(|a, b| a.as_str() < b.as_str() && a < b));
        assert!(SUPPORTED.is_sorted_by(|a, b| a < b));
        assert!(SUPPORTED.len() <= 64);
    }

    // GC-12
    #[test]
    fn no_mesh_feature_is_supported_by_gateways() {
        assert!(!SUPPORTED.iter().any(|feature| feature.is_mesh()));
        assert!(SUPPORTED_IN_MESHES.iter().all(|feature| feature.is_mesh() && feature.is_supported()));
        assert!(SUPPORTED_IN_MESHES.contains(&Feature::Mesh));
        assert!(Feature::ALL.iter().all(|feature| feature.is_mesh() == feature.as_str().starts_with("Mesh")));
    }

    #[test]
    fn a_feature_belongs_to_profiles_of_its_side() {
        for feature in Feature::ALL {
            let of = |profiles: &[Profile]| profiles.iter().any(|profile| feature.level(*profile).is_some());
            assert!(!feature.is_mesh() || !of(GATEWAYS), "{feature}");
            // Routes are not of one side.
            assert!(feature.is_mesh() || !of(MESHES) || feature.as_str().ends_with("Route"), "{feature}");
        }
        let core: Vec<_> = GatewayHttp.features(SupportLevel::Core).collect();
        assert_eq!(core, [Feature::Gateway, Feature::HttpRoute, Feature::ReferenceGrant]);
        let extended = Profile::ALL.iter().map(|profile| profile.features(SupportLevel::Extended).count());
        assert_eq!(
            extended.collect::<Vec<_>>(),
            [43, 17, 19, 15, 15, 9, 9],
            "as upstream's profiles have them"
        );
    }

    #[test]
    fn a_profile_is_read_by_its_name() {
        assert!(Profile::ALL.iter().all(|profile| profile.as_str().parse() == Ok(*profile)));
        let error = "HTTP".parse::<Profile>().unwrap_err();
        assert!(error.to_string().contains("GATEWAY-HTTP"));
    }

    #[test]
    fn every_name_is_read_as_it_is_written() {
        for feature in Feature::ALL {
            assert_eq!(Feature::parse(feature.as_str()), Some(*feature));
        }
        assert_eq!(Feature::ALL.len(), 64, "as many as v1.7.0 lists");
        let experimental: Vec<_> =
            Feature::ALL.iter().copied().filter(|feature| feature.is_experimental()).collect();
        assert_eq!(
            experimental,
            [
                Feature::ClusterTrustBundle,
                Feature::GatewayAddressRoutability,
                Feature::GatewayAddressRoutabilityCluster,
                Feature::GatewayListenerFilters,
                Feature::HttpRouteDestinationPortMatching,
            ]
        );
    }
}
