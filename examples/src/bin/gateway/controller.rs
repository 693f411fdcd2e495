//! `gateway controller`

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use gateway_examples::admin::Health;
use gateway_kube::controller::{Controller as Source, Update};
use gateway_kube::kube::config::{KubeConfigOptions, Kubeconfig};
use gateway_kube::kube::{Client, Config};
use gateway_tower::TableHandle;
use gateway_tower::serve::{Server, Sockets};
use tokio::time::sleep;

use crate::args::Controller;
use crate::front::Front;
use crate::serving::{self, print, signal};

pub(crate) fn controller(args: &Controller) -> io::Result<ExitCode> {
    serving::runtime(&args.serving)?.block_on(serve(args))
}

async fn serve(args: &Controller) -> io::Result<ExitCode> {
    let health = Health::starting();
    serving::admin(&args.serving, &health).await?;
    tokio::select! {
        running = Running::start(args, &health) => running?.run(args, &health).await,
        // There is nothing to finish yet.
        result = signal() => result.map(|()| ExitCode::SUCCESS),
    }
}

/// A controller and a server that serves its tables.
struct Running {
    source: Source,
    tables: TableHandle,
    server: Server,
    front: Front,
    told: Told,
}

/// What was said about the cluster: it is said once.
#[derive(Default)]
struct Told(HashSet<String>);

// === impl Running ===

impl Running {
    /// Reads the cluster, and serves what it says.
    async fn start(args: &Controller, health: &Health) -> io::Result<Self> {
        health.not_ready("the cluster has not been read yet");
        let client = client(args.cluster.kubeconfig.as_deref()).await?;
        let mut options = args.options();
        let front = Front::new(args.address_from.as_ref(), &client, &options.translate.addresses).await?;
        options.translate.addresses = front.policy();
        let mut source = Source::new(client, options);
        let first = source.next().await.ok_or_else(ended)?;
        let mut told = Told::default();
        told.update(&first);
        let tables = TableHandle::new((*first.table).clone());
        let server = serving::start(&args.serving, args.addresses(), &tables).await?;
        Ok(Self { source, tables, server, front, told })
    }

    /// Serves until a signal comes, and ends then.
    async fn run(mut self, args: &Controller, health: &Health) -> io::Result<ExitCode> {
        tokio::select! {
            result = self.follow(Some(health)) => return result.map(|()| ExitCode::FAILURE),
            result = signal() => result?,
        }
        health.not_ready("ending");
        print(&format!("not ready any more; sockets close in {:?}\n", args.shutdown_delay));
        tokio::select! {
            result = self.follow(None) => return result.map(|()| ExitCode::FAILURE),
            () = sleep(args.shutdown_delay) => {}
            result = signal() => return result.map(|()| ExitCode::FAILURE),
        }
        let Self { source, server, .. } = self;
        // Another replica may write from now on, and what closes here must not be said in statuses.
        source.stop().await;
        serving::drain(&args.serving, server).await
    }

    /// Follows the cluster, and has its statuses say what could not be bound. Says that all is ready, once it is.
    async fn follow(&mut self, mut health: Option<&Health>) -> io::Result<()> {
        let mut sockets = self.server.sockets();
        loop {
            let now = sockets.borrow_and_update().clone();
            if let Some(starting) = health {
                match missing(&now) {
                    Some(missing) => starting.not_ready(missing),
                    None => {
                        starting.ready();
                        print("ready\n");
                        health = None;
                    }
                }
            }
            self.source.set_unbound(now.unbound());
            tokio::select! {
                update = self.source.next() => {
                    let update = update.ok_or_else(ended)?;
                    self.told.update(&update);
                    self.tables.store((*update.table).clone());
                }
                result = sockets.changed() => result.map_err(|_| ended())?,
                () = self.front.changed() => self.source.set_addresses(self.front.policy()),
            }
        }
    }
}

/// Why it is not ready for the first time, if it is not: there are sockets to bind, and none is. A single one that cannot be
/// bound is said in the status of its Gateway, and must not keep the others from being served.
fn missing(sockets: &Sockets) -> Option<String> {
    let first = sockets.sockets.first()?;
    let is_bound = sockets.sockets.iter().any(|socket| socket.bound.is_ok());
    let error = first.bound.as_ref().err().filter(|_| !is_bound)?;
    Some(format!("{} of Gateway {} is not bound: {error}", first.address, first.gateway))
}

/// It ends with its runtime, or was ended by a panic that has been reported.
fn ended() -> io::Error {
    io::Error::other("the controller has ended")
}

/// A client for a cluster: the one that a file names, or the one that the surroundings do.
pub(crate) async fn client(kubeconfig: Option<&Path>) -> io::Result<Client> {
    let failed = |error: String| match kubeconfig {
        Some(path) => io::Error::other(format!("--kubeconfig {}: {error}", path.display())),
        None => io::Error::other(format!("there is no cluster: {error}; name a file with --kubeconfig")),
    };
    let config = match kubeconfig {
        Some(path) => {
            let file = Kubeconfig::read_from(path).map_err(|error| failed(error.to_string()))?;
            let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
            config.map_err(|error| failed(error.to_string()))?
        }
        None => Config::infer().await.map_err(|error| failed(error.to_string()))?,
    };
    Client::try_from(config).map_err(|error| failed(error.to_string()))
}

// === impl Told ===

impl Told {
    /// Says what is new about what could not be read, and what users should know.
    fn update(&mut self, update: &Update) {
        let left_out = update.left_out.iter().map(ToString::to_string);
        let now: HashSet<String> =
            left_out.chain(update.diagnostics.iter().map(ToString::to_string)).collect();
        for line in now.difference(&self.0) {
            print(&format!("{line}\n"));
        }
        self.0 = now;
    }
}
