//! Tower stacks of one's own on sockets of the loopback interface, within this process.
//!
//! Sockets, TLS, tables and statuses are those of [`http`]; what serves a request is the embedder's: a gateway with layers of
//! its own, layers stacked by hand, another client. `tests/conformance.rs`, with `harness = false`, is three lines:
//!
//! ```no_run
//! use std::process::ExitCode;
//! use std::sync::Arc;
//! use conformance::engine::stack::StackEngines;
//! use gateway_tower::upstream::Upstream;
//! use gateway_tower::{Connection, Gateway, TableHandle};
//!
//! fn main() -> ExitCode {
//!     conformance::trials(StackEngines::new("mine", |tables: &TableHandle| {
//!         let gateway = Gateway::builder(tables.clone()).after_filters(tower::layer::util::Identity::new());
//!         let gateway = gateway.client(Upstream::default());
//!         move |connection: Arc<Connection>| gateway.clone().on(connection)
//!     }))
//! }
//! ```
//!
//! The surprising case: a stack that has no TLS with backends, as the one above, fails the cases of BackendTLSPolicies, unless it does
//! not [claim](StackEngines::without) them.

use std::fmt;

use gateway_core::feature::Feature;
use gateway_tower::TableHandle;
use gateway_tower::serve::ConnectionService;

use super::http::{self, HttpProxy};
use super::{Abilities, EngineError, Engines};
use crate::case::Case;
use crate::wire::Wire;

/// Makes engines whose connections are served by a stack of one's own.
#[derive(Clone)]
pub struct StackEngines<F> {
    name: String,
    abilities: Abilities,
    stack: F,
}

// === impl StackEngines ===

impl<F, S> StackEngines<F>
where
    F: Fn(&TableHandle) -> S + Send + Sync,
    S: ConnectionService,
{
    /// Engines of this name, each of which serves connections by what `stack` makes of its tables. They claim all that the core has.
    pub fn new(name: impl Into<String>, stack: F) -> Self {
        Self { name: name.into(), abilities: Abilities::of_the_core(), stack }
    }

    /// The same, without the cases of these features.
    pub fn without(mut self, features: &[Feature]) -> Self {
        self.abilities.features.retain(|feature| !features.contains(feature));
        self
    }
}

impl<F, S> Engines for StackEngines<F>
where
    F: Fn(&TableHandle) -> S + Send + Sync,
    S: ConnectionService,
{
    type Engine = Wire<HttpProxy>;

    fn name(&self) -> &str {
        &self.name
    }

    fn abilities(&self) -> Abilities {
        self.abilities.clone()
    }

    async fn start(&self, case: &Case) -> Result<Self::Engine, EngineError> {
        http::start(case, &self.stack).await
    }
}

impl<F> fmt::Debug for StackEngines<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StackEngines").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use gateway_tower::upstream::Upstream;
    use gateway_tower::{Connection, Gateway};
    use tower::Layer;
    use tower::util::MapRequestLayer;

    use super::*;
    use crate::case::cases;
    use crate::outcome::Verdict;
    use crate::run::{Settings, run_case};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_case_passes_through_the_layers_of_the_stack() {
        let seen = Arc::new(AtomicUsize::new(0));
        let counter = seen.clone();
        let engines = StackEngines::new("counted", move |tables: &TableHandle| {
            let gateway = Gateway::new(tables.clone(), Upstream::default());
            let counter = counter.clone();
            move |connection: Arc<Connection>| {
                let counter = counter.clone();
                let count = MapRequestLayer::new(move |request: ::http::Request<_>| {
                    counter.fetch_add(1, Ordering::Relaxed);
                    request
                });
                count.layer(gateway.clone().on(connection))
            }
        })
        .without(&[Feature::BackendTlsPolicy]);
        assert!(!engines.abilities().features.contains(&Feature::BackendTlsPolicy));
        let case = cases().iter().find(|case| case.name == "HTTPRouteSimpleSameNamespace").unwrap();
        let report = run_case(&engines, case, &Settings::default()).await;
        assert_eq!(report.verdict, Verdict::Passed, "{report:?}");
        assert!(seen.load(Ordering::Relaxed) > 0);
    }
}
