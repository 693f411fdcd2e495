//! A gateway that takes its time passes the same cases: the runner waits for what must come.

use std::sync::Arc;
use std::time::Duration;

use conformance::case::{Case, ObjectRef};
use conformance::engine::pure::CoreEngines;
use conformance::engine::{Abilities, Engine, EngineError, Engines, Pace};
use conformance::exchange::{Answer, Exchange, Failure};
use conformance::outcome::Verdict;
use conformance::run::{Selection, Settings, run};
use gateway_core::api::{AnyObject, ObjectKey};
use tokio::sync::Mutex;

type Core = <CoreEngines as Engines>::Engine;

struct LateEngines;

/// The core, to which a change gets only after it was looked at twice.
struct Late(Mutex<State>);

struct State {
    core: Core,
    waiting: Vec<Change>,
    looks: u32,
}

enum Change {
    Apply(Vec<AnyObject>),
    Delete(ObjectRef),
}

// === impl LateEngines ===

impl Engines for LateEngines {
    type Engine = Late;

    fn name(&self) -> &str {
        "late"
    }

    fn abilities(&self) -> Abilities {
        Abilities { pace: Pace::Eventual, ..CoreEngines.abilities() }
    }

    async fn start(&self, case: &Case) -> Result<Late, EngineError> {
        let core = CoreEngines.start(case).await?;
        Ok(Late(Mutex::new(State { core, waiting: Vec::new(), looks: 0 })))
    }
}

// === impl State ===

impl State {
    fn change(&mut self, change: Change) {
        self.waiting.push(change);
        self.looks = 0;
    }

    async fn look(&mut self) -> Result<&mut Core, EngineError> {
        self.looks += 1;
        if self.looks > 2 {
            for change in std::mem::take(&mut self.waiting) {
                match change {
                    Change::Apply(objects) => self.core.apply(objects).await?,
                    Change::Delete(object) => self.core.delete(&object).await?,
                }
            }
        }
        Ok(&mut self.core)
    }
}

impl Engine for Late {
    async fn apply(&mut self, objects: Vec<AnyObject>) -> Result<(), EngineError> {
        self.0.get_mut().change(Change::Apply(objects));
        Ok(())
    }

    async fn delete(&mut self, object: &ObjectRef) -> Result<(), EngineError> {
        self.0.get_mut().change(Change::Delete(object.clone()));
        Ok(())
    }

    async fn object(&self, object: &ObjectRef) -> Result<Option<AnyObject>, EngineError> {
        self.0.lock().await.look().await?.object(object).await
    }

    async fn send(&mut self, exchange: &Exchange) -> Result<Answer, EngineError> {
        match self.0.get_mut().look().await?.send(exchange).await {
            // There is no Gateway yet.
            Err(EngineError::Failed(_)) => Ok(Answer::Failed(Failure::Timeout)),
            other => other,
        }
    }

    async fn received(&self, backend: &ObjectKey, path: &str) -> Result<usize, EngineError> {
        self.0.lock().await.core.received(backend, path).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_takes_its_time_passes() {
    let settings = Settings { jobs: 50, poll: Duration::from_millis(20), ..Settings::default() };
    let reports = run(Arc::new(LateEngines), &Selection::default(), &settings, |_| ()).await;
    let failed: Vec<String> = (reports.iter())
        .filter_map(|report| match &report.verdict {
            Verdict::Failed(finding) => Some(format!("{}: {finding:#?}", report.name)),
            _ => None,
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(reports.iter().filter(|report| report.verdict == Verdict::Passed).count() > 150);
}
