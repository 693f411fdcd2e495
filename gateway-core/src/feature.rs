//! The one list of what is supported.
//!
//! Statuses publish it, the conformance suite selects its cases by it, and listeners decide by it which protocols they
//! know: there is no second list anywhere. An embedding whose data plane does less passes fewer features.

use std::fmt;

macro_rules! features {
    ($($(#[$meta:meta])* $variant:ident = $text:literal, $channel:ident, $side:ident;)+) => {
        /// A feature of the Gateway API, by the name that upstream gives it.
        ///
        /// Orders by that name.
        ///
        /// # Spec
        /// `pkg/features` and GEP-2162.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Feature {
            $(#[doc = concat!("`", $text, "`")] $(#[$meta])* $variant,)+
        }

        impl Feature {
            /// Every feature of v1.6.1, sorted by name.
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

// Sorted by name: the order of the variants is the order of publication, which a test checks.
features! {
    BackendTlsPolicy = "BackendTLSPolicy", Standard, Gateway;
    BackendTlsPolicySanValidation = "BackendTLSPolicySANValidation", Standard, Gateway;
    GrpcRoute = "GRPCRoute", Standard, Gateway;
    GrpcRouteNamedRouteRule = "GRPCRouteNamedRouteRule", Standard, Gateway;
    Gateway = "Gateway", Standard, Gateway;
    GatewayAddressEmpty = "GatewayAddressEmpty", Standard, Gateway;
    GatewayBackendClientCertificate = "GatewayBackendClientCertificate", Standard, Gateway;
    GatewayFrontendClientCertificateValidation = "GatewayFrontendClientCertificateValidation", Standard, Gateway;
    GatewayFrontendClientCertificateValidationInsecureFallback =
        "GatewayFrontendClientCertificateValidationInsecureFallback", Standard, Gateway;
    GatewayHttpListenerIsolation = "GatewayHTTPListenerIsolation", Standard, Gateway;
    GatewayHttpsListenerDetectMisdirectedRequests =
        "GatewayHTTPSListenerDetectMisdirectedRequests", Standard, Gateway;
    GatewayInfrastructurePropagation = "GatewayInfrastructurePropagation", Standard, Gateway;
    GatewayPort8080 = "GatewayPort8080", Standard, Gateway;
    GatewayStaticAddresses = "GatewayStaticAddresses", Standard, Gateway;
    HttpRoute = "HTTPRoute", Standard, Gateway;
    HttpRoute303RedirectStatusCode = "HTTPRoute303RedirectStatusCode", Standard, Gateway;
    HttpRoute307RedirectStatusCode = "HTTPRoute307RedirectStatusCode", Standard, Gateway;
    HttpRoute308RedirectStatusCode = "HTTPRoute308RedirectStatusCode", Standard, Gateway;
    HttpRouteBackendProtocolH2c = "HTTPRouteBackendProtocolH2C", Standard, Gateway;
    HttpRouteBackendProtocolWebSocket = "HTTPRouteBackendProtocolWebSocket", Standard, Gateway;
    HttpRouteBackendRequestHeaderModification =
        "HTTPRouteBackendRequestHeaderModification", Standard, Gateway;
    HttpRouteBackendTimeout = "HTTPRouteBackendTimeout", Standard, Gateway;
    HttpRouteCors = "HTTPRouteCORS", Standard, Gateway;
    HttpRouteDestinationPortMatching = "HTTPRouteDestinationPortMatching", Experimental, Gateway;
    HttpRouteHostRewrite = "HTTPRouteHostRewrite", Standard, Gateway;
    HttpRouteMethodMatching = "HTTPRouteMethodMatching", Standard, Gateway;
    HttpRouteNamedRouteRule = "HTTPRouteNamedRouteRule", Standard, Gateway;
    HttpRouteParentRefPort = "HTTPRouteParentRefPort", Standard, Gateway;
    HttpRoutePathRedirect = "HTTPRoutePathRedirect", Standard, Gateway;
    HttpRoutePathRewrite = "HTTPRoutePathRewrite", Standard, Gateway;
    HttpRoutePortRedirect = "HTTPRoutePortRedirect", Standard, Gateway;
    HttpRouteQueryParamMatching = "HTTPRouteQueryParamMatching", Standard, Gateway;
    HttpRouteRequestMirror = "HTTPRouteRequestMirror", Standard, Gateway;
    HttpRouteRequestMultipleMirrors = "HTTPRouteRequestMultipleMirrors", Standard, Gateway;
    HttpRouteRequestPercentageMirror = "HTTPRouteRequestPercentageMirror", Standard, Gateway;
    HttpRouteRequestTimeout = "HTTPRouteRequestTimeout", Standard, Gateway;
    HttpRouteResponseHeaderModification = "HTTPRouteResponseHeaderModification", Standard, Gateway;
    HttpRouteRetry = "HTTPRouteRetry", Experimental, Gateway;
    HttpRouteRetryBackendTimeout = "HTTPRouteRetryBackendTimeout", Experimental, Gateway;
    HttpRouteRetryConnectionError = "HTTPRouteRetryConnectionError", Experimental, Gateway;
    HttpRouteSchemeRedirect = "HTTPRouteSchemeRedirect", Standard, Gateway;
    ListenerSet = "ListenerSet", Standard, Gateway;
    Mesh = "Mesh", Standard, Mesh;
    MeshClusterIpMatching = "MeshClusterIPMatching", Standard, Mesh;
    MeshConsumerRoute = "MeshConsumerRoute", Standard, Mesh;
    MeshHttpRouteBackendRequestHeaderModification =
        "MeshHTTPRouteBackendRequestHeaderModification", Standard, Mesh;
    MeshHttpRouteNamedRouteRule = "MeshHTTPRouteNamedRouteRule", Standard, Mesh;
    MeshHttpRouteQueryParamMatching = "MeshHTTPRouteQueryParamMatching", Standard, Mesh;
    MeshHttpRouteRedirectPath = "MeshHTTPRouteRedirectPath", Standard, Mesh;
    MeshHttpRouteRedirectPort = "MeshHTTPRouteRedirectPort", Standard, Mesh;
    MeshHttpRouteRewritePath = "MeshHTTPRouteRewritePath", Standard, Mesh;
    MeshHttpRouteSchemeRedirect = "MeshHTTPRouteSchemeRedirect", Standard, Mesh;
    ReferenceGrant = "ReferenceGrant", Standard, Gateway;
    TcpRoute = "TCPRoute", Standard, Gateway;
    TlsRoute = "TLSRoute", Standard, Gateway;
    TlsRouteModeMixed = "TLSRouteModeMixed", Experimental, Gateway;
    TlsRouteModeTerminate = "TLSRouteModeTerminate", Standard, Gateway;
    UdpRoute = "UDPRoute", Standard, Gateway;
}

/// What the engine and its data plane do, sorted by name.
///
/// # Spec
/// GC-11, GC-12: no more than 64, and no mesh features.
pub const SUPPORTED: &[Feature] = &[
    Feature::Gateway,
    Feature::GatewayAddressEmpty,
    Feature::GatewayHttpListenerIsolation,
    Feature::GatewayHttpsListenerDetectMisdirectedRequests,
    Feature::GatewayPort8080,
    Feature::GatewayStaticAddresses,
    Feature::HttpRoute,
    Feature::HttpRoute303RedirectStatusCode,
    Feature::HttpRoute307RedirectStatusCode,
    Feature::HttpRoute308RedirectStatusCode,
    Feature::HttpRouteBackendProtocolH2c,
    Feature::HttpRouteBackendProtocolWebSocket,
    Feature::HttpRouteBackendRequestHeaderModification,
    Feature::HttpRouteBackendTimeout,
    Feature::HttpRouteCors,
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
    Feature::ListenerSet,
    Feature::ReferenceGrant,
];

// === impl Feature ===

impl Feature {
    /// The feature with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|feature| feature.as_str() == name)
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
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
        assert!(Feature::ALL.iter().all(|feature| feature.is_mesh() == feature.as_str().starts_with("Mesh")));
    }

    #[test]
    fn every_name_is_read_as_it_is_written() {
        for feature in Feature::ALL {
            assert_eq!(Feature::parse(feature.as_str()), Some(*feature));
        }
        assert_eq!(Feature::ALL.len(), 58, "as many as v1.6.1 lists");
        assert!(Feature::HttpRouteRetry.is_experimental() && !Feature::HttpRouteCors.is_experimental());
    }
}
