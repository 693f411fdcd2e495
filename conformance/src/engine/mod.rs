//! Engines: what can be put under test.
//!
//! An [`Engine`] takes objects, tells their statuses, and carries requests. The runner asks nothing else of it, so that
//! a pure function, a tower service, a server on sockets, a process in any language and a live cluster all run the same
//! cases.

#[cfg(feature = "kube")]
pub mod cluster;
pub mod command;
pub mod http;
pub mod pure;
pub mod stack;
pub mod tower;

mod addresses;
mod arrival;
mod control_plane;
pub(crate) mod mesh;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;

use gateway_core::api::{AnyObject, GatewayClass, GatewayClassSpec, ObjectMeta};
use gateway_core::feature::{Feature, SUPPORTED, SUPPORTED_IN_MESHES};
use gateway_core::infrastructure::GatewayService;
use gateway_core::name::ObjectName;

pub use self::addresses::{Addresses, STATIC_ADDRESSES, options};
pub use self::control_plane::ControlPlane;

use crate::case::Case;
use crate::exchange::{Answer, Exchange};

/// The name of the controller of every engine in this process.
pub const CONTROLLER_NAME: &str = "conformance.gateway-api.rs/controller";

/// The GatewayClass of every Gateway in cases.
pub const GATEWAY_CLASS: &str = "gateway-conformance";

/// What cases call the controller under test.
pub const CONTROLLER: &str = "gateway-conformance.example/controller";

/// Something that implements Gateway API, in the hands of one case: a [`ControlPlane`] that also carries requests.
///
/// The runner makes one for each case, applies the base and the objects of the case, goes through the steps, and drops it.
pub trait Engine: ControlPlane {
    /// Carries an exchange. A connection that fails is an [`Answer`] too.
    fn send(&mut self, exchange: &Exchange) -> impl Future<Output = Result<Answer, EngineError>> + Send;

    /// How many requests with this path and query the backend of this name has received so far.
    fn received(
        &self,
        backend: &ObjectName,
        path: &str,
    ) -> impl Future<Output = Result<usize, EngineError>> + Send;
}

/// The GatewayClass that engines start with.
pub fn gateway_class(controller_name: &str) -> AnyObject {
    let metadata = ObjectMeta { name: GATEWAY_CLASS.to_owned(), ..ObjectMeta::default() };
    let spec = GatewayClassSpec {
        controller_name: controller_name.to_owned(),
        parameters_ref: None,
        description: None,
    };
    GatewayClass { metadata, spec, status: Default::default() }.into()
}

/// Makes an engine for each case.
pub trait Engines: Send + Sync {
    /// What it makes.
    type Engine: Engine;

    /// The name for reports, such as `core`.
    fn name(&self) -> &str;

    /// What all its engines can do.
    fn abilities(&self) -> Abilities;

    /// A new engine, with the GatewayClass `gateway-conformance` and nothing else in it. The case tells which Deployments have
    /// to run.
    fn start(&self, case: &Case) -> impl Future<Output = Result<Self::Engine, EngineError>> + Send;
}

/// What an engine can do at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// The features that it claims.
    pub features: BTreeSet<Feature>,
    /// The name of its controller, that GatewayClasses have and that it writes into the statuses of routes. In cases it is
    /// called [`CONTROLLER`].
    pub controller_name: String,
    /// Whether it has statuses to look at; without, those steps are passed over.
    pub statuses: bool,
    /// Whether it carries what is sent; without, those steps are left out, and a case that has some counts as skipped. So
    /// a control plane that stands alone runs the cases for their statuses.
    pub traffic: bool,
    /// How fast what is applied takes effect.
    pub pace: Pace,
    /// An address that a Gateway may ask for, and one that it may not; needed for GatewayStaticAddresses only.
    pub static_addresses: Option<StaticAddresses>,
}

/// Addresses that Gateways ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticAddresses {
    /// One that can be bound; `$(usable-address)` in cases.
    pub usable: String,
    /// One that cannot; `$(unusable-address)` in cases.
    pub unusable: String,
}

/// How fast what is applied takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// At once: every expectation is looked at once, and time does not pass.
    Immediate,
    /// At some time: what is expected is waited for, and must then hold several times in a row.
    Eventual,
}

/// Something that was made for a Gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Infrastructure {
    /// What it is, such as `Service shop/gateway`.
    pub name: String,
    /// Its labels.
    pub labels: std::collections::BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: std::collections::BTreeMap<String, String>,
}

/// Why an engine could not do what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineError {
    /// It cannot do such a thing at all: the case is skipped, with this reason.
    Unsupported(String),
    /// It should have been able to: the case fails.
    Failed(String),
}

/// What the core has, and a data plane that carries all of it out: before Gateways and in a mesh.
pub(crate) fn features_of_the_core() -> impl Iterator<Item = Feature> {
    SUPPORTED.iter().chain(SUPPORTED_IN_MESHES).copied()
}

// === impl Infrastructure ===

impl From<&GatewayService> for Infrastructure {
    fn from(service: &GatewayService) -> Self {
        let GatewayService { name, labels, annotations, .. } = service;
        Self { name: format!("Service {name}"), labels: labels.clone(), annotations: annotations.clone() }
    }
}

// === impl Abilities ===

impl Abilities {
    /// What every engine can do that translates with gateway-core and waits until the table is in use.
    pub fn of_the_core() -> Self {
        Self {
            features: features_of_the_core().collect(),
            controller_name: CONTROLLER_NAME.to_owned(),
            statuses: true,
            traffic: true,
            pace: Pace::Immediate,
            static_addresses: Some(Addresses::to_ask_for()),
        }
    }
}

// === impl EngineError ===

impl EngineError {
    /// It cannot do such a thing at all.
    pub fn unsupported(reason: impl Into<String>) -> Self {
        Self::Unsupported(reason.into())
    }

    /// It should have been able to.
    pub fn failed(reason: impl fmt::Display) -> Self {
        Self::Failed(reason.to_string())
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported(reason) | Self::Failed(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for EngineError {}
