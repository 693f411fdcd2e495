//! Reading files or a cluster once, for the commands that do not serve.

use std::io;
use std::path::PathBuf;

use gateway_core::apply::Applied;
use gateway_core::options::Options;
use gateway_examples::cluster::{self, ReadError};
use gateway_examples::demo::Demo;
use gateway_kube::controller::ControllerOptions;
use gateway_tower::source::{self, Files};

use crate::args::{Cluster, Live, Source};
use crate::controller;

/// What the files or the cluster hold now. The backends of the demo live as long as what comes with it.
pub(crate) fn load(source: &Source, live: &Live, options: Options) -> io::Result<(Applied, Option<Demo>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if live.kube {
        return runtime.block_on(read(&live.cluster, options)).map(|update| (update, None));
    }
    if live.cluster.is_said() {
        let message =
            "--kubeconfig, --context and --namespace say which cluster; write --kube in the place of files";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    let (mut files, demo) = runtime.block_on(files(source, options))?;
    Ok((files.read(), demo))
}

/// What these files hold.
pub(crate) fn paths(paths: &[PathBuf], options: Options) -> io::Result<Applied> {
    existing(paths)?;
    Ok(source::Source::new(Files::new(paths), options).read())
}

/// The files, not looked at yet.
pub(crate) async fn files(source: &Source, options: Options) -> io::Result<(source::Source, Option<Demo>)> {
    existing(&source.paths)?;
    let mut files = Files::new(&source.paths);
    let demo = if source.demo { Some(Demo::start(&mut files).await?) } else { None };
    Ok((source::Source::new(files, options), demo))
}

async fn read(args: &Cluster, translate: Options) -> io::Result<Applied> {
    let client = controller::client(args).await?;
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

/// Later a path may vanish and come again; at the start it is a mistake.
fn existing(paths: &[PathBuf]) -> io::Result<()> {
    match paths.iter().find(|path| !path.exists()) {
        None => Ok(()),
        Some(path) => {
            let message = format!("{}: there is no such file or folder", path.display());
            Err(io::Error::new(io::ErrorKind::NotFound, message))
        }
    }
}
