//! Statuses that agree with what is served.

mod harness;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Instant;

use harness::{CLASS, Gateway, PATIENCE, get, run, secret};
use serde_json::Value;

/// A Gateway with one listener, of this year, and a route whose redirects name the Gateway.
fn gateway(namespace: &str, name: &str, year: u16, listener: &str, more: &str) -> String {
    format!(
        "---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{namespace: {namespace}, name: {name}, creationTimestamp: '{year}-01-01T00:00:00Z'}}
spec: {{gatewayClassName: test, listeners: [{{name: a, {listener}}}]{more}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{namespace: {namespace}, name: {name}}}
spec:
  parentRefs: [{{name: {name}}}]
  rules: [{{filters: [{{type: RequestRedirect, requestRedirect: {{hostname: {name}.example}}}}]}}]
"
    )
}

/// The conditions in the status file, of the Gateway and of its listener, once the Gateway has one like this.
fn conditions(file: &std::path::Path, name: &str, wanted: &str) -> Vec<String> {
    let start = Instant::now();
    loop {
        let list: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let items = list["items"].as_array().unwrap();
        let gateway = items.iter().find(|it| it["kind"] == "Gateway" && it["metadata"]["name"] == name);
        let status = &gateway.expect("the Gateway has a status")["status"];
        let all = [&status["conditions"], &status["listeners"][0]["conditions"]];
        let all = all.iter().flat_map(|list| list.as_array().unwrap());
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let said: Vec<_> = all
            .map(|it| format!("{}={}/{}", word(&it["type"]), word(&it["status"]), word(&it["reason"])))
            .collect();
        if said.iter().any(|condition| condition == wanted) {
            return said;
        }
        assert!(start.elapsed() < PATIENCE, "{wanted}: {said:#?}");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// A port that is free at every address of the loopback interface.
fn free_port() -> u16 {
    let taken = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    taken.local_addr().unwrap().port()
}

fn at(address: &str, port: u16) -> SocketAddr {
    SocketAddr::new(address.parse().unwrap(), port)
}

async fn redirects_to(address: SocketAddr) -> String {
    let answer = get(address, "/").await;
    answer.header("location").unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

// GWA-01, GWA-03, GWL-16
#[tokio::test]
async fn gateways_are_bound_at_the_addresses_that_they_ask_for_or_it_is_said_why_not() {
    let port = free_port();
    let listener = format!("port: {port}, protocol: HTTP");
    let own = |address: &str| format!(", addresses: [{{value: {address}}}]");
    let files = CLASS.to_owned()
        + &gateway("default", "first", 2026, &listener, &own("127.0.0.2"))
        + &gateway("default", "second", 2026, &listener, &own("127.0.0.3"))
        + &gateway("default", "elsewhere", 2026, &listener, &own("192.0.2.1"));
    let folder = tempfile::tempdir().unwrap();
    let status = folder.path().join("status.json");
    let running = Gateway::start(&[("all.yaml", &files)], &["--write-status", status.to_str().unwrap()]);
    for (address, name) in [("127.0.0.2", "first"), ("127.0.0.3", "second")] {
        assert!(redirects_to(at(address, port)).await.contains(name));
        conditions(&status, name, "Programmed=True/Programmed");
    }
    conditions(&status, "elsewhere", "Programmed=False/AddressNotUsable");
    running.wait_for_line("spec.addresses[0].value: cannot be bound at 192.0.2.1");
}

// GEN-18, GWL-13
#[tokio::test]
async fn a_port_stays_with_the_older_gateway_and_the_other_learns_it() {
    let port = free_port();
    let listener = format!("port: {port}, protocol: HTTP");
    let shop = gateway("team-b", "shop", 2020, &listener, "");
    let folder = tempfile::tempdir().unwrap();
    let status = folder.path().join("status.json");
    let files = [("class.yaml", CLASS), ("shop.yaml", &shop)];
    let running = Gateway::start(&files, &["--write-status", status.to_str().unwrap()]);
    assert!(redirects_to(at("127.0.0.1", port)).await.contains("shop"));

    let other = gateway("team-a", "other", 2026, &listener, "");
    running.write("other.yaml", &other);
    running.wait_for_line("PortUnavailable");
    let said = conditions(&status, "other", "Accepted=False/PortUnavailable");
    assert!(said.contains(&"Programmed=False/Invalid".to_owned()), "{said:?}");
    assert!(redirects_to(at("127.0.0.1", port)).await.contains("shop"));

    // Without a server, the same is said.
    let checked = run(&["check", running.path("").to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&checked.stdout).contains("PortUnavailable"), "{checked:?}");
    assert_eq!(checked.status.code(), Some(1));
    let apart = run(&["check", "--own-addresses", running.path("").to_str().unwrap()]);
    assert_eq!(apart.status.code(), Some(0), "{apart:?}");
}

// GWL-13
#[tokio::test]
async fn a_port_that_another_process_holds_is_said_for_as_long_as_it_does() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let files =
        CLASS.to_owned() + &gateway("default", "web", 2026, &format!("port: {port}, protocol: HTTP"), "");
    let folder = tempfile::tempdir().unwrap();
    let status = folder.path().join("status.json");
    let running = Gateway::start(&[("all.yaml", &files)], &["--write-status", status.to_str().unwrap()]);
    let said = conditions(&status, "web", "Accepted=False/PortUnavailable");
    assert!(said.contains(&"Accepted=False/ListenersNotValid".to_owned()), "{said:?}");
    running.wait_for_line("already in use");

    drop(taken);
    let said = conditions(&status, "web", "Accepted=True/Accepted");
    assert!(!said.iter().any(|condition| condition.contains("=False/")), "{said:?}");
    assert!(redirects_to(at("127.0.0.1", port)).await.contains("web"));
}

// RTE-11, RTE-12, GC-01
#[tokio::test]
async fn statuses_are_written_under_the_name_that_the_class_asks_for() {
    let of_class = |class: &str, name: &str, port: u16| {
        let gateway = gateway("default", name, 2026, &format!("port: {port}, protocol: HTTP"), "");
        gateway.replace("gatewayClassName: test", &format!("gatewayClassName: {class}"))
    };
    let other = CLASS.replace("name: test", "name: other").replace("example.com/test", "example.com/other");
    let files = format!(
        "{CLASS}---{other}{}{}{}",
        of_class("test", "one", free_port()),
        of_class("other", "two", free_port()),
        of_class("missing", "three", free_port())
    );
    let folder = tempfile::tempdir().unwrap();
    let status = folder.path().join("status.json");
    let running = Gateway::start(&[("all.yaml", &files)], &["--write-status", status.to_str().unwrap()]);
    let list: Value = serde_json::from_str(&fs::read_to_string(&status).unwrap()).unwrap();
    let routes = list["items"].as_array().unwrap().iter().filter(|item| item["kind"] == "HTTPRoute");
    let controllers: Vec<_> = routes.map(|route| &route["status"]["parents"][0]["controllerName"]).collect();
    assert_eq!(controllers, ["example.com/test", "gateway-api.rs/controller", "example.com/other"]);

    // What another controller wrote, and what a route that left its parent had, is told apart.
    let left = files.replace("parentRefs: [{name: two}]", "parentRefs: [{name: elsewhere}]");
    running.write("all.yaml", &left);
    running.wait_for_line("spec.parentRefs[0]: names no Gateway");
    let start = Instant::now();
    loop {
        let list: Value = serde_json::from_str(&fs::read_to_string(&status).unwrap()).unwrap();
        let two = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|item| item["kind"] == "HTTPRoute" && item["metadata"]["name"] == "two");
        let parents = two.and_then(|two| two["status"]["parents"].as_array()).map_or(0, Vec::len);
        if parents == 0 {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "{two:?}");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

// GWT-05, GWT-09
#[tokio::test]
async fn a_certificate_with_the_key_of_another_is_named_and_costs_itself() {
    let [good, other] = [(); 2].map(|()| {
        let signed = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        (signed.cert.pem(), signed.signing_key.serialize_pem())
    });
    let port = free_port();
    let tls = "tls: {certificateRefs: [{name: good}, {name: other}]}";
    let files = CLASS.to_owned()
        + &gateway("default", "web", 2026, &format!("port: {port}, protocol: HTTPS, {tls}"), "")
        + &secret("good", &good.0, &good.1);
    let folder = tempfile::tempdir().unwrap();
    let status = folder.path().join("status.json");
    let names = [("all.yaml", &*files), ("other.yaml", &secret("other", &other.0, &other.1))];
    let running = Gateway::start(&names, &["--write-status", status.to_str().unwrap()]);
    conditions(&status, "web", "ResolvedRefs=True/ResolvedRefs");

    running.write("other.yaml", secret("other", &other.0, &good.1));
    let line = running.wait_for_line("InvalidCertificateRef");
    let why = "tls.certificateRefs[1] refers to Secret default/other, which cannot be used: the private key is not that of";
    assert!(line.contains(why), "{line}");
    let said = conditions(&status, "web", "ResolvedRefs=False/InvalidCertificateRef");
    assert!(said.contains(&"Programmed=True/Programmed".to_owned()), "the good one is served: {said:?}");
    let checked = run(&["check", running.path("").to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&checked.stdout).contains(why), "{checked:?}");
}

/// A policy that wants spans of the Gateway `web` told to `collector`.
const TRACES: &str = "---
apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XTelemetryPolicy
metadata: {name: traces}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: web}]
  tracing: {mode: Enabled, serviceName: edge, provider: {backendRef: {name: collector, port: 4318}}}
";

/// Whether the policy for traces is accepted, as the status file says it, and why.
fn traces_accepted(file: &std::path::Path) -> String {
    let list: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let items = list["items"].as_array().unwrap();
    let policy = items.iter().find(|it| it["kind"] == "XTelemetryPolicy").expect("the policy has a status");
    let conditions = policy["status"]["ancestors"][0]["conditions"].as_array().unwrap();
    let accepted = conditions.iter().find(|it| it["type"] == "Accepted").unwrap();
    format!("{}/{}", accepted["status"].as_str().unwrap(), accepted["reason"].as_str().unwrap())
}

// TEL-03, TEL-04: a program that sends no spans accepts no policy that wants some.
#[tokio::test]
async fn a_policy_for_traces_is_accepted_where_its_provider_is_told() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let port = free_port();
    let collector = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let service = format!(
        "---\napiVersion: v1\nkind: Service\nmetadata: {{name: collector}}\nspec: {{ports: [{{port: 4318}}]}}\n\
         ---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n\
         metadata: {{name: collector, labels: {{kubernetes.io/service-name: collector}}}}\n\
         addressType: IPv4\nports: [{{port: {}}}]\nendpoints: [{{addresses: [127.0.0.1]}}]\n",
        collector.local_addr().unwrap().port()
    );
    let listener = format!("port: {port}, protocol: HTTP");
    let files = CLASS.to_owned() + &gateway("default", "web", 2026, &listener, "") + TRACES + &service;
    let folder = tempfile::tempdir().unwrap();
    let status = folder.path().join("status.json");
    let _running = Gateway::start(&[("all.yaml", &files)], &["--write-status", status.to_str().unwrap()]);
    assert!(redirects_to(at("127.0.0.1", port)).await.contains("web"));
    conditions(&status, "web", "Programmed=True/Programmed");
    if !cfg!(feature = "otlp") {
        assert_eq!(traces_accepted(&status), "False/Invalid");
        return;
    }
    assert_eq!(traces_accepted(&status), "True/Accepted");
    let told = async {
        let (mut connection, _) = collector.accept().await.unwrap();
        let mut export = Vec::new();
        // The rule is what a span says last.
        while !export.windows(12).any(|part| part == b"gateway.rule") {
            assert_ne!(connection.read_buf(&mut export).await.unwrap(), 0, "{export:?}");
        }
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        String::from_utf8_lossy(&export).into_owned()
    };
    let export = tokio::time::timeout(PATIENCE, told).await.expect("the provider is told");
    assert!(export.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{export}");
    assert!(export.contains("edge") && export.contains("http.response.status_code"), "{export}");
}
