//! The addresses at which a Service can be reached: those of Gateways, where one Service stands in front of the data plane.
//!
//! A load balancer gets its address long after the Service is made, and may change it. What this gives goes into
//! [`AddressPolicy`](gateway_core::options::AddressPolicy), which statuses show.

use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use gateway_core::name::ObjectName;
use k8s_openapi::api::core::v1::Service;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Where a Service can be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceAddresses {
    /// By address, sorted.
    pub ips: Vec<IpAddr>,
    /// By name, sorted; some load balancers have no address of their own.
    pub hostnames: Vec<String>,
}

/// Follows one Service. Ends when it is dropped.
#[derive(Debug)]
pub struct AddressWatch {
    known: watch::Receiver<ServiceAddresses>,
    task: JoinHandle<()>,
}

// === impl ServiceAddresses ===

impl From<&Service> for ServiceAddresses {
    /// What its load balancer got; without one, its `externalIPs`; without these, its addresses inside the cluster.
    fn from(service: &Service) -> Self {
        let ingress = service.status.iter().filter_map(|status| status.load_balancer.as_ref());
        let ingress: Vec<_> = ingress.filter_map(|balancer| balancer.ingress.as_ref()).flatten().collect();
        let spec = service.spec.as_ref();
        let of_balancer: Vec<&String> = ingress.iter().filter_map(|ingress| ingress.ip.as_ref()).collect();
        let hostnames: Vec<&String> =
            ingress.iter().filter_map(|ingress| ingress.hostname.as_ref()).collect();
        let is_balanced = spec.is_some_and(|spec| spec.type_.as_deref() == Some("LoadBalancer"));
        let external = spec.and_then(|spec| spec.external_ips.as_ref());
        let in_cluster = spec.and_then(|spec| spec.cluster_ips.as_ref());
        let ips: Vec<&String> = match (of_balancer.is_empty() && hostnames.is_empty(), external) {
            (false, _) => of_balancer,
            (true, Some(external)) => external.iter().collect(),
            // Its balancer will have one; the address inside the cluster is not what the user waits for.
            (true, None) if is_balanced => Vec::new(),
            (true, None) => in_cluster.into_iter().flatten().collect(),
        };
        let mut ips: Vec<IpAddr> = ips.into_iter().filter_map(|ip| ip.parse().ok()).collect();
        let mut hostnames: Vec<String> = hostnames.into_iter().cloned().collect();
        ips.sort_unstable();
        hostnames.sort_unstable();
        Self { ips, hostnames }
    }
}

// === impl AddressWatch ===

impl AddressWatch {
    /// Begins to follow a Service; as long as it is not there, it has no addresses. To be called within a tokio runtime.
    pub fn new(client: Client, service: &ObjectName) -> Self {
        let api: Api<Service> = Api::namespaced(client, &service.namespace);
        let (sender, known) = watch::channel(ServiceAddresses::default());
        Self { known, task: tokio::spawn(follow(api, service.name.to_string(), sender)) }
    }

    /// The addresses, now and from now on. The first change is that they have been read, even if there are none.
    pub fn known(&self) -> watch::Receiver<ServiceAddresses> {
        self.known.clone()
    }
}

impl Drop for AddressWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn follow(api: Api<Service>, name: String, known: watch::Sender<ServiceAddresses>) {
    let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let mut events = pin!(watcher::watcher(api, config));
    let mut listed = ServiceAddresses::default();
    let mut is_read = false;
    while let Some(event) = events.next().await {
        let now = match event {
            Ok(Event::Init) => {
                listed = ServiceAddresses::default();
                continue;
            }
            Ok(Event::InitApply(service)) => {
                listed = ServiceAddresses::from(&service);
                continue;
            }
            Ok(Event::InitDone) => listed.clone(),
            Ok(Event::Apply(service)) => ServiceAddresses::from(&service),
            Ok(Event::Delete(_)) => ServiceAddresses::default(),
            Err(error) => {
                tracing::warn!(service = name, "the addresses of the Service cannot be read: {error}");
                sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        if *known.borrow() != now || !is_read {
            is_read = true;
            known.send_replace(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_reached_where_its_balancer_is() {
        let cases = [
            (
                "balancer, dual stack",
                r#"{"spec": {"type": "LoadBalancer", "clusterIPs": ["10.0.0.1"]}, "status": {"loadBalancer":
                {"ingress": [{"ip": "2001:db8::1"}, {"ip": "192.0.2.1"}]}}}"#,
                "192.0.2.1 2001:db8::1",
                "",
            ),
            (
                "balancer by name",
                r#"{"spec": {"type": "LoadBalancer", "clusterIPs": ["10.0.0.1"]}, "status": {"loadBalancer":
                {"ingress": [{"hostname": "lb.example"}]}}}"#,
                "",
                "lb.example",
            ),
            ("balancer to come", r#"{"spec": {"type": "LoadBalancer", "clusterIPs": ["10.0.0.1"]}}"#, "", ""),
            (
                "external",
                r#"{"spec": {"type": "ClusterIP", "clusterIPs": ["10.0.0.1"], "externalIPs": ["192.0.2.9"]}}"#,
                "192.0.2.9",
                "",
            ),
            ("cluster", r#"{"spec": {"type": "ClusterIP", "clusterIPs": ["10.0.0.1"]}}"#, "10.0.0.1", ""),
            ("headless", r#"{"spec": {"type": "ClusterIP", "clusterIPs": ["None"]}}"#, "", ""),
        ];
        for (name, service, ips, hostnames) in cases {
            let service: Service =
                serde_json::from_str(&format!(r#"{{"metadata": {{}}, {}"#, &service[1..])).unwrap();
            let addresses = ServiceAddresses::from(&service);
            let shown: Vec<_> = addresses.ips.iter().map(ToString::to_string).collect();
            assert_eq!(
                (shown.join(" "), addresses.hostnames.join(" ")),
                (ips.to_owned(), hostnames.to_owned()),
                "{name}"
            );
        }
    }
}
