//! The EndpointSlices that follow from pods, and the pods themselves where something selects among them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use gateway_core::api::{
    AnyObject, ConditionStatus, Endpoint, EndpointAddressType, EndpointConditions, EndpointPort,
    EndpointSlice, IntOrString, ObjectMeta, Pod, PodCondition, PodIp, PodPhase, PodStatus, Resources,
    Service, ServicePort, ServiceType,
};

use crate::cluster::RunningPod;

/// The label of an EndpointSlice that is to have the addresses of the pods of a Deployment in its namespace.
///
/// The ports of such a slice are those of the container.
pub const PODS_LABEL: &str = "conformance.gateway-api.rs/pods";

/// The objects, and the EndpointSlices of Services with a selector; slices with [`PODS_LABEL`] filled in.
pub(super) fn with_endpoints(objects: &Resources, pods: &[RunningPod]) -> Resources {
    let mut resources = objects.clone();
    for (key, slice) in &objects.endpoint_slices {
        let Some(deployment) = slice.metadata.labels.get(PODS_LABEL) else { continue };
        resources.endpoint_slices.remove(key);
        let pods = pods
            .iter()
            .filter(|pod| *pod.pod.namespace == *key.namespace && pod.pod.deployment() == deployment);
        let number = |port: &EndpointPort| port.port.and_then(|number| u16::try_from(number).ok());
        let ports: Vec<_> =
            slice.ports.iter().filter_map(|port| Some((number(port)?, port.clone()))).collect();
        let slices = pods.flat_map(|pod| of_pod(pod, &slice.metadata, &ports));
        let slices = slices.filter(|made| made.address_type == slice.address_type);
        resources.extend(slices.map(AnyObject::from));
    }
    if objects.backends.values().any(|backend| backend.spec.endpoint_selector.is_some()) {
        resources.extend(pods.iter().filter_map(as_written).map(AnyObject::from));
    }
    for (key, service) in &objects.services {
        if service.spec.selector.is_empty() || service.spec.r#type == ServiceType::ExternalName {
            continue;
        }
        let labels = BTreeMap::from([(EndpointSlice::SERVICE_NAME_LABEL.to_owned(), key.name.to_string())]);
        let metadata = ObjectMeta {
            name: key.name.to_string(),
            namespace: Some(key.namespace.to_string()),
            labels,
            ..ObjectMeta::default()
        };
        let ports: Vec<_> = service.spec.ports.iter().filter_map(container_port).collect();
        let pods = pods.iter().filter(|pod| *pod.pod.namespace == *key.namespace && selects(service, pod));
        let slices = pods.flat_map(|pod| of_pod(pod, &metadata, &ports));
        resources.extend(slices.map(AnyObject::from));
    }
    resources
}

/// A pod as its node writes it; none where each of its ports is a socket elsewhere.
fn as_written(pod: &RunningPod) -> Option<Pod> {
    let (_, first) = pod.ports.first_key_value()?;
    let is_at_its_ports = pod.ports.iter().all(|(port, at)| (at.ip(), at.port()) == (first.ip(), *port));
    let status = PodStatus {
        phase: Some(PodPhase::Running),
        conditions: vec![PodCondition::new("Ready", ConditionStatus::True)],
        pod_ips: vec![PodIp { ip: first.ip().to_string() }],
        ..PodStatus::default()
    };
    let metadata = ObjectMeta {
        name: pod.pod.name.clone(),
        namespace: Some(pod.pod.namespace.clone()),
        labels: pod.labels.clone(),
        ..ObjectMeta::default()
    };
    is_at_its_ports.then(|| Pod { metadata, status, ..Pod::default() })
}

fn selects(service: &Service, pod: &RunningPod) -> bool {
    service.spec.selector.iter().all(|(name, value)| pod.labels.get(name) == Some(value))
}

/// The number of the container's port that a Service's port leads to, and the port as slices have it.
fn container_port(port: &ServicePort) -> Option<(u16, EndpointPort)> {
    let number = match &port.target_port {
        None => port.port,
        Some(IntOrString::Int(number)) => *number,
        // No container names its ports.
        Some(IntOrString::String(_)) => return None,
    };
    let written = EndpointPort {
        name: port.name.clone(),
        port: None,
        protocol: port.protocol.clone(),
        app_protocol: port.app_protocol.clone(),
    };
    Some((u16::try_from(number).ok()?, written))
}

/// A slice for each address of a pod, which has several where each of its ports is a socket of its own.
fn of_pod<'p>(
    pod: &'p RunningPod,
    metadata: &'p ObjectMeta,
    ports: &[(u16, EndpointPort)],
) -> impl Iterator<Item = EndpointSlice> + use<'p> {
    let mut by_address = BTreeMap::<IpAddr, Vec<EndpointPort>>::new();
    for (number, port) in ports {
        if let Some(address) = pod.ports.get(number) {
            let port = EndpointPort { port: Some(i32::from(address.port())), ..port.clone() };
            by_address.entry(address.ip()).or_default().push(port);
        }
    }
    by_address.into_iter().enumerate().map(move |(index, (address, ports))| EndpointSlice {
        metadata: ObjectMeta {
            name: format!("{}-{}-{index}", metadata.name, pod.pod.name),
            ..metadata.clone()
        },
        address_type: match address {
            IpAddr::V4(_) => EndpointAddressType::Ipv4,
            IpAddr::V6(_) => EndpointAddressType::Ipv6,
        },
        endpoints: vec![Endpoint {
            addresses: vec![address.to_string()],
            conditions: EndpointConditions { ready: Some(true), ..EndpointConditions::default() },
            ..Endpoint::default()
        }],
        ports,
    })
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::super::tests::objects;
    use super::*;

    use std::net::SocketAddr;

    use crate::exchange;

    fn pod(name: &str, app: &str, ports: &[(u16, &str)]) -> RunningPod {
        RunningPod {
            pod: exchange::Pod { namespace: "default".to_owned(), name: name.to_owned() },
            labels: BTreeMap::from([("app".to_owned(), app.to_owned())]),
            ports: ports.iter().map(|(number, address)| (*number, address.parse().unwrap())).collect(),
        }
    }

    /// Service, port name, and address of each endpoint.
    fn endpoints(yaml: &str) -> Vec<(String, Option<String>, SocketAddr)> {
        let mut store = Store::new(vec![
            pod("one-a-b", "one", &[(3000, "10.0.0.1:4000"), (3001, "10.0.0.1:4001")]),
            pod("one-a-c", "one", &[(3000, "127.0.0.1:5000"), (3001, "127.0.0.2:5001")]),
            pod("two-a-b", "two", &[(3000, "10.0.0.2:3000")]),
        ]);
        store.apply(objects(yaml));
        let mut found = Vec::new();
        for slice in store.resources().endpoint_slices.values() {
            for port in &slice.ports {
                let address = slice.endpoints[0].addresses[0].parse().unwrap();
                let address = SocketAddr::new(address, port.port.unwrap() as u16);
                found.push((slice.service_name().unwrap().to_owned(), port.name.clone(), address));
            }
        }
        found
    }

    #[test]
    fn a_service_leads_to_the_pods_that_it_selects() {
        let yaml = "
apiVersion: v1
kind: Service
metadata: {name: shop}
spec:
  selector: {app: one}
  ports: [{name: a, port: 80, targetPort: 3000}, {name: b, port: 81, targetPort: 3001}, {name: c, port: 82}]
";
        let of_shop =
            |name: &str, address: &str| ("shop".to_owned(), Some(name.to_owned()), address.parse().unwrap());
        let expected = [
            of_shop("a", "10.0.0.1:4000"),
            of_shop("b", "10.0.0.1:4001"),
            of_shop("a", "127.0.0.1:5000"),
            of_shop("b", "127.0.0.2:5001"),
        ];
        assert_eq!(endpoints(yaml), expected);
    }

    #[test]
    fn a_slice_with_the_label_has_the_pods_of_the_deployment() {
        let yaml = "
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: by-hand, labels: {kubernetes.io/service-name: shop, conformance.gateway-api.rs/pods: two}}
addressType: IPv4
ports: [{port: 3000}]
endpoints: []
";
        assert_eq!(endpoints(yaml), [("shop".to_owned(), None, "10.0.0.2:3000".parse().unwrap())]);
        assert_eq!(endpoints(&yaml.replace("IPv4", "IPv6")), []);
    }
}
