//! The kinds that are read, in one table: names, versions, and the Rust type of each.

use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeOwned, DeserializeSeed};
use serde::{Deserialize, Deserializer, Serialize};

use super::meta::ObjectMeta;
use super::resources::DEFAULT_NAMESPACE;
use super::{
    BackendTlsPolicy, ConfigMap, EndpointSlice, Gateway, GatewayClass, GrpcRoute, HttpRoute, ListenerSet,
    Namespace, ReferenceGrant, Secret, Service, TcpRoute, TlsRoute, UdpRoute, XBackend,
    XBackendTrafficPolicy, XMesh,
};
use crate::name::ObjectName;

/// The API group of Gateway API.
pub const GATEWAY_GROUP: &str = "gateway.networking.k8s.io";

/// The API group of Gateway API's experiments.
pub const EXPERIMENTAL_GROUP: &str = "gateway.networking.x-k8s.io";

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

macro_rules! kinds {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident: $group:expr, $kind:literal, $plural:literal, $scope:ident, [$storage:literal $(, $served:literal)*];
    )+) => {
        /// A kind of object that is read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[doc = $doc])* $name,)+
        }

        impl Kind {
            /// Every kind, those first that others refer to.
            pub const ALL: &'static [Kind] = &[$(Kind::$name),+];

            /// The API group; empty for the core group.
            pub fn group(self) -> &'static str {
                match self { $(Kind::$name => $group,)+ }
            }

            /// The kind, as it is written.
            pub fn as_str(self) -> &'static str {
                match self { $(Kind::$name => $kind,)+ }
            }

            /// The name that API paths use.
            pub fn plural(self) -> &'static str {
                match self { $(Kind::$name => $plural,)+ }
            }

            /// Whether objects of the kind live in a namespace.
            pub fn is_namespaced(self) -> bool {
                match self { $(Kind::$name => Scope::$scope == Scope::Namespaced,)+ }
            }

            /// The versions that are read; the first is the one that is written.
            pub fn versions(self) -> &'static [&'static str] {
                match self { $(Kind::$name => &[$storage $(, $served)*],)+ }
            }
        }

        /// Reads an object of the kind.
        impl<'de> DeserializeSeed<'de> for Kind {
            type Value = AnyObject;

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<AnyObject, D::Error> {
                match self { $(Kind::$name => $name::deserialize(deserializer).map(AnyObject::from),)+ }
            }
        }

        /// An object of any kind that is read.
        #[derive(Clone, Debug, PartialEq)]
        pub enum AnyObject {
            $($(#[doc = $doc])* $name(Arc<$name>),)+
        }

        impl AnyObject {
            /// The kind.
            pub fn kind(&self) -> Kind {
                match self { $(AnyObject::$name(_) => Kind::$name,)+ }
            }

            /// The metadata.
            pub fn metadata(&self) -> &ObjectMeta {
                match self { $(AnyObject::$name(object) => &object.metadata,)+ }
            }

            /// The metadata, to be changed; an object that is shared is copied first.
            pub fn metadata_mut(&mut self) -> &mut ObjectMeta {
                match self { $(AnyObject::$name(object) => &mut Arc::make_mut(object).metadata,)+ }
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
                }
            }
        }

        $(
            impl Object for $name {
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

            impl From<$name> for AnyObject {
                fn from(object: $name) -> Self {
                    AnyObject::$name(Arc::new(object))
                }
            }

            impl From<Arc<$name>> for AnyObject {
                fn from(object: Arc<$name>) -> Self {
                    AnyObject::$name(object)
                }
            }
        )+
    };
}

#[derive(PartialEq)]
enum Scope {
    Cluster,
    Namespaced,
}

// The versions are those that the experimental channel of v1.6.1 serves. The first is the one that is written: the newest,
// which for ReferenceGrant is not the one that an API server stores.
kinds! {
    /// A namespace.
    Namespace: "", "Namespace", "namespaces", Cluster, ["v1"];
    /// A Service.
    Service: "", "Service", "services", Namespaced, ["v1"];
    /// A Secret.
    Secret: "", "Secret", "secrets", Namespaced, ["v1"];
    /// A ConfigMap.
    ConfigMap: "", "ConfigMap", "configmaps", Namespaced, ["v1"];
    /// An EndpointSlice.
    EndpointSlice: "discovery.k8s.io", "EndpointSlice", "endpointslices", Namespaced, ["v1"];
    /// A GatewayClass.
    GatewayClass: GATEWAY_GROUP, "GatewayClass", "gatewayclasses", Cluster, ["v1", "v1beta1"];
    /// A Gateway.
    Gateway: GATEWAY_GROUP, "Gateway", "gateways", Namespaced, ["v1", "v1beta1"];
    /// A ListenerSet.
    ListenerSet: GATEWAY_GROUP, "ListenerSet", "listenersets", Namespaced, ["v1"];
    /// An HTTPRoute.
    HttpRoute: GATEWAY_GROUP, "HTTPRoute", "httproutes", Namespaced, ["v1", "v1beta1"];
    /// A GRPCRoute.
    GrpcRoute: GATEWAY_GROUP, "GRPCRoute", "grpcroutes", Namespaced, ["v1"];
    /// A TLSRoute.
    TlsRoute: GATEWAY_GROUP, "TLSRoute", "tlsroutes", Namespaced, ["v1", "v1alpha3", "v1alpha2"];
    /// A TCPRoute.
    TcpRoute: GATEWAY_GROUP, "TCPRoute", "tcproutes", Namespaced, ["v1", "v1alpha2"];
    /// A UDPRoute.
    UdpRoute: GATEWAY_GROUP, "UDPRoute", "udproutes", Namespaced, ["v1", "v1alpha2"];
    /// A ReferenceGrant.
    ReferenceGrant: GATEWAY_GROUP, "ReferenceGrant", "referencegrants", Namespaced, ["v1", "v1beta1"];
    /// A BackendTLSPolicy.
    BackendTlsPolicy: GATEWAY_GROUP, "BackendTLSPolicy", "backendtlspolicies", Namespaced, ["v1", "v1alpha3"];
    /// An XBackend.
    XBackend: EXPERIMENTAL_GROUP, "XBackend", "xbackends", Namespaced, ["v1alpha1"];
    /// An XBackendTrafficPolicy.
    XBackendTrafficPolicy: EXPERIMENTAL_GROUP, "XBackendTrafficPolicy", "xbackendtrafficpolicies", Namespaced, ["v1alpha1"];
    /// An XMesh.
    XMesh: EXPERIMENTAL_GROUP, "XMesh", "xmeshes", Cluster, ["v1alpha1"];
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
