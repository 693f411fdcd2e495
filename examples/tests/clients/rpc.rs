//! gRPC as grpcio has it, on both sides.

use crate::harness::{Gateway, gateway};
use crate::programs::{Server, free_port, said, script, secret, service};

pub(crate) const PROGRAMS: &[&str] = &["python3", "python3:grpc_health.v1.health"];

pub(crate) fn grpcio_through_a_grpc_route() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    let port = free_port();
    let mut server = script("grpc_server.py");
    server.arg(port.to_string());
    let _server = Server::start(server, port);
    let listeners = "{name: http, port: 80, protocol: HTTP}, \
                     {name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: shop}]}}";
    let matches = "[{method: {service: grpc.health.v1.Health}}, {method: {service: shop.Shop}}]";
    let manifests = gateway(listeners)
        + &secret("shop", "shop.example", &certificate, &key)
        + &format!(
            "---
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {{name: shop}}
spec: {{parentRefs: [{{name: web}}], hostnames: [shop.example], rules: [{{matches: {matches}, backendRefs: [{{name: shop, port: 1}}]}}]}}
"
        )
        + &service("shop", "TCP", port);
    let gateway = Gateway::start(&[("all.yaml", &manifests)], &[]);
    for (listener, authorities) in [("http", None), ("https", Some(&certificate))] {
        let mut client = script("grpc_client.py");
        client.args([&gateway.address(listener).to_string(), "shop.example"]).args(authorities);
        assert!(said(client, b"").ends_with(" is served\n"), "{listener}");
    }
}
