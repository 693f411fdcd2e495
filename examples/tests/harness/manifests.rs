//! Objects of tests, as manifests.

use gateway_examples::demo::endpoint_slice;
use gateway_examples::echo::EchoBackend;

macro_rules! class {
    () => {
        "
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: test}
spec: {controllerName: example.com/test}
"
    };
}

/// A class.
pub(crate) const CLASS: &str = class!();

/// The class, and a Gateway with a listener on port 80.
pub(crate) const GATEWAY: &str = concat!(
    class!(),
    "---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web}
spec:
  gatewayClassName: test
  listeners: [{name: http, port: 80, protocol: HTTP}]
"
);

/// The same with these listeners.
pub(crate) fn gateway(listeners: &str) -> String {
    GATEWAY.replace("{name: http, port: 80, protocol: HTTP}", listeners)
}

/// An HTTPRoute to the Gateway above.
pub(crate) fn route(name: &str, rules: &str) -> String {
    format!(
        "---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: {name}}}
spec:
  parentRefs: [{{name: web}}]
  rules:
{rules}
"
    )
}

/// A Service with an endpoint that nothing listens on.
pub(crate) const SHOP: &str = "---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: shop-1, labels: {kubernetes.io/service-name: shop}}
addressType: IPv4
ports: [{name: http, port: 3000}]
endpoints: [{addresses: [127.0.0.1]}]
";

/// A Service and its endpoints.
pub(crate) fn service(backend: &EchoBackend) -> String {
    let name = backend.name();
    let service = format!(
        "---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{ports: [{{port: 80}}]}}\n"
    );
    format!("{service}---\n{}", endpoint_slice(backend))
}

/// A Secret with this certificate and this key, both as PEM.
pub(crate) fn secret(name: &str, certificate: &str, key: &str) -> String {
    format!(
        "---
apiVersion: v1
kind: Secret
metadata: {{name: {name}}}
type: kubernetes.io/tls
stringData: {{tls.crt: {certificate:?}, tls.key: {key:?}}}
"
    )
}
