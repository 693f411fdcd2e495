//! The namespaces of Pods by their addresses: whose a request in a mesh is.
//!
//! EndpointSlices tell as much of Pods behind Services. Clients need not be behind one: a job has requests to send, and none to take. And
//! a tenant who may write EndpointSlices may write any address into them, while those of a Pod are said by its node alone.

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::StreamExt;
use gateway_core::name::ObjectName;
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client, ResourceExt};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// The Pods that run, by address. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Workloads(Arc<RwLock<ByAddress>>);

/// Follows the Pods of a cluster or of a node. Ends when it is dropped.
#[derive(Debug)]
pub struct WorkloadWatch {
    workloads: Workloads,
    task: JoinHandle<()>,
}

/// The Pod that has an address, and the addresses that each has.
#[derive(Debug, Default)]
struct ByAddress {
    pods: HashMap<IpAddr, ObjectName>,
    addresses: HashMap<ObjectName, Vec<IpAddr>>,
    /// Whether they are all that there are.
    are_known: bool,
}

// === impl Workloads ===

impl Workloads {
    /// The namespace of the Pod with this address; nothing while none is known that has it for itself.
    pub fn namespace(&self, address: IpAddr) -> Option<Arc<str>> {
        // Each Pod is put in as a whole, so a thread that panicked with the lock left whole ones.
        let pods = self.0.read().unwrap_or_else(PoisonError::into_inner);
        pods.pods.get(&address).map(|pod| pod.namespace.clone())
    }

    /// Whether all Pods have been read, so that an address that none of them has is that of none.
    pub fn are_known(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).are_known
    }

    fn change(&self, change: impl FnOnce(&mut ByAddress)) {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }
}

// === impl WorkloadWatch ===

impl WorkloadWatch {
    /// Begins to follow the Pods of a node, or all. It takes the right to list and watch `pods`. To be called within a tokio
    /// runtime.
    pub fn new(client: Client, node: Option<&str>) -> Self {
        let config = match node {
            Some(node) => watcher::Config::default().fields(&format!("spec.nodeName={node}")),
            None => watcher::Config::default(),
        };
        let workloads = Workloads::default();
        let task = tokio::spawn(follow(Api::all(client), config, workloads.clone()));
        Self { workloads, task }
    }

    /// The Pods, now and from now on.
    pub fn workloads(&self) -> Workloads {
        self.workloads.clone()
    }
}

impl Drop for WorkloadWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn follow(api: Api<Pod>, config: watcher::Config, workloads: Workloads) {
    let mut events = pin!(watcher::watcher(api, config));
    let mut listed = ByAddress::default();
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => listed = ByAddress::default(),
            Ok(Event::InitApply(pod)) => listed.put(&pod),
            Ok(Event::InitDone) => {
                let all = ByAddress { are_known: true, ..std::mem::take(&mut listed) };
                workloads.change(|known| *known = all);
            }
            Ok(Event::Apply(pod)) => workloads.change(|known| known.put(&pod)),
            Ok(Event::Delete(pod)) => workloads.change(|known| known.remove(&name(&pod))),
            Err(error) => {
                tracing::warn!(
                    "Pods cannot be read, so that only clients behind a Service are known: {error}"
                );
                sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

fn name(pod: &Pod) -> ObjectName {
    ObjectName::new(pod.namespace().unwrap_or_default(), pod.name_any())
}

// === impl ByAddress ===

impl ByAddress {
    /// Takes the addresses that a Pod has now in the place of those that it had. One of the network of its node has none for itself,
    /// and one that has ended none any more.
    fn put(&mut self, pod: &Pod) {
        let name = name(pod);
        self.remove(&name);
        let Some(status) = &pod.status else { return };
        let has_ended = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
        if has_ended || pod.spec.as_ref().is_some_and(|spec| spec.host_network == Some(true)) {
            return;
        }
        let written = status.pod_ips.iter().flatten();
        let addresses: Vec<IpAddr> = written.filter_map(|address| address.ip.parse().ok()).collect();
        self.pods.extend(addresses.iter().map(|address| (*address, name.clone())));
        self.addresses.insert(name, addresses);
    }

    fn remove(&mut self, pod: &ObjectName) {
        for address in self.addresses.remove(pod).into_iter().flatten() {
            // Another may have it already.
            if self.pods.get(&address) == Some(pod) {
                self.pods.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str, addresses: &[&str], more: &str) -> Pod {
        let (namespace, name) = name.split_once('/').unwrap();
        let addresses: Vec<_> = addresses.iter().map(|ip| format!(r#"{{"ip": "{ip}"}}"#)).collect();
        let text = format!(
            r#"{{"metadata": {{"namespace": "{namespace}", "name": "{name}"}}, {more}
                "status": {{"phase": "Running", "podIPs": [{}]}}}}"#,
            addresses.join(", ")
        );
        serde_json::from_str(&text).unwrap()
    }

    // MSH-05
    #[test]
    fn a_pod_is_known_by_its_addresses_for_as_long_as_it_has_them() {
        let workloads = Workloads::default();
        let namespace = |address: &str| workloads.namespace(address.parse().unwrap());
        workloads.change(|known| known.put(&pod("shop/a", &["10.0.0.1", "fd00::1"], "")));
        workloads.change(|known| known.put(&pod("desk/b", &["10.0.0.2"], "")));
        assert_eq!(namespace("10.0.0.1").as_deref(), Some("shop"));
        assert_eq!(namespace("fd00::1").as_deref(), Some("shop"));
        assert_eq!(namespace("10.0.0.2").as_deref(), Some("desk"));
        let host = r#""spec": {"containers": [], "hostNetwork": true},"#;
        workloads.change(|known| known.put(&pod("kube-system/proxy", &["10.0.0.9"], host)));
        assert_eq!(namespace("10.0.0.9"), None, "others have the address of a node too");
        // Another Pod gets an address before it is known that the first has ended.
        workloads.change(|known| known.put(&pod("desk/c", &["10.0.0.1"], "")));
        workloads.change(|known| known.remove(&ObjectName::new("shop", "a")));
        assert_eq!((namespace("10.0.0.1").as_deref(), namespace("fd00::1")), (Some("desk"), None));
        let mut ended = pod("desk/b", &["10.0.0.2"], "");
        ended.status.as_mut().unwrap().phase = Some("Succeeded".to_owned());
        workloads.change(|known| known.put(&ended));
        assert_eq!(namespace("10.0.0.2"), None);
    }
}
