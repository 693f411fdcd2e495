//! Profiles: bundles of features that implementations claim, and the cases that count for each.
//!
//! A case belongs to a profile if the profile has all the features of the case. It is a core case if all of them are core
//! features there, and an extended one otherwise. Cases of ours, which upstream does not have, belong to none.

use std::fmt;
use std::str::FromStr;

use gateway_core::feature::Feature;

use crate::case::Case;

/// A conformance profile.
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

/// What a case is in a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Every implementation that claims the profile must pass it.
    Core,
    /// It needs a feature that is optional in the profile.
    Extended,
}

/// Features that every profile of Gateways has as extended ones.
const GATEWAY_EXTENDED: &[Feature] = &[
    Feature::GatewayAddressEmpty,
    Feature::GatewayBackendClientCertificate,
    Feature::GatewayFrontendClientCertificateValidation,
    Feature::GatewayFrontendClientCertificateValidationInsecureFallback,
    Feature::GatewayHttpListenerIsolation,
    Feature::GatewayHttpsListenerDetectMisdirectedRequests,
    Feature::GatewayInfrastructurePropagation,
    Feature::GatewayPort8080,
    Feature::GatewayStaticAddresses,
    Feature::ListenerSet,
];

/// Features of HTTPRoutes and of the way to their backends.
const HTTP_EXTENDED: &[Feature] = &[
    Feature::BackendTlsPolicy,
    Feature::BackendTlsPolicySanValidation,
    Feature::HttpRoute303RedirectStatusCode,
    Feature::HttpRoute307RedirectStatusCode,
    Feature::HttpRoute308RedirectStatusCode,
    Feature::HttpRouteBackendProtocolH2c,
    Feature::HttpRouteBackendProtocolWebSocket,
    Feature::HttpRouteBackendRequestHeaderModification,
    Feature::HttpRouteBackendTimeout,
    Feature::HttpRouteCors,
    Feature::HttpRouteDestinationPortMatching,
    Feature::HttpRouteHostRewrite,
    Feature::HttpRouteMethodMatching,
    Feature::HttpRouteNamedRouteRule,
    Feature::HttpRouteParentRefPort,
    Feature::HttpRoutePathRedirect,
    Feature::HttpRoutePathRewrite,
    Feature::HttpRoutePortRedirect,
    Feature::HttpRouteQueryParamMatching,
    Feature::HttpRouteRequestMirror,
    Feature::HttpRouteRequestMultipleMirrors,
    Feature::HttpRouteRequestPercentageMirror,
    Feature::HttpRouteRequestTimeout,
    Feature::HttpRouteResponseHeaderModification,
    Feature::HttpRouteRetry,
    Feature::HttpRouteRetryBackendTimeout,
    Feature::HttpRouteRetryConnectionError,
    Feature::HttpRouteSchemeRedirect,
];

const MESH_EXTENDED: &[Feature] = &[
    Feature::MeshClusterIpMatching,
    Feature::MeshConsumerRoute,
    Feature::MeshHttpRouteBackendRequestHeaderModification,
    Feature::MeshHttpRouteNamedRouteRule,
    Feature::MeshHttpRouteQueryParamMatching,
    Feature::MeshHttpRouteRedirectPath,
    Feature::MeshHttpRouteRedirectPort,
    Feature::MeshHttpRouteRewritePath,
    Feature::MeshHttpRouteSchemeRedirect,
];

const TLS_EXTENDED: &[Feature] = &[Feature::TlsRouteModeMixed, Feature::TlsRouteModeTerminate];

// === impl Profile ===

impl Profile {
    /// Every profile.
    pub const ALL: &[Profile] = &[
        Self::GatewayHttp,
        Self::GatewayGrpc,
        Self::GatewayTls,
        Self::GatewayTcp,
        Self::GatewayUdp,
        Self::MeshHttp,
        Self::MeshGrpc,
    ];

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

    /// The features that who claims the profile must have.
    pub const fn core(self) -> &'static [Feature] {
        match self {
            Self::GatewayHttp => &[Feature::Gateway, Feature::HttpRoute, Feature::ReferenceGrant],
            Self::GatewayGrpc => &[Feature::GrpcRoute, Feature::Gateway, Feature::ReferenceGrant],
            Self::GatewayTls => &[Feature::Gateway, Feature::ReferenceGrant, Feature::TlsRoute],
            Self::GatewayTcp => &[Feature::Gateway, Feature::ReferenceGrant, Feature::TcpRoute],
            Self::GatewayUdp => &[Feature::Gateway, Feature::ReferenceGrant, Feature::UdpRoute],
            Self::MeshHttp => &[Feature::HttpRoute, Feature::Mesh],
            Self::MeshGrpc => &[Feature::GrpcRoute, Feature::Mesh],
        }
    }

    /// The features that are optional.
    pub fn extended(self) -> impl Iterator<Item = Feature> {
        let parts: [&[Feature]; 2] = match self {
            Self::GatewayHttp => [GATEWAY_EXTENDED, HTTP_EXTENDED],
            Self::GatewayTls => [GATEWAY_EXTENDED, TLS_EXTENDED],
            Self::GatewayGrpc | Self::GatewayTcp | Self::GatewayUdp => [GATEWAY_EXTENDED, &[]],
            Self::MeshHttp | Self::MeshGrpc => [MESH_EXTENDED, &[]],
        };
        parts.into_iter().flatten().copied()
    }

    /// What the case is in the profile; nothing if it does not belong to it.
    pub fn class(self, case: &Case) -> Option<Class> {
        let is_core = |feature: &Feature| self.core().contains(feature);
        let is_known = |feature: &Feature| is_core(feature) || self.extended().any(|known| known == *feature);
        if case.is_beyond() || !case.features.iter().all(is_known) {
            return None;
        }
        Some(if case.features.iter().all(is_core) { Class::Core } else { Class::Extended })
    }

    /// The profiles that the case belongs to, and what it is in each.
    pub fn of(case: &Case) -> impl Iterator<Item = (Profile, Class)> + '_ {
        Self::ALL.iter().filter_map(|profile| Some((*profile, profile.class(case)?)))
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.iter().copied().find(|profile| profile.as_str().eq_ignore_ascii_case(text)).ok_or_else(
            || {
                let known: Vec<&str> = Self::ALL.iter().map(|profile| profile.as_str()).collect();
                format!("there is no profile {text:?}; there are {}", known.join(", "))
            },
        )
    }
}

// === impl Class ===

impl Class {
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
    use crate::case;

    fn case(source: &str, features: &str) -> Case {
        let text = format!(
            "{{apiVersion: {}, kind: Case, name: One, {source} summary: One., features: [{features}], steps: [{{ready: [Gateway same-namespace]}}]}}",
            case::API_VERSION
        );
        case::read(&text, "one.yaml").unwrap()
    }

    #[test]
    fn a_case_belongs_where_all_its_features_are_known() {
        let of = |features: &str| Profile::of(&case("source: one.go,", features)).collect::<Vec<_>>();
        assert_eq!(of("Gateway, HTTPRoute"), [(Profile::GatewayHttp, Class::Core)]);
        assert_eq!(of("Gateway, HTTPRoute, HTTPRouteCORS"), [(Profile::GatewayHttp, Class::Extended)]);
        assert_eq!(of("Gateway, HTTPRoute, TLSRoute"), []);
        assert_eq!(of("Gateway").len(), 5);
        assert_eq!(Profile::of(&case("", "Gateway")).count(), 0, "upstream does not have it");
    }

    #[test]
    fn a_profile_is_read_by_its_name() {
        assert!(Profile::ALL.iter().all(|profile| profile.as_str().parse() == Ok(*profile)));
        assert!("HTTP".parse::<Profile>().unwrap_err().contains("GATEWAY-HTTP"));
    }
}
