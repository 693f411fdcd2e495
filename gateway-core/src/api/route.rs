//! The parts that Routes of every kind share: the scope of default Gateways, and the status.

use serde::{Deserialize, Serialize};

use super::field::{or_empty, written_enum};
use super::meta::Condition;
use super::reference::ParentReference;

written_enum! {
    /// Which Routes a Gateway is a default for, and which default Gateways a Route asks for.
    ///
    /// # Spec
    /// `GatewayDefaultScope` in `shared_types.go` (experimental).
    pub enum GatewayDefaultScope {
        /// All Routes, all default Gateways.
        All = "All",
        /// None.
        None = "None",
    }
}

written_enum! {
    /// The `apiVersion` of a TLSRoute, TCPRoute or UDPRoute.
    ///
    /// The alpha versions allow up to 16 rules and, for a TLSRoute, no hostname; `v1` does not.
    #[derive(Default)]
    pub enum StreamRouteVersion {
        /// The current version; also when an object does not say.
        #[default]
        V1 = "gateway.networking.k8s.io/v1",
        /// Deprecated, in the experimental channel only.
        V1Alpha2 = "gateway.networking.k8s.io/v1alpha2",
        /// Deprecated, in the experimental channel only, and of TLSRoute only; the rules are those of `v1`.
        V1Alpha3 = "gateway.networking.k8s.io/v1alpha3",
    }
}

/// The status of a Route: one entry for every parent and controller.
///
/// # Spec
/// `RouteStatus` in `shared_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteStatus {
    /// What each controller says about each parent.
    #[serde(default, deserialize_with = "or_empty")]
    pub parents: Vec<RouteParentStatus>,
}

/// What one controller says about one parent of a Route.
///
/// # Spec
/// `RouteParentStatus` in `shared_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteParentStatus {
    /// The parent, as the Route's spec names it.
    pub parent_ref: ParentReference,
    /// The controller that wrote the entry, and that alone may change it.
    pub controller_name: String,
    /// The conditions.
    #[serde(default, deserialize_with = "or_empty")]
    pub conditions: Vec<Condition>,
}

// === impl RouteStatus ===

impl RouteStatus {
    /// Whether no controller has said anything yet.
    pub fn is_empty(&self) -> bool {
        self.parents.is_empty()
    }
}
