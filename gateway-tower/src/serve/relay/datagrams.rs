//! The socket of a port for datagrams: flows begin with what clients send, and with nothing else.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{self, Duration};

use gateway_core::name::ObjectName;
use gateway_core::rule::{BackendTarget, Endpoint, RuleName};
use gateway_core::table::{FrontendId, FrontendOwner, MatchedStream, NoStream, RouteTable, Transport};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{AbortHandle, yield_now};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::endpoint;
use super::flow::{AT_ONCE, Flow, Progress, with_buffer};
use super::flows::{Flows, NoRoom};
use crate::body::BoxError;
use crate::connect;
use crate::drain::Connections;
use crate::handle::TableHandle;
use crate::outcome::StreamEnd;
use crate::serve::stream_options::DatagramOptions;
use crate::serve::stream_record::{StreamObservers, StreamRecord};

/// How often flows are looked at for having been quiet too long.
const SWEEP: Duration = Duration::from_secs(1);

/// Passes on the datagrams of one socket.
#[derive(Clone, Debug)]
pub(in crate::serve) struct Datagrams {
    pub(in crate::serve) gateway: ObjectName,
    pub(in crate::serve) port: u16,
    pub(in crate::serve) tables: TableHandle,
    pub(in crate::serve) options: DatagramOptions,
    /// For the flows of all sockets.
    pub(in crate::serve) room: Arc<Semaphore>,
    /// Who is told of flows.
    pub(in crate::serve) observers: StreamObservers,
}

/// The task of a socket.
struct Serving {
    datagrams: Datagrams,
    socket: Arc<UdpSocket>,
    connections: Connections,
    in_all: Arc<Semaphore>,
    tables: watch::Receiver<Arc<RouteTable>>,
    table: Arc<RouteTable>,
    flows: Flows<Entry>,
    /// When it was said last that a datagram was dropped.
    told: Option<Instant>,
}

/// A flow as the task of the socket knows it. Dropping it ends it.
#[derive(Debug)]
struct Entry {
    flow: Arc<Flow>,
    /// Nothing once the flow is left to itself.
    task: Option<AbortHandle>,
    rule: RuleName,
    endpoint: SocketAddr,
    /// The table that it was looked up in last.
    generation: u64,
    /// How many datagrams there were when it was looked at, and when that was another number last.
    seen: (u32, Instant),
    _room: OwnedSemaphorePermit,
}

/// Binds a socket for datagrams.
///
/// # Errors
/// When the address cannot be bound.
pub(in crate::serve) fn bind_datagrams(address: SocketAddr, reuse_port: bool) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if reuse_port {
        socket.set_reuse_port(true)?;
    }
    if address.is_ipv6() {
        // So that the IPv4 address beside it can be bound too.
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

// === impl Datagrams ===

impl Datagrams {
    /// Serves the socket until it is aborted. Flows are counted among the connections.
    pub(in crate::serve) async fn serve(
        self,
        socket: UdpSocket,
        connections: Connections,
        in_all: Arc<Semaphore>,
    ) {
        self.serving(Arc::new(socket), connections, in_all).run().await;
    }

    fn serving(self, socket: Arc<UdpSocket>, connections: Connections, in_all: Arc<Semaphore>) -> Serving {
        let mut tables = self.tables.subscribe();
        let table = Arc::clone(&tables.borrow_and_update());
        let flows = Flows::new(self.options);
        Serving { datagrams: self, socket, connections, in_all, tables, table, flows, told: None }
    }
}

// === impl Serving ===

impl Serving {
    async fn run(mut self) {
        let mut sweep = interval(SWEEP);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                ready = self.socket.readable() => match ready {
                    Ok(()) => if self.receive() == Progress::More {
                        yield_now().await;
                    },
                    // The socket is broken for good: nothing else is told of before it is read.
                    Err(error) => return tracing::warn!(%error, "no datagrams can be received any more"),
                },
                _ = sweep.tick() => self.sweep(),
            }
        }
    }

    /// Takes what has come.
    fn receive(&mut self) -> Progress {
        for _ in 0..AT_ONCE {
            let socket = Arc::clone(&self.socket);
            let received = with_buffer(|buffer| {
                let (length, client) = socket.try_recv_from(buffer)?;
                let datagram = &buffer[..length];
                // What goes on with a flow that there is needs no copy.
                Ok::<_, io::Error>((!self.pass_on(client, datagram)).then(|| (client, datagram.to_vec())))
            });
            match received {
                Ok(None) => {}
                Ok(Some((client, datagram))) => {
                    if let Err(why) = self.begin(client, &datagram) {
                        self.tell(client, &*why);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Progress::All,
                // It is about an answer that could not be delivered.
                Err(_) => {}
            }
        }
        Progress::More
    }

    /// Sends a datagram on in the flow of its client, if there is one that still leads somewhere.
    fn pass_on(&mut self, client: SocketAddr, datagram: &[u8]) -> bool {
        if self.tables.has_changed().is_ok_and(|changed| changed) {
            self.table = Arc::clone(&self.tables.borrow_and_update());
        }
        let Self { flows, table, datagrams, .. } = self;
        let Some(entry) = flows.get(client) else { return false };
        let stays = !entry.flow.is_refused()
            && (entry.generation == table.generation() || entry.is_still_in(table, datagrams));
        if !stays {
            entry.flow.give_up(StreamEnd::Moved);
            flows.remove(client);
            return false;
        }
        entry.generation = table.generation();
        let confirmed = entry.flow.is_answered();
        entry.flow.send(datagram);
        if confirmed {
            flows.confirm(client);
        }
        true
    }

    /// Begins a flow with the first datagram of a client.
    ///
    /// # Spec
    /// UDR-03, UDR-04, UDR-06.
    fn begin(&mut self, client: SocketAddr, datagram: &[u8]) -> Result<(), BoxError> {
        // Answers would be taken for questions, and those for others, for ever.
        if connect::is_own(Transport::Udp, client) {
            return Err("it says that it is from a socket of the gateway".into());
        }
        let matched = self.datagrams.find(&self.table)?;
        let backend = self.table.stream_backend(matched, fastrand::u64(..))?;
        let endpoint = endpoint::any(&self.table.backend(backend).endpoints);
        self.flows.make_room(client, |entry| entry.flow.give_up(StreamEnd::Displaced))?;
        let room = self.room()?;
        let permit = Arc::clone(&self.in_all).try_acquire_owned()?;
        let record = || {
            let mut record = self.datagrams.record(client);
            record.matched(&self.table, matched);
            record.falls_to(self.table.backend(backend));
            record
        };
        let flow = Arc::new(Flow::new(endpoint, record)?);
        let member = self.connections.join(vec![permit]);
        flow.send(datagram);
        let answering = Arc::clone(&flow).answer(
            Arc::clone(&self.socket),
            client,
            member,
            self.datagrams.options.drain_timeout,
        );
        let entry = Entry {
            seen: (flow.datagrams(), Instant::now()),
            flow,
            task: Some(tokio::spawn(answering).abort_handle()),
            rule: self.table.stream_rule(matched.rule).id.clone(),
            endpoint,
            generation: self.table.generation(),
            _room: room,
        };
        self.flows.insert(client, entry);
        Ok(())
    }

    /// Room among the flows of all sockets. Where there is none, the oldest flow of this one goes that is on probation.
    fn room(&mut self) -> Result<OwnedSemaphorePermit, NoRoom> {
        let take = |room: &Arc<Semaphore>| Arc::clone(room).try_acquire_owned().ok();
        if let Some(room) = take(&self.datagrams.room) {
            return Ok(room);
        }
        if let Some(entry) = self.flows.remove_on_probation() {
            entry.flow.give_up(StreamEnd::Displaced);
        }
        take(&self.datagrams.room).ok_or(NoRoom::Flows)
    }

    fn sweep(&mut self) {
        let (now, limit) = (Instant::now(), self.datagrams.options.idle_timeout);
        self.flows.retain(|entry| {
            let datagrams = entry.flow.datagrams();
            if entry.seen.0 != datagrams {
                entry.seen = (datagrams, now);
            }
            let stays = now.duration_since(entry.seen.1) < limit;
            if !stays {
                entry.flow.give_up(StreamEnd::Idle);
            }
            stays
        });
    }

    /// Says why a datagram was dropped, once a second at most.
    fn tell(&mut self, client: SocketAddr, why: &dyn std::error::Error) {
        let now = Instant::now();
        if self.told.is_none_or(|told| now.duration_since(told) >= SWEEP) {
            self.told = Some(now);
            tracing::debug!(%client, %why, "a datagram is dropped");
        }
    }
}

/// The socket is given up: its flows end by themselves when they have been answered.
impl Drop for Serving {
    fn drop(&mut self) {
        self.flows.retain(|entry| {
            entry.let_go();
            false
        });
    }
}

// === impl Datagrams ===

impl Datagrams {
    fn find(&self, table: &RouteTable) -> Result<MatchedStream, NoStream> {
        let owner = FrontendOwner::Gateway(&self.gateway);
        let frontend: Option<FrontendId> = table.frontend(owner, Transport::Udp, self.port);
        table.find_stream(frontend.ok_or(NoStream::NoListener)?, None)
    }

    /// What is known of a flow that begins.
    fn record(&self, client: SocketAddr) -> StreamRecord {
        let port = (Transport::Udp, self.port);
        StreamRecord::new(&self.observers, &self.gateway, port, client, time::Instant::now())
    }
}

// === impl Entry ===

impl Entry {
    /// Whether a flow that begins now could be this one.
    fn is_still_in(&self, table: &RouteTable, datagrams: &Datagrams) -> bool {
        let Ok(matched) = datagrams.find(table) else { return false };
        let rule = table.stream_rule(matched.rule);
        let has_endpoint = |endpoints: &[Endpoint]| endpoints.iter().any(|it| it.address() == self.endpoint);
        let mut backends = rule.backends.refs().iter().filter(|backend| backend.weight > 0);
        rule.id == self.rule
            && backends.any(|backend| match backend.target {
                BackendTarget::Backend(id) => has_endpoint(&table.backend(id).endpoints),
                BackendTarget::Unresolved => false,
            })
    }

    /// Leaves the flow to its task.
    fn let_go(&mut self) {
        self.task = None;
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::net::Ipv4Addr;

    use super::super::flow::AT_ONCE;
    use super::*;

    #[tokio::test]
    async fn clients_that_flood_leave_other_tasks_their_turn() {
        let socket = Arc::new(bind_datagrams((Ipv4Addr::LOCALHOST, 0).into(), false).unwrap());
        let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        for _ in 0..2 * AT_ONCE {
            client.send_to(b"question", socket.local_addr().unwrap()).await.unwrap();
        }
        socket.readable().await.unwrap();
        let datagrams = Datagrams {
            gateway: ObjectName::new("default", "web"),
            port: 53,
            tables: TableHandle::new(RouteTable::builder(1).build()),
            options: DatagramOptions::default(),
            room: Arc::new(Semaphore::new(1)),
            observers: [].into(),
        };
        let (connections, in_all) = (Connections::default(), Arc::new(Semaphore::new(1)));
        let serving = datagrams.serving(Arc::clone(&socket), connections, in_all);
        tokio::select! {
            biased;
            () = serving.run() => panic!("it is not aborted"),
            // It is asked once.
            () = ready(()) => {}
        }
        let left = std::iter::from_fn(|| socket.try_recv(&mut [0; 8]).ok()).count();
        assert_eq!(left, AT_ONCE);
    }
}
