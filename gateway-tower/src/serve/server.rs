//! The server: follows the table.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gateway_core::name::ObjectName;
use gateway_core::table::{FrontendOwner, Opening, RouteTable, Transport};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use super::certificate_problem::CertificateProblem;
use super::http::{Acceptance, ConnectionService, Http, Protocols};
use super::not_bound::NotBound;
use super::options::ServeOptions;
use super::relay::{Datagrams, ProxyHeaders, Relay, bind_datagrams};
use super::sockets::{Addresses, BindError, Listener, Socket, Sockets, room};
use super::stream::{Tls, TlsUpdater};
use crate::connect::Connector;
use crate::drain::{Connections, Phase};
use crate::handle::TableHandle;
use crate::observe::ObserveConnections;

/// How often connections are looked at for having been quiet too long.
pub(super) const SWEEP: Duration = Duration::from_secs(1);

/// The first pause before a socket that could not be bound is tried again; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// See [`FIRST_PAUSE`].
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How long connections that were told to end where they stand are waited for.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// A running server. Dropping it closes all sockets and connections at once; [`drain`](Self::drain) is the gentle way.
#[must_use = "a server that is dropped closes all its sockets"]
pub struct Server {
    orders: mpsc::UnboundedSender<Order>,
    sockets: watch::Receiver<Sockets>,
}

/// How draining ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// The connections that were not finished when the time was up, and were closed.
    pub cut: usize,
}

enum Order {
    Rebind(Addresses),
    WindDown,
    Drain(Duration, oneshot::Sender<Drained>),
}

struct Supervisor<M> {
    tables: TableHandle,
    addresses: Addresses,
    options: ServeOptions,
    /// Makes connections to the backends of streams.
    connector: Arc<Connector>,
    protocols: Protocols,
    /// For the connections of all sockets.
    room: Arc<Semaphore>,
    /// For the flows of all sockets, within that.
    room_for_flows: Arc<Semaphore>,
    services: M,
    tls: Option<Arc<TlsUpdater>>,
    listeners: BTreeMap<Slot, Listener>,
    failures: BTreeMap<Slot, BindError>,
    /// Connections of sockets that are closed, while they finish.
    leaving: Vec<Connections>,
    /// Whether clients are asked to go elsewhere.
    winds_down: bool,
    sockets: watch::Sender<Sockets>,
    pause: Duration,
}

/// What is bound: an address for a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    address: SocketAddr,
    gateway: ObjectName,
    port: u16,
    speaks: Speaks,
}

/// What comes to a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Speaks {
    /// Connections with requests.
    Http,
    /// Connections that begin with TLS.
    Tls,
    /// Connections with anything.
    Bytes,
    /// Datagrams.
    Datagrams,
}

// === impl Server ===

impl Server {
    /// Starts to serve the ports of the table in `tables` on their `addresses`; each connection gets a service from
    /// `services`. Returns once the sockets of that table are bound.
    ///
    /// # Errors
    /// When not all of them could be, or a certificate cannot be used. The server runs nevertheless:
    /// [`NotBound::into_server`].
    ///
    /// # Panics
    /// Outside of a tokio runtime with I/O and time.
    pub async fn start(
        tables: &TableHandle,
        addresses: Addresses,
        options: ServeOptions,
        services: impl ConnectionService,
    ) -> Result<Self, NotBound<Self>> {
        let (orders, received) = mpsc::unbounded_channel();
        let (sockets, watched) = watch::channel(Sockets::default());
        let supervisor = Supervisor {
            tables: tables.clone(),
            connector: Arc::new(options.connector()),
            protocols: Protocols::new(&options),
            room: room(options.max_connections_in_all),
            room_for_flows: room(options.max_connections_in_all / 2),
            #[cfg(feature = "tls")]
            tls: options.tls.clone().map(|tls| Arc::new(TlsUpdater::new(tls))),
            #[cfg(not(feature = "tls"))]
            tls: None,
            addresses,
            options,
            services,
            listeners: BTreeMap::new(),
            failures: BTreeMap::new(),
            leaving: Vec::new(),
            winds_down: false,
            sockets,
            pause: FIRST_PAUSE,
        };
        tokio::spawn(supervisor.run(tables.subscribe(), received));
        let server = Self { orders, sockets: watched };
        // Tables are counted from 1.
        let sockets = server.reached(1).await;
        if sockets.all_good() { Ok(server) } else { Err(NotBound::new(server, sockets)) }
    }

    /// How the sockets stand, and every change of that.
    pub fn sockets(&self) -> watch::Receiver<Sockets> {
        self.sockets.clone()
    }

    /// Waits until the sockets are those of this table or a later one, bound or not. The number is the one that
    /// [`TableHandle::store`] gave.
    pub async fn reached(&self, generation: u64) -> Sockets {
        let mut sockets = self.sockets.clone();
        let reached = sockets.wait_for(|sockets| sockets.generation >= generation).await;
        reached.map(|sockets| sockets.clone()).unwrap_or_default()
    }

    /// Binds the ports on other addresses from now on. Sockets whose address stays are not touched.
    pub fn rebind(&self, addresses: Addresses) {
        // Fails only when the server has ended with its runtime.
        let _ = self.orders.send(Order::Rebind(addresses));
    }

    /// Asks clients to go elsewhere, while all of them are still served: answers of HTTP/1.1 end their connections, and those of
    /// HTTP/2 are told to begin no more requests. Sockets stay bound, and connections that come are served alike.
    ///
    /// To be called some time before [`drain`](Self::drain), once no new clients are sent here. A request that a client
    /// sends at the moment when its idle connection is closed gets no answer; where every client has been asked, there
    /// are no idle connections left to close.
    pub fn wind_down(&self) {
        // Fails only when the server has ended with its runtime.
        let _ = self.orders.send(Order::WindDown);
    }

    /// Closes all sockets, and waits until the connections have finished what they have begun, up to `limit`; then those
    /// that are left are closed.
    pub async fn drain(self, limit: Duration) -> Drained {
        let (done, drained) = oneshot::channel();
        let _ = self.orders.send(Order::Drain(limit, done));
        // Fails only when the runtime ends, and all connections with it.
        drained.await.unwrap_or(Drained { cut: 0 })
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("sockets", &*self.sockets.borrow()).finish_non_exhaustive()
    }
}

// === impl Supervisor ===

impl<M: ConnectionService> Supervisor<M> {
    async fn run(
        mut self,
        mut tables: watch::Receiver<Arc<RouteTable>>,
        mut orders: mpsc::UnboundedReceiver<Order>,
    ) {
        let mut sweep = interval(SWEEP);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut swept = Instant::now();
        let mut table = Arc::clone(&tables.borrow_and_update());
        let mut retry = self.follow(&table).await;
        let mut storing = true;
        let drain = loop {
            tokio::select! {
                changed = tables.changed(), if storing => {
                    // Without a handle left to store one by, this was the last table.
                    storing = changed.is_ok();
                    table = Arc::clone(&tables.borrow_and_update());
                    retry = self.follow(&table).await;
                }
                order = orders.recv() => match order {
                    Some(Order::Rebind(addresses)) => {
                        self.addresses = addresses;
                        retry = self.follow(&table).await;
                    }
                    Some(Order::WindDown) => {
                        self.winds_down = true;
                        self.listeners.values().for_each(|listener| listener.connections.advance(Phase::WindingDown));
                    }
                    Some(Order::Drain(limit, done)) => break Some((limit, done)),
                    None => break None,
                },
                () = sleep_until(retry.unwrap_or_else(Instant::now)), if retry.is_some() => {
                    retry = self.follow(&table).await;
                }
                _ = sweep.tick() => {
                    self.sweep(swept.elapsed());
                    swept = Instant::now();
                }
            }
        };
        let mut open = std::mem::take(&mut self.leaving);
        for listener in std::mem::take(&mut self.listeners).into_values() {
            open.push(listener.unbind().await);
        }
        match drain {
            Some((limit, done)) => {
                let drained = finish(&open, limit).await;
                tracing::info!(cut = drained.cut, "the server has drained");
                let _ = done.send(drained);
            }
            None => open.iter().for_each(|connections| connections.advance(Phase::Closed)),
        }
    }

    /// Makes the sockets those of `table`. Returns when to try again, if one could not be bound.
    async fn follow(&mut self, table: &Arc<RouteTable>) -> Option<Instant> {
        let certificates = update_tls(self.tls.as_ref(), table).await;
        let (wanted, impossible) = self.wanted(table);
        let gone: Vec<_> = self.listeners.keys().filter(|slot| !wanted.contains(slot)).cloned().collect();
        for slot in gone {
            if let Some(listener) = self.listeners.remove(&slot) {
                let transport = slot.speaks.transport().as_str();
                tracing::info!(address = %listener.local, %transport, gateway = %slot.gateway, port = slot.port, "unbound");
                self.leave(listener.unbind().await);
            }
        }
        let mut failures = BTreeMap::new();
        for slot in &wanted {
            if !self.listeners.contains_key(slot)
                && let Err(error) = self.bind(slot)
            {
                failures.insert(slot.clone(), error.into());
            }
        }
        failures.extend(impossible);
        for (slot, error) in failures.iter().filter(|(slot, error)| self.failures.get(slot) != Some(error)) {
            let Slot { address, gateway, port, speaks: _ } = slot;
            tracing::warn!(%address, %gateway, port, %error, "cannot bind; trying again");
        }
        self.failures = failures;
        self.report(table.generation(), certificates);
        if self.failures.is_empty() {
            self.pause = FIRST_PAUSE;
            return None;
        }
        let retry = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Some(retry)
    }

    /// What is to be bound, and what cannot be: its port is none, or another port is to be bound at the same address. A
    /// socket that serves goes before one that does not yet.
    fn wanted(&self, table: &RouteTable) -> (Vec<Slot>, Vec<(Slot, BindError)>) {
        let mut slots = Vec::new();
        let mut impossible = Vec::new();
        for (_, frontend) in table.frontends() {
            // This server stands before Gateways; that of a mesh is another.
            let FrontendOwner::Gateway(gateway) = frontend.owner() else { continue };
            let port = frontend.port();
            let speaks = match (frontend.transport(), frontend.opening()) {
                (Transport::Udp, _) => Speaks::Datagrams,
                (Transport::Tcp, Opening::Http) => Speaks::Http,
                (Transport::Tcp, Opening::Tls) => Speaks::Tls,
                (Transport::Tcp, _) => Speaks::Bytes,
            };
            for address in self.addresses.sockets(gateway, table.addresses(gateway), port) {
                let slot = |address| Slot { address, gateway: gateway.clone(), port, speaks };
                match address {
                    Ok(address) => slots.push(slot(address)),
                    Err(error) => {
                        impossible.push((slot(SocketAddr::new(error.address, port)), error.into()));
                    }
                }
            }
        }
        slots.sort();
        slots.dedup();
        slots.sort_by_key(|slot| !self.listeners.contains_key(slot));
        let mut taken = HashSet::new();
        let (wanted, doubled): (Vec<_>, Vec<_>) = slots.into_iter().partition(|slot| {
            slot.address.port() == 0 || taken.insert((slot.speaks.transport(), slot.address))
        });
        impossible.extend(doubled.into_iter().map(|slot| (slot, BindError::doubled())));
        let (wanted, beyond) = self.share_out(wanted);
        impossible.extend(beyond.into_iter().map(|slot| (slot, BindError::without_room())));
        (wanted, impossible)
    }

    /// The slots that there is room for: those that are bound, which come first, and of the others as many for each namespace as it leaves
    /// to others.
    fn share_out(&self, slots: Vec<Slot>) -> (Vec<Slot>, Vec<Slot>) {
        let mut taken = 0;
        let mut of_namespaces: HashMap<Arc<str>, usize> = HashMap::new();
        slots.into_iter().partition(|slot| {
            let own = of_namespaces.entry(Arc::clone(&slot.gateway.namespace)).or_default();
            let free = self.options.max_sockets.saturating_sub(taken);
            let has_room = self.listeners.contains_key(slot) || *own < free;
            if has_room {
                *own += 1;
                taken += 1;
            }
            has_room
        })
    }

    fn bind(&mut self, slot: &Slot) -> std::io::Result<()> {
        let in_all = Arc::clone(&self.room);
        let observer = self.options.observer.as_ref();
        let observer =
            observer.map(|observer| observer.socket(&slot.gateway, slot.speaks.transport(), slot.port));
        let listener = match slot.speaks {
            Speaks::Http => self.bind_http(slot, None, in_all, observer)?,
            Speaks::Tls => self.bind_http(slot, Some(self.tls()?), in_all, observer)?,
            Speaks::Bytes => Listener::bind(slot.address, &self.options, in_all, observer, self.relay(slot))?,
            Speaks::Datagrams => {
                let socket = bind_datagrams(slot.address, self.options.reuse_port)?;
                let datagrams = Datagrams {
                    gateway: slot.gateway.clone(),
                    port: slot.port,
                    tables: self.tables.clone(),
                    options: self.options.datagrams,
                    room: Arc::clone(&self.room_for_flows),
                    observers: Arc::clone(&self.options.stream_observers),
                };
                Listener::serving_datagrams(socket.local_addr()?, observer, |connections| {
                    tokio::spawn(datagrams.serve(socket, connections, in_all))
                })
            }
        };
        if self.winds_down {
            listener.connections.advance(Phase::WindingDown);
        }
        let transport = slot.speaks.transport().as_str();
        tracing::info!(address = %listener.local, %transport, gateway = %slot.gateway, port = slot.port, "bound");
        self.listeners.insert(slot.clone(), listener);
        Ok(())
    }

    fn bind_http(
        &self,
        slot: &Slot,
        tls: Option<Tls>,
        in_all: Arc<Semaphore>,
        observer: Option<Arc<dyn ObserveConnections>>,
    ) -> std::io::Result<Listener> {
        let acceptance = Acceptance {
            gateway: slot.gateway.clone(),
            port: slot.port,
            tls,
            #[cfg(feature = "tls")]
            relay: self.relay(slot),
            proxy_headers: self.proxy_headers(),
            #[cfg(feature = "tls")]
            handshake_timeout: self.options.handshake_timeout,
            protocols: self.protocols.clone(),
            #[cfg(feature = "tls")]
            observer: observer.clone(),
        };
        let http = Http::new(acceptance, self.services.clone());
        Listener::bind(slot.address, &self.options, in_all, observer, http)
    }

    /// What passes on the connections of a socket.
    fn relay(&self, slot: &Slot) -> Relay {
        Relay {
            gateway: slot.gateway.clone(),
            port: slot.port,
            tables: self.tables.clone(),
            options: self.options.streams,
            connector: Arc::clone(&self.connector),
            proxy_headers: self.proxy_headers(),
            observers: Arc::clone(&self.options.stream_observers),
        }
    }

    /// How long the header of the PROXY protocol may take, where there is to be one.
    fn proxy_headers(&self) -> Option<ProxyHeaders> {
        self.options.accept_proxy_header.then(|| ProxyHeaders::new(self.options.handshake_timeout))
    }

    /// What terminates TLS.
    fn tls(&self) -> std::io::Result<Tls> {
        let none = || {
            std::io::Error::new(
                std::io::ErrorKind::Unsupported,
                "the server was started without TLS: set ServeOptions::tls",
            )
        };
        self.tls.as_ref().map(|tls| tls.tls()).ok_or_else(none)
    }

    /// Lets the connections of a closed socket finish.
    fn leave(&mut self, connections: Connections) {
        self.leaving.push(connections.clone());
        let limit = self.options.drain_timeout;
        tokio::spawn(async move { finish(&[connections], limit).await });
    }

    fn report(&self, generation: u64, certificates: Vec<CertificateProblem>) {
        let socket = |slot: &Slot, bound| Socket {
            gateway: slot.gateway.clone(),
            transport: slot.speaks.transport(),
            port: slot.port,
            address: slot.address,
            bound,
        };
        let bound = self.listeners.iter().map(|(slot, listener)| socket(slot, Ok(listener.local)));
        let failed = self.failures.iter().map(|(slot, error)| socket(slot, Err(error.clone())));
        let sockets = Sockets { generation, sockets: bound.chain(failed).collect(), certificates };
        self.sockets.send_replace(sockets);
    }

    fn sweep(&mut self, elapsed: Duration) {
        let patience = self.options.patience();
        self.leaving.retain(|connections| connections.len() > 0);
        let open = self.listeners.values().map(|listener| &listener.connections);
        open.chain(&self.leaving).for_each(|connections| connections.sweep(elapsed, patience));
    }
}

// === impl Speaks ===

impl Speaks {
    fn transport(self) -> Transport {
        match self {
            Self::Http | Self::Tls | Self::Bytes => Transport::Tcp,
            Self::Datagrams => Transport::Udp,
        }
    }
}

/// Reads new certificates in a thread for such work: keys take milliseconds each to check.
async fn update_tls(tls: Option<&Arc<TlsUpdater>>, table: &Arc<RouteTable>) -> Vec<CertificateProblem> {
    let Some(tls) = tls else { return Vec::new() };
    if !tls.must_read(table) {
        return tls.update(Arc::clone(table));
    }
    let (tls, table) = (Arc::clone(tls), Arc::clone(table));
    tokio::task::spawn_blocking(move || tls.update(table)).await.unwrap_or_default()
}

/// Lets connections finish, up to `limit`; then ends them.
pub(super) async fn finish(open: &[Connections], limit: Duration) -> Drained {
    let emptied = async {
        for connections in open {
            connections.emptied().await;
        }
    };
    tokio::pin!(emptied);
    open.iter().for_each(|connections| connections.advance(Phase::Draining));
    if timeout(limit, &mut emptied).await.is_ok() {
        return Drained { cut: 0 };
    }
    let cut = open.iter().map(Connections::len).sum();
    open.iter().for_each(|connections| connections.advance(Phase::Closed));
    // A connection notices at once, unless its task is busy elsewhere.
    let _ = timeout(LAST_WAIT, &mut emptied).await;
    Drained { cut }
}
