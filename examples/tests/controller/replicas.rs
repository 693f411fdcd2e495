//! Several replicas behind a Service: the same tables, one that writes, and no request that fails when they are replaced.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{Request, header};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::cluster::{Cluster, api};
use crate::control_plane::ControlPlane;
use crate::harness::{PATIENCE, try_send};
use crate::program::{Controller, backend, free_port, until_served};

crate::tests!["replicas":
    replicas_have_equal_tables_and_one_that_writes,
    no_request_fails_when_replicas_are_replaced_under_load,
];

/// How many replicas there are.
const REPLICAS: usize = 3;

/// The Lease's duration, and how often it is asked for.
const LEASE: Duration = Duration::from_secs(15);
const LEASE_INTERVAL: Duration = Duration::from_secs(2);

/// How often the Service looks whether a replica is ready.
const PROBE: Duration = Duration::from_millis(50);

/// A replica, with a port of its own for what comes to port 80.
struct Replica {
    controller: Controller,
    address: SocketAddr,
}

/// A Service as clients see it: connections go to the replicas that are ready.
#[derive(Clone)]
struct Service(Arc<Mutex<BTreeSet<SocketAddr>>>);

/// What clients have seen.
#[derive(Default)]
struct Seen {
    ends: AtomicBool,
    answers: AtomicU64,
    connections: AtomicU64,
    messages: AtomicU64,
    sockets: AtomicU64,
    failures: Mutex<Vec<String>>,
}

// === impl Replica ===

impl Replica {
    fn start(control_plane: &ControlPlane, cluster: &Cluster, identity: &str) -> Self {
        let name = &cluster.name;
        let port = free_port();
        let (service, map, lease) =
            (format!("service={name}/front"), format!("80={port}"), format!("{name}/gateway"));
        let args = [
            "--address-from",
            &service,
            "--port-map",
            &map,
            "--lease",
            &lease,
            "--identity",
            identity,
            "--shutdown-delay",
            "1s",
            "--drain-timeout",
            "10s",
        ];
        let controller = Controller::start(control_plane, cluster, &args);
        Self { controller, address: (Ipv4Addr::LOCALHOST, port).into() }
    }

    /// The line about its table, once it is this number of rules.
    async fn table(&self, rules: usize) -> String {
        let rules = format!(" {rules} rules");
        let is_there =
            |body: &str| body.lines().any(|line| line.starts_with("table ") && line.contains(&rules));
        let admin = self.controller.gateway.admin();
        let answer = self.controller.gateway.until(admin, "/status", |answer| is_there(&answer.body)).await;
        answer.body.lines().find(|line| line.starts_with("table ")).unwrap().to_owned()
    }
}

/// The address, the class, a Gateway, and what the replicas serve.
async fn prepare(cluster: &Cluster) {
    cluster
        .apply(&format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: front, namespace: {}}}, spec: {{type: LoadBalancer, \
             ports: [{{port: 80}}], externalIPs: [192.0.2.1]}}}}",
            cluster.name
        ))
        .await;
    cluster.gateway().await;
}

async fn holder(cluster: &Cluster) -> Option<String> {
    let api = api(cluster.client.clone(), "coordination.k8s.io/v1", "Lease", "leases", Some(&cluster.name));
    let lease = api.get_opt("gateway").await.unwrap()?;
    lease.data["spec"]["holderIdentity"].as_str().map(str::to_owned)
}

async fn replicas_have_equal_tables_and_one_that_writes(control_plane: ControlPlane, cluster: Cluster) {
    prepare(&cluster).await;
    let _backend = backend(&cluster, "shop").await;
    let route = async |index: usize| {
        let rules = format!(
            "hostnames: [host-{index}.example], rules: [{{backendRefs: [{{name: shop, port: 80}}]}}, \
             {{matches: [{{path: {{value: /{index}}}}}], backendRefs: [{{name: absent, port: 80}}]}}]"
        );
        cluster.route(&format!("route-{index}"), &rules).await;
    };
    // They do not see the same history: routes come between their starts.
    let mut replicas = Vec::new();
    for index in 0..REPLICAS {
        route(index).await;
        let replica = Replica::start(&control_plane, &cluster, &format!("replica-{index}"));
        replica.controller.until_ready(200).await;
        replicas.push(replica);
    }
    cluster.delete("HTTPRoute", "route-0").await;
    route(REPLICAS).await;
    let mut tables = BTreeSet::new();
    for replica in &replicas {
        tables.insert(replica.table(REPLICAS * 2).await);
    }
    assert_eq!(tables.len(), 1, "{tables:#?}");

    // The first has the Lease. It is killed, and what is to be said is said when another has it.
    cluster.route_until(&format!("route-{REPLICAS}"), "Accepted=True/Accepted").await;
    assert_eq!(holder(&cluster).await.as_deref(), Some("replica-0"));
    drop(replicas.remove(0));
    let killed = Instant::now();
    route(REPLICAS + 1).await;
    let name = format!("route-{}", REPLICAS + 1);
    cluster.route_until(&name, "Accepted=True/Accepted").await;
    let took = killed.elapsed();
    assert_ne!(holder(&cluster).await.as_deref(), Some("replica-0"));
    // A machine that does much else takes a moment for a round.
    assert!(took < LEASE + LEASE_INTERVAL + Duration::from_secs(8), "it took {took:?}");
    eprintln!("statuses were written again {took:?} after the leader was killed");
    // Who served all the time goes on.
    let tables: BTreeSet<_> =
        [replicas[0].table(REPLICAS * 2 + 2).await, replicas[1].table(REPLICAS * 2 + 2).await].into();
    assert_eq!(tables.len(), 1, "{tables:#?}");

    // One that ends by itself hands over at once.
    let leader = holder(&cluster).await.unwrap();
    let leader = replicas.remove(usize::from(leader == "replica-2"));
    leader.controller.gateway.terminate();
    assert!(leader.controller.gateway.ended().success());
    let ended = Instant::now();
    route(REPLICAS + 2).await;
    cluster.route_until(&format!("route-{}", REPLICAS + 2), "Accepted=True/Accepted").await;
    assert!(ended.elapsed() < LEASE, "it took {:?}", ended.elapsed());
}

// === impl Service ===

impl Service {
    /// Adds a replica as long as it says that it is ready.
    fn follow(&self, replica: &Replica) -> JoinHandle<()> {
        let (ready, address, admin) = (self.0.clone(), replica.address, replica.controller.gateway.admin());
        tokio::spawn(async move {
            loop {
                let probe = Request::get("/readyz").header("host", "localhost").body("").unwrap();
                let answer = timeout(Duration::from_secs(5), try_send(admin, probe)).await;
                let is_ready = matches!(answer, Ok(Ok(answer)) if answer.status() == 200);
                {
                    let mut ready = ready.lock().unwrap();
                    if is_ready {
                        ready.insert(address)
                    } else {
                        ready.remove(&address)
                    };
                }
                sleep(PROBE).await;
            }
        })
    }

    /// Where the connection of this number goes, as long as a replica is ready.
    fn pick(&self, number: u64) -> Option<SocketAddr> {
        let ready = self.0.lock().unwrap();
        let index = usize::try_from(number).unwrap() % ready.len().max(1);
        ready.iter().nth(index).copied()
    }
}

// === impl Seen ===

impl Seen {
    fn goes_on(&self) -> bool {
        !self.ends.load(Ordering::Relaxed)
    }

    fn fail(&self, what: impl std::fmt::Display) {
        self.failures.lock().unwrap().push(what.to_string());
    }

    fn connect(&self, service: &Service) -> SocketAddr {
        service.pick(self.connections.fetch_add(1, Ordering::Relaxed)).expect("a replica is ready")
    }

    fn answered(&self, status: http::StatusCode) {
        if status == 200 {
            self.answers.fetch_add(1, Ordering::Relaxed);
        } else {
            self.fail(format!("an answer with {status}"));
        }
    }
}

/// How a client sends its requests.
#[derive(Clone, Copy, Debug)]
struct Client {
    path: &'static str,
    /// How long it rests after an answer.
    rest: Duration,
    http2: bool,
}

/// Sends requests over one connection until that ends, and then over another.
async fn requests(client: Client, service: Service, seen: Arc<Seen>) {
    while seen.goes_on() {
        let address = seen.connect(&service);
        if let Err(error) = connection(client, address, &seen).await {
            seen.fail(format!("{client:?} to {address}: {error:?}"));
        }
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

async fn connection(client: Client, address: SocketAddr, seen: &Seen) -> Result<(), BoxError> {
    let stream = TokioIo::new(TcpStream::connect(address).await?);
    let request = || {
        let uri = format!("http://www.example.com{}", client.path);
        let uri = if client.http2 { uri } else { client.path.to_owned() };
        let request = Request::get(uri).header(header::HOST, "www.example.com");
        request.body(Empty::<Bytes>::new()).unwrap()
    };
    if client.http2 {
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await?;
        tokio::spawn(connection);
        while seen.goes_on() && sender.ready().await.is_ok() {
            let response = match sender.try_send_request(request()).await {
                Ok(response) => response,
                // The GOAWAY came first: nothing was sent of the request, or nothing of it is looked at.
                Err(error) if error.message().is_some() => break,
                Err(error) => match error.into_error() {
                    error if is_go_away(&error) => break,
                    error => return Err(format!("{error:?}").into()),
                },
            };
            seen.answered(response.status());
            response.into_body().collect().await?;
            sleep(client.rest).await;
        }
    } else {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
        tokio::spawn(connection);
        // The connection ends after an answer that says so, and with nothing but that: each request has to be answered.
        while seen.goes_on() {
            sender.ready().await?;
            let response = sender.send_request(request()).await?;
            seen.answered(response.status());
            let ends = response.headers().get(header::CONNECTION).is_some_and(|value| value == "close");
            response.into_body().collect().await?;
            if ends {
                break;
            }
            sleep(client.rest).await;
        }
    }
    Ok(())
}

/// Whether a request is refused because the server goes away, which says so as one does who ends in peace.
fn is_go_away(error: &hyper::Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<h2::Error>());
    cause.is_some_and(|cause| {
        cause.is_go_away() && cause.is_remote() && cause.reason() == Some(h2::Reason::NO_ERROR)
    })
}

/// Opens WebSockets that last for a second, one after the other; each must end as its client wants it to.
async fn web_sockets(service: Service, seen: Arc<Seen>) {
    while seen.goes_on() {
        let address = seen.connect(&service);
        match web_socket(address, &seen).await {
            Ok(()) => _ = seen.sockets.fetch_add(1, Ordering::Relaxed),
            Err(error) => seen.fail(format!("a WebSocket to {address}: {error}")),
        }
    }
}

async fn web_socket(address: SocketAddr, seen: &Seen) -> Result<(), BoxError> {
    let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{address}/chat")).await?;
    for index in 0..20 {
        let message = Message::text(index.to_string());
        socket.send(message.clone()).await?;
        let answer = socket.next().await.ok_or("it was closed")??;
        if answer != message {
            return Err(format!("{answer:?} came for {message:?}").into());
        }
        seen.messages.fetch_add(1, Ordering::Relaxed);
        sleep(Duration::from_millis(50)).await;
    }
    socket.close(None).await?;
    while let Some(message) = socket.next().await {
        message?;
    }
    Ok(())
}

/// `GATEWAY_ROLLOUTS=20` for more rounds than the two of an ordinary run.
async fn no_request_fails_when_replicas_are_replaced_under_load(
    control_plane: ControlPlane,
    cluster: Cluster,
) {
    let rounds = std::env::var("GATEWAY_ROLLOUTS").map_or(2, |rounds| rounds.parse().unwrap());
    prepare(&cluster).await;
    let _backend = backend(&cluster, "shop").await;
    cluster.route("shop", "rules: [{backendRefs: [{name: shop, port: 80}]}]").await;
    let service = Service(Arc::default());
    let start = async |identity: &str| {
        let replica = Replica::start(&control_plane, &cluster, identity);
        replica.controller.until_ready(200).await;
        until_served(replica.address, "/").await;
        let probes = service.follow(&replica);
        (replica, probes)
    };
    let mut replicas = Vec::new();
    for index in 0..REPLICAS {
        replicas.push(start(&format!("replica-{index}")).await);
    }
    let is_complete = || service.0.lock().unwrap().len() == REPLICAS;
    while !is_complete() {
        sleep(PROBE).await;
    }

    let seen = Arc::new(Seen::default());
    let mut clients = Vec::new();
    let milliseconds = Duration::from_millis;
    for (path, rest, http2, number) in [
        ("/", milliseconds(2), false, 3),
        ("/", milliseconds(300), false, 3),
        ("/delay?ms=400", milliseconds(5), false, 3),
        ("/", milliseconds(5), true, 2),
        ("/delay?ms=400", milliseconds(50), true, 2),
    ] {
        let client = Client { path, rest, http2 };
        clients.extend((0..number).map(|_| tokio::spawn(requests(client, service.clone(), seen.clone()))));
    }
    clients.extend((0..3).map(|_| tokio::spawn(web_sockets(service.clone(), seen.clone()))));
    let begun = Instant::now();
    for round in 0..rounds {
        for index in 0..REPLICAS {
            let (replica, probes) = replicas.remove(0);
            replica.controller.gateway.terminate();
            let lines = replica.controller.gateway.lines();
            assert!(replica.controller.gateway.ended().success(), "{lines:#?}");
            probes.abort();
            replicas.push(start(&format!("replica-{round}-{index}")).await);
            while !is_complete() {
                sleep(PROBE).await;
            }
        }
        let failures = seen.failures.lock().unwrap().clone();
        assert!(failures.is_empty(), "in round {round}: {} failures: {failures:#?}", failures.len());
    }
    seen.ends.store(true, Ordering::Relaxed);
    for client in clients {
        timeout(PATIENCE, client).await.unwrap().unwrap();
    }
    let failures = seen.failures.lock().unwrap();
    assert!(failures.is_empty(), "{failures:#?}");
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    eprintln!(
        "{} replicas replaced in {:?}: {} requests over {} connections, {} WebSockets with {} messages, no failure",
        rounds * REPLICAS,
        begun.elapsed(),
        count(&seen.answers),
        count(&seen.connections),
        count(&seen.sockets),
        count(&seen.messages)
    );
    assert!(count(&seen.sockets) > 0 && count(&seen.answers) > 100);
}
