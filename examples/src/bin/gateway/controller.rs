//! `gateway controller`

use std::collections::HashSet;
use std::io;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use gateway_core::options::Options;
use gateway_core::rule::SessionKey;
use gateway_examples::admin::Health;
use gateway_examples::{cluster, table_view};
use gateway_kube::controller::{Controller as Source, Update, Updates, Viewer};
use gateway_kube::kube::config::{KubeConfigOptions, Kubeconfig};
use gateway_kube::kube::{Client, Config};
use gateway_kube::workloads::WorkloadWatch;
use gateway_tower::TableHandle;
use gateway_tower::metrics::Metrics;
use gateway_tower::metrics::prometheus_client::registry::Registry;
use gateway_tower::serve::Sockets;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::args::{Cluster, Controller};
use crate::front::Front;
use crate::serving::{self, NAMES_AWAITED, Serves, print, signal};
use crate::traces::Exporting;

/// How long a connection to an API server may say nothing when something was asked. A watch that runs is ended by the server before that,
/// after 290 s; one whose start is never answered would wait for ever.
const LONGEST_SILENCE: Duration = Duration::from_secs(300);

pub(crate) fn controller(args: &Controller) -> io::Result<ExitCode> {
    let runtime = serving::runtime(&args.serving)?;
    let ended = runtime.block_on(serve(args));
    // A look-up that hangs, of a name that a tenant has written, does not keep the program from ending.
    runtime.shutdown_background();
    ended
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
    updates: Updates,
    tables: TableHandle,
    serves: Serves,
    /// The number of the last table, and its update until its sockets are bound or known not to be.
    applying: Option<(u64, Update)>,
    front: Front,
    /// Followed for as long as it is kept.
    _workloads: Option<WorkloadWatch>,
    told: Told,
    metrics: Metrics,
    exporting: Exporting,
}

/// What was said about the cluster: it is said once.
#[derive(Default)]
struct Told(HashSet<String>);

// === impl Running ===

impl Running {
    /// Reads the cluster, and serves what it says.
    async fn start(args: &Controller, health: &Health) -> io::Result<Self> {
        health.not_ready("the cluster has not been read yet");
        let client = client(&args.cluster).await?;
        let mut options = args.options();
        let mut registry = Registry::default();
        options.observer = Some(Arc::new(gateway_kube::metrics::Metrics::new(&mut registry)));
        health.add_metrics(registry);
        let front = Front::new(args.address_from.as_ref(), &client, &options.translate.addresses).await?;
        options.translate.addresses = front.policy();
        let translate = options.translate.clone();
        let workloads = args.workloads(&client);
        let (source, mut updates) = Source::new(client, options);
        let first = updates.next().await.ok_or_else(ended)?;
        let mut told = Told::default();
        told.update(&first);
        let tables = TableHandle::new((*first.table).clone());
        let metrics = serving::metrics(&tables, health);
        let mut exporting = Exporting::new(args.serving.otlp(), &tables)?;
        let clients = workloads.as_ref().map(WorkloadWatch::workloads);
        let serving = &args.serving;
        let serves = serving::start(
            serving,
            args.addresses(),
            &tables,
            &metrics,
            &mut exporting,
            clients,
            Some(SessionKey::BY_UID),
        )
        .await?;
        first.applied(serves.gateways.sockets().borrow().unbound());
        show_status(health, source.viewer(), serves.gateways.sockets(), serves.names(&tables), translate);
        let _workloads = workloads;
        Ok(Self {
            source,
            updates,
            tables,
            serves,
            applying: None,
            front,
            _workloads,
            told,
            metrics,
            exporting,
        })
    }

    /// Serves until a signal comes, and ends then.
    async fn run(mut self, args: &Controller, health: &Health) -> io::Result<ExitCode> {
        tokio::select! {
            result = self.follow(Some(health)) => return result.map(|()| ExitCode::FAILURE),
            result = signal() => result?,
        }
        health.not_ready("ending");
        self.serves.wind_down();
        print(&format!("not ready any more; sockets close in {:?}\n", args.shutdown_delay));
        tokio::select! {
            result = self.follow(None) => return result.map(|()| ExitCode::FAILURE),
            () = sleep(args.shutdown_delay) => {}
            result = signal() => return result.map(|()| ExitCode::FAILURE),
        }
        let Self { source, serves, exporting, .. } = self;
        // Another replica may write from now on, and what closes here must not be said in statuses.
        source.stop().await;
        serving::drain(&args.serving, serves, exporting).await
    }

    /// Follows the cluster, and has its statuses say what could not be bound, once it is known of a table. Says that all is
    /// ready, once it is.
    async fn follow(&mut self, mut health: Option<&Health>) -> io::Result<()> {
        let mut sockets = self.serves.gateways.sockets();
        let mut looked_up = pin!(self.serves.looked_up());
        let mut is_looked_up = false;
        loop {
            let now = sockets.borrow_and_update().clone();
            if let Some(starting) = health {
                match missing(&now).or_else(|| (!is_looked_up).then(|| NAMES_AWAITED.to_owned())) {
                    Some(missing) => starting.not_ready(missing),
                    None => {
                        starting.ready();
                        print("ready\n");
                        health = None;
                    }
                }
            }
            match self.applying.take_if(|(generation, _)| now.generation >= *generation) {
                Some((_, update)) => {
                    self.metrics.served(update.since.into_std());
                    update.applied(now.unbound());
                }
                None => self.source.set_unbound(now.unbound()),
            }
            tokio::select! {
                update = self.updates.next() => {
                    let update = update.ok_or_else(ended)?;
                    self.told.update(&update);
                    self.applying = Some((self.tables.store((*update.table).clone()), update));
                }
                result = sockets.changed() => result.map_err(|_| ended())?,
                () = &mut looked_up, if !is_looked_up => is_looked_up = true,
                () = self.front.changed() => self.source.set_addresses(self.front.policy()),
            }
        }
    }
}

/// Has the admin port tell how everything stands.
fn show_status(
    health: &Health,
    viewer: Viewer,
    sockets: watch::Receiver<Sockets>,
    names: impl Fn() -> String + Send + Sync + 'static,
    options: Options,
) {
    let runtime = Handle::current();
    health.set_status(move || {
        // Called in a thread where waiting is allowed.
        let Some(view) = runtime.block_on(viewer.view()) else {
            return "the controller has ended\n".to_owned();
        };
        let fingerprint = table_view::fingerprint(&view.table, &view.statuses);
        let (update, sockets) = (cluster::update(view, &options), sockets.borrow().clone());
        let overview = table_view::overview(&update, |place| serving::bound(&sockets, place));
        format!("{overview}{}\n{fingerprint}", names())
    });
}

/// Why it is not ready for the first time, if it is not: there are sockets to bind, and none is. A single one that cannot be
/// bound is said in the status of its Gateway, and must not keep the others from being served.
fn missing(sockets: &Sockets) -> Option<String> {
    let is_bound = sockets.sockets.iter().any(|socket| socket.bound.is_ok());
    serving::unbound(sockets).filter(|_| !is_bound)
}

/// It ends with its runtime, or was ended by a panic that has been reported.
fn ended() -> io::Error {
    io::Error::other("the controller has ended")
}

/// A client for a cluster: the one that a file names, or the one that the surroundings do.
pub(crate) async fn client(cluster: &Cluster) -> io::Result<Client> {
    let Cluster { kubeconfig, context, .. } = cluster;
    let failed = |error: String| match (kubeconfig, context) {
        (Some(path), _) => io::Error::other(format!("--kubeconfig {}: {error}", path.display())),
        (None, Some(context)) => io::Error::other(format!("--context {context}: {error}")),
        (None, None) => {
            io::Error::other(format!("there is no cluster: {error}; name a file with --kubeconfig"))
        }
    };
    let options = KubeConfigOptions { context: context.clone(), ..KubeConfigOptions::default() };
    let mut config = match (kubeconfig, context) {
        (Some(path), _) => {
            let file = Kubeconfig::read_from(path).map_err(|error| failed(error.to_string()))?;
            let config = Config::from_custom_kubeconfig(file, &options).await;
            config.map_err(|error| failed(error.to_string()))?
        }
        // The account of a pod has no contexts.
        (None, Some(_)) => {
            Config::from_kubeconfig(&options).await.map_err(|error| failed(error.to_string()))?
        }
        (None, None) => Config::infer().await.map_err(|error| failed(error.to_string()))?,
    };
    config.read_timeout = Some(LONGEST_SILENCE);
    config.reset_reader_on_write = true;
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
