//! The part of a cluster that cases need: the pods of Deployments.
//!
//! The pods of an engine without a network have addresses that no client can connect to; an engine with one makes the same
//! pods on sockets.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::case::{Case, Deployment, Speaks, base};
use crate::exchange::Pod;

/// A pod, and where it can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningPod {
    /// Namespace and name.
    pub pod: Pod,
    /// The labels; `app` at least.
    pub labels: BTreeMap<String, String>,
    /// Where the ports of its container are: by the number that a Service has as `targetPort`.
    pub ports: BTreeMap<u16, SocketAddr>,
}

/// The Deployments that have to run for a case: those of the base, then its own.
pub fn deployments(case: &Case) -> impl Iterator<Item = &Deployment> {
    base().deployments.iter().chain(&case.deployments)
}

/// The pods of a case at addresses where no socket listens, each at its own, with the ports of its container.
pub fn virtual_pods(case: &Case) -> Vec<RunningPod> {
    let mut pods = Vec::new();
    for deployment in deployments(case) {
        for pod in deployment.pods() {
            let number = u16::try_from(pods.len() + 1).expect("no case has so many pods");
            let [high, low] = number.to_be_bytes();
            let address = IpAddr::from(Ipv4Addr::new(10, 0, high, low));
            let ports = deployment.speaks.ports().iter();
            pods.push(RunningPod {
                pod,
                labels: deployment.pod_labels(),
                ports: ports.map(|port| (*port, SocketAddr::new(address, *port))).collect(),
            });
        }
    }
    pods
}

// === impl Deployment ===

impl Deployment {
    /// The pods: called after the Deployment, with two more parts that are the same in every run.
    pub fn pods(&self) -> impl Iterator<Item = Pod> {
        let key = &self.name.0;
        let template = word(&[&key.namespace, &key.name]);
        (0..self.replicas).map(move |index| {
            let own = word(&[&key.namespace, &key.name, &index.to_string()]);
            Pod { namespace: key.namespace.to_string(), name: format!("{}-{template}-{own}", key.name) }
        })
    }

    /// The labels of the pods.
    pub fn pod_labels(&self) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::from([("app".to_owned(), self.name.0.name.to_string())]);
        labels.extend(self.labels.clone());
        labels
    }
}

// === impl Speaks ===

impl Speaks {
    /// The ports of a container that speaks this.
    pub fn ports(self) -> &'static [u16] {
        match self {
            Self::Http => &[3000, 3001, 8443],
            Self::Grpc | Self::Tcp => &[3000, 8443],
            Self::Bytes | Self::Nothing => &[3000],
            Self::Udp => &[8080],
            Self::Mesh => &[8080, 7070],
        }
    }
}

/// Five letters and digits that follow from the texts.
fn word(texts: &[&str]) -> String {
    // FNV-1a: short, and the same everywhere.
    let bytes = texts.iter().flat_map(|text| text.bytes().chain([0]));
    let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mut letter = || {
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        let letter = LETTERS[(hash >> 32) as usize % LETTERS.len()];
        hash = hash.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        char::from(letter)
    };
    std::iter::repeat_with(&mut letter).take(5).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::collections::BTreeSet;

    #[test]
    fn every_pod_has_a_name_and_an_address_of_its_own() {
        let case = &crate::case::cases()[0];
        let pods = virtual_pods(case);
        let names: BTreeSet<&Pod> = pods.iter().map(|pod| &pod.pod).collect();
        let addresses: BTreeSet<SocketAddr> =
            pods.iter().flat_map(|pod| pod.ports.values().copied()).collect();
        assert_eq!(names.len(), pods.len());
        assert_eq!(addresses.len(), pods.iter().map(|pod| pod.ports.len()).sum::<usize>());
        let of = |deployment: &str| pods.iter().filter(|pod| pod.pod.deployment() == deployment).count();
        assert_eq!((of("infra-backend-v1"), of("infra-backend-v3")), (2, 1));
        let echo = pods.iter().find(|pod| pod.pod.deployment() == "echo-v2").unwrap();
        assert_eq!(echo.labels["app"], "echo", "labels of its own go first");
    }
}
