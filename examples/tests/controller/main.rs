//! `gateway controller` on a real kube-apiserver, with real sockets; and as `examples/deploy` installs it.
//!
//! The control plane is the one of the tests of gateway-kube, which say where it comes from.

#[path = "../../../gateway-kube/tests/cluster/cluster.rs"]
#[allow(dead_code, reason = "the tests of gateway-kube need all of it")]
mod cluster;
#[path = "../../../gateway-kube/tests/cluster/control_plane.rs"]
#[allow(dead_code, reason = "the tests of gateway-kube need all of it")]
mod control_plane;
#[path = "../harness/mod.rs"]
mod harness;
mod audit;
mod bound;
mod install;
mod installation;
mod load;
mod options;
mod outage;
mod program;
mod reading;
mod replicas;
mod serving;

use std::path::PathBuf;
use std::process::ExitCode;

use cluster::Cluster;
use control_plane::ControlPlane;
use installation::Tools;
use libtest_mimic::{Arguments, Failed, Trial};

type Run = fn(ControlPlane, Cluster) -> std::pin::Pin<Box<dyn Future<Output = ()>>>;

/// Makes the list of the tests in a module.
macro_rules! tests {
    ($module:literal: $($name:ident),+ $(,)?) => {
        pub(crate) fn tests() -> Vec<(&'static str, crate::Run)> {
            vec![$((
                concat!($module, "::", stringify!($name)),
                |control_plane, cluster| Box::pin($name(control_plane, cluster)),
            )),+]
        }
    };
}
pub(crate) use tests;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Each test has an API server of its own, and these are heavy.
    arguments.test_threads.get_or_insert(2);
    let available = control_plane::assets().and_then(|assets| {
        control_plane::definitions("v1.7.0")?;
        Ok(assets)
    });
    let installable = available.clone().and_then(|assets| Tools::find().map(|_| assets));
    for (what, why) in [("gateway controller", &available), ("examples/deploy", &installable)] {
        if let Err(why) = why {
            eprintln!("the tests of `{what}` are ignored: {why}");
        }
    }
    let trial = |assets: &Result<PathBuf, String>, (name, run): (&'static str, Run)| {
        let (assets, is_ignored) = (assets.clone(), assets.is_err());
        Trial::test(name, move || {
            run_test(name, run, assets.map_err(Failed::from)?);
            Ok(())
        })
        .with_ignored_flag(is_ignored)
    };
    let modules = [
        serving::tests(),
        bound::tests(),
        options::tests(),
        outage::tests(),
        audit::tests(),
        reading::tests(),
        replicas::tests(),
    ];
    let served = modules.into_iter().flatten().map(|test| trial(&available, test));
    let installed = install::tests().into_iter().map(|test| trial(&installable, test));
    libtest_mimic::run(&arguments, served.chain(installed).collect()).exit_code()
}

fn run_test(name: &str, run: Run, assets: PathBuf) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let control_plane = ControlPlane::start_audited(assets).await;
        let client = kube::Client::try_from(control_plane.config("admin")).unwrap();
        cluster::install(&client, &control_plane::definitions("v1.7.0").unwrap()).await;
        let test = name.rsplit("::").next().unwrap_or(name);
        let cluster = Cluster::new(client, test).await;
        run(control_plane, cluster).await;
    });
}
