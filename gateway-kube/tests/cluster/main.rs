//! Promises about clusters, each shown on a real kube-apiserver and etcd.

mod cluster;
mod control_plane;
mod definitions;
mod faults;
mod infrastructure;
mod replicas;
mod rights;
mod statuses;
mod watching;

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Failed, Trial};

use crate::cluster::Cluster;
use crate::control_plane::ControlPlane;

/// What a test does, with a cluster that it shares with others or with one of its own.
#[derive(Clone, Copy)]
enum Run {
    Shared(fn(Cluster) -> Pin<Box<dyn Future<Output = ()>>>),
    Own(fn(Faulty) -> Pin<Box<dyn Future<Output = ()>>>),
}

/// A control plane that no other test has, to be broken.
struct Faulty {
    control_plane: ControlPlane,
    /// The version of the definitions that are installed with the first cluster.
    version: &'static str,
    channel: &'static str,
}

/// Makes the list of the tests in a module.
macro_rules! tests {
    ($module:literal: $($name:ident),+ $(,)?) => {
        pub(crate) fn tests() -> Vec<(&'static str, crate::Run)> {
            vec![$((concat!($module, "::", stringify!($name)), crate::Run::Shared(|it| Box::pin($name(it))))),+]
        }
    };
}
pub(crate) use tests;

/// The same for tests with a control plane of their own.
macro_rules! fault_tests {
    ($module:literal: $($name:ident),+ $(,)?) => {
        pub(crate) fn tests() -> Vec<(&'static str, crate::Run)> {
            vec![$((concat!($module, "::", stringify!($name)), crate::Run::Own(|it| Box::pin($name(it))))),+]
        }
    };
}
pub(crate) use fault_tests;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Each test of the faults has an API server of its own, and these are heavy.
    arguments.test_threads.get_or_insert(2);
    let available = control_plane::assets().and_then(|assets| {
        control_plane::definitions("v1.7.0")?;
        control_plane::definitions("v1.6.1")?;
        Ok(assets)
    });
    if let Err(why) = &available {
        eprintln!("the tests of gateway-kube are ignored: {why}");
    }
    // Started by the first test that asks for it.
    let shared: Arc<OnceLock<ControlPlane>> = Arc::default();
    let modules = [
        watching::tests(),
        statuses::tests(),
        replicas::tests(),
        faults::tests(),
        rights::tests(),
        definitions::tests(),
        infrastructure::tests(),
    ];
    let trial = |(name, run): (&'static str, Run)| {
        let (shared, assets) = (shared.clone(), available.clone());
        let is_ignored = assets.is_err();
        Trial::test(name, move || {
            run_test(name, run, assets.map_err(Failed::from)?, &shared);
            Ok(())
        })
        .with_ignored_flag(is_ignored)
    };
    let trials = modules.into_iter().flatten().map(trial).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn run_test(name: &str, run: Run, assets: PathBuf, shared: &OnceLock<ControlPlane>) {
    match run {
        Run::Shared(run) => {
            let control_plane = shared.get_or_init(|| {
                block_on(async {
                    let control_plane = ControlPlane::start(assets).await;
                    install(&control_plane, "v1.7.0", "experimental").await;
                    control_plane
                })
            });
            block_on(async {
                let client = kube::Client::try_from(control_plane.config("admin")).unwrap();
                let test = name.rsplit("::").next().unwrap_or(name);
                run(Cluster::new(client, test).await.shared()).await;
            });
        }
        Run::Own(run) => {
            block_on(async {
                let control_plane = ControlPlane::start(assets).await;
                run(Faulty { control_plane, version: "v1.7.0", channel: "experimental" }).await;
            });
        }
    }
}

async fn install(control_plane: &ControlPlane, version: &str, channel: &str) {
    let client = kube::Client::try_from(control_plane.config("admin")).unwrap();
    let definitions = control_plane::definitions_of_channel(version, channel).unwrap();
    cluster::install(&client, &definitions).await;
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(future)
}

// === impl Faulty ===

impl Faulty {
    /// Installs the definitions, and gives the cluster to a test.
    async fn cluster(&mut self, test: &str) -> Cluster {
        install(&self.control_plane, self.version, self.channel).await;
        let client = kube::Client::try_from(self.control_plane.config("admin")).unwrap();
        Cluster::new(client, test).await
    }
}
