//! Decisions of the reference about small sets of objects, with the rules that ask for them.

mod backend_tls_policy;
mod frontend_tls;
mod grpc;
mod listener_set;
mod mesh;
mod stream;

use ::http::{Request, Response};
use gateway_core::api::Resources;
use gateway_core::manifest::{self, Severity};
use gateway_core::name::ObjectName;

use super::{Arrival, Decision, Effect, Reference};
/// A class, a Gateway with these fields of its spec, three Services in its namespace with an endpoint each, and these
/// objects, each written on one line.
fn resources(gateway: &str, objects: &[&str]) -> Resources {
    let mut text = format!(
        "{{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {{name: ours}}, \
          spec: {{controllerName: example.com/ours}}}}\n---\n\
         {{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {{name: gw, namespace: infra}}, \
          spec: {{gatewayClassName: ours, {gateway}}}}}\n---\n{}",
        namespace("infra")
    );
    for name in ["one", "two", "three"] {
        text += &format!("---\n{}", service(name, "infra"));
    }
    for object in objects {
        text += &format!("---\n{object}\n");
    }
    let manifest = manifest::read(&text, "test.yaml");
    let problems = manifest.problems.iter().filter(|problem| problem.severity != Severity::Info);
    let problems: Vec<String> = problems.map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    manifest.objects.into_iter().map(|(object, _)| object).collect()
}

fn namespace(name: &str) -> String {
    format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}, labels: {{team: {name}}}}}}}\n")
}

fn service(name: &str, namespace: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Service, metadata: {{name: {name}, namespace: {namespace}}}, \
         spec: {{ports: [{{name: web, port: 80}}, {{name: more, port: 81}}, \
         {{name: packets, port: 80, protocol: UDP}}]}}}}\n---\n\
         {{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, \
         metadata: {{name: {name}, namespace: {namespace}, labels: {{kubernetes.io/service-name: {name}}}}}, \
         ports: [{{name: web, port: 8080}}, {{name: more, port: 8081}}, \
         {{name: packets, port: 8080, protocol: UDP}}], endpoints: [{{addresses: [10.0.0.1]}}]}}\n"
    )
}

/// A route of this kind whose one rule has these fields.
fn route(kind: &str, name: &str, spec: &str) -> String {
    let (namespace, name) = name.split_once('/').unwrap_or(("infra", name));
    // All are of one age, so that the name decides.
    format!(
        "{{apiVersion: gateway.networking.k8s.io/v1, kind: {kind}, \
         metadata: {{name: {name}, namespace: {namespace}, creationTimestamp: \"2026-01-01T00:00:00Z\"}}, \
         spec: {{{spec}}}}}"
    )
}

fn reference(resources: &Resources) -> Reference<'_> {
    Reference { resources, controller_name: "example.com/ours", hostname_fall_through: true }
}

fn gateway() -> ObjectName {
    ObjectName::new("infra", "gw")
}

/// The route that serves a request to port 80; the status without one.
fn served(resources: &Resources, host: &str, path: &str, headers: &[(&str, &str)]) -> String {
    match reference(resources).decide(&arrival(host, path, headers)) {
        Decision::Served { route, .. } => route.name.to_string(),
        Decision::Refused(status) => status.as_u16().to_string(),
    }
}

fn effect(resources: &Resources, host: &str, path: &str, headers: &[(&str, &str)]) -> Effect {
    reference(resources).answer(&arrival(host, path, headers)).effect
}

fn arrival(host: &str, path: &str, headers: &[(&str, &str)]) -> Arrival {
    Arrival {
        gateway: gateway(),
        port: 80,
        server_name: None,
        request: request(host, path, headers),
        body_length: 0,
        auth: Vec::new(),
        randoms: vec![0],
        answer: Response::new(()),
        now: Arrival::some_time(),
    }
}

fn request(host: &str, path: &str, headers: &[(&str, &str)]) -> Request<()> {
    let mut request = Request::get(path).header("host", host);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap()
}

const GRPC: (&str, &str) = ("content-type", "application/grpc+proto");

const HTTP: &str = "listeners: [{name: http, port: 80, protocol: HTTP}]";

const EARLY: &str = "2026-01-01T00:00:00Z";
