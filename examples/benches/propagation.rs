//! The time from a new HTTPRoute to its first answer by `gateway controller`, and to its status, where a cluster has few and where it has
//! thousands; and what that costs.
//!
//! It begins with the answer to the creation. As in [gateway-api-bench](https://github.com/howardjohn/gateway-api-bench), a client asks for
//! the Route's hostname from then on until 404 turns into 200; any other answer ends the benchmark. One Route follows the other at once,
//! or after a pause, or 16 are on their way at a time.
//!
//! Needs the control plane of gateway-kube's tests. `cargo bench -p gateway-examples --bench propagation -- 5000`

#[path = "../../gateway-kube/tests/cluster/cluster.rs"]
#[allow(dead_code, reason = "the tests of gateway-kube need all of it")]
mod cluster;
#[path = "../../gateway-kube/tests/cluster/control_plane.rs"]
#[allow(dead_code, reason = "the tests of gateway-kube need all of it")]
mod control_plane;
#[path = "../tests/harness/mod.rs"]
mod harness;
#[path = "../tests/controller/program.rs"]
#[allow(dead_code, reason = "the tests of the controller need all of it")]
mod program;
#[path = "../../gateway-kube/benches/routes/mod.rs"]
#[allow(dead_code, reason = "the benchmark of gateway-kube needs all of it")]
mod routes;

use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Request, header};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::cluster::Cluster;
use crate::control_plane::ControlPlane;
use crate::harness::get;
use crate::program::{Controller, address, backend};
use crate::routes::{Process, Statuses, Waits, hostname, on_a_cluster, rules};

/// How many Routes are created in each of the ways that are about one at a time.
const FEW: usize = 100;

/// How Routes follow each other.
#[derive(Clone, Copy)]
struct Pace {
    /// How many are on their way.
    at_once: usize,
    /// How long nothing happens before each.
    pause: Duration,
    /// How often a client asks.
    every: Duration,
}

/// A client of the gateway with a connection of its own.
struct Client(SendRequest<Empty<Bytes>>);

/// A Route on its way.
struct Served {
    name: String,
    /// When its creation was answered.
    at: Instant,
    /// How long it took from then until a request was answered.
    after: Duration,
}

fn main() {
    on_a_cluster("propagation", measure);
}

async fn measure(control_plane: &ControlPlane, cluster: &Cluster, number: usize) {
    cluster.gateway_with("listeners: [{name: http, port: 8080, protocol: HTTP}]").await;
    let _backend = backend(cluster, "shop").await;
    let controller = Controller::start(control_plane, cluster, &["--address-pool", "127.77.4.0/24"]);
    controller.until_ready(200).await;
    let gateway = address(cluster, "web", 8080).await;
    let process = Process::new(controller.gateway.process());

    let milliseconds = Duration::from_millis;
    let one_by_one = Pace { at_once: 1, pause: Duration::ZERO, every: milliseconds(1) };
    let after_quiet = Pace { pause: milliseconds(400), ..one_by_one };
    let many_at_once = Pace { at_once: 16, every: milliseconds(5), ..one_by_one };
    let mut next = 0;
    for (title, pace, routes) in [
        ("of few, one by one", one_by_one, FEW),
        ("of few, one after a pause", after_quiet, FEW),
        ("16 at a time", many_at_once, number.saturating_sub(4 * FEW).max(FEW)),
        ("of many, one by one", one_by_one, FEW),
        ("of many, one after a pause", after_quiet, FEW),
    ] {
        let (begun, busy, memory) = (Instant::now(), process.cpu(), process.resident());
        let written = writes(&controller).await;
        let mut statuses = Statuses::follow(cluster);
        let served = create(cluster, gateway, pace, next..next + routes).await;
        let took = begun.elapsed();
        let mut accepted = Vec::new();
        for route in &served {
            accepted.push(statuses.accepted(&route.name).await.saturating_duration_since(route.at));
        }
        eprintln!("{title}: {routes} HTTPRoutes in {took:?}, {} with them", next + routes);
        eprintln!("  created until served: {}", Waits::new(served.iter().map(|route| route.after)));
        eprintln!("  created until the status is written: {}", Waits::new(accepted));
        eprintln!(
            "  CPU of the gateway {:?}, {} KiB after {memory}, {} statuses written",
            process.cpu() - busy,
            process.resident(),
            writes(&controller).await - written
        );
        next += routes;
    }
}

/// Creates Routes, and asks for each until it is served.
async fn create(cluster: &Cluster, gateway: SocketAddr, pace: Pace, routes: Range<usize>) -> Vec<Served> {
    let Range { start, end } = routes;
    let clients = (0..pace.at_once).map(|first| async move {
        let mut client = Client::connect(gateway).await;
        let mut served = Vec::new();
        for index in (start + first..end).step_by(pace.at_once) {
            sleep(pace.pause).await;
            let name = format!("route-{index}");
            cluster.route(&name, &rules(index)).await;
            let at = Instant::now();
            while !client.is_served(&hostname(index)).await {
                sleep(pace.every).await;
            }
            served.push(Served { name, at, after: at.elapsed() });
        }
        served
    });
    let served: Vec<Vec<Served>> = stream::iter(clients).buffer_unordered(pace.at_once).collect().await;
    served.into_iter().flatten().collect()
}

/// How many statuses the gateway has written, as its metrics say.
async fn writes(controller: &Controller) -> u64 {
    let metrics = get(controller.gateway.admin(), "/metrics").await.body;
    let written = metrics.lines().filter(|line| line.starts_with("gateway_status_writes_total{"));
    written.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

// === impl Client ===

impl Client {
    async fn connect(gateway: SocketAddr) -> Self {
        let stream = TcpStream::connect(gateway).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self(sender)
    }

    async fn is_served(&mut self, hostname: &str) -> bool {
        let request = Request::get("/a").header(header::HOST, hostname).body(Empty::new()).unwrap();
        self.0.ready().await.unwrap();
        let answer = self.0.send_request(request).await.unwrap();
        let status = answer.status();
        answer.into_body().collect().await.unwrap();
        assert!(status == 200 || status == 404, "{hostname} gives {status}");
        status == 200
    }
}
