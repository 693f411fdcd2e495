//! The Service that a controller makes for each Gateway.
//!
//! A data plane that serves many Gateways has no Pods of their own for them. What is made for a Gateway is a Service with the
//! labels and annotations of its `spec.infrastructure`, and the Gateway's addresses behind it: a name for it in the cluster. This
//! module says what is to be made; who makes it tells by [`Options::infrastructure`].
//!
//! What could not be made is no part of it: a Gateway whose name is no value of a label gets no Service.
//!
//! ```
//! use gateway_core::api::Resources;
//! use gateway_core::manifest;
//! use gateway_core::name::ObjectName;
//! use gateway_core::options::{AddressPolicy, DefaultAddresses, Options};
//! use gateway_core::translate::translate;
//!
//! let yaml = "
//! apiVersion: gateway.networking.k8s.io/v1
//! kind: Gateway
//! metadata: {name: web, namespace: shop}
//! spec:
//!   gatewayClassName: example
//!   infrastructure: {labels: {team: shop}}
//!   listeners: [{name: http, port: 80, protocol: HTTP}]
//! ";
//! let resources: Resources = manifest::read(yaml, "web.yaml").objects.into_iter().map(|(object, _)| object).collect();
//! let default = DefaultAddresses::Shared(vec![[192, 0, 2, 1].into()]);
//! let addresses = AddressPolicy { default, ..AddressPolicy::default() };
//! let options = Options { any_class: true, infrastructure: true, addresses, ..Options::default() };
//!
//! let made = &translate(&resources, &options).infrastructure[&ObjectName::new("shop", "web")];
//! assert_eq!(made.name.to_string(), "shop/web-example");
//! assert_eq!(made.labels["team"], "shop");
//! assert_eq!(made.ports.iter().map(|port| port.to_string()).collect::<Vec<_>>(), ["80/TCP"]);
//! ```
//!
//! # Spec
//! [GWA-08](crate::spec#GWA-08), [GWA-09](crate::spec#GWA-09).

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::net::IpAddr;

use crate::attach::{AttachedGateway, AttachedListener, Gateways, Waiting};
use crate::feature::Feature;
use crate::name::ObjectName;
use crate::options::{CLUSTER, Options};
use crate::table::Transport;

/// The label that names the Gateway for which something was made.
pub const GATEWAY_NAME: &str = "gateway.networking.k8s.io/gateway-name";

/// The label that names the class of that Gateway.
pub const GATEWAY_CLASS_NAME: &str = "gateway.networking.k8s.io/gateway-class-name";

/// How long the name of a Service may be, and the value of a label.
const MAX_LABEL: usize = 63;

/// The Service to be made for a Gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GatewayService {
    /// Its name, in the namespace of the Gateway: those of Gateway and class, joined by a hyphen, if that is the name of a
    /// Service and no other Gateway's.
    pub name: ObjectName,
    /// The labels of the Gateway's `spec.infrastructure`, with those that name Gateway and class.
    pub labels: BTreeMap<String, String>,
    /// The annotations of the Gateway's `spec.infrastructure`.
    pub annotations: BTreeMap<String, String>,
    /// The ports of the listeners that make sense, with those of ListenerSets. A Gateway that waits for an address has them too: it may
    /// be that of the Service.
    pub ports: BTreeSet<GatewayPort>,
    /// The addresses at which the Gateway is bound, as far as they are known, its own, and such as an EndpointSlice may have: those
    /// of loopback and of one link are nothing to other machines.
    pub addresses: Vec<IpAddr>,
    /// The cluster IP that the Gateway asks for by its value, if the Service is not made yet.
    ///
    /// # Spec
    /// [ADR-05](crate::spec#ADR-05)
    pub cluster_ip: Option<IpAddr>,
}

/// A port of a Gateway; displayed as `80/TCP`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GatewayPort {
    /// The port.
    pub port: u16,
    /// The transport.
    pub transport: Transport,
}

/// Whether the value of a label can name this Gateway, so that something can be made for it.
///
/// # Spec
/// [GWA-09](crate::spec#GWA-09), [GWA-11](crate::spec#GWA-11).
pub fn is_nameable(gateway: &ObjectName) -> bool {
    gateway.name.len() <= MAX_LABEL
}

/// The Services of all Gateways, by Gateway; none where the embedder makes none.
pub(crate) fn services(gateways: &Gateways, options: &Options) -> BTreeMap<ObjectName, GatewayService> {
    if !options.supports(Feature::GatewayInfrastructure) {
        return BTreeMap::new();
    }
    let named = gateways.gateways.iter().filter(|(key, _)| is_nameable(key));
    let has_cluster_ips = options.supports(Feature::GatewayAddressRoutabilityCluster);
    let mut services: BTreeMap<ObjectName, GatewayService> =
        named.map(|(key, gateway)| (key.clone(), service(key, gateway, has_cluster_ips))).collect();
    let has_port = |listener: &&AttachedListener| {
        listener.state.is_valid() && listener.state.waiting != Some(Waiting::NotAccepted)
    };
    for listener in gateways.listeners().filter(has_port) {
        if let Some(service) = services.get_mut(&listener.gateway) {
            let transport = listener.protocol.transport();
            service.ports.insert(GatewayPort { port: listener.port, transport });
        }
    }
    name(&mut services, gateways);
    services
}

fn service(key: &ObjectName, gateway: &AttachedGateway, has_cluster_ips: bool) -> GatewayService {
    let spec = &gateway.object.spec;
    let infrastructure = spec.infrastructure.clone().unwrap_or_default();
    let mut labels = infrastructure.labels;
    labels.insert(GATEWAY_NAME.to_owned(), key.name.to_string());
    labels.remove(GATEWAY_CLASS_NAME);
    if spec.gateway_class_name.len() <= MAX_LABEL {
        labels.insert(GATEWAY_CLASS_NAME.to_owned(), spec.gateway_class_name.clone());
    }
    let asked = spec.addresses.iter().filter(|_| has_cluster_ips);
    let mut asked = asked.filter(|wanted| wanted.routability.as_deref() == Some(CLUSTER));
    GatewayService {
        cluster_ip: asked.find_map(|wanted| wanted.value.as_deref()?.parse().ok()),
        labels,
        annotations: infrastructure.annotations,
        addresses: gateway.addresses.behind().into_iter().filter(is_endpoint).collect(),
        ..GatewayService::default()
    }
}

fn is_endpoint(address: &IpAddr) -> bool {
    let is_of_link = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    !address.is_loopback() && !is_of_link && !address.is_multicast()
}

/// Names the Services, those of the oldest Gateways first: `a-b` of class `c` and `a` of class `b-c` have the same name in mind.
fn name(services: &mut BTreeMap<ObjectName, GatewayService>, gateways: &Gateways) {
    let mut oldest_first: Vec<_> =
        services.keys().map(|key| (gateways.gateways[key].object.metadata.age(key), key.clone())).collect();
    oldest_first.sort();
    let mut taken = HashSet::new();
    for (_, key) in oldest_first {
        let class = &gateways.gateways[&key].object.spec.gateway_class_name;
        let plain = format!("{}-{class}", key.name);
        let mut name = ObjectName::new(&*key.namespace, plain.as_str());
        if !is_service_name(&plain) || !taken.insert(name.clone()) {
            name = ObjectName::new(&*key.namespace, shortened(&plain, &key, class).as_str());
            taken.insert(name.clone());
        }
        if let Some(service) = services.get_mut(&key) {
            service.name = name;
        }
    }
}

/// Whether a text is a label of DNS as RFC 1035 has it, which every version of Kubernetes takes for a Service.
fn is_service_name(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.len() <= MAX_LABEL
        && text.bytes().all(is_inner)
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
}

/// The name with as much of it as there is room for, and a number that no other Gateway or class is likely to lead to.
fn shortened(plain: &str, gateway: &ObjectName, class: &str) -> String {
    let number = format!("{gateway}/{class}").bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let number = format!("-{number:016x}");
    let kept = plain.chars().map(|letter| if letter == '.' { '-' } else { letter });
    let first = if plain.starts_with(|first: char| first.is_ascii_lowercase()) { "" } else { "g-" };
    let text: String = first.chars().chain(kept).take(MAX_LABEL - number.len()).collect();
    format!("{}{number}", text.trim_end_matches('-'))
}

// === impl GatewayPort ===

impl fmt::Display for GatewayPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transport = match self.transport {
            Transport::Tcp => "TCP",
            Transport::Udp => "UDP",
        };
        write!(f, "{}/{transport}", self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // GWA-09
    #[test]
    fn names_are_those_of_services() {
        let gateway = |name: &str| ObjectName::new("shop", name);
        for plain in ["web-example", &"a".repeat(63)] {
            assert!(is_service_name(plain), "{plain}");
        }
        for (name, class) in
            [("web", "example.com"), ("8080", "example"), (&*"a".repeat(63), "example"), ("a.b.", "c")]
        {
            let plain = format!("{name}-{class}");
            assert!(!is_service_name(&plain), "{plain}");
            let short = shortened(&plain, &gateway(name), class);
            assert!(is_service_name(&short), "{plain} {short}");
            assert_ne!(short, shortened(&plain, &gateway("other"), class));
        }
    }
}
