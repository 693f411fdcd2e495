//! Serving requests, wherever the tables come from: the runtime, the admin port, the server, and its end.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use gateway_core::rule::SessionKey;
use gateway_examples::admin::{Admin, Health};
use gateway_examples::table_view::{self, Bound, Place};
use gateway_kube::workloads::Workloads;
use gateway_tower::access_log::{AccessLog, StreamLog};
use gateway_tower::metrics::Metrics;
use gateway_tower::metrics::prometheus_client::registry::Registry;
use gateway_tower::names::Names;
use gateway_tower::observe::ObserveStreams;
use gateway_tower::serve::{
    Addresses, ConnectionService, MeshServer, NotBound, ServeOptions, Server, Sockets, StreamOptions,
};
use gateway_tower::upstream::{Upstream, UpstreamOptions};
use gateway_tower::{Connection, Gateway, TableHandle};
use rustls::crypto::ring;
use tokio::runtime::{Builder, Runtime};
use tower::Layer;

use crate::args::{AccessLogFormat, Serving};
use crate::traces::Exporting;
use crate::{descriptors, log, tls};

/// So many tasks run before it is looked for what has come. It is four times what tokio does by itself: a connection of HTTP/2 that is
/// read a little later is read and answered with more requests at once.
const TASKS_BETWEEN_LOOKS: u32 = 256;

/// What serves: before Gateways, and in a mesh if there is to be one.
pub(crate) struct Serves {
    pub(crate) gateways: Server,
    pub(crate) mesh: Option<MeshServer>,
    names: Option<Names>,
}

/// The runtime that everything runs on, after logging has begun.
pub(crate) fn runtime(args: &Serving) -> io::Result<Runtime> {
    log::start(&args.log, args.access_log)?;
    let mut runtime = match args.threads {
        Some(1) => Builder::new_current_thread(),
        Some(_) | None => Builder::new_multi_thread(),
    };
    if let Some(threads) = args.threads {
        runtime.worker_threads(threads.into());
    }
    runtime.event_interval(TASKS_BETWEEN_LOOKS).enable_all().build()
}

/// Serves the admin port, if there is to be one.
pub(crate) async fn admin(args: &Serving, health: &Health) -> io::Result<()> {
    let Some(address) = args.admin else { return Ok(()) };
    let bound = Admin::bind(address, health.clone()).await;
    let admin = bound.map_err(|error| io::Error::new(error.kind(), format!("--admin {address}: {error}")))?;
    print(&format!("admin on http://{}\n", admin.address()?));
    tokio::spawn(admin.serve());
    Ok(())
}

/// Serves the tables, with or without a log of requests. What could not be bound is among its sockets. Sessions are sealed with
/// `sessions`, unless the arguments say otherwise.
pub(crate) async fn start(
    args: &Serving,
    addresses: Addresses,
    tables: &TableHandle,
    metrics: &Metrics,
    exporting: &mut Exporting,
    workloads: Option<Workloads>,
    sessions: Option<SessionKey>,
) -> io::Result<Serves> {
    let backend_tls = tls::backend_options();
    let upstream = UpstreamOptions { tls: Some(backend_tls.clone()), ..UpstreamOptions::default() };
    exporting.start(upstream.clone());
    let upstream = Upstream::new(upstream);
    let mut gateway = Gateway::builder(tables.clone()).metrics(metrics);
    if let Some(key) = args.session_key()?.or(sessions) {
        gateway = gateway.sessions(key);
    }
    let gateway = exporting.attempts(gateway).client(upstream);
    let defaults = ServeOptions::default();
    let limit = descriptors::raise_limit().map_err(|error| {
        io::Error::new(error.kind(), format!("cannot raise the limit on open files: {error}"))
    })?;
    let for_clients = descriptors::for_clients(limit);
    let wanted = args.max_connections.map_or(defaults.max_connections, |limit| limit as usize);
    if wanted > for_clients {
        print(&format!(
            "clients get at most {for_clients} connections, half of the open files that the system allows; \
             the others are for backends\n"
        ));
    }
    let options = ServeOptions {
        max_connections_in_all: if args.mesh.is_empty() { for_clients } else { for_clients / 2 },
        tls: Some(tls::options().with_tickets(ring::Ticketer::new().map_err(io::Error::other)?)),
        backend_tls: Some(backend_tls),
        max_connections: wanted,
        max_sockets: descriptors::for_sockets(limit),
        reuse_port: args.reuse_port,
        drain_timeout: args.drain_timeout,
        observer: Some(Arc::new(metrics.clone())),
        stream_observers: stream_observers(args.access_log, metrics),
        accept_proxy_header: args.accept_proxy_protocol,
        streams: StreamOptions { proxy_header: args.send_proxy_protocol.map(Into::into), ..defaults.streams },
        ..defaults
    };
    let (of_names, metrics, spans) = (metrics, metrics.clone(), exporting.spans());
    let counted = move |connection: Arc<Connection>| {
        let counted = metrics.requests(connection.clone()).layer(gateway.clone().on(connection.clone()));
        spans.requests(connection, counted)
    };
    let serves = match args.access_log {
        AccessLogFormat::Off => serve(args, addresses, tables, options, workloads, counted).await?,
        AccessLogFormat::Text | AccessLogFormat::Json => {
            let logged = move |connection: Arc<Connection>| {
                AccessLog::layer(connection.clone()).layer(counted(connection))
            };
            serve(args, addresses, tables, options, workloads, logged).await?
        }
    };
    serves.names.iter().for_each(|names| of_names.follow_names(names));
    Ok(serves)
}

/// Who is told of streams.
fn stream_observers(access_log: AccessLogFormat, metrics: &Metrics) -> Arc<[Arc<dyn ObserveStreams>]> {
    let metrics = Arc::new(metrics.clone());
    match access_log {
        AccessLogFormat::Off => [metrics as _].into(),
        AccessLogFormat::Text | AccessLogFormat::Json => [metrics as _, Arc::new(StreamLog) as _].into(),
    }
}

async fn serve(
    args: &Serving,
    addresses: Addresses,
    tables: &TableHandle,
    options: ServeOptions,
    workloads: Option<Workloads>,
    services: impl ConnectionService,
) -> io::Result<Serves> {
    let mut mesh = None;
    if !args.mesh.is_empty() {
        let connections = options.max_connections.min(options.max_connections_in_all);
        let asked = args.mesh_options(tables, workloads, connections);
        let started = MeshServer::start(tables, &args.mesh, options.clone(), asked, services.clone());
        let started = started.map_err(|error| io::Error::new(error.kind(), format!("--mesh {error}")))?;
        let bound: Vec<_> = started.addresses().iter().map(ToString::to_string).collect();
        print(&format!("mesh at {}\n", bound.join(", ")));
        mesh = Some(started);
    }
    let started = Server::start(tables, addresses, options, services).await;
    let names = args.names().map(|options| Names::start(tables, options));
    Ok(Serves { gateways: started.unwrap_or_else(NotBound::into_server), mesh, names })
}

// === impl Serves ===

impl Serves {
    /// Asks clients to go elsewhere.
    pub(crate) fn wind_down(&self) {
        self.gateways.wind_down();
        self.mesh.iter().for_each(MeshServer::wind_down);
    }

    /// Waits until the names of backends are looked up for the first time, if they are.
    pub(crate) fn looked_up(&self) -> impl Future<Output = ()> + Send + use<> {
        let names = self.names.as_ref().map(Names::looked_up);
        async move {
            if let Some(names) = names {
                names.await;
            }
        }
    }

    /// How it stands with the names of the backends of a table, as text.
    pub(crate) fn names(&self, tables: &TableHandle) -> impl Fn() -> String + Send + Sync + use<> {
        let (names, tables) = (self.names.as_ref().map(Names::states), tables.clone());
        move || {
            names
                .as_ref()
                .map_or_else(String::new, |names| table_view::names(&tables.load(), &names.borrow()))
        }
    }

    /// Lets what is under way finish. Gives how many connections were cut.
    async fn drain(self, limit: Duration) -> usize {
        let of_mesh = async {
            match self.mesh {
                Some(mesh) => mesh.drain(limit).await.cut,
                None => 0,
            }
        };
        let (of_gateways, of_mesh) = tokio::join!(self.gateways.drain(limit), of_mesh);
        of_gateways.cut + of_mesh
    }
}

/// What the data plane counts, shown by the admin port.
pub(crate) fn metrics(tables: &TableHandle, health: &Health) -> Metrics {
    let metrics = Metrics::new(tables.clone());
    let mut registry = Registry::default();
    registry.register_collector(Box::new(metrics.clone()));
    health.add_metrics(registry);
    metrics
}

/// Where a port of a Gateway is bound, or why it is not.
pub(crate) fn bound(sockets: &Sockets, place: &Place<'_>) -> Option<Bound> {
    let of_port = |socket: &&gateway_tower::serve::Socket| {
        socket.gateway == *place.gateway && (socket.transport, socket.port) == (place.transport, place.port)
    };
    let all: Vec<_> = sockets.sockets.iter().filter(of_port).collect();
    let failed =
        all.iter().find_map(|socket| socket.bound.as_ref().err().map(|error| (socket.address, error)));
    if let Some((address, error)) = failed {
        return Some(Bound::Not(format!("{address}: {error}{}", way_out(place.port))));
    }
    let addresses: Vec<_> =
        all.iter().filter_map(|socket| socket.bound.as_ref().ok()).map(ToString::to_string).collect();
    (!addresses.is_empty()).then(|| Bound::At(addresses.join(",")))
}

/// The first socket that is not bound, and why.
pub(crate) fn unbound(sockets: &Sockets) -> Option<String> {
    sockets.sockets.iter().find_map(|socket| {
        let error = socket.bound.as_ref().err()?;
        let (address, gateway, way_out) = (socket.address, &socket.gateway, way_out(socket.port));
        Some(format!("{address} of Gateway {gateway} is not bound: {error}{way_out}"))
    })
}

/// What can be done where a port is not bound, as the end of a message: those below 1024 take rights that many users do not have.
fn way_out(port: u16) -> String {
    match port {
        ..1024 => format!(
            "; bind another in its place, --port-map {port}={}, or run with CAP_NET_BIND_SERVICE",
            8000 + port
        ),
        _ => String::new(),
    }
}

/// Why a gateway is not ready before its names are looked up for the first time.
pub(crate) const NAMES_AWAITED: &str = "the names of XBackends are not looked up yet";

/// Waits for a signal to end.
pub(crate) async fn signal() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            _ = terminate.recv() => Ok(()),
            result = tokio::signal::ctrl_c() => result,
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

/// Lets the requests under way finish, unless there is a second signal.
pub(crate) async fn drain(args: &Serving, serves: Serves, exporting: Exporting) -> io::Result<ExitCode> {
    print(&format!("ending; requests under way have {:?}\n", args.drain_timeout));
    tokio::select! {
        cut = serves.drain(args.drain_timeout) => {
            if cut > 0 {
                print(&format!("{cut} connections were cut\n"));
            }
            exporting.finish().await;
            Ok(ExitCode::SUCCESS)
        }
        result = signal() => result.map(|()| ExitCode::FAILURE),
    }
}

/// Writes for people: to standard error, because standard output is for the access log.
pub(crate) fn print(text: &str) {
    // Nothing is left to be done if that cannot be written.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use gateway_core::name::ObjectName;
    use gateway_core::table::Transport;
    use gateway_tower::serve::{BindError, Socket};

    use super::*;

    #[test]
    fn a_port_that_takes_rights_is_told_with_the_way_out() {
        let gateway = ObjectName::new("default", "web");
        for (port, way_out) in [(80, "; bind another in its place, --port-map 80=8080, or run "), (8080, "")]
        {
            let refused = BindError::from(io::Error::from(io::ErrorKind::PermissionDenied));
            let address = ([0, 0, 0, 0], port).into();
            let transport = Transport::Tcp;
            let socket = Socket { gateway: gateway.clone(), transport, port, address, bound: Err(refused) };
            let sockets = Sockets { sockets: vec![socket], ..Sockets::default() };
            let place = Place { gateway: &gateway, transport, port };
            let Some(Bound::Not(told)) = bound(&sockets, &place) else { panic!("it is not bound") };
            let refused = format!("0.0.0.0:{port}: permission denied{way_out}");
            assert!(told.starts_with(&refused), "{told}");
            assert!(unbound(&sockets).is_some_and(|told| told.contains(way_out)));
        }
    }
}
