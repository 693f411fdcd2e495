//! Configurations of the proxies for a case: one listener, one route for everything, one backend.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::case::{Answer, Exchange};
use super::certificate::Certificate;
use super::harness;

/// The manifests for `gateway run`.
pub(crate) fn of_gateway(
    exchange: Exchange,
    port: u16,
    backend: SocketAddr,
    certificate: &Certificate,
) -> String {
    let listener = match exchange.tls {
        false => format!("{{name: clients, port: {port}, protocol: HTTP}}"),
        true => format!(
            "{{name: clients, port: {port}, protocol: HTTPS, tls: {{certificateRefs: [{{name: beside}}]}}}}"
        ),
    };
    let protocol = match exchange.answer {
        Answer::Call(_) => ", appProtocol: kubernetes.io/h2c",
        Answer::Http1(_) => "",
    };
    let backend = format!(
        "---
apiVersion: v1
kind: Service
metadata: {{name: backend}}
spec:
  ports: [{{name: http, port: 80{protocol}}}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: backend-1, labels: {{kubernetes.io/service-name: backend}}}}
addressType: IPv4
ports: [{{name: http, port: {}}}]
endpoints: [{{addresses: ['{}']}}]
",
        backend.port(),
        backend.ip()
    );
    let route = harness::route("all", "  - backendRefs: [{name: backend, port: 80}]");
    let mut manifests = harness::gateway(&listener) + &route + &backend;
    if exchange.tls {
        manifests += &harness::secret("beside", &certificate.chain, &certificate.key);
    }
    manifests
}

/// The bootstrap of Envoy. What it says that is no default: no time limit of the route, without which long streams would be cut, and
/// no `x-envoy-` fields, which save it work.
pub(crate) fn of_envoy(
    exchange: Exchange,
    port: u16,
    backend: SocketAddr,
    certificate: &Certificate,
) -> String {
    let address =
        |address: &str, port: u16| json!({"socket_address": {"address": address, "port_value": port}});
    let router = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
        "suppress_envoy_headers": true,
    });
    let route = json!({"match": {"prefix": "/"}, "route": {"cluster": "backend", "timeout": "0s"}});
    let connections = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "clients",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [{"name": "router", "typed_config": router}],
    });
    let mut chain = json!({"filters": [{"name": "connections", "typed_config": connections}]});
    if exchange.tls {
        let tls = json!({
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_certificates": [{
                    "certificate_chain": {"inline_string": certificate.chain},
                    "private_key": {"inline_string": certificate.key},
                }],
            },
        });
        chain["transport_socket"] = json!({"name": "tls", "typed_config": tls});
    }
    let endpoint = json!({"endpoint": {"address": address(&backend.ip().to_string(), backend.port())}});
    let mut cluster = json!({
        "name": "backend",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "backend", "endpoints": [{"lb_endpoints": [endpoint]}]},
    });
    if let Answer::Call(_) = exchange.answer {
        cluster["typed_extension_protocol_options"] = http2();
    }
    let listener =
        json!({"name": "clients", "address": address("127.0.0.1", port), "filter_chains": [chain]});
    let bootstrap: Value = json!({"static_resources": {"listeners": [listener], "clusters": [cluster]}});
    bootstrap.to_string()
}

fn http2() -> Value {
    json!({
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        },
    })
}
