//! `gateway run`

use std::collections::HashSet;
use std::io;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Instant, SystemTime};

use gateway_core::apply::Applied;
use gateway_core::manifest::ManifestProblem;
use gateway_examples::admin::Health;
use gateway_examples::table_view;
use gateway_tower::TableHandle;
use gateway_tower::metrics::Metrics;
use gateway_tower::serve::Sockets;
use gateway_tower::source::{FileChange, QUIET_WHILE_WRITING, Source, StatusFile, Wake, Waker, Watch};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::args::Run;
use crate::load;
use crate::serving::{self, NAMES_AWAITED, bound, print, signal};
use crate::traces::Exporting;

pub(crate) fn run(args: &Run) -> io::Result<ExitCode> {
    let runtime = serving::runtime(&args.serving)?;
    let ended = runtime.block_on(serve(args));
    // A look-up that hangs, of a name that a tenant has written, does not keep the program from ending.
    runtime.shutdown_background();
    ended
}

async fn serve(args: &Run) -> io::Result<ExitCode> {
    let health = Health::starting();
    serving::admin(&args.serving, &health).await?;

    // The demo's backends live until the end of this function.
    let (source, _demo) = load::files(&args.source, args.options()).await?;
    let (source, mut update) = blocking(source, Source::read).await?;
    let tables = TableHandle::new(std::mem::take(&mut update.table));
    let addresses = args.serving.addresses(Ipv4Addr::LOCALHOST.into());
    let metrics = serving::metrics(&tables, &health);
    let mut exporting = Exporting::new(args.serving.otlp(), &tables)?;
    let serves =
        serving::start(&args.serving, addresses, &tables, &metrics, &mut exporting, None, None).await?;
    let server = &serves.gateways;
    let sockets = server.sockets().borrow().clone();
    let unbound = sockets.unbound();
    let (mut source, heard) = blocking(source, |source| source.set_unbound(unbound)).await?;
    update = heard.unwrap_or(update);
    let controller_name = args.options().controller_name;
    let mut statuses = args.write_status.clone().map(|path| StatusFile::new(path, controller_name));
    if let Some(statuses) = &mut statuses {
        write(statuses, &update)?;
    }
    print(&table_view::overview(&update, |place| bound(&sockets, place)));

    let watch = Watch::new(source.files().roots());
    let waker = watch.waker();
    let latest = Latest(Arc::new(Mutex::new(Arc::new(update))));
    let (of_latest, sockets, names) = (latest.clone(), server.sockets(), serves.names(&tables));
    health.set_status(move || {
        let sockets = sockets.borrow().clone();
        table_view::overview(&of_latest.load(), |place| bound(&sockets, place)) + &names()
    });
    let served = Served { tables, sockets: server.sockets(), metrics, runtime: Handle::current() };
    thread::Builder::new()
        .name("files".to_owned())
        .spawn(move || follow(&mut source, watch, &served, &latest, statuses))?;
    let (sockets, looked_up) = (server.sockets(), serves.looked_up());
    tokio::spawn(report(health.clone(), sockets, looked_up, waker.clone(), serves.mesh.is_some()));

    signal().await?;
    health.not_ready("ending");
    waker.stop();
    serving::drain(&args.serving, serves, exporting).await
}

/// Writes the statuses into the file.
fn write(statuses: &mut StatusFile, update: &Applied) -> io::Result<()> {
    let written = statuses.write(&update.resources, &update.statuses, &SystemTime::now().into());
    written.map_err(|error| io::Error::new(error.kind(), format!("--write-status: {error}")))
}

/// What is served, for a thread outside of the runtime.
struct Served {
    tables: TableHandle,
    sockets: watch::Receiver<Sockets>,
    metrics: Metrics,
    runtime: Handle,
}

impl Served {
    /// Puts the table of an update into use, and waits until its sockets are bound or are known not to be. The change was
    /// noticed at `since`.
    fn serve(&self, update: &mut Applied, since: Instant) {
        let generation = self.tables.store(std::mem::take(&mut update.table));
        let mut sockets = self.sockets.clone();
        // Fails when the server has ended, and so will this program.
        let _ = self.runtime.block_on(sockets.wait_for(|sockets| sockets.generation >= generation));
        self.metrics.served(since);
    }
}

/// The update that is in use. Clones are the same place.
#[derive(Clone)]
struct Latest(Arc<Mutex<Arc<Applied>>>);

impl Latest {
    fn load(&self) -> Arc<Applied> {
        // It is replaced as a whole, so a thread that panicked with the lock left a whole one behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn store(&self, update: Applied) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(update);
    }
}

/// Looks at the files whenever they change, and puts new tables into use; looks at the sockets too, and writes statuses
/// once what they say is true. Ends when it is told to.
fn follow(
    source: &mut Source,
    mut watch: Watch,
    served: &Served,
    latest: &Latest,
    mut statuses: Option<StatusFile>,
) {
    loop {
        let wake = watch.wait();
        let since = watch.noticed();
        if wake == Wake::Stop {
            return;
        }
        if source.files().just_emptied() {
            // Perhaps only for a moment, by a program that is about to write it.
            thread::sleep(QUIET_WHILE_WRITING);
        }
        let mut update = source.update();
        if let Some(update) = update.as_mut().filter(|update| !update.changes.is_empty()) {
            served.serve(update, since);
        }
        let unbound = served.sockets.borrow().unbound();
        if let Some(heard) = source.set_unbound(unbound) {
            update = Some(heard.after(update));
        }
        let Some(update) = update else { continue };
        if let Some(statuses) = &mut statuses
            && let Err(error) = write(statuses, &update)
        {
            print(&format!("{error}\n"));
        }
        if wake == Wake::Poll {
            // The watch did not tell of this change: a folder that was watched is perhaps another one now.
            watch.renew();
        }
        print(&changed(&update, source.changed_files(), &latest.load().problems));
        latest.store(update);
    }
}

/// What a change came to, in a few lines: the objects, and the problems that were not there before.
fn changed(update: &Applied, files: &[FileChange], known: &[ManifestProblem]) -> String {
    let mut text = table_view::changes(&update.changes);
    let known: HashSet<String> = known.iter().map(ToString::to_string).collect();
    let is_new = |problem: &&ManifestProblem| !known.contains(&problem.to_string());
    let new: Vec<_> = update.problems.iter().filter(is_new).cloned().collect();
    text.push_str(&table_view::problems(&new));
    if text.is_empty() && !files.is_empty() {
        let files: Vec<_> = files.iter().map(ToString::to_string).collect();
        text = format!("{}; nothing in it changed\n", files.join(", "));
    }
    text
}

/// Tells the admin port whether everything is served, and has statuses say so.
async fn report(
    health: Health,
    mut sockets: watch::Receiver<Sockets>,
    looked_up: impl Future<Output = ()>,
    waker: Waker,
    in_mesh: bool,
) {
    let mut looked_up = pin!(looked_up);
    let mut is_looked_up = false;
    loop {
        let missing = missing(&sockets.borrow_and_update(), in_mesh);
        match missing.or_else(|| (!is_looked_up).then(|| NAMES_AWAITED.to_owned())) {
            None => health.ready(),
            Some(missing) => health.not_ready(missing),
        }
        tokio::select! {
            changed = sockets.changed() => match changed {
                Ok(()) => waker.wake(),
                // The server has ended, and so will this program.
                Err(_) => return,
            },
            () = &mut looked_up, if !is_looked_up => is_looked_up = true,
        }
    }
}

/// Why not everything is served, if it is not: the author of the files is there to read it. A mesh needs no listener.
fn missing(sockets: &Sockets, in_mesh: bool) -> Option<String> {
    if sockets.sockets.is_empty() && !in_mesh {
        return Some("no listener is served".to_owned());
    }
    serving::unbound(sockets).or_else(|| sockets.certificates.first().map(ToString::to_string))
}

/// Does something with the files in a thread for such work.
async fn blocking<T: Send + 'static>(
    mut source: Source,
    work: impl FnOnce(&mut Source) -> T + Send + 'static,
) -> io::Result<(Source, T)> {
    let done = tokio::task::spawn_blocking(move || {
        let result = work(&mut source);
        (source, result)
    });
    done.await.map_err(io::Error::other)
}
