//! Reading files or a cluster once, for the commands that do not serve.

use std::io;
use std::path::{Path, PathBuf};

use gateway_core::apply::{Applied, Applier};
use gateway_core::manifest::Collection;
use gateway_core::options::Options;
use gateway_examples::cluster::{self, ReadError};
use gateway_examples::demo::Demo;
use gateway_examples::dry_run;
use gateway_kube::controller::ControllerOptions;
use gateway_kube::kube::Client;
use gateway_kube::watch::Scope;
use gateway_tower::source::{self, Files};

use crate::args::{Cluster, Live, Source};
use crate::controller;

/// What the files or the cluster hold now. The backends of the demo live as long as what comes with it.
pub(crate) fn load(source: &Source, live: &Live, options: Options) -> io::Result<(Applied, Option<Demo>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if live.kube {
        let read = async { read(controller::client(&live.cluster).await?, &live.cluster, options).await };
        return runtime.block_on(read).map(|update| (update, None));
    }
    without_cluster(live)?;
    let (mut files, demo) = runtime.block_on(files(source, options))?;
    Ok((files.read(), demo))
}

/// What these files hold.
pub(crate) fn paths(paths: &[PathBuf], options: Options) -> io::Result<Applied> {
    existing(paths)?;
    Ok(source::Source::new(Files::new(paths), options).read())
}

/// What the cluster holds now, and what it would with these files applied to it. Of problems, those of the files.
pub(crate) fn dry_run(path: &Path, cluster: &Cluster, options: Options) -> io::Result<(Applied, Applied)> {
    existing(&[path])?;
    let mut files = Files::new([path]);
    files.rescan();
    let written = files.collection();
    all_in(&cluster.scope(), &written)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut old, written) = runtime.block_on(async {
        let client = controller::client(cluster).await?;
        let old = read(client.clone(), cluster, options.clone()).await?;
        let written = dry_run::dry_run(written, &old.resources, &client, &options).await;
        let written = written.map_err(|error| {
            io::Error::other(format!("--kube: {error}; use another user, or give it a role to read them"))
        })?;
        Ok::<_, io::Error>((old, written))
    })?;
    old.problems.clear();
    let mut new = Applier::new(options).apply(written, |problems| files.locate(problems));
    new.problems.retain(|problem| Path::new(&*problem.location.source).starts_with(path));
    Ok((old, new))
}

/// The files, not looked at yet.
pub(crate) async fn files(source: &Source, options: Options) -> io::Result<(source::Source, Option<Demo>)> {
    existing(&source.paths)?;
    let mut files = Files::new(&source.paths);
    let demo = if source.demo { Some(Demo::start(&mut files).await?) } else { None };
    Ok((source::Source::new(files, options), demo))
}

async fn read(client: Client, args: &Cluster, translate: Options) -> io::Result<Applied> {
    let mut options = ControllerOptions { translate, ..ControllerOptions::default() };
    options.watch.scope = args.scope();
    cluster::read(client, options).await.map_err(|error| {
        let way_out = match error {
            ReadError::Unreachable(_) => "; name another cluster with --kubeconfig or --context",
            ReadError::Refused(_) => "; use another user, or give it a role to read them",
            _ => "",
        };
        io::Error::other(format!("--kube: {error}{way_out}"))
    })
}

/// What says which cluster is meant, means nothing where none is read.
pub(crate) fn without_cluster(live: &Live) -> io::Result<()> {
    if live.cluster.is_said() {
        let message =
            "--kubeconfig, --context and --namespace say which cluster; write --kube in the place of files";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    Ok(())
}

/// Of other namespaces nothing is read, neither what stands there nor what is referred to, so that there is nothing to compare.
fn all_in(scope: &Scope, written: &Collection) -> io::Result<()> {
    let mut objects = written.resources.iter().map(|object| (object.kind(), object.key()));
    match objects.find(|(kind, key)| kind.is_namespaced() && !scope.contains(&key.namespace)) {
        None => Ok(()),
        Some((kind, key)) => {
            let place = written.location(kind, &key).map(|place| format!("{place}: ")).unwrap_or_default();
            let message = format!(
                "{place}{kind} {key} is outside of the namespaces that are read; name its own with --namespace, too, or leave it out"
            );
            Err(io::Error::new(io::ErrorKind::InvalidInput, message))
        }
    }
}

/// Later a path may vanish and come again; at the start it is a mistake.
fn existing(paths: &[impl AsRef<Path>]) -> io::Result<()> {
    match paths.iter().map(AsRef::as_ref).find(|path| !path.exists()) {
        None => Ok(()),
        Some(path) => {
            let message = format!("{}: there is no such file or folder", path.display());
            Err(io::Error::new(io::ErrorKind::NotFound, message))
        }
    }
}
