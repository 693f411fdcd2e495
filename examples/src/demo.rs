//! The demo: manifests that show what a gateway does, and a backend for each of their Services.
//!
//! The manifests are files in `examples/demo`, to be copied and changed. What files cannot hold is made here: the backends with
//! their addresses, and a certificate.

use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gateway_tower::source::Files;

use crate::echo::EchoBackend;

/// The manifests, each with its name.
pub const MANIFESTS: [(&str, &str); 5] = [
    ("demo/gateway.yaml", include_str!("../demo/gateway.yaml")),
    ("demo/services.yaml", include_str!("../demo/services.yaml")),
    ("demo/matching.yaml", include_str!("../demo/matching.yaml")),
    ("demo/filters.yaml", include_str!("../demo/filters.yaml")),
    ("demo/traffic.yaml", include_str!("../demo/traffic.yaml")),
];

/// The Service that has no backend.
const WITHOUT_BACKEND: &str = "nobody";

/// The name of the Secret with the certificate.
const CERTIFICATE: &str = "demo-certificate";

/// The backends of the demo. They stop when it is dropped.
#[derive(Debug)]
pub struct Demo {
    backends: Vec<EchoBackend>,
}

// === impl Demo ===

impl Demo {
    /// Starts the backends, and adds the manifests to a store.
    ///
    /// # Errors
    /// When a port cannot be bound, or no certificate can be made.
    pub async fn start(files: &mut Files) -> io::Result<Self> {
        for (name, text) in MANIFESTS {
            files.add_builtin(text, name);
        }
        let mut backends = Vec::new();
        for service in files.collection().resources.services.into_keys() {
            if *service.name != *WITHOUT_BACKEND {
                let backend = EchoBackend::start(&*service.name).await?;
                files.add_builtin(&endpoint_slice(&backend), "demo");
                backends.push(backend);
            }
        }
        files.add_builtin(&secret(CERTIFICATE, &["localhost", "*.localhost", "127.0.0.1"])?, "demo");
        Ok(Self { backends })
    }

    /// The backends.
    pub fn backends(&self) -> &[EchoBackend] {
        &self.backends
    }
}

/// An EndpointSlice that leads a Service to its backend.
pub fn endpoint_slice(backend: &EchoBackend) -> String {
    let (name, address) = (backend.name(), backend.address());
    format!(
        "apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: {name}
  labels:
    kubernetes.io/service-name: {name}
addressType: IPv4
ports:
- port: {port}
endpoints:
- addresses: ['{ip}']
  conditions: {{ready: true}}
",
        ip = address.ip(),
        port = address.port(),
    )
}

/// A Secret with a new self-signed certificate for these names.
///
/// # Errors
/// When no certificate can be made for them.
pub fn secret(name: &str, hosts: &[&str]) -> io::Result<String> {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let certified = rcgen::generate_simple_self_signed(hosts).map_err(io::Error::other)?;
    Ok(format!(
        "apiVersion: v1
kind: Secret
metadata:
  name: {name}
type: kubernetes.io/tls
data:
  tls.crt: {}
  tls.key: {}
",
        STANDARD.encode(certified.cert.pem()),
        STANDARD.encode(certified.signing_key.serialize_pem()),
    ))
}

#[cfg(test)]
mod tests {
    use gateway_core::manifest;

    use super::*;

    #[tokio::test]
    async fn every_service_has_a_backend_and_nothing_is_wrong_with_the_manifests() {
        let mut files = Files::default();
        let demo = Demo::start(&mut files).await.unwrap();
        let manifest::Collection { resources, problems, .. } = files.collection();
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(demo.backends().len(), resources.services.len() - 1);
        assert_eq!(
            resources.endpoint_slices.len(),
            resources.services.len(),
            "one of them without endpoints"
        );
        assert!(resources.secrets.keys().any(|key| *key.name == *CERTIFICATE));
    }
}
