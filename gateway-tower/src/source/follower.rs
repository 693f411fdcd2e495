//! Files followed: every change is in use, and what is said of it true, before it is told.

use std::sync::Arc;
use std::time::{Instant, SystemTime};
use std::{io, thread};

use gateway_core::apply::Applied;
use gateway_core::table::Unbound;
#[cfg(feature = "server")]
use tokio::runtime::Handle;
use tokio::sync::watch as channel;

use super::followed::Followed;
use super::source::Source;
use super::status_file::StatusFile;
use super::watch::{QUIET_WHILE_WRITING, Wake, Waker, Watch};
use crate::handle::TableHandle;
#[cfg(feature = "metrics")]
use crate::metrics::Metrics;
#[cfg(feature = "server")]
use crate::serve::Sockets;

/// Follows the files of a [`Source`], for a gateway that serves what they hold.
///
/// A change that is noticed goes through these steps, one after the other: files are read, the table is put into use, its sockets are
/// bound, or are known not to be, what could not be bound becomes a problem and a status, the statuses are written into their file, and
/// the change is told. Sockets that are bound later, or no longer, go the same way without a new table.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("shop.yaml");
/// use std::sync::mpsc;
/// use std::{fs, thread};
///
/// use gateway_core::options::Options;
/// use gateway_tower::source::{Files, Follower, Source};
///
/// let service = "{apiVersion: v1, kind: Service, metadata: {name: shop}, spec: {ports: [{port: 80}]}}";
/// fs::write(&path, service)?;
/// let follower = Follower::new(Source::new(Files::new([&path]), Options::standalone()));
/// // A gateway and a server are made of `follower.tables()`; `.sockets(server.sockets())` has their troubles told.
/// let following = follower.begin()?;
/// let (latest, waker) = (following.latest(), following.waker());
/// let (tell, told) = mpsc::channel();
/// let thread = thread::spawn(move || following.run(|followed| tell.send(followed.to_string()).expect("it is awaited")));
///
/// fs::write(&path, service.replace("port: 80", "port: 80000"))?;
/// let said = told.recv()?;
/// assert!(said.contains("shop.yaml:1:79: error: Service default/shop: spec.ports[0].port: is 80000"), "{said}");
/// assert_eq!(latest.borrow().resources.services.len(), 1, "the last good version stays");
/// waker.stop();
/// thread.join().expect("it ends");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Follower {
    source: Source,
    watch: Watch,
    tables: TableHandle,
    first: Applied,
    statuses: Option<StatusFile>,
    #[cfg(feature = "server")]
    served: Option<Served>,
    #[cfg(feature = "metrics")]
    metrics: Option<Metrics>,
}

/// Files that are followed from now on.
#[derive(Debug)]
pub struct Following {
    follower: Follower,
    latest: channel::Sender<Arc<Applied>>,
}

/// The sockets of a server, for a thread outside of its runtime.
#[cfg(feature = "server")]
#[derive(Debug)]
struct Served {
    sockets: channel::Receiver<Sockets>,
    runtime: Handle,
}

// === impl Follower ===

impl Follower {
    /// Reads the files for the first time, which blocks, and puts their table into a place of its own.
    pub fn new(mut source: Source) -> Self {
        // What changes while they are read is noticed, too.
        let watch = Watch::new(source.files().roots());
        let first = source.read();
        let tables = TableHandle::new(first.table.clone());
        Self {
            source,
            watch,
            tables,
            first,
            statuses: None,
            #[cfg(feature = "server")]
            served: None,
            #[cfg(feature = "metrics")]
            metrics: None,
        }
    }

    /// The place of the tables, which a gateway and a server are made of.
    pub fn tables(&self) -> &TableHandle {
        &self.tables
    }

    /// Has problems and statuses say which of these sockets are not bound, and each change told when its sockets are, or are known not to
    /// be. They are the [sockets of the server](crate::serve::Server::sockets) that was started with [`tables`](Self::tables).
    ///
    /// # Panics
    /// Outside of the runtime of the server.
    #[cfg(feature = "server")]
    pub fn sockets(mut self, sockets: channel::Receiver<Sockets>) -> Self {
        let (mut changes, waker, runtime) = (sockets.clone(), self.watch.waker(), Handle::current());
        runtime.spawn(async move {
            // It ends with the server.
            while changes.changed().await.is_ok() {
                waker.wake();
            }
        });
        self.served = Some(Served { sockets, runtime });
        self
    }

    /// Keeps the statuses in this file.
    pub fn status_file(self, statuses: StatusFile) -> Self {
        Self { statuses: Some(statuses), ..self }
    }

    /// Counts [how long](Metrics::served) each change takes from when it was noticed until it is served.
    #[cfg(feature = "metrics")]
    pub fn metrics(self, metrics: &Metrics) -> Self {
        Self { metrics: Some(metrics.clone()), ..self }
    }

    /// Has problems and statuses say what is not bound by now, and writes the statuses for the first time.
    ///
    /// # Errors
    /// When the file of the statuses cannot be written.
    pub fn begin(mut self) -> io::Result<Following> {
        let mut first = std::mem::take(&mut self.first);
        if let Some(heard) = self.source.set_unbound(self.unbound()) {
            first = heard.after(Some(first));
        }
        self.write_statuses(&first)?;
        Ok(Following { follower: self, latest: channel::Sender::new(Arc::new(first)) })
    }

    fn unbound(&self) -> Vec<Unbound> {
        #[cfg(feature = "server")]
        if let Some(served) = &self.served {
            return served.sockets.borrow().unbound();
        }
        Vec::new()
    }

    fn write_statuses(&mut self, applied: &Applied) -> io::Result<()> {
        let Some(statuses) = &mut self.statuses else { return Ok(()) };
        statuses.write(&applied.resources, &applied.statuses, &SystemTime::now().into())
    }

    /// Puts the table into use, and waits until its sockets are bound or are known not to be. The change was noticed at `since`.
    #[cfg_attr(
        not(all(feature = "server", feature = "metrics")),
        allow(unused_variables, reason = "without sockets and metrics there is less to do")
    )]
    fn serve(&mut self, applied: &Applied, since: Instant) {
        let generation = self.tables.store(applied.table.clone());
        #[cfg(feature = "server")]
        if let Some(Served { sockets, runtime }) = &mut self.served {
            // Fails when the server has ended, and then nothing is to be waited for.
            let _ = runtime.block_on(sockets.wait_for(|sockets| sockets.generation >= generation));
        }
        #[cfg(feature = "metrics")]
        if let Some(metrics) = &self.metrics {
            metrics.served(since);
        }
    }

    /// Looks at files and sockets, and puts what is new into use.
    fn look(&mut self, since: Instant) -> Option<Applied> {
        if self.source.files().just_emptied() {
            // Perhaps only for a moment, by a program that is about to write it.
            thread::sleep(QUIET_WHILE_WRITING);
        }
        let applied = self.source.update();
        if let Some(applied) = applied.as_ref().filter(|applied| !applied.changes.is_empty()) {
            self.serve(applied, since);
        }
        match self.source.set_unbound(self.unbound()) {
            Some(heard) => Some(heard.after(applied)),
            None => applied,
        }
    }
}

// === impl Following ===

impl Following {
    /// What the files amount to, as it was told last. Receivers are woken when it changes.
    pub fn latest(&self) -> channel::Receiver<Arc<Applied>> {
        self.latest.subscribe()
    }

    /// What ends it, and has it look at the files at once.
    pub fn waker(&self) -> Waker {
        self.follower.watch.waker()
    }

    /// Follows the files until its [waker](Self::waker) stops it, and tells of each change. Blocks: it takes a thread of its own.
    pub fn run(mut self, mut tell: impl FnMut(&Followed)) {
        let follower = &mut self.follower;
        loop {
            let wake = follower.watch.wait();
            if wake == Wake::Stop {
                return;
            }
            let Some(applied) = follower.look(follower.watch.noticed()) else { continue };
            let unwritten = follower.write_statuses(&applied).err();
            if wake == Wake::Poll {
                // The system told nothing of this change: a folder that was watched is perhaps another one now.
                follower.watch.renew();
            }
            let files = follower.source.changed_files().to_vec();
            let now = Arc::new(applied);
            let before = self.latest.send_replace(now.clone());
            tell(&Followed { now, before, files, unwritten });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs;
    use std::path::Path;
    use std::sync::mpsc;
    use std::time::Duration;

    use gateway_core::options::Options;
    use tempfile::tempdir;

    use crate::source::Files;

    const GATEWAY: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web}
spec: {gatewayClassName: any, listeners: [{name: http, port: 80, protocol: HTTP}]}
";

    /// How long anything may take before a test gives up.
    const PATIENCE: Duration = Duration::from_secs(30);

    fn write(path: &Path, text: &str) {
        let new = path.with_extension("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, path).unwrap();
    }

    fn follower(folder: &Path) -> Follower {
        Follower::new(Source::new(Files::new([folder]), Options::standalone()))
    }

    #[test]
    fn a_change_is_in_use_and_its_statuses_are_written_before_it_is_told() {
        let folder = tempdir().unwrap();
        let (manifests, statuses) = (folder.path().join("manifests"), folder.path().join("status.json"));
        fs::create_dir(&manifests).unwrap();
        write(&manifests.join("web.yaml"), GATEWAY);
        let follower = follower(&manifests);
        let tables = follower.tables().clone();
        let following =
            follower.status_file(StatusFile::new(&statuses, "example.com/gateway")).begin().unwrap();
        let ports = |tables: &TableHandle| -> Vec<u16> {
            tables.load().frontends().map(|(_, frontend)| frontend.port()).collect()
        };
        assert_eq!(ports(&tables), [80]);
        assert!(fs::read_to_string(&statuses).unwrap().contains("\"Accepted\""));

        let (latest, waker) = (following.latest(), following.waker());
        assert_eq!(latest.borrow().resources.gateways.len(), 1);
        let (tell, told) = mpsc::channel();
        let thread = thread::spawn(move || {
            following.run(|followed| {
                let written = fs::read_to_string(&statuses).unwrap();
                let names = [written.contains("\"web\""), written.contains("\"other\"")];
                tell.send((followed.to_string(), ports(&tables), names)).unwrap();
            });
        });
        write(&manifests.join("other.yaml"), &GATEWAY.replace("web", "other").replace("80", "81"));
        let expected = ("added Gateway default/other\n".to_owned(), vec![81, 80], [true, true]);
        let (said, mut ports, names) = told.recv_timeout(PATIENCE).unwrap();
        ports.sort_by_key(|port| std::cmp::Reverse(*port));
        assert_eq!((said, ports, names), expected);
        assert_eq!(latest.borrow().resources.gateways.len(), 2);
        waker.stop();
        thread.join().unwrap();
        assert!(latest.has_changed().is_err(), "nothing follows the files any more");
    }

    #[test]
    fn statuses_that_cannot_be_written_are_an_error_at_first_and_told_later() {
        let (folder, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
        write(&folder.path().join("web.yaml"), GATEWAY);
        let statuses = elsewhere.path().join("statuses");
        let file = || StatusFile::new(statuses.join("status.json"), "example.com/gateway");
        assert!(follower(folder.path()).status_file(file()).begin().is_err());

        fs::create_dir(&statuses).unwrap();
        let following = follower(folder.path()).status_file(file()).begin().unwrap();
        fs::remove_dir_all(&statuses).unwrap();
        let waker = following.waker();
        let (tell, told) = mpsc::channel();
        let thread =
            thread::spawn(move || following.run(|followed| tell.send(followed.to_string()).unwrap()));
        write(&folder.path().join("web.yaml"), &GATEWAY.replace("80", "81"));
        let said = told.recv_timeout(PATIENCE).unwrap();
        assert!(said.starts_with("changed Gateway default/web\nstatuses are not written: "), "{said}");
        waker.stop();
        thread.join().unwrap();
    }

    #[cfg(feature = "server")]
    #[test]
    fn a_change_is_told_when_its_sockets_are_bound_or_known_not_to_be() {
        use std::net::Ipv4Addr;

        use gateway_core::name::ObjectName;
        use gateway_core::table::{RouteTable, Transport, UnboundCause};

        use crate::serve::{BindError, Socket};

        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let _within = runtime.enter();
        let folder = tempdir().unwrap();
        let path = folder.path().join("web.yaml");
        write(&path, GATEWAY);
        let sockets = |generation, port: u16, bound| Sockets {
            generation,
            sockets: vec![Socket {
                gateway: ObjectName::new("default", "web"),
                transport: Transport::Tcp,
                port,
                address: (Ipv4Addr::LOCALHOST, port).into(),
                bound,
            }],
            certificates: Vec::new(),
        };
        let taken =
            || Err(BindError { cause: UnboundCause::Port, message: "the port is another's".to_owned() });
        let (bind, bound) = channel::channel(sockets(1, 80, taken()));
        let follower = follower(folder.path()).sockets(bound);
        let tables = follower.tables().clone();
        let following = follower.begin().unwrap();
        let problems: Vec<_> = following.latest().borrow().problems.iter().map(ToString::to_string).collect();
        assert!(problems.len() == 1 && problems[0].contains("the port is another's"), "{problems:?}");

        let (waker, latest) = (following.waker(), following.latest());
        let (tell, told) = mpsc::channel();
        let thread =
            thread::spawn(move || following.run(|followed| tell.send(followed.to_string()).unwrap()));
        bind.send_replace(sockets(1, 80, Ok((Ipv4Addr::LOCALHOST, 80).into())));
        assert_eq!(
            told.recv_timeout(PATIENCE).unwrap(),
            "",
            "nothing is wrong any more, and no file changed"
        );
        assert!(latest.borrow().problems.is_empty());

        write(&path, &GATEWAY.replace("80", "81"));
        // The table is in use before its sockets can be.
        let mut tables = tables.subscribe();
        let has_port = |table: &Arc<RouteTable>| table.frontends().any(|(_, frontend)| frontend.port() == 81);
        let generation = runtime.block_on(tables.wait_for(has_port)).unwrap().generation();
        bind.send_replace(sockets(generation, 81, taken()));
        let said = told.recv_timeout(PATIENCE).unwrap();
        assert!(said.starts_with("changed Gateway default/web\n"), "{said}");
        assert!(said.contains("the port is another's"), "{said}");
        waker.stop();
        thread.join().unwrap();
    }
}
