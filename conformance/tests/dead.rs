//! An engine that does nothing passes no case: every case can fail.

use gateway_core::api::AnyObject;
use gateway_core::name::ObjectName;

use conformance::case::{Case, ObjectRef, cases};
use conformance::engine::{
    Abilities, ControlPlane, Engine, EngineError, Engines, Infrastructure, Pace, StaticAddresses,
};
use conformance::exchange::{Answer, Exchange, Failure};
use conformance::outcome::Verdict;
use conformance::run::{Settings, run_case};
use conformance::store::Store;

/// Claims what a case needs.
struct DeadEngines {
    abilities: Abilities,
}

/// Keeps objects, writes no status, and refuses every connection.
struct Dead {
    store: Store,
}

// === impl DeadEngines ===

impl DeadEngines {
    fn of(case: &Case) -> Self {
        let addresses = StaticAddresses { usable: "127.0.0.1".to_owned(), unusable: "192.0.2.1".to_owned() };
        let abilities = Abilities {
            features: &case.features | &case.only_with,
            controller_name: "example.org/dead".to_owned(),
            statuses: true,
            traffic: true,
            pace: Pace::Immediate,
            static_addresses: Some(addresses),
        };
        Self { abilities }
    }
}

impl Engines for DeadEngines {
    type Engine = Dead;

    fn name(&self) -> &str {
        "dead"
    }

    fn abilities(&self) -> Abilities {
        self.abilities.clone()
    }

    async fn start(&self, _case: &Case) -> Result<Dead, EngineError> {
        Ok(Dead { store: Store::new(Vec::new()) })
    }
}

// === impl Dead ===

impl ControlPlane for Dead {
    async fn apply(&mut self, objects: Vec<AnyObject>) -> Result<(), EngineError> {
        self.store.apply(objects);
        Ok(())
    }

    async fn delete(&mut self, object: &ObjectRef) -> Result<(), EngineError> {
        self.store.delete(object);
        Ok(())
    }

    async fn object(&self, object: &ObjectRef) -> Result<Option<AnyObject>, EngineError> {
        Ok(self.store.get(object.kind, &object.key))
    }

    async fn infrastructure(&self, _gateway: &ObjectName) -> Result<Vec<Infrastructure>, EngineError> {
        Ok(Vec::new())
    }
}

impl Engine for Dead {
    async fn send(&mut self, _exchange: &Exchange) -> Result<Answer, EngineError> {
        Ok(Answer::Failed(Failure::Connect("nobody is there".to_owned())))
    }

    async fn received(&self, _backend: &ObjectName, _path: &str) -> Result<usize, EngineError> {
        Ok(0)
    }
}

#[tokio::test]
async fn an_engine_that_does_nothing_passes_no_case() {
    let mut passed = Vec::new();
    for case in cases() {
        let report = run_case(&DeadEngines::of(case), case, &Settings::default()).await;
        if !matches!(report.verdict, Verdict::Failed(_)) {
            passed.push(format!("{}: {:?}", case.name, report.verdict));
        }
    }
    assert!(passed.is_empty(), "{}", passed.join("\n"));
}
