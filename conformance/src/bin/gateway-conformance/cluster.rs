//! `run --engine cluster`: the cases in a live cluster.

use std::io::Write;
use std::process::ExitCode;

use conformance::case::Case;

use crate::Trouble;
use crate::args::Run;
use crate::choose::Chosen;

/// Runs the cases, and takes away what they brought.
#[cfg(feature = "kube")]
pub(crate) async fn run(
    args: &Run,
    cases: &'static [Case],
    chosen: Chosen<'static>,
    out: &mut impl Write,
) -> Result<ExitCode, Trouble> {
    use conformance::engine::cluster::{ClusterEngines, ClusterOptions, client};

    if args.parallel.get() > 1 {
        return Err(Trouble::Usage("a cluster takes one case at a time; leave out --parallel".to_owned()));
    }
    let started = async {
        let cluster = &args.cluster;
        let client = client(cluster.kubeconfig.as_deref(), cluster.context.as_deref()).await?;
        let mut options = ClusterOptions::default();
        if let Some(class) = &cluster.gateway_class {
            options.gateway_class.clone_from(class);
        }
        if let Some(image) = &cluster.echo_image {
            options.echo_image.clone_from(image);
        }
        ClusterEngines::connect(client, options).await
    };
    let engines = started.await.map_err(|error| Trouble::Start(error.to_string()))?;
    let result = crate::run::run_with(engines.clone(), args, cases, chosen, out).await;
    if let Err(error) = engines.leave().await {
        // The verdicts stand all the same.
        let _ = writeln!(std::io::stderr(), "gateway-conformance: something is left in the cluster: {error}");
    }
    result
}

/// There is no such engine in this build.
#[cfg(not(feature = "kube"))]
pub(crate) async fn run(
    _: &Run,
    _: &'static [Case],
    _: Chosen<'static>,
    _: &mut impl Write,
) -> Result<ExitCode, Trouble> {
    let message =
        "this build knows no cluster: build it with `cargo build -p gateway-conformance --features kube`";
    Err(Trouble::Usage(message.to_owned()))
}
