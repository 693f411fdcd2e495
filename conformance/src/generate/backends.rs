//! Services and backends of other kinds with their endpoints, and the grants to refer to them.

use std::collections::BTreeMap;

use gateway_core::api::{
    BackendPort, BackendProtocol, BackendSpec, BackendStatus, BackendTls, BackendTlsMode, BackendType,
    ConditionStatus, EXPERIMENTAL_GROUP, Endpoint, EndpointAddressType, EndpointConditions, EndpointPort,
    EndpointSelectorBackend, EndpointSlice, ExternalHostnameBackend, GATEWAY_GROUP, MULTICLUSTER_GROUP, Pod,
    PodCondition, PodIp, PodPhase, PodSpec, PodStatus, ReferenceGrant, ReferenceGrantFrom,
    ReferenceGrantSpec, ReferenceGrantTo, Resources, Service, ServiceAffinity, ServiceImport,
    ServiceImportPort, ServiceImportSpec, ServiceImportType, ServicePort, ServiceSpec, ServiceType,
    TransportProtocol, XBackend,
};

use super::source::Source;
use super::words::{NAMESPACES, SERVICES};
use super::{created, metadata, policies, routes};

pub(super) fn insert(source: &mut Source<'_>, resources: &mut Resources) {
    for (i, namespace) in NAMESPACES.iter().enumerate() {
        for (j, name) in SERVICES.iter().enumerate().take(3) {
            if source.chance(4) {
                continue;
            }
            resources.insert(service(source, namespace, name).into());
            for k in 0..1 + source.below(2) {
                let first_address = [10, i as u8, j as u8, k as u8 * 10];
                resources.insert(slice(source, namespace, name, first_address).into());
            }
        }
    }
    if source.chance(30) {
        for _ in 0..1 + source.below(4) {
            resources.insert(import(source).into());
            resources.insert(slice_of_import(source).into());
        }
    }
    if source.chance(30) {
        for _ in 0..1 + source.below(4) {
            resources.insert(x_backend(source).into());
        }
        for _ in 0..source.below(8) {
            resources.insert(pod(source).into());
        }
    }
    for _ in 0..source.below(4) {
        let name = format!("grant-{}", resources.reference_grants.len());
        resources.insert(grant(source, name).into());
    }
}

pub(super) fn service(source: &mut Source<'_>, namespace: &str, name: &str) -> Service {
    let protocol = if source.chance(3) { TransportProtocol::Udp } else { TransportProtocol::Tcp };
    let app_protocols = ["kubernetes.io/h2c", "kubernetes.io/ws", "kubernetes.io/wss", "example.com/other"];
    let port = |name: &str, port| ServicePort { name: Some(name.to_owned()), port, ..ServicePort::default() };
    let first = ServicePort {
        protocol,
        app_protocol: source.some(6, |source| source.one(&app_protocols).to_owned()),
        ..port("http", 80)
    };
    let r#type = if source.chance(3) { ServiceType::ExternalName } else { ServiceType::ClusterIp };
    let external_name = (r#type == ServiceType::ExternalName).then(|| "example.net".to_owned());
    let ports = vec![first, port("other", 8080)];
    let session_affinity = if source.chance(4) { ServiceAffinity::ClientIp } else { ServiceAffinity::None };
    let spec = ServiceSpec { r#type, external_name, ports, session_affinity, ..ServiceSpec::default() };
    Service { metadata: metadata(namespace, name), spec }
}

/// A ServiceImport, mostly with the name of a Service.
pub(super) fn import(source: &mut Source<'_>) -> ServiceImport {
    let (namespace, name) = (source.one(&NAMESPACES), source.one(&SERVICES[..3]));
    let Service { metadata, spec } = service(source, namespace, name);
    let ports = spec.ports.into_iter().map(|port| ServiceImportPort {
        name: port.name,
        port: port.port,
        protocol: port.protocol,
        app_protocol: port.app_protocol,
    });
    let r#type =
        if source.chance(20) { ServiceImportType::Headless } else { ServiceImportType::ClusterSetIp };
    let (ports, session_affinity) = (ports.collect(), spec.session_affinity);
    ServiceImport {
        metadata,
        spec: ServiceImportSpec { r#type, ports, session_affinity, ..Default::default() },
    }
}

/// Endpoints of a ServiceImport in one of two clusters, now and then with the label of a Service too.
pub(super) fn slice_of_import(source: &mut Source<'_>) -> EndpointSlice {
    let (i, j, k) = (source.below(3), source.below(3), source.below(2));
    let mut slice = slice(source, NAMESPACES[i], SERVICES[j], [10, 100 + i as u8, j as u8, k as u8 * 10]);
    slice.metadata.name = format!("import-{}", slice.metadata.name);
    if !source.chance(30) {
        slice.metadata.labels.clear();
    }
    let cluster = source.one(&["east", "west"]);
    let labels = [("service-name", SERVICES[j]), ("source-cluster", cluster)];
    let labels = labels.map(|(name, value)| (format!("multicluster.kubernetes.io/{name}"), value.to_owned()));
    slice.metadata.labels.extend(labels);
    slice
}

/// An XBackend with the name of a Service, mostly one that selects Pods.
pub(super) fn x_backend(source: &mut Source<'_>) -> XBackend {
    let selects = !source.chance(10);
    let mut match_labels = BTreeMap::from([label(source)]);
    match_labels.extend(source.some(20, label));
    let hostname = || ExternalHostnameBackend { hostname: "pay.test".to_owned() };
    let within_tls = source.chance(20);
    let protocols: &[BackendProtocol] = match within_tls {
        true => &[BackendProtocol::Http, BackendProtocol::Http2, BackendProtocol::Wss],
        false => &[BackendProtocol::Http, BackendProtocol::H2c, BackendProtocol::Grpc, BackendProtocol::Tcp],
    };
    let tls = match within_tls {
        true => BackendTls {
            mode: BackendTlsMode::ServerOnly,
            validation: Some(policies::validation(source)),
            client_certificate_ref: None,
        },
        false => BackendTls::default(),
    };
    XBackend {
        metadata: metadata(source.one(&NAMESPACES), source.one(&SERVICES[..3])),
        spec: BackendSpec {
            r#type: if selects { BackendType::EndpointSelector } else { BackendType::ExternalHostname },
            external_hostname: (!selects).then(hostname),
            endpoint_selector: selects.then_some(EndpointSelectorBackend { match_labels }),
            port: BackendPort { number: Some(source.one(&[80, 3000])) },
            session_persistence: source.some(15, routes::session).filter(|_| selects),
            protocol: source.some(40, |source| source.one(protocols)),
            tls,
        },
        status: BackendStatus::default(),
    }
}

/// One of the labels of a Pod.
fn label(source: &mut Source<'_>) -> (String, String) {
    (source.one(&["app", "tier"]).to_owned(), source.one(&["a", "b"]).to_owned())
}

/// A Pod, mostly one that is ready.
pub(super) fn pod(source: &mut Source<'_>) -> Pod {
    let (i, number) = (source.below(NAMESPACES.len()), source.below(4));
    let mut metadata = metadata(NAMESPACES[i], format!("pod-{number}"));
    metadata.labels = source.list(1, 2, label).into_iter().collect();
    metadata.deletion_timestamp = source.some(15, |_| created(9)).flatten();
    let ready = source.one(&[ConditionStatus::True, ConditionStatus::True, ConditionStatus::False]);
    let ip = format!("10.200.{i}.{}", source.one(&[number, number, 9]));
    let status = PodStatus {
        phase: source
            .some(80, |source| source.one(&[PodPhase::Running, PodPhase::Running, PodPhase::Succeeded])),
        conditions: vec![PodCondition::new("Ready", ready)],
        pod_ip: Some(ip.clone()),
        pod_ips: vec![PodIp { ip }],
    };
    Pod { metadata, spec: PodSpec::default(), status }
}

pub(super) fn slice(
    source: &mut Source<'_>,
    namespace: &str,
    service: &str,
    first: [u8; 4],
) -> EndpointSlice {
    let [a, b, c, d] = first;
    let mut metadata = metadata(namespace, format!("{service}-{d}"));
    metadata.labels = BTreeMap::from([("kubernetes.io/service-name".to_owned(), service.to_owned())]);
    let address_type = if source.chance(3) { EndpointAddressType::Fqdn } else { EndpointAddressType::Ipv4 };
    let mut next = d;
    let least = if source.chance(20) { 0 } else { 1 };
    let endpoints = source.list(least, 3, |source| {
        next += 1;
        let ready = source.one(&[Some(true), Some(true), None, Some(false)]);
        Endpoint {
            addresses: vec![format!("{a}.{b}.{c}.{next}"), format!("{a}.{b}.{c}.{}", next + 100)],
            conditions: EndpointConditions { ready, ..EndpointConditions::default() },
            ..Endpoint::default()
        }
    });
    let port =
        |name: &str, port| EndpointPort { name: Some(name.to_owned()), port, ..EndpointPort::default() };
    let ports = source.one(&[
        vec![port("http", Some(3000)), port("other", Some(3001))],
        vec![port("other", Some(3001)), port("http", Some(3000))],
        vec![port("http", Some(3000))],
        vec![port("other", Some(3001)), port("http", None)],
    ]);
    EndpointSlice { metadata, address_type, endpoints, ports }
}

pub(super) fn grant(source: &mut Source<'_>, name: String) -> ReferenceGrant {
    let from = source.list(1, 2, |source| ReferenceGrantFrom {
        group: GATEWAY_GROUP.to_owned(),
        kind: source.one(&["HTTPRoute", "HTTPRoute", "Gateway", "ListenerSet", "GRPCRoute"]).to_owned(),
        namespace: source.one(&NAMESPACES).to_owned(),
    });
    let to = source.list(1, 2, |source| {
        let import = (MULTICLUSTER_GROUP, "ServiceImport");
        let x_backend = (EXPERIMENTAL_GROUP, "XBackend");
        let (group, kind) =
            source.one(&[("", "Service"), ("", "Service"), ("", "Secret"), import, x_backend]);
        ReferenceGrantTo {
            group: group.to_owned(),
            kind: kind.to_owned(),
            name: source.some(40, |source| source.one(&SERVICES).to_owned()),
        }
    });
    ReferenceGrant {
        metadata: metadata(source.one(&NAMESPACES), name),
        spec: ReferenceGrantSpec { from, to },
    }
}
