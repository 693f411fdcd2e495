//! Manifests to statuses, and statuses to text.
//!
//! The text has a line for each Gateway and ListenerSet and an indented one for each of their listeners:
//! `http [HTTPRoute GRPCRoute] 2: ok` is a listener that takes HTTPRoutes and has two. `ok` stands for the conditions Accepted,
//! Programmed, ResolvedRefs and AddressesAssigned, all true for their usual reasons; everything else is written out.

use std::fmt::Write;

use gateway_core::api::{AnyObject, ByteString, Resources, Secret};
use gateway_core::condition::Condition;
use gateway_core::feature::Feature;
use gateway_core::manifest::Severity;
use gateway_core::name::{ObjectName, RouteKey, RouteKind};
use gateway_core::options::Options;
use gateway_core::status::{ListenerStatus, StatusAddress, Statuses};
use gateway_core::translate::{Translation, translate};

/// The resources of these documents, without what every case has.
pub(crate) use crate::common::resources as read;

/// The class that `gatewayClassName: ours` means, and the namespaces `default` and `other`.
const COMMON: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: ours}
spec: {controllerName: gateway-api.rs/controller}
---
apiVersion: v1
kind: Namespace
metadata: {name: default}
---
apiVersion: v1
kind: Namespace
metadata: {name: other, labels: {team: red}}
";

/// A condition in short: `Accepted=False/Invalid`.
pub(crate) fn short(condition: &Condition) -> String {
    let status = if condition.status { "True" } else { "False" };
    format!("{}={status}/{}", condition.kind, condition.reason)
}

/// The resources of these documents, with what every case has.
pub(crate) fn world(yaml: &str) -> Resources {
    let mut resources = read(COMMON);
    resources.extend(read(yaml).iter());
    resources
}

/// A Secret with a certificate and its key.
pub(crate) fn certificate(namespace: &str, name: &str) -> AnyObject {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["example.com".to_owned()]).unwrap();
    let mut secret = Secret { r#type: "kubernetes.io/tls".to_owned(), ..Secret::default() };
    secret.metadata.namespace = Some(namespace.to_owned());
    secret.metadata.name = name.to_owned();
    secret.data.insert("tls.crt".to_owned(), ByteString(cert.pem().into_bytes()));
    secret.data.insert("tls.key".to_owned(), ByteString(signing_key.serialize_pem().into_bytes()));
    secret.into()
}

/// The options of a data plane for HTTPRoutes and GRPCRoutes, with these features besides.
pub(crate) fn with_features(features: &[Feature]) -> Options {
    const OTHERS: [Feature; 5] = [
        Feature::TcpRoute,
        Feature::TlsRoute,
        Feature::TlsRouteModeMixed,
        Feature::TlsRouteModeTerminate,
        Feature::UdpRoute,
    ];
    let mut options = Options::default();
    options.features.retain(|feature| !OTHERS.contains(feature));
    options.features.extend(features);
    options
}

/// Translates, and insists that every object is valid.
pub(crate) fn translated(resources: &Resources, options: &Options) -> Translation {
    let before = resources.clone();
    let translation = translate(resources, options);
    assert_eq!(*resources, before, "GEN-15: what is written stays as it is");
    let mut diagnostics = translation.diagnostics.iter();
    let error = diagnostics.find(|diagnostic| diagnostic.severity == Severity::Error);
    assert!(error.is_none(), "the case itself is wrong: {error:#?}");
    translation
}

/// The statuses as text.
pub(crate) fn text(statuses: &Statuses) -> String {
    let mut text = String::new();
    for (key, gateway) in &statuses.gateways {
        let addresses: Vec<_> = gateway.addresses.iter().map(StatusAddress::to_string).collect();
        let sets = gateway.attached_listener_sets;
        write!(text, "Gateway {key}").unwrap();
        if !addresses.is_empty() {
            write!(text, " at {}", addresses.join(" ")).unwrap();
        }
        if sets > 0 {
            write!(text, " with {sets}").unwrap();
        }
        writeln!(text, ": {}", conditions(&gateway.conditions)).unwrap();
        gateway.listeners.iter().for_each(|status| listener(status, &mut text));
    }
    for (key, set) in &statuses.listener_sets {
        writeln!(text, "ListenerSet {key}: {}", conditions(&set.conditions)).unwrap();
        set.listeners.iter().for_each(|status| listener(status, &mut text));
    }
    text
}

fn listener(status: &ListenerStatus, text: &mut String) {
    let ListenerStatus { name, supported_kinds, attached_routes, conditions: listed } = status;
    let kinds: Vec<_> = supported_kinds.iter().map(|kind| kind.as_str()).collect();
    let count = if *attached_routes > 0 { format!(" {attached_routes}") } else { String::new() };
    writeln!(text, "  {name} [{}]{count}: {}", kinds.join(" "), conditions(listed)).unwrap();
}

/// The conditions in short, those that say nothing drawn together.
pub(crate) fn conditions(conditions: &[Condition]) -> String {
    let usual = [
        "Accepted=True/Accepted",
        "Programmed=True/Programmed",
        "ResolvedRefs=True/ResolvedRefs",
        "AddressesAssigned=True/AddressesAssigned",
    ];
    let shown: Vec<_> =
        conditions.iter().map(short).filter(|shown| !usual.contains(&shown.as_str())).collect();
    // GEN-07: what says nothing is there nevertheless.
    let kinds: Vec<_> = conditions.iter().map(|condition| condition.kind.as_str()).collect();
    assert!(kinds.starts_with(&["Accepted", "Programmed"]), "{kinds:?}");
    if shown.is_empty() { "ok".to_owned() } else { shown.join(" ") }
}

/// The conditions of an HTTPRoute in namespace `default`: for each parent its section, and what was said about it.
pub(crate) fn conditions_of_route(translation: &Translation, name: &str) -> Vec<String> {
    conditions_of(translation, RouteKind::Http, name)
}

/// The same for a route of any kind; empty for one that has no status.
pub(crate) fn conditions_of(translation: &Translation, kind: RouteKind, name: &str) -> Vec<String> {
    let key = RouteKey::new(kind, ObjectName::new("default", name));
    let Some(status) = translation.statuses.routes.get(&key) else { return Vec::new() };
    let usual = ["Accepted=True/Accepted", "ResolvedRefs=True/ResolvedRefs"];
    let parents = status.parents.iter().map(|parent| {
        // RTE-13: both are always there.
        let kinds: Vec<_> = parent.conditions.iter().map(|condition| condition.kind.as_str()).collect();
        assert!(kinds.starts_with(&["Accepted", "ResolvedRefs"]), "{kinds:?}");
        let unusual = parent.conditions.iter().map(short).filter(|shown| !usual.contains(&shown.as_str()));
        let unusual: Vec<_> = unusual.collect();
        let shown = if unusual.is_empty() { "ok".to_owned() } else { unusual.join(" ") };
        format!("{}: {shown}", parent.parent_ref.section_name.as_deref().unwrap_or_default())
    });
    parents.collect()
}

/// Compares the statuses of a case with what is expected; leading and trailing space is nothing.
#[track_caller]
pub(crate) fn expect_with(name: &str, resources: &Resources, options: &Options, expected: &str) {
    let found = text(&translated(resources, options).statuses);
    let lines = |text: &str| text.trim().lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    assert_eq!(lines(&found), lines(expected), "{name}\nfound:\n{found}");
}

/// The same with the default options.
#[track_caller]
pub(crate) fn expect(name: &str, yaml: &str, expected: &str) {
    expect_with(name, &world(yaml), &Options::default(), expected);
}

/// A Gateway in namespace `default` with these listeners, in flow style.
pub(crate) fn gateway(name: &str, listeners: &str) -> String {
    gateway_with(name, listeners, "")
}

/// The same with more in its specification, in flow style and with a leading comma.
pub(crate) fn gateway_with(name: &str, listeners: &str, more: &str) -> String {
    format!(
        "
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: {name}}}
spec: {{gatewayClassName: ours, listeners: [{listeners}]{more}}}
"
    )
}

/// A ListenerSet for Gateway `default/NAME`.
pub(crate) fn listener_set(
    namespace: &str,
    name: &str,
    created: &str,
    gateway: &str,
    listeners: &str,
) -> String {
    format!(
        "
---
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {{namespace: {namespace}, name: {name}, creationTimestamp: '{created}'}}
spec: {{parentRef: {{namespace: default, name: {gateway}}}, listeners: [{listeners}]}}
"
    )
}
