//! The engines without a network that there are: the core, and the plain reference.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gateway_core::api::Resources;
use gateway_core::feature::Feature;
use gateway_core::infrastructure::GatewayService;
use gateway_core::name::ObjectName;
use gateway_core::options::Options;
use gateway_core::status::Statuses;
use gateway_core::translate::translate;

use super::{Decider, Pure};
use crate::case::Case;
use crate::decision::core::Core;
use crate::decision::reference::{self, Reference};
use crate::decision::{
    Arrival, Effect, Entrance, Handshake, MeshArrival, Outcome, StreamArrival, StreamOutcome,
};
use crate::engine::{
    Abilities, Addresses, CONTROLLER_NAME, EngineError, Engines, Infrastructure, Pace, features_of_the_core,
    options,
};

/// Makes engines that run the core.
#[derive(Clone, Copy, Debug, Default)]
pub struct CoreEngines;

/// Makes engines that run the core for its statuses alone, with more features than a data plane of ours has.
///
/// Every kind of Route goes through all the stages that end in a status, whether it is served or not. These engines claim
/// such features too, and carry no traffic.
#[derive(Clone, Debug)]
pub struct CoreStatusEngines {
    /// The features that it claims.
    pub features: BTreeSet<Feature>,
}

/// Makes engines that run the plain reference.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReferenceEngines;

/// The core with the table of the resources as they are now.
#[derive(Debug)]
pub struct CoreDecider {
    resources: Arc<Resources>,
    features: BTreeSet<Feature>,
    core: Core,
    infrastructure: BTreeMap<ObjectName, GatewayService>,
    generation: u64,
}

/// The reference with the resources as they are now.
#[derive(Debug, Default)]
pub struct ReferenceDecider {
    resources: Arc<Resources>,
}

// === impl CoreDecider ===

impl CoreDecider {
    /// What the core decides by now.
    pub(in crate::engine) fn core(&self) -> &Core {
        &self.core
    }

    /// The core, told that its data plane has these features.
    pub fn with_features(features: BTreeSet<Feature>) -> Self {
        Self {
            resources: Arc::default(),
            features,
            core: Core::default(),
            infrastructure: BTreeMap::new(),
            generation: 0,
        }
    }
}

impl Default for CoreDecider {
    fn default() -> Self {
        Self::with_features(features_of_the_core().collect())
    }
}

impl Decider for CoreDecider {
    fn update(&mut self, resources: &Arc<Resources>, addresses: &Addresses) -> Option<Statuses> {
        self.generation += 1;
        self.resources = Arc::clone(resources);
        let options = Options { features: self.features.clone(), ..options(addresses, self.generation) };
        let translation = translate(resources, &options);
        self.core = Core::with_table(translation.table);
        self.infrastructure = translation.infrastructure;
        Some(translation.statuses)
    }

    fn entrance(&self, gateway: &ObjectName, port: u16, server_name: Option<&str>) -> Entrance {
        self.core.entrance(gateway, port, server_name)
    }

    fn handshake(&self, gateway: &ObjectName, port: u16, server_name: Option<&str>) -> Option<Handshake> {
        self.core.handshake(gateway, port, server_name)
    }

    fn answer(&self, arrival: &Arrival) -> Outcome {
        self.core.answer(arrival)
    }

    fn stream(&self, arrival: &StreamArrival) -> Result<StreamOutcome, EngineError> {
        Ok(self.core.stream(arrival))
    }

    fn mesh(&self, arrival: &MeshArrival) -> Result<Option<Effect>, EngineError> {
        // What no Route is for is none of the core's business: plain Kubernetes, which the reference plays too.
        let plain = || reference(&self.resources).answer_without_mesh(arrival);
        Ok(self.core.answer_in_mesh(arrival).or_else(plain))
    }

    fn infrastructure(&self, gateway: &ObjectName) -> Result<Vec<Infrastructure>, EngineError> {
        Ok(self.infrastructure.get(gateway).map(Infrastructure::from).into_iter().collect())
    }

    fn explain(&self, arrival: &Arrival) -> Option<String> {
        Some(self.core.explain(arrival))
    }
}

// === impl ReferenceDecider ===

impl ReferenceDecider {
    fn reference(&self) -> Reference<'_> {
        reference(&self.resources)
    }
}

fn reference(resources: &Resources) -> Reference<'_> {
    Reference { resources, controller_name: CONTROLLER_NAME, hostname_fall_through: true }
}

impl Decider for ReferenceDecider {
    fn update(&mut self, resources: &Arc<Resources>, _addresses: &Addresses) -> Option<Statuses> {
        self.resources = Arc::clone(resources);
        None
    }

    fn entrance(&self, gateway: &ObjectName, port: u16, server_name: Option<&str>) -> Entrance {
        self.reference().entrance(gateway, port, server_name)
    }

    fn handshake(&self, gateway: &ObjectName, port: u16, server_name: Option<&str>) -> Option<Handshake> {
        self.reference().handshake(gateway, port, server_name)
    }

    fn answer(&self, arrival: &Arrival) -> Outcome {
        self.reference().answer(arrival)
    }

    fn stream(&self, arrival: &StreamArrival) -> Result<StreamOutcome, EngineError> {
        Ok(self.reference().decide_stream(arrival))
    }

    fn mesh(&self, arrival: &MeshArrival) -> Result<Option<Effect>, EngineError> {
        Ok(self.reference().answer_in_mesh(arrival))
    }
}

// === impl CoreEngines ===

impl Engines for CoreEngines {
    type Engine = Pure<CoreDecider>;

    fn name(&self) -> &str {
        "core"
    }

    fn abilities(&self) -> Abilities {
        Abilities::of_the_core()
    }

    async fn start(&self, case: &Case) -> Result<Self::Engine, EngineError> {
        Ok(Pure::start(CoreDecider::default(), case))
    }
}

// === impl CoreStatusEngines ===

impl CoreStatusEngines {
    /// The features whose objects the core gives statuses to although no data plane of ours serves them.
    pub const UNSERVED: [Feature; 3] =
        [Feature::GrpcRoute, Feature::GrpcRouteNamedRouteRule, Feature::GrpcRouteRequestHeaderModifier];
}

impl Default for CoreStatusEngines {
    fn default() -> Self {
        Self { features: features_of_the_core().chain(Self::UNSERVED).collect() }
    }
}

impl Engines for CoreStatusEngines {
    type Engine = Pure<CoreDecider>;

    fn name(&self) -> &str {
        "core-statuses"
    }

    fn abilities(&self) -> Abilities {
        Abilities { features: self.features.clone(), traffic: false, ..Abilities::of_the_core() }
    }

    async fn start(&self, case: &Case) -> Result<Self::Engine, EngineError> {
        Ok(Pure::start(CoreDecider::with_features(self.features.clone()), case))
    }
}

// === impl ReferenceEngines ===

impl Engines for ReferenceEngines {
    type Engine = Pure<ReferenceDecider>;

    fn name(&self) -> &str {
        "reference"
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            features: reference::features().collect(),
            controller_name: CONTROLLER_NAME.to_owned(),
            statuses: false,
            traffic: true,
            pace: Pace::Immediate,
            static_addresses: None,
        }
    }

    async fn start(&self, case: &Case) -> Result<Self::Engine, EngineError> {
        Ok(Pure::start(ReferenceDecider::default(), case))
    }
}
