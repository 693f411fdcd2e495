//! The one table of the kinds that are read.
//!
//! Whatever there is once for each kind is made from its rows: [`Kind`] and [`AnyObject`] here, [`Resources`] beside,
//! and [`Validated`](crate::validate::Validated). A new kind is a row here, and its two files in `api` and `validate`.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeOwned, DeserializeSeed};
use serde::{Deserialize, Deserializer, Serialize};

use super::certificates_v1beta1::CERTIFICATES_GROUP;
use super::group::{EXPERIMENTAL_GROUP, GATEWAY_GROUP};
use super::meta::ObjectMeta;
use super::own::OwnObject;
use super::reference::ParentReference;
use super::route::RouteStatus;
use super::service_import::MULTICLUSTER_GROUP;
use crate::name::{ObjectName, OwnKind, RouteKind};

/// The namespace of a namespaced object that names none.
pub const DEFAULT_NAMESPACE: &str = "default";

/// A resource: a kind of object with metadata.
pub trait Object:
    Clone + fmt::Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The API group; empty for the core group.
    const GROUP: &'static str;
    /// The kind, as it is written.
    const KIND: &'static str;
    /// The same as a value.
    const KIND_ID: Kind;

    /// The metadata.
    fn metadata(&self) -> &ObjectMeta;

    /// The metadata, to be changed.
    fn metadata_mut(&mut self) -> &mut ObjectMeta;

    /// Namespace and name, with an empty namespace for a cluster-scoped object.
    fn key(&self) -> ObjectName {
        self.metadata().object_name()
    }
}

/// Gives the table of the kinds to the macro with this name.
///
/// A row is the type, the field that holds its objects, and then: group, kind, plural in API paths, scope, versions; for
/// kinds with a status its type, and for Routes the [`RouteKind`]. Rows that are referred to stand before those that refer.
///
/// The versions are those that the experimental channel of v1.7.0 serves. The first is the one that is written: the
/// newest, which for ReferenceGrant is not the one that an API server stores.
macro_rules! for_each_kind {
    ($make:ident) => {
        $make! {
            /// A Namespace.
            Namespace in namespaces { "", "Namespace", "namespaces", Cluster, ["v1"] }
            /// A Service.
            Service in services { "", "Service", "services", Namespaced, ["v1"] }
            /// A Secret.
            Secret in secrets { "", "Secret", "secrets", Namespaced, ["v1"] }
            /// A ConfigMap.
            ConfigMap in config_maps { "", "ConfigMap", "configmaps", Namespaced, ["v1"] }
            /// A ClusterTrustBundle.
            ClusterTrustBundle in cluster_trust_bundles {
                CERTIFICATES_GROUP, "ClusterTrustBundle", "clustertrustbundles", Cluster, ["v1beta1", "v1alpha1"]
            }
            /// An EndpointSlice.
            EndpointSlice in endpoint_slices {
                "discovery.k8s.io", "EndpointSlice", "endpointslices", Namespaced, ["v1"]
            }
            /// A ServiceImport.
            ServiceImport in service_imports {
                MULTICLUSTER_GROUP, "ServiceImport", "serviceimports", Namespaced, ["v1beta1", "v1alpha1"]
            }
            /// A Pod.
            Pod in pods { "", "Pod", "pods", Namespaced, ["v1"] }
            /// A GatewayClass.
            GatewayClass in gateway_classes {
                GATEWAY_GROUP, "GatewayClass", "gatewayclasses", Cluster, ["v1", "v1beta1"], GatewayClassStatus
            }
            /// A Gateway.
            Gateway in gateways {
                GATEWAY_GROUP, "Gateway", "gateways", Namespaced, ["v1", "v1beta1"], GatewayStatus
            }
            /// A ListenerSet.
            ListenerSet in listener_sets {
                GATEWAY_GROUP, "ListenerSet", "listenersets", Namespaced, ["v1"], ListenerSetStatus
            }
            /// An HTTPRoute.
            HttpRoute in http_routes {
                GATEWAY_GROUP, "HTTPRoute", "httproutes", Namespaced, ["v1", "v1beta1"], RouteStatus, Http
            }
            /// A GRPCRoute.
            GrpcRoute in grpc_routes {
                GATEWAY_GROUP, "GRPCRoute", "grpcroutes", Namespaced, ["v1"], RouteStatus, Grpc
            }
            /// A TLSRoute.
            TlsRoute in tls_routes {
                GATEWAY_GROUP, "TLSRoute", "tlsroutes", Namespaced, ["v1", "v1alpha3", "v1alpha2"], RouteStatus, Tls
            }
            /// A TCPRoute.
            TcpRoute in tcp_routes {
                GATEWAY_GROUP, "TCPRoute", "tcproutes", Namespaced, ["v1", "v1alpha2"], RouteStatus, Tcp
            }
            /// A UDPRoute.
            UdpRoute in udp_routes {
                GATEWAY_GROUP, "UDPRoute", "udproutes", Namespaced, ["v1", "v1alpha2"], RouteStatus, Udp
            }
            /// A ReferenceGrant.
            ReferenceGrant in reference_grants {
                GATEWAY_GROUP, "ReferenceGrant", "referencegrants", Namespaced, ["v1", "v1beta1"]
            }
            /// A BackendTLSPolicy.
            BackendTlsPolicy in backend_tls_policies {
                GATEWAY_GROUP, "BackendTLSPolicy", "backendtlspolicies", Namespaced, ["v1", "v1alpha3"], PolicyStatus
            }
            /// An XBackend.
            XBackend in backends {
                EXPERIMENTAL_GROUP, "XBackend", "xbackends", Namespaced, ["v1alpha1"], BackendStatus
            }
            /// An XBackendTrafficPolicy.
            XBackendTrafficPolicy in backend_traffic_policies {
                EXPERIMENTAL_GROUP, "XBackendTrafficPolicy", "xbackendtrafficpolicies", Namespaced, ["v1alpha1"],
                PolicyStatus
            }
            /// An XTelemetryPolicy.
            XTelemetryPolicy in telemetry_policies {
                EXPERIMENTAL_GROUP, "XTelemetryPolicy", "xtelemetrypolicies", Namespaced, ["v1alpha1"], PolicyStatus
            }
            /// An XMesh.
            XMesh in meshes { EXPERIMENTAL_GROUP, "XMesh", "xmeshes", Cluster, ["v1alpha1"], MeshStatus }
        }
    };
}
pub(crate) use for_each_kind;

/// What Routes of all kinds have in common.
#[derive(Clone, Copy, Debug)]
pub struct AnyRoute<'a> {
    /// The kind.
    pub kind: RouteKind,
    /// The parents that the Route names.
    pub parent_refs: &'a [ParentReference],
    /// The status.
    pub status: &'a RouteStatus,
}

macro_rules! kinds {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident in $field:ident {
            $group:expr, $kind:literal, $plural:literal, $scope:ident, [$($version:literal),+]
            $(, $status:ident $(, $route:ident)?)?
        }
    )+) => {
        /// A kind of object that is read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[doc = $doc])* $name,)+
            /// A kind of the embedder's own.
            Own(&'static OwnKind),
        }

        impl Kind {
            /// Every kind that is known here, those first that others refer to.
            pub const ALL: &'static [Kind] = &[$(Kind::$name),+];

            /// The API group; empty for the core group.
            pub fn group(self) -> &'static str {
                match self { $(Kind::$name => $group,)+ Kind::Own(kind) => kind.group() }
            }

            /// The kind, as it is written.
            pub fn as_str(self) -> &'static str {
                match self { $(Kind::$name => $kind,)+ Kind::Own(kind) => kind.as_str() }
            }

            /// The name that API paths use.
            pub fn plural(self) -> &'static str {
                match self { $(Kind::$name => $plural,)+ Kind::Own(kind) => kind.plural() }
            }

            /// Whether objects of the kind live in a namespace.
            pub fn is_namespaced(self) -> bool {
                match self { $(Kind::$name => Scope::$scope == Scope::Namespaced,)+ Kind::Own(kind) => kind.is_namespaced() }
            }

            /// The versions that are read; the first is the one that is written.
            pub fn versions(self) -> &'static [&'static str] {
                match self { $(Kind::$name => &[$($version),+],)+ Kind::Own(kind) => kind.versions() }
            }
        }

        /// Reads an object of the kind. One of a kind of the embedder's own is read by [its type](OwnObject::read).
        impl<'de> DeserializeSeed<'de> for Kind {
            type Value = AnyObject;

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<AnyObject, D::Error> {
                match self {
                    $(Kind::$name => super::$name::deserialize(deserializer).map(AnyObject::from),)+
                    Kind::Own(kind) => Err(OwnObject::without_type(kind)),
                }
            }
        }

        /// An object of any kind that is read.
        #[derive(Clone, Debug, PartialEq)]
        pub enum AnyObject {
            $($(#[doc = $doc])* $name(Arc<super::$name>),)+
            /// An object of a kind of the embedder's own.
            Own(Arc<OwnObject>),
        }

        impl AnyObject {
            /// The kind.
            pub fn kind(&self) -> Kind {
                match self { $(AnyObject::$name(_) => Kind::$name,)+ AnyObject::Own(object) => Kind::Own(object.kind()) }
            }

            /// The metadata.
            pub fn metadata(&self) -> &ObjectMeta {
                match self { $(AnyObject::$name(object) => &object.metadata,)+ AnyObject::Own(object) => &object.metadata }
            }

            /// The metadata, to be changed; an object that is shared is copied first.
            pub fn metadata_mut(&mut self) -> &mut ObjectMeta {
                match self {
                    $(AnyObject::$name(object) => &mut Arc::make_mut(object).metadata,)+
                    AnyObject::Own(object) => &mut Arc::make_mut(object).metadata,
                }
            }

            /// The status, if the kind has one of this type.
            ///
            /// ```
            /// use gateway_core::api::{AnyObject, GatewayStatus, HttpRoute, RouteStatus};
            ///
            /// let route = serde_json::from_str::<HttpRoute>(r#"{"metadata": {"name": "shop"}, "spec": {}}"#)?;
            /// let object = AnyObject::from(route);
            /// assert!(object.status::<RouteStatus>().is_some());
            /// assert!(object.status::<GatewayStatus>().is_none());
            /// # Ok::<(), serde_json::Error>(())
            /// ```
            pub fn status<S: 'static>(&self) -> Option<&S> {
                match self {
                    $($(AnyObject::$name(object) => {
                        let status: &super::$status = &object.status;
                        (status as &dyn Any).downcast_ref()
                    })?)+
                    // The others have no status that is read.
                    _ => None,
                }
            }

            /// The status, to be changed, if the kind has one of this type; an object that is shared is copied first.
            pub fn status_mut<S: 'static>(&mut self) -> Option<&mut S> {
                match self {
                    $($(AnyObject::$name(object) if TypeId::of::<S>() == TypeId::of::<super::$status>() => {
                        (&mut Arc::make_mut(object).status as &mut dyn Any).downcast_mut()
                    })?)+
                    _ => None,
                }
            }

            /// Gives the object the status of another one, as an API server does with that of the stored object when
            /// something else of it is written. Nothing changes if the two differ in kind, or have no status.
            pub fn take_status(&mut self, from: &AnyObject) {
                match (self, from) {
                    $($((AnyObject::$name(object), AnyObject::$name(from)) => {
                        Arc::make_mut(object).status = super::$status::clone(&from.status);
                    })?)+
                    _ => {}
                }
            }

            /// What the object has in common with all Routes, if it is one.
            pub fn as_route(&self) -> Option<AnyRoute<'_>> {
                match self {
                    $($($(AnyObject::$name(route) => Some(AnyRoute {
                        kind: RouteKind::$route,
                        parent_refs: &route.spec.parent_refs,
                        status: &route.status,
                    }),)?)?)+
                    _ => None,
                }
            }
        }

        /// The kinds of Route, in the order of their rows.
        #[cfg(test)]
        const ROUTE_KINDS: &[RouteKind] = &[$($($(RouteKind::$route,)?)?)+];

        impl From<RouteKind> for Kind {
            fn from(kind: RouteKind) -> Self {
                match kind { $($($(RouteKind::$route => Kind::$name,)?)?)+ }
            }
        }

        /// Writes the object with its `apiVersion` and `kind`.
        impl Serialize for AnyObject {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                #[derive(Serialize)]
                #[serde(rename_all = "camelCase")]
                struct Document<'a, T> {
                    api_version: String,
                    kind: &'static str,
                    #[serde(flatten)]
                    object: &'a T,
                }

                let kind = self.kind();
                let (api_version, kind) = (kind.api_version(), kind.as_str());
                match self {
                    $(AnyObject::$name(object) => {
                        Document { api_version, kind, object: object.as_ref() }.serialize(serializer)
                    })+
                    AnyObject::Own(object) => {
                        Document { api_version, kind, object: object.as_ref() }.serialize(serializer)
                    }
                }
            }
        }

        $(
            impl Object for super::$name {
                const GROUP: &'static str = $group;
                const KIND: &'static str = $kind;
                const KIND_ID: Kind = Kind::$name;

                fn metadata(&self) -> &ObjectMeta {
                    &self.metadata
                }

                fn metadata_mut(&mut self) -> &mut ObjectMeta {
                    &mut self.metadata
                }
            }

            impl From<super::$name> for AnyObject {
                fn from(object: super::$name) -> Self {
                    AnyObject::$name(Arc::new(object))
                }
            }

            impl From<Arc<super::$name>> for AnyObject {
                fn from(object: Arc<super::$name>) -> Self {
                    AnyObject::$name(object)
                }
            }
        )+
    };
}

for_each_kind!(kinds);

impl From<OwnObject> for AnyObject {
    fn from(object: OwnObject) -> Self {
        AnyObject::Own(Arc::new(object))
    }
}

#[derive(PartialEq)]
enum Scope {
    Cluster,
    Namespaced,
}

// === impl Kind ===

impl Kind {
    /// The kind with this group and name.
    pub fn find(group: &str, kind: &str) -> Option<Kind> {
        Self::ALL.iter().copied().find(|known| known.as_str() == kind && known.group() == group)
    }

    /// The `apiVersion` that objects of the kind are written in.
    pub fn api_version(self) -> String {
        let version = self.versions()[0];
        match self.group() {
            "" => version.to_owned(),
            group => format!("{group}/{version}"),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl AnyObject ===

impl AnyObject {
    /// Namespace and name, with an empty namespace for a cluster-scoped object.
    pub fn key(&self) -> ObjectName {
        self.metadata().object_name()
    }

    /// Gives a namespaced object without a namespace the [default one](DEFAULT_NAMESPACE), and takes it from a
    /// cluster-scoped one. An API server does both.
    pub fn settle_namespace(&mut self) {
        let wanted = match (self.kind().is_namespaced(), self.metadata().namespace.as_deref()) {
            (true, None | Some("")) => Some(DEFAULT_NAMESPACE.to_owned()),
            (false, Some(_)) => None,
            // Nothing to change, and so nothing to copy.
            (true, Some(_)) | (false, None) => return,
        };
        self.metadata_mut().namespace = wanted;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use super::super::GatewayStatus;

    #[test]
    fn a_kind_of_route_has_one_name() {
        assert_eq!(ROUTE_KINDS, RouteKind::ALL);
        for kind in RouteKind::ALL {
            assert_eq!(Kind::from(kind).as_str(), kind.as_str());
        }
    }

    #[test]
    fn a_status_is_taken_from_an_object_of_the_same_kind() {
        let read =
            |kind: Kind, text: &str| kind.deserialize(&mut serde_json::Deserializer::from_str(text)).unwrap();
        let spec = r#""metadata": {"name": "a"}, "spec": {}"#;
        let entry = r#"{"parentRef": {"name": "b"}, "controllerName": "example.com/c", "conditions": []}"#;
        let mut route = read(Kind::GrpcRoute, &format!("{{{spec}}}"));
        let other = read(Kind::HttpRoute, &format!(r#"{{{spec}, "status": {{"parents": [{entry}]}}}}"#));
        let same = read(Kind::GrpcRoute, &format!(r#"{{{spec}, "status": {{"parents": [{entry}]}}}}"#));
        route.take_status(&other);
        assert!(route.status::<RouteStatus>().unwrap().is_empty());
        route.take_status(&same);
        assert_eq!(route, same);
        assert_eq!(route.as_route().map(|route| route.kind), Some(RouteKind::Grpc));
        assert!(route.status_mut::<GatewayStatus>().is_none());
        route.status_mut::<RouteStatus>().unwrap().parents.clear();
        assert!(route.as_route().unwrap().status.is_empty());
        assert!(!same.as_route().unwrap().status.is_empty(), "what was shared is copied");
    }
}
