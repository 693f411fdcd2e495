//! `gateway run`

use std::io;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::process::ExitCode;
use std::thread;

use gateway_examples::admin::Health;
use gateway_examples::table_view;
use gateway_tower::serve::Sockets;
use gateway_tower::source::{Followed, Follower, StatusFile};
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
    let follower = blocking(|| Follower::new(source)).await?;
    let tables = follower.tables().clone();
    let addresses = args.serving.addresses(Ipv4Addr::LOCALHOST.into());
    let metrics = serving::metrics(&tables, &health);
    let mut exporting = Exporting::new(args.serving.otlp(), &tables)?;
    let serves =
        serving::start(&args.serving, addresses, &tables, &metrics, &mut exporting, None, None).await?;
    let mut follower = follower.sockets(serves.gateways.sockets()).metrics(&metrics);
    if let Some(path) = &args.write_status {
        follower = follower.status_file(StatusFile::new(path, args.options().controller_name));
    }
    let following = blocking(|| follower.begin()).await?.map_err(|error| {
        // Nothing else fails there.
        io::Error::new(error.kind(), format!("--write-status: {error}"))
    })?;

    let (latest, waker) = (following.latest(), following.waker());
    let (sockets, names) = (serves.gateways.sockets(), serves.names(&tables));
    let overview = move || {
        let (latest, sockets) = (latest.borrow().clone(), sockets.borrow().clone());
        table_view::overview(&latest, |place| bound(&sockets, place))
    };
    print(&overview());
    health.set_status(move || overview() + &names());
    thread::Builder::new()
        .name("files".to_owned())
        .spawn(move || following.run(|followed| print(&changed(followed))))?;
    let (sockets, looked_up) = (serves.gateways.sockets(), serves.looked_up());
    tokio::spawn(report(health.clone(), sockets, looked_up, serves.mesh.is_some()));

    signal().await?;
    health.not_ready("ending");
    waker.stop();
    serving::drain(&args.serving, serves, exporting).await
}

/// What a change came to, in a few lines: the objects, and the problems that were not there before.
fn changed(followed: &Followed) -> String {
    let mut text = table_view::changes(&followed.now.changes);
    if let Some(error) = &followed.unwritten {
        text.push_str(&format!("--write-status: {error}\n"));
    }
    let new: Vec<_> = followed.new_problems().cloned().collect();
    text.push_str(&table_view::problems(&new));
    if text.is_empty() && !followed.files.is_empty() {
        let files: Vec<_> = followed.files.iter().map(ToString::to_string).collect();
        text = format!("{}; nothing in it changed\n", files.join(", "));
    }
    text
}

/// Tells the admin port whether everything is served.
async fn report(
    health: Health,
    mut sockets: watch::Receiver<Sockets>,
    looked_up: impl Future<Output = ()>,
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
            changed = sockets.changed() => if changed.is_err() {
                // The server has ended, and so will this program.
                return;
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
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)
}
