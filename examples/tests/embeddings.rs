//! The smallest programs around the crates: each is started, and does what it says.

mod harness;

use std::fs;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use gateway_examples::echo::EchoBackend;
use harness::{Answer, GATEWAY, PATIENCE, get, get_with, route, service};
use tokio::net::TcpStream;

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
    let answer = get_with(address, "/", &[("x-api-key", "secret")]).await;
    assert_eq!((answer.status, answer.header("location")), (302, Some("http://shop.example.com/")));
    assert_eq!(answer.header("x-api-key"), Some("accepted"));
    let answer = get_with(address, "/other", &[("x-api-key", "secret")]).await;
    assert_eq!(answer.status, 500, "a filter that nobody knows is not skipped");
}
