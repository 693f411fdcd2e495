//! The Service or node in front of the gateway, whose addresses the Gateways show.

use std::env;
use std::future::pending;
use std::io;
use std::net::IpAddr;

use gateway_core::options::{AddressPolicy, DefaultAddresses, UsableAddresses};
use gateway_kube::addresses::{AddressWatch, ServiceAddresses};
use gateway_kube::kube::Client;
use tokio::sync::watch;

use crate::args::AddressSource;

/// The variable with the addresses of the node, separated by commas.
const HOST_IPS: &str = "HOST_IPS";

/// Where clients find the Gateways.
pub(crate) struct Front {
    policy: AddressPolicy,
    service: Option<(AddressWatch, watch::Receiver<ServiceAddresses>)>,
}

// === impl Front ===

impl Front {
    /// The addresses of `source`, once they are known, or else those of `policy`.
    pub(crate) async fn new(
        source: Option<&AddressSource>,
        client: &Client,
        policy: &AddressPolicy,
    ) -> io::Result<Self> {
        let mut policy = policy.clone();
        let service = match source {
            Some(AddressSource::Service(name)) => {
                let watch = AddressWatch::new(client.clone(), name);
                let mut known = watch.known();
                // Statuses that show none, because the Service has not been read yet, would be wrong.
                known.changed().await.map_err(io::Error::other)?;
                Some((watch, known))
            }
            Some(AddressSource::Node) => {
                let text = env::var(HOST_IPS).unwrap_or_default();
                let ips: Result<Vec<IpAddr>, _> = text.split(',').map(|ip| ip.trim().parse()).collect();
                let ips = ips.map_err(|_| {
                    io::Error::new(
                        io::ErrorKind::InvalidInput,
                        format!("--address-from node: the variable {HOST_IPS} is {text:?}; set it to status.hostIPs of the pod"),
                    )
                })?;
                show(&mut policy, ips);
                None
            }
            None => None,
        };
        Ok(Self { policy, service })
    }

    /// The addresses as they are now.
    pub(crate) fn policy(&self) -> AddressPolicy {
        let mut policy = self.policy.clone();
        if let Some((_, known)) = &self.service {
            let ServiceAddresses { ips, hostnames } = known.borrow().clone();
            policy.hostnames.extend(hostnames);
            show(&mut policy, ips);
        }
        policy
    }

    /// Waits until they are others.
    pub(crate) async fn changed(&mut self) {
        if let Some((_, known)) = &mut self.service
            && known.changed().await.is_ok()
        {
            return;
        }
        pending().await
    }
}

/// Gives these addresses to all Gateways, and no other.
fn show(policy: &mut AddressPolicy, ips: Vec<IpAddr>) {
    policy.usable = UsableAddresses::Only(ips.iter().copied().collect());
    policy.default = DefaultAddresses::Shared(ips);
}
