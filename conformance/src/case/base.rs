//! The base that all cases share: namespaces, Gateways, Services, and the backends behind them.

use std::sync::LazyLock;

use gateway_core::api::AnyObject;
use gateway_core::manifest::{self, Severity};
use serde::Deserialize;

use super::object_ref::Name;

/// What every case may use.
#[derive(Clone, Debug)]
pub struct Base {
    /// The backends.
    pub deployments: Vec<Deployment>,
    /// The objects. A Gateway is set up only for cases that name it.
    pub objects: Vec<AnyObject>,
}

/// Backends of one kind, each a pod with the label `app` set to the name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    /// The name. Pods are called after it, with two more parts behind dashes.
    pub name: Name,
    /// What they speak.
    pub speaks: Speaks,
    /// How many there are.
    #[serde(default = "one")]
    pub replicas: usize,
    /// The Secret with the certificate that they show where they speak TLS.
    #[serde(default)]
    pub certificate: Option<Name>,
    /// The ConfigMap with the authority that must have signed the certificate of a client, if the client shows one.
    #[serde(default)]
    pub client_authority: Option<Name>,
    /// What a backend that speaks bytes answers with; each character is the byte of its number.
    #[serde(default)]
    pub answer: Option<String>,
    /// More labels.
    #[serde(default)]
    pub labels: std::collections::BTreeMap<String, String>,
}

/// What a backend speaks, and on which ports of its pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaks {
    /// HTTP echo: HTTP/1.1 and WebSocket on 3000, HTTP/2 without TLS on 3001, HTTPS on 8443.
    Http,
    /// gRPC echo: HTTP/2 without TLS on 3000, with TLS on 8443.
    Grpc,
    /// TCP echo: plain on 3000, TLS on 8443.
    Tcp,
    /// UDP echo on 8080.
    Udp,
    /// HTTP/1.1 on 3000, as bytes: each connection gets one answer, the one of the Deployment or what came as its body.
    Bytes,
    /// Nothing: connections to 3000 are refused.
    Nothing,
    /// A workload of the mesh: HTTP on 8080, gRPC on 7070.
    Mesh,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    #[expect(dead_code, reason = "read, so that it is no unknown field")]
    api_version: String,
    #[expect(dead_code, reason = "read, so that it is no unknown field")]
    kind: String,
    deployments: Vec<Deployment>,
}

/// What every case may use.
///
/// # Panics
/// Never: the file is part of the crate, and a test reads it.
pub fn base() -> &'static Base {
    static BASE: LazyLock<Base> = LazyLock::new(|| {
        const TEXT: &str = include_str!("../../cases/base.yaml");
        let header = manifest::document::<Written>(TEXT, "base.yaml");
        let manifest = manifest::read(TEXT, "base.yaml");
        let problems = manifest.problems.iter().filter(|problem| problem.severity != Severity::Info);
        let problems: Vec<String> = header.problems.iter().chain(problems).map(ToString::to_string).collect();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
        let written = header.value.expect("a document without problems has a value");
        Base {
            deployments: written.deployments,
            objects: manifest.objects.into_iter().map(|(object, _)| object).collect(),
        }
    });
    &BASE
}

fn one() -> usize {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_can_be_read() {
        assert!(base().deployments.len() > 10 && base().objects.len() > 10);
    }
}
