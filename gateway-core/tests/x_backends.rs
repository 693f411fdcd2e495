//! XBackends from manifests: what a reference to one leads to, and what statuses say of each.
#![cfg(feature = "resources")]

mod common;

use std::net::SocketAddr;

use gateway_core::api::Kind;
use gateway_core::exchange::Refusal;
use gateway_core::feature::Feature;
use gateway_core::name::{ObjectName, RouteKey, RouteKind};
use gateway_core::options::Options;
use gateway_core::rule::{Authorities, Backend, BackendKind, BackendProtocol, SessionCarrier, Sessions};
use gateway_core::table::RouteTable;
use gateway_core::translate::{Translation, Translator, translate};
use gateway_core::{lint, manifest};

use self::common::resources;

/// A Gateway, a Route to an XBackend, a Service of the same name, and certificate authorities.
const BASE: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: class}
spec: {controllerName: gateway-api.rs/controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw}
spec: {gatewayClassName: class, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r}
spec: {parentRefs: [{name: gw}], rules: [{backendRefs: [{group: gateway.networking.x-k8s.io, kind: XBackend, name: b}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: b}
spec: {ports: [{port: 8080}], sessionAffinity: ClientIP}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: ca}
data: {ca.crt: \"-----BEGIN CERTIFICATE-----\\nMAA=\\n-----END CERTIFICATE-----\\n\"}
";

const SELECTOR: &str =
    "type: EndpointSelector, endpointSelector: {matchLabels: {app: shop, tier: web}}, port: {number: 8080}";
const HOSTNAME: &str =
    "type: ExternalHostname, externalHostname: {hostname: pay.example}, port: {number: 443}";

fn x_backend(spec: &str) -> String {
    x_backend_in("default", spec)
}

fn x_backend_in(namespace: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: gateway.networking.x-k8s.io/v1alpha1\nkind: XBackend\n\
         metadata: {{name: b, namespace: {namespace}, generation: 7}}\nspec: {{{spec}}}\n"
    )
}

const READY: &str = "phase: Running, conditions: [{type: Ready, status: 'True'}]";

/// A Pod with the labels that are selected.
fn pod(name: &str, ip: &str, more: &str, status: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {{app: shop, tier: web, more: x}}{more}}}\n\
         spec: {{nodeName: one, containers: [{{name: c, image: i}}]}}\n\
         status: {{{status}, podIP: {ip}, podIPs: [{{ip: {ip}}}], hostIP: 192.0.2.1}}\n"
    )
}

/// Names are looked up.
fn options() -> Options {
    Options { external_hostnames: true, ..Options::default() }
}

fn translated(more: &str) -> Translation {
    with_options(more, &options())
}

fn with_options(more: &str, options: &Options) -> Translation {
    translate(&resources(&format!("{BASE}{more}")), options)
}

/// The one backend.
#[track_caller]
fn backend(table: &RouteTable) -> &Backend {
    let all: Vec<_> = table.backends().collect();
    let [backend] = all[..] else { panic!("one backend: {all:?}") };
    backend
}

fn addresses(backend: &Backend) -> Vec<String> {
    backend.endpoints.iter().map(|endpoint| endpoint.address().to_string()).collect()
}

/// What the Route says of its references.
fn resolved(translation: &Translation) -> String {
    let route = RouteKey::new(RouteKind::Http, ObjectName::new("default", "r"));
    let status = &translation.statuses.routes[&route].parents[0];
    let found = status.conditions.iter().find(|condition| condition.kind.as_str() == "ResolvedRefs");
    found.unwrap().to_string()
}

/// What the status of the XBackend says, condition by condition.
fn said(translation: &Translation) -> Vec<String> {
    let Some(status) = translation.statuses.backends.get(&ObjectName::new("default", "b")) else {
        return Vec::new();
    };
    assert_eq!(status.generation, Some(7));
    let [ancestor] = &status.ancestors[..] else { panic!("one Gateway: {status:?}") };
    assert_eq!(
        (&*ancestor.ancestor_ref.name, &*ancestor.controller_name),
        ("gw", "gateway-api.rs/controller")
    );
    ancestor.conditions.iter().map(ToString::to_string).collect()
}

// XBK-06, XBK-07, CND-106
#[test]
fn pods_are_selected_by_all_labels_and_by_whether_they_are_ready() {
    let other_labels = pod("other", "10.0.0.9", "", READY).replace("tier: web", "tier: db");
    let elsewhere = pod("elsewhere", "10.0.0.8", ", namespace: other", READY);
    let not_ready =
        pod("starting", "10.0.0.7", "", "phase: Running, conditions: [{type: Ready, status: 'False'}]");
    let ended = pod("ended", "10.0.0.6", "", &READY.replace("Running", "Succeeded"));
    let leaving = pod("leaving", "10.0.0.5", ", deletionTimestamp: '2026-01-01T00:00:00Z'", READY);
    let six = pod("six", "'fd00::2'", "", READY);
    let pods = [pod("a", "10.0.0.2", "", READY), pod("z", "10.0.0.1", "", READY), six].concat();
    let rest = [other_labels, elsewhere, not_ready, ended, leaving.clone()].concat();
    let translation = translated(&format!("{}{pods}{rest}", x_backend(SELECTOR)));
    let found = backend(&translation.table);
    assert_eq!(addresses(found), ["10.0.0.1:8080", "10.0.0.2:8080", "[fd00::2]:8080"]);
    assert_eq!((found.kind, found.port, found.hostname.as_deref()), (BackendKind::XBackend, 8080, None));
    assert_eq!(found.to_string(), "XBackend default/b:8080");
    assert_eq!(found.endpoints[0].locality().unwrap().node.as_deref(), Some("one"));
    assert!(resolved(&translation).contains("=True"), "{}", resolved(&translation));
    assert_eq!(said(&translation), ["Accepted=True/Accepted"]);

    // The last of a rollout.
    let translation = translated(&format!("{}{leaving}", x_backend(SELECTOR)));
    assert_eq!(addresses(backend(&translation.table)), ["10.0.0.5:8080"]);
    let translation = translated(&x_backend(SELECTOR));
    let none = backend(&translation.table);
    assert_eq!(Refusal::without_endpoints(none), Refusal::NoEndpoints);
    assert_eq!(said(&translation), ["Accepted=True/Accepted"]);
}

// XBK-07
#[test]
fn pods_that_come_change_and_go_are_followed() {
    let mut translator = Translator::new(Options::default());
    let insert = |translator: &mut Translator, yaml: &str| {
        let read = manifest::read(yaml, "test.yaml");
        read.objects.into_iter().for_each(|(object, _)| translator.insert(object));
        addresses(backend(&translator.translate().table.clone()))
    };
    assert_eq!(insert(&mut translator, &format!("{BASE}{}", x_backend(SELECTOR))), [""; 0]);
    let lookups = translator.translation().lookups.clone();
    assert_eq!(lookups.pods_of().collect::<Vec<_>>(), ["default"]);
    assert_eq!(insert(&mut translator, &pod("a", "10.0.0.1", "", READY)), ["10.0.0.1:8080"]);
    assert_eq!(insert(&mut translator, &pod("b", "10.0.0.2", "", READY)).len(), 2);
    // Out of the selection, which nothing but the old labels tell.
    let other = pod("a", "10.0.0.1", "", READY).replace("app: shop", "app: other");
    assert_eq!(insert(&mut translator, &other), ["10.0.0.2:8080"]);
    let unlabelled = SELECTOR.replace(", tier: web", "").replace("app: shop", "app: other");
    assert_eq!(insert(&mut translator, &x_backend(&unlabelled)), ["10.0.0.1:8080"]);
    translator.remove(Kind::Pod, &ObjectName::new("default", "a"));
    assert_eq!(addresses(backend(&translator.translate().table)), [""; 0]);

    // All at once, as from files.
    let mut translator = Translator::new(Options::default());
    let mut update = |pods: &str| {
        translator.update(&resources(&format!("{BASE}{}{pods}", x_backend(SELECTOR))));
        addresses(backend(&translator.translate().table.clone()))
    };
    let one = pod("a", "10.0.0.1", "", READY);
    assert_eq!(update(&one), ["10.0.0.1:8080"]);
    assert_eq!(update(&one.replace("app: shop", "app: other")), [""; 0]);
    assert_eq!(update(&one), ["10.0.0.1:8080"]);
    assert_eq!(update(""), [""; 0]);
}

// XBK-01
#[test]
fn a_name_outside_the_cluster_is_for_the_data_plane_to_look_up() {
    let translation = translated(&x_backend(HOSTNAME));
    let named = backend(&translation.table);
    assert_eq!((named.hostname.as_deref(), named.port, named.endpoints.len()), (Some("pay.example"), 443, 0));
    assert_eq!(Refusal::without_endpoints(named), Refusal::NoAddress);
    assert_eq!(said(&translation), ["Accepted=True/Accepted"]);
    assert_eq!(translation.lookups.pods_of().count(), 0);

    let found = |backend: &Backend, _: &str| {
        [SocketAddr::from(([192, 0, 2, 1], backend.port)).into()].into_iter().collect()
    };
    let table = translation.table.with_endpoints(found).unwrap();
    assert_eq!(addresses(backend(&table)), ["192.0.2.1:443"]);
    assert_eq!(addresses(backend(&translation.table)), [""; 0], "the table is another");
    assert!(table.with_endpoints(found).is_none(), "nothing has changed");

    // A translation that goes on begins from the name again, and other tables have none.
    let translation = translated(&x_backend(SELECTOR));
    assert!(translation.table.with_endpoints(found).is_none());

    let translation = with_options(&x_backend(HOSTNAME), &Options::default());
    let [accepted] = &said(&translation)[..] else { panic!("one condition") };
    assert!(accepted.starts_with("Accepted=False/UnsupportedValue"), "{accepted}");
    assert!(resolved(&translation).starts_with("ResolvedRefs=False/BackendNotFound"));

    // The schema lets an address through.
    let translation = translated(&x_backend(&HOSTNAME.replace("pay.example", "169.254.169.254")));
    assert!(said(&translation)[0].starts_with("Accepted=False/Invalid"), "{:?}", said(&translation));
    assert!(said(&translation)[0].contains("is an address"), "{:?}", said(&translation));
    assert_eq!(translation.table.backends().count(), 0);
    let translation = translated(&x_backend(&HOSTNAME.replace("pay.example", "api.example.123")));
    assert!(said(&translation)[0].contains("ends in a number"), "{:?}", said(&translation));
}

// XBK-02, XBK-07, RGR-05
#[test]
fn one_in_another_namespace_takes_a_grant() {
    let route = "---\n{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: r}, spec: {parentRefs: [{name: gw}], \
                 rules: [{backendRefs: [{group: gateway.networking.x-k8s.io, kind: XBackend, name: b, namespace: other}]}]}}\n";
    let base =
        BASE.split("---\n").filter(|part| !part.contains("HTTPRoute")).collect::<Vec<_>>().join("---\n");
    let grant = |kind: &str| {
        format!(
            "---\n{{apiVersion: gateway.networking.k8s.io/v1, kind: ReferenceGrant, metadata: {{name: g, namespace: other}}, spec: \
             {{from: [{{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: default}}], to: [{kind}]}}}}\n"
        )
    };
    let all = |grant: &str| {
        let yaml = format!("{base}{route}{grant}{}", x_backend_in("other", HOSTNAME));
        translate(&resources(&yaml), &options())
    };
    for refused in [String::new(), grant("{group: '', kind: Service}")] {
        let translation = all(&refused);
        assert!(resolved(&translation).contains("False/RefNotPermitted"), "{}", resolved(&translation));
    }
    let translation = all(&grant("{group: gateway.networking.x-k8s.io, kind: XBackend}"));
    assert!(resolved(&translation).contains("=True"), "{}", resolved(&translation));
    assert_eq!(backend(&translation.table).service, ObjectName::new("other", "b"));
}

// XBK-02, MSH-12
#[test]
fn one_in_another_namespace_takes_a_grant_in_a_mesh_too() {
    let yaml = format!(
        "{}---
apiVersion: v1
kind: Service
metadata: {{name: s}}
spec: {{clusterIP: 10.0.0.9, ports: [{{port: 80}}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: r}}
spec:
  parentRefs: [{{group: '', kind: Service, name: s}}]
  rules: [{{backendRefs: [{{group: gateway.networking.x-k8s.io, kind: XBackend, name: b, namespace: other}}]}}]
{}",
        BASE.split("---\n").filter(|part| !part.contains("HTTPRoute")).collect::<Vec<_>>().join("---\n"),
        x_backend_in("other", HOSTNAME)
    );
    let mut options = options();
    options.features.extend([Feature::Mesh, Feature::HttpRoute]);
    let translation = translate(&resources(&yaml), &options);
    assert!(resolved(&translation).contains("False/RefNotPermitted"), "{}", resolved(&translation));
}

// HRB-05
#[test]
fn a_backend_with_a_wrong_group_is_told_the_right_one() {
    let xk8s = "group: gateway.networking.x-k8s.io, kind: XBackend";
    for (written, expected) in [
        (
            "kind: XBackend",
            "XBackend of group \"\" is not supported as a backend; write group \"gateway.networking.x-k8s.io\"",
        ),
        ("kind: ServiceImport", "write group \"multicluster.x-k8s.io\""),
        ("group: v1, kind: Service", "write group \"\""),
        ("group: a.example, kind: Bucket", "is not supported as a backend; refer to a Service"),
    ] {
        let translation = translate(&resources(&BASE.replace(xk8s, written)), &options());
        assert!(resolved(&translation).contains(expected), "{}", resolved(&translation));
    }
}

// XBK-07
#[test]
fn one_that_is_missing_or_invalid_is_no_backend() {
    let translation = translated("");
    assert!(
        resolved(&translation).starts_with("ResolvedRefs=False/BackendNotFound"),
        "{}",
        resolved(&translation)
    );
    assert!(resolved(&translation).contains("there is no XBackend default/b"));
    assert_eq!(said(&translation), [""; 0]);

    let yaml = format!("{BASE}{}", x_backend("type: ExternalHostname, port: {number: 443}"));
    let translation = translate(&resources(&yaml), &Options::default());
    assert!(resolved(&translation).contains("cannot be carried out, see its status"));
    assert!(said(&translation)[0].starts_with("Accepted=False/Invalid: is not carried out"));

    // Only what a Gateway of ours reaches has a status.
    let unreached = BASE.replace("kind: XBackend, name: b", "kind: XBackend, name: c");
    let translation = translate(&resources(&format!("{unreached}{}", x_backend(HOSTNAME))), &options());
    assert_eq!(said(&translation), [""; 0]);
}

// XBK-04, BTP-12
#[test]
fn tls_is_spoken_as_it_says_or_not_at_all() {
    const CA: &str = "caCertificateRefs: [{group: '', kind: ConfigMap, name: ca}]";
    let with = |tls: &str| x_backend(&format!("{HOSTNAME}, protocol: HTTP2, tls: {{{tls}}}"));
    let translation =
        translated(&with(&format!("mode: ServerOnly, validation: {{hostname: sni.example, {CA}}}")));
    let found = backend(&translation.table);
    let tls = found.tls.as_ref().unwrap();
    assert_eq!((&*tls.server_name, found.protocol), ("sni.example", BackendProtocol::H2c));
    assert!(matches!(&tls.authorities, Authorities::Certificates(all) if all.len() == 1));
    assert_eq!(said(&translation), ["Accepted=True/Accepted", "ResolvedRefs=True/ResolvedRefs"]);
    let gateway = ObjectName::new("default", "gw");
    assert!(translation.table.certificate_for(found, Some(&gateway)).is_none());

    let missing = with(
        "mode: ServerOnly, validation: {hostname: sni.example, caCertificateRefs: [{group: '', kind: ConfigMap, name: absent}]}",
    );
    let translation = translated(&missing);
    let [accepted, references] = &said(&translation)[..] else { panic!("two conditions") };
    assert!(accepted.starts_with("Accepted=False/NoValidCACertificate: spec.tls.validation."), "{accepted}");
    assert!(references.starts_with("ResolvedRefs=False/InvalidCACertificateRef"), "{references}");
    assert!(resolved(&translation).starts_with("ResolvedRefs=False/BackendNotFound"));
    assert!(translation.lookups.contains(Kind::ConfigMap, &ObjectName::new("default", "absent")));

    let system = "validation: {hostname: sni.example, wellKnownCACertificates: System}";
    let shown = format!("mode: ClientAndServer, {system}, clientCertificateRef: {{name: client}}");
    let translation = translated(&with(&shown));
    let [accepted, references] = &said(&translation)[..] else { panic!("two conditions") };
    assert!(accepted.starts_with("Accepted=False/Invalid: spec.tls.clientCertificateRef"), "{accepted}");
    assert!(references.starts_with("ResolvedRefs=False/InvalidClientCertificateRef"), "{references}");
    let signed = rcgen::generate_simple_self_signed(["client".to_owned()]).unwrap();
    let (certificate, key) = (signed.cert.pem(), signed.signing_key.serialize_pem());
    let secret = format!(
        "---\n{{apiVersion: v1, kind: Secret, metadata: {{name: client}}, type: kubernetes.io/tls, \
         stringData: {{tls.crt: {certificate:?}, tls.key: {key:?}}}}}\n",
    );
    let translation = translated(&format!("{}{secret}", with(&shown)));
    assert_eq!(said(&translation), ["Accepted=True/Accepted", "ResolvedRefs=True/ResolvedRefs"]);
    let found = backend(&translation.table);
    assert!(translation.table.certificate_for(found, Some(&gateway)).is_some());

    // A data plane without TLS sends nothing there.
    let mut features = Options::default().features;
    features.remove(&Feature::BackendTlsPolicy);
    let translation =
        with_options(&with(&format!("mode: ServerOnly, {system}")), &Options { features, ..options() });
    assert!(said(&translation)[0].starts_with("Accepted=False/UnsupportedValue: spec.tls"));
    assert_eq!(translation.table.backends().count(), 0);
}

// XBK-03
#[test]
fn a_protocol_that_carries_no_requests_is_said_at_the_route() {
    let translation = translated(&x_backend(&format!("{SELECTOR}, protocol: TCP")));
    assert!(resolved(&translation).starts_with("ResolvedRefs=False/UnsupportedProtocol: XBackend default/b"));
    assert_eq!(said(&translation), ["Accepted=True/Accepted"]);
    let translation = translated(&x_backend(&format!("{SELECTOR}, protocol: H2C")));
    assert_eq!(backend(&translation.table).protocol, BackendProtocol::H2c);
}

// SES-01, SES-14, XBK-07
#[test]
fn sessions_are_those_of_the_backend_and_the_affinity_of_a_service_is_none_of_its() {
    let spec = format!("{SELECTOR}, sessionPersistence: {{cookie: {{name: kept}}}}");
    let translation = translated(&x_backend(&spec));
    let rule = translation.table.rules().next().unwrap();
    let Some(Sessions::OfBackends(sessions)) = rule.sessions.as_deref() else {
        panic!("{:?}", rule.sessions)
    };
    let session = sessions[0].as_ref().unwrap();
    assert!(matches!(&session.carrier, SessionCarrier::Cookie(_)));
    assert_eq!(&*session.scope, "XBackend default/b");

    let without = Options { session_persistence: false, ..Options::default() };
    let translation = with_options(&x_backend(&spec), &without);
    assert!(translation.table.rules().next().unwrap().sessions.is_none());
    let [accepted] = &said(&translation)[..] else { panic!("one condition") };
    assert!(accepted.contains("sessions are not kept"), "{accepted}");
}

#[test]
fn what_leads_nowhere_is_said_of_files() {
    let said = |more: &str| {
        let (resources, options) = (resources(&format!("{BASE}{more}")), options());
        let found = lint::unserved(&resources, &translate(&resources, &options).statuses, &options);
        let of_kind = found.into_iter().filter(|said| matches!(said.kind, Kind::XBackend | Kind::Pod));
        of_kind.map(|said| said.finding.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(said(&x_backend(HOSTNAME)), [""; 0]);
    assert_eq!(said(&format!("{}{}", x_backend(SELECTOR), pod("a", "10.0.0.1", "", READY))), [""; 0]);
    let found = said(&x_backend(SELECTOR));
    assert!(found[0].starts_with("spec.endpointSelector.matchLabels: no Pod of the namespace"), "{found:?}");
    // XBK-07
    let found = said(&format!("{}{}", x_backend(SELECTOR), pod("a", "''", "", READY)));
    let [of_pod] = &found[..] else { panic!("{found:?}") };
    assert!(of_pod.starts_with("status.podIP: there is no IP address"), "{found:?}");
}
