//! Namespaces, classes, Gateways and ListenerSets with their listeners, and certificates.

use std::collections::BTreeMap;

use gateway_core::api::{
    AllowedListeners, AllowedRoutes, ByteString, FromNamespaces, GATEWAY_GROUP, Gateway, GatewayClass,
    GatewayClassSpec, GatewaySpec, LabelSelector, LabelSelectorOperator, LabelSelectorRequirement, Listener,
    ListenerFilter, ListenerFilterType, ListenerFilters, ListenerNamespaces, ListenerSet, ListenerSetSpec,
    ListenerSetStatus, ListenerTlsConfig, LocalObjectReference, Namespace, ObjectMeta,
    ParentGatewayReference, Resources, RouteGroupKind, RouteNamespaces, Secret, SecretObjectReference,
};
use gateway_core::name::ObjectName;

use super::filters::external_auth;
use super::source::Source;
use super::words::{HOSTNAMES, NAMESPACES};
use super::{CONTROLLER_NAME, created, metadata};
use crate::decision::{REQUEST_EDIT_GROUP, REQUEST_EDIT_KIND};

pub(super) fn insert(source: &mut Source<'_>, resources: &mut Resources) {
    for name in NAMESPACES {
        if source.chance(10) {
            continue;
        }
        resources.insert(namespace(source, name).into());
    }
    for (name, controller_name) in CLASSES {
        resources.insert(class(name, controller_name).into());
    }
    for namespace in ["infra", "app"] {
        resources.insert(certificate(namespace).into());
    }
    for _ in 0..if source.chance(30) { 2 } else { 1 } {
        resources.insert(gateway(source).into());
    }
    if source.chance(30) {
        let gateways: Vec<ObjectName> = resources.gateways.keys().cloned().collect();
        for _ in 0..1 + source.below(3) {
            resources.insert(listener_set(source, &gateways).into());
        }
    }
}

pub(super) fn namespace(source: &mut Source<'_>, name: &str) -> Namespace {
    let mut metadata = ObjectMeta { name: name.to_owned(), ..ObjectMeta::default() };
    if let Some(team) = source.some(60, |source| source.one(&["red", "blue"])) {
        metadata.labels.insert("team".to_owned(), team.to_owned());
    }
    Namespace { metadata }
}

/// The classes, each with its controller.
pub(super) const CLASSES: [(&str, &str); 2] = [("ours", CONTROLLER_NAME), ("theirs", "example.com/another")];

pub(super) fn class(name: &str, controller_name: &str) -> GatewayClass {
    let spec =
        GatewayClassSpec { controller_name: controller_name.to_owned(), ..GatewayClassSpec::default() };
    let metadata = ObjectMeta { name: name.to_owned(), ..ObjectMeta::default() };
    GatewayClass { metadata, spec, ..GatewayClass::default() }
}

pub(super) fn gateway(source: &mut Source<'_>) -> Gateway {
    let metadata = metadata(source.one(&["infra", "app"]), source.one(&["gw", "gw-b"]));
    let class = if source.chance(4) { source.one(&["theirs", "nobody"]) } else { "ours" };
    let spec = GatewaySpec {
        gateway_class_name: class.to_owned(),
        listeners: listeners(source, 5),
        allowed_listeners: source.some(70, |source| {
            let RouteNamespaces { from, selector } = route_namespaces(source);
            AllowedListeners { namespaces: ListenerNamespaces { from, selector } }
        }),
        ..GatewaySpec::default()
    };
    Gateway { metadata, spec, ..Gateway::default() }
}

pub(super) fn listener_set(source: &mut Source<'_>, gateways: &[ObjectName]) -> ListenerSet {
    let mut metadata = metadata(source.one(&NAMESPACES), source.one(&["set", "set-b", "gw"]));
    // Ages that tie.
    metadata.creation_timestamp = source.one(&[created(1), created(1), created(2), None]);
    let gateway = source.one(gateways);
    let parent_ref = ParentGatewayReference {
        group: GATEWAY_GROUP.to_owned(),
        kind: "Gateway".to_owned(),
        namespace: (!source.chance(10)).then_some(gateway.namespace.to_string()),
        name: gateway.name.to_string(),
    };
    let spec = ListenerSetSpec { parent_ref, listeners: listeners(source, 3) };
    ListenerSet { metadata, spec, status: ListenerSetStatus::default() }
}

fn listeners(source: &mut Source<'_>, most: usize) -> Vec<Listener> {
    let mut listeners: Vec<Listener> = Vec::new();
    for listener in source.list(1, most, listener) {
        // VAL-GW-06
        let same = |other: &Listener| {
            (other.port, &other.protocol, &other.hostname)
                == (listener.port, &listener.protocol, &listener.hostname)
        };
        if !listeners.iter().any(same) {
            listeners.push(Listener { name: format!("l{}", listeners.len()), ..listener });
        }
    }
    listeners
}

fn listener(source: &mut Source<'_>) -> Listener {
    let port = source.one(&[80, 80, 443, 8080]);
    // Now and then HTTP and HTTPS meet on one port.
    let https = (port == 443) != source.chance(3);
    Listener {
        name: String::new(),
        hostname: source.some(60, |source| source.one(&HOSTNAMES).to_owned()),
        port,
        protocol: if https { "HTTPS" } else { "HTTP" }.to_owned(),
        tls: https.then(|| tls(source)),
        allowed_routes: AllowedRoutes { namespaces: route_namespaces(source), kinds: kinds(source) },
        filters: source.some(15, filters),
    }
}

/// Filters that run before a route is looked for; now and then one that leads nowhere, or that is not carried out.
fn filters(source: &mut Source<'_>) -> ListenerFilters {
    let filter = |source: &mut Source<'_>| {
        if source.chance(10) {
            let auth = external_auth(source);
            return ListenerFilter {
                r#type: ListenerFilterType::ExternalAuth,
                external_auth: Some(auth),
                extension_ref: None,
            };
        }
        let usual = ["path", "query", "post", "add", "remove", "host", "tell", "deny"];
        let name = match source.chance(10) {
            true => source.one(&["fail", "broken", "missing"]),
            false => source.one(&usual),
        };
        let kind = if source.chance(2) { "Unknown" } else { REQUEST_EDIT_KIND };
        let reference = LocalObjectReference {
            group: REQUEST_EDIT_GROUP.to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
        };
        ListenerFilter {
            r#type: ListenerFilterType::ExtensionRef,
            external_auth: None,
            extension_ref: Some(reference),
        }
    };
    ListenerFilters { requests: source.list(0, 3, filter) }
}

fn tls(source: &mut Source<'_>) -> ListenerTlsConfig {
    let reference = SecretObjectReference {
        group: String::new(),
        kind: "Secret".to_owned(),
        name: if source.chance(5) { "missing" } else { "certificate" }.to_owned(),
        namespace: source.some(10, |source| source.one(&NAMESPACES).to_owned()),
    };
    ListenerTlsConfig { certificate_refs: vec![reference], ..ListenerTlsConfig::default() }
}

fn route_namespaces(source: &mut Source<'_>) -> RouteNamespaces {
    use FromNamespaces::{All, Same, Selector};
    let from = source.one(&[All, All, All, All, All, All, Same, Selector]);
    let selector = match &from {
        Selector => source.some(90, selector),
        _ => None,
    };
    RouteNamespaces { from, selector }
}

fn selector(source: &mut Source<'_>) -> LabelSelector {
    use LabelSelectorOperator::{DoesNotExist, Exists, In, NotIn};
    let mut selector = LabelSelector::default();
    match source.below(4) {
        // Everything.
        0 => {}
        1 => {
            selector.match_labels =
                BTreeMap::from([("team".to_owned(), source.one(&["red", "blue"]).to_owned())]);
        }
        2 => {
            let name = source.one(&NAMESPACES).to_owned();
            selector.match_labels = BTreeMap::from([("kubernetes.io/metadata.name".to_owned(), name)]);
        }
        _ => {
            let operator = source.one(&[In, NotIn, Exists, DoesNotExist]);
            let value = match &operator {
                In | NotIn => Some(source.one(&["red", "blue"])),
                _ => None,
            };
            selector.match_expressions = vec![LabelSelectorRequirement::new("team", operator, value)];
        }
    }
    selector
}

fn kinds(source: &mut Source<'_>) -> Vec<RouteGroupKind> {
    let kind = |kind: &str| RouteGroupKind { group: GATEWAY_GROUP.to_owned(), kind: kind.to_owned() };
    if !source.chance(6) {
        return Vec::new();
    }
    source.one(&[
        vec![kind("HTTPRoute")],
        vec![kind("TLSRoute")],
        vec![kind("TLSRoute"), kind("HTTPRoute")],
        vec![RouteGroupKind { group: "example.com".to_owned(), kind: "HTTPRoute".to_owned() }],
    ])
}

/// A certificate as far as translation looks at it: an empty DER sequence in PEM.
pub(super) fn certificate(namespace: &str) -> Secret {
    let pem = |label: &str| {
        let text = format!("-----BEGIN {label}-----\nMAA=\n-----END {label}-----\n");
        ByteString(text.into_bytes())
    };
    let entries = [("tls.crt", pem("CERTIFICATE")), ("tls.key", pem("PRIVATE KEY"))];
    Secret {
        metadata: metadata(namespace, "certificate"),
        r#type: "kubernetes.io/tls".to_owned(),
        data: entries.into_iter().map(|(name, text)| (name.to_owned(), text)).collect(),
    }
}
