//! Redis: short exchanges over connections that stay, in plain text and within TLS from the first byte.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::harness::{Gateway, gateway};
use crate::programs::{Server, free_port, program, route, run, said, secret, service};

pub(crate) const PROGRAMS: &[&str] = &["redis-server", "redis-cli", "redis-benchmark"];

/// A server that keeps nothing.
fn server(folder: &Path, port: u16, more: &[&str]) -> Server {
    let mut server = program("redis-server");
    server.args(["--bind", "127.0.0.1", "--save", "", "--dir"]).arg(folder).args(more);
    Server::start(server, port)
}

fn client(name: &str, address: SocketAddr, more: &[&str]) -> Command {
    let mut client = program(name);
    client.args(["-h", &address.ip().to_string(), "-p", &address.port().to_string()]).args(more);
    client
}

/// A value of a mebibyte.
fn large() -> String {
    "0123456789abcdef".repeat(1 << 16)
}

pub(crate) fn redis_cli_through_a_tcp_route() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let _server = server(folder.path(), port, &["--port", &port.to_string()]);
    let manifests = gateway("{name: cache, port: 6379, protocol: TCP}")
        + &route("TCPRoute", "cache", "", "redis")
        + &service("redis", "TCP", port);
    let gateway = Gateway::start(&[("all.yaml", &manifests)], &["--port-map", "6379=0"]);
    let address = gateway.address("cache");
    let cli = |more: &[&str], input: &[u8]| said(client("redis-cli", address, more), input);
    assert_eq!(cli(&["-x", "SET", "large"], large().as_bytes()), "OK\n");
    assert!(cli(&["GET", "large"], b"").trim_end() == large());
    // Many commands before the first answer, over one connection and over twenty.
    let commands: String = (0..10_000).map(|number| format!("SET key-{number} {number}\r\n")).collect();
    let piped = cli(&["--pipe"], commands.as_bytes());
    assert!(piped.contains("errors: 0, replies: 10000"), "{piped}");
    let many = ["-n", "5000", "-c", "20", "-P", "8", "-q", "-t", "set,get,lrange_100"];
    said(client("redis-benchmark", address, &many), b"");
    assert_eq!(cli(&["GET", "key-9999"], b""), "9999\n");
}

pub(crate) fn redis_cli_through_tls_routes() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let [own, own_key, other, other_key] = ["own.pem", "own.key", "other.pem", "other.key"].map(path);
    secret("unused", "cache.example", own.as_ref(), own_key.as_ref());
    let of_gateway = secret("cache", "cache.example", other.as_ref(), other_key.as_ref());
    let (port, tls_port) = (free_port(), free_port());
    let [port_text, tls_port_text] = [port, tls_port].map(|port| port.to_string());
    let options = ["--port", &port_text, "--tls-port", &tls_port_text, "--tls-auth-clients", "no"];
    let files = ["--tls-cert-file", &own, "--tls-key-file", &own_key];
    let _server = server(folder.path(), tls_port, &[&options[..], &files].concat());

    let listeners = "{name: through, port: 6380, protocol: TLS, tls: {mode: Passthrough}}, \
                     {name: ends, port: 6381, protocol: TLS, tls: {mode: Terminate, certificateRefs: [{name: cache}]}}";
    let hostnames = "hostnames: [cache.example],";
    let manifests = gateway(listeners)
        + &of_gateway
        + &route("TLSRoute", "through", hostnames, "within-tls")
        + &route("TLSRoute", "ends", hostnames, "plain")
        + &service("within-tls", "TCP", tls_port)
        + &service("plain", "TCP", port);
    let args = ["--port-map", "6380=0", "--port-map", "6381=0"];
    let gateway = Gateway::start(&[("all.yaml", &manifests)], &args);
    // Whose certificate a client sees says where TLS ends.
    for (listener, trusted, distrusted) in [("through", &own, &other), ("ends", &other, &own)] {
        let cli = |authority: &str, host: &str, more: &[&str]| {
            let tls = ["--tls", "--sni", host, "--cacert", authority];
            client("redis-cli", gateway.address(listener), &[&tls, more].concat())
        };
        let set = cli(trusted, "cache.example", &["-x", "SET", listener]);
        assert_eq!(said(set, large().as_bytes()), "OK\n", "{listener}");
        let got = said(cli(trusted, "cache.example", &["GET", listener]), b"");
        assert!(got.trim_end() == large(), "{listener}: {} bytes", got.len());
        for (authority, host) in [(distrusted, "cache.example"), (trusted, "other.example")] {
            let refused = run(&mut cli(authority, host, &["PING"]), b"");
            let said = String::from_utf8_lossy(&refused.stdout);
            assert!(!refused.status.success() && !said.contains("PONG"), "{listener} {host}: {said}");
        }
    }
}
