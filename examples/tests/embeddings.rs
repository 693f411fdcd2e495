//! The smallest programs around the crates: each is started, and does what it says.

mod harness;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use gateway_examples::demo::endpoint_slice;
use gateway_examples::echo::EchoBackend;
use harness::{Answer, GATEWAY, PATIENCE, get, get_with, route, service};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

/// A program that is killed when dropped.
struct Program(Child);

impl Program {
    fn start(path: &str, args: &[&str]) -> Self {
        Self(Command::new(path).args(args).stdin(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An address that is free, for a program that cannot choose one and say which.
///
/// It is below the ports that the system gives out by itself: a test that connects before the program listens could
/// otherwise be given the very port as its own, and be connected to itself.
fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = (std::process::id() % 500) as u16 * 20;
    std::iter::repeat_with(|| 20_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000)
        .find_map(|port| std::net::TcpListener::bind(("127.0.0.1", port)).ok())
        .map(|free| free.local_addr().unwrap())
        .unwrap()
}

async fn get_when_up(address: SocketAddr, path: &str) -> Answer {
    let start = Instant::now();
    while TcpStream::connect(address).await.is_err() {
        assert!(start.elapsed() < PATIENCE, "nobody listens on {address}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    get(address, path).await
}

/// A manifest with one route to `backend`, and a listener on `port`.
fn manifest(backend: &EchoBackend, port: u16) -> String {
    let rules = format!(
        "  - matches: [{{path: {{value: /shop}}}}]\n    backendRefs: [{{name: {}, port: 80}}]",
        backend.name()
    );
    GATEWAY.replace("port: 80", &format!("port: {port}")) + &service(backend) + &route("main", &rules)
}

/// The programs, in the order in which `examples/README.md` has them.
#[test]
fn every_program_is_in_the_index() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let index = fs::read_to_string(folder.join("README.md")).unwrap();
    let bins = fs::read_dir(folder.join("src/bin")).unwrap().map(|entry| entry.unwrap().path());
    let names = bins.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    let missing: Vec<_> =
        names.filter(|name| !index.contains(&format!("| [`{name}`](src/bin/{name}"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let links = index.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
    let dead: Vec<_> = links.filter(|link| !link.contains("://") && !folder.join(link).exists()).collect();
    assert!(dead.is_empty(), "{dead:?}");
}

#[test]
fn match_request_prints_a_decision_for_each_request() {
    let output = Command::new(env!("CARGO_BIN_EXE_match_request")).output().unwrap();
    let expected = "\
http://shop.example.com/cart/1 -> default/shop/cart
http://shop.example.com/ -> default/shop/beta
http://shop.example.com/ -> 404 Not Found: no rule of the routes attached to listener default/web/http matches
http://other.example.com/cart -> 404 Not Found: no rule of the routes attached to listener default/web/http matches
";
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    assert!(output.status.success());
}

#[tokio::test]
async fn proxy_serves_the_gateways_of_a_manifest() {
    let backend = EchoBackend::start("shop").await.unwrap();
    let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
    let path = folder.path().join("shop.yaml");
    fs::write(&path, manifest(&backend, address.port())).unwrap();
    let _proxy = Program::start(env!("CARGO_BIN_EXE_proxy"), &[path.to_str().unwrap()]);
    assert_eq!(get_when_up(address, "/shop/1").await.backend(), "shop");
    assert_eq!(get(address, "/").await.status, 404);
}

#[tokio::test]
async fn axum_app_answers_its_own_paths_and_routes_the_others() {
    let backend = EchoBackend::start("shop").await.unwrap();
    let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
    let path = folder.path().join("shop.yaml");
    fs::write(&path, manifest(&backend, 80)).unwrap();
    let args = [path.to_str().unwrap(), &address.to_string()];
    let _app = Program::start(env!("CARGO_BIN_EXE_axum_app"), &args);
    assert_eq!(get_when_up(address, "/about").await.body, "the application itself\n");
    assert_eq!(get(address, "/shop/1").await.backend(), "shop");
    assert_eq!(get(address, "/other").await.status, 404);
}

// FEX-01, FEX-02
#[tokio::test]
async fn custom_filter_turns_away_those_without_the_key() {
    let address = free_address();
    let _program = Program::start(env!("CARGO_BIN_EXE_custom_filter"), &[&address.port().to_string()]);
    let answer = get_when_up(address, "/").await;
    assert_eq!((answer.status, answer.body.as_str()), (403, "the key is wrong\n"));
    assert_eq!(answer.header("x-api-key"), None);
    let answer = get_with(address, "/", &[("x-api-key", "secret")]).await;
    assert_eq!((answer.status, answer.header("location")), (302, Some("http://shop.example.com/")));
    assert_eq!(answer.header("x-api-key"), Some("accepted"));
    let answer = get_with(address, "/other", &[("x-api-key", "secret")]).await;
    assert_eq!(answer.status, 500, "a filter that nobody knows is not skipped");
}

#[tokio::test]
async fn own_client_routes_through_hyper_on_both_sides_websockets_too() {
    let backend = EchoBackend::start("shop").await.unwrap();
    let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
    let path = folder.path().join("shop.yaml");
    fs::write(&path, manifest(&backend, 80)).unwrap();
    let args = [path.to_str().unwrap(), &address.to_string()];
    let _program = Program::start(env!("CARGO_BIN_EXE_own_client"), &args);
    assert_eq!(get_when_up(address, "/shop/1").await.backend(), "shop");
    assert_eq!(get(address, "/other").await.status, 404);
    let (mut socket, _) =
        tokio_tungstenite::connect_async(format!("ws://{address}/shop/chat")).await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
}

#[tokio::test]
async fn least_request_leaves_a_busy_endpoint_alone() {
    let backends = [EchoBackend::start("shop").await.unwrap(), EchoBackend::start("shop").await.unwrap()];
    let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
    let path = folder.path().join("shop.yaml");
    let second = endpoint_slice(&backends[1]).replacen("name: shop", "name: shop-second", 1);
    fs::write(&path, format!("{}---\n{second}", manifest(&backends[0], address.port()))).unwrap();
    let _program = Program::start(env!("CARGO_BIN_EXE_least_request"), &[path.to_str().unwrap()]);
    let received = EchoBackend::total;
    get_when_up(address, "/shop").await;
    let before = [received(&backends[0]), received(&backends[1])];
    // One endpoint has something to do until the test ends.
    let busy = tokio::spawn(get(address, "/shop/delay?ms=60000"));
    let start = Instant::now();
    let under_way = loop {
        let now = [received(&backends[0]), received(&backends[1])];
        if let Some(at) = (0..2).find(|at| now[*at] > before[*at]) {
            break at;
        }
        assert!(start.elapsed() < PATIENCE, "the request is on its way for ever");
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    for _ in 0..20 {
        get(address, "/shop").await;
    }
    assert_eq!(received(&backends[under_way]), before[under_way] + 1);
    assert_eq!(received(&backends[1 - under_way]), before[1 - under_way] + 20);
    busy.abort();
}

// FEX-01, FEX-02
#[tokio::test]
async fn async_filter_looks_up_the_key_of_a_request_and_tells_whose_it_is() {
    let backend = EchoBackend::start("shop").await.unwrap();
    let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
    let (path, keys) = (folder.path().join("shop.yaml"), folder.path().join("keys.txt"));
    let filter =
        "filters: [{type: ExtensionRef, extensionRef: {group: example.com, kind: Keys, name: file}}]";
    let rules = format!(
        "  - matches: [{{path: {{value: /shop}}}}]\n    {filter}\n    backendRefs: [{{name: shop, port: 80}}]\n  \
           - matches: [{{path: {{value: /open}}}}]\n    backendRefs: [{{name: shop, port: 80}}]"
    );
    let gateway = GATEWAY.replace("port: 80", &format!("port: {}", address.port()));
    fs::write(&path, gateway + &service(&backend) + &route("main", &rules)).unwrap();
    fs::write(&keys, "alice secret\n").unwrap();
    let args = [path.to_str().unwrap(), keys.to_str().unwrap()];
    let _program = Program::start(env!("CARGO_BIN_EXE_async_filter"), &args);
    let answer = get_when_up(address, "/shop").await;
    assert_eq!((answer.status, answer.body.as_str()), (403, "403: the key is wrong\n"));
    assert_eq!(get_with(address, "/shop", &[("x-api-key", "other")]).await.status, 403);
    let answer = get_with(address, "/shop", &[("x-api-key", "secret")]).await;
    assert_eq!((answer.backend().as_str(), answer.header("x-client")), ("shop", Some("alice")));
    assert!(answer.json()["headers"].get("x-api-key").is_none(), "the backend does not get to see the key");
    // A rule without the filter asks for no key, and a key that comes later counts from then on.
    let answer = get(address, "/open").await;
    assert_eq!((answer.status, answer.header("x-client")), (200, None));
    fs::write(&keys, "alice secret\nbob other\n").unwrap();
    let answer = get_with(address, "/shop", &[("x-api-key", "other")]).await;
    assert_eq!((answer.status, answer.header("x-client")), (200, Some("bob")));
}

// HRB-07, HRB-08
#[tokio::test]
async fn own_backend_answers_for_an_object_of_the_manifest_beside_a_service() {
    let backend = EchoBackend::start("shop").await.unwrap();
    let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
    let path = folder.path().join("shop.yaml");
    let rule = |path: &str, name: &str| {
        format!(
            "  - matches: [{{path: {{value: {path}}}}}]\n    \
             filters: [{{type: ResponseHeaderModifier, responseHeaderModifier: {{set: [{{name: x-of, value: rule}}]}}}}]\n    \
             backendRefs: [{{group: example.com, kind: Bucket, name: {name}}}]\n"
        )
    };
    let bucket = "---\napiVersion: example.com/v1\nkind: Bucket\nmetadata: {name: texts}\n\
                  spec: {objects: {hello: 'Hello!'}}\n";
    let rules = rule("/texts", "texts") + &rule("/absent", "absent");
    let text = manifest(&backend, address.port()) + &route("texts", &rules) + bucket;
    fs::write(&path, text).unwrap();
    let _program = Program::start(env!("CARGO_BIN_EXE_own_backend"), &[path.to_str().unwrap()]);
    let answer = get_when_up(address, "/texts/hello").await;
    assert_eq!((answer.status, answer.body.as_str(), answer.header("x-of")), (200, "Hello!", Some("rule")));
    assert_eq!(get(address, "/texts/other").await.body, "404: there is no such object\n");
    assert_eq!(get(address, "/absent/hello").await.status, 500);
    assert_eq!(get(address, "/shop/1").await.backend(), "shop");
}

#[tokio::test]
async fn live_updates_are_in_use_when_they_are_answered() {
    let backends = [EchoBackend::start("cart").await.unwrap(), EchoBackend::start("shop").await.unwrap()];
    let address = free_address();
    let mut child = Command::new(env!("CARGO_BIN_EXE_live_updates"))
        .arg(address.port().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let _program = Program(child);
    let mut answers = BufReader::new(output).lines();
    let mut say = |line: &str| {
        writeln!(input, "{line}").unwrap();
        answers.next().unwrap().unwrap()
    };
    let refused = say("/shop 127.0.0.1");
    assert!(
        refused.starts_with("/shop 127.0.0.1: \"127.0.0.1\" is not the address of an endpoint"),
        "{refused}"
    );
    let mut change = |line: String| assert_eq!(say(&line), line);
    change(format!("/shop {}", backends[1].address()));
    assert_eq!(get(address, "/shop/cart").await.backend(), "shop");
    change(format!("/shop/cart {}", backends[0].address()));
    assert_eq!(get(address, "/shop/cart").await.backend(), "cart");
    change(format!("/shop/cart {}", backends[1].address()));
    assert_eq!(get(address, "/shop/cart").await.backend(), "shop");
    change("/shop".to_owned());
    assert_eq!((get(address, "/shop").await.status, get(address, "/shop/cart").await.status), (404, 200));
}

// MSH-01, MSH-02
#[tokio::test]
async fn mesh_sidecar_carries_out_routes_for_services_and_passes_on_all_else() {
    let [shop, canary, other] = ["shop", "canary", "other"];
    let [shop, canary, other] = [
        EchoBackend::start(shop).await.unwrap(),
        EchoBackend::start(canary).await.unwrap(),
        EchoBackend::start(other).await.unwrap(),
    ];
    let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
    let path = folder.path().join("shop.yaml");
    let of_service = service(&shop).replace("spec: {ports", "spec: {clusterIP: 10.96.0.10, ports");
    let route = "---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: canary}
spec:
  parentRefs: [{group: \"\", kind: Service, name: shop, port: 80}]
  rules:
  - matches: [{headers: [{name: x-version, value: beta}]}]
    backendRefs: [{name: canary, port: 80}]
  - backendRefs: [{name: shop, port: 80}]
";
    fs::write(&path, of_service + &service(&canary) + route).unwrap();
    let args = [path.to_str().unwrap(), &address.to_string(), "proxy-protocol"];
    let _program = Program::start(env!("CARGO_BIN_EXE_mesh_sidecar"), &args);
    let start = Instant::now();
    while TcpStream::connect(address).await.is_err() {
        assert!(start.elapsed() < PATIENCE, "nobody listens on {address}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let service = "10.96.0.10:80".parse().unwrap();
    assert!(dialled(address, service, "").await.contains(r#""backend":"shop""#));
    assert!(dialled(address, service, "x-version: beta\r\n").await.contains(r#""backend":"canary""#));
    assert!(dialled(address, other.address(), "x-version: beta\r\n").await.contains(r#""backend":"other""#));
}

/// What a workload gets that has dialled `to`, when the network leads its connection to the mesh.
async fn dialled(mesh: SocketAddr, to: SocketAddr, header: &str) -> String {
    let mut stream = TcpStream::connect(mesh).await.unwrap();
    let (ip, port) = (to.ip(), to.port());
    let request = format!(
        "PROXY TCP4 10.0.0.1 {ip} 40000 {port}\r\nGET / HTTP/1.1\r\nhost: shop\r\n{header}connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
