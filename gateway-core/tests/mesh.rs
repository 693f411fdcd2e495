//! Routes of Services: whom they are for, what becomes of requests of workloads, and what statuses say.

mod common;

use std::sync::Arc;

use gateway_core::api::{AnyObject, Kind, Resources};
use gateway_core::exchange::{Arrival, Decision};
use gateway_core::feature::{Feature, SUPPORTED, SUPPORTED_IN_MESHES};
use gateway_core::manifest;
use gateway_core::name::{ObjectName, RouteKey, RouteKind};
use gateway_core::options::Options;
use gateway_core::table::{FrontendOwner, RouteTable, Transport};
use gateway_core::translate::{Translation, Translator, translate};
use gateway_core::{lint, status};

/// Services of the namespace `shop`, with an endpoint for each that has an address of its own.
const SERVICES: &str = "
---
apiVersion: v1
kind: Service
metadata: {namespace: shop, name: cart}
spec:
  clusterIP: 10.96.0.1
  clusterIPs: [10.96.0.1, 'fd00::1']
  ports: [{name: http, port: 80}, {name: alt, port: 8080}, {name: dns, port: 53, protocol: UDP}]
---
apiVersion: v1
kind: Service
metadata: {namespace: shop, name: cart-v2}
spec: {clusterIP: 10.96.0.2, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {namespace: shop, name: peers}
spec: {clusterIP: None, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {namespace: shop, name: alias}
spec: {type: ExternalName, externalName: example.org, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {namespace: shop, name: node}
spec: {type: NodePort, clusterIP: 10.96.0.5, ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {namespace: shop, name: cart-1, labels: {kubernetes.io/service-name: cart}}
addressType: IPv4
ports: [{name: http, port: 3000}, {name: alt, port: 3001}]
endpoints: [{addresses: [10.0.0.1]}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {namespace: shop, name: cart-v2-1, labels: {kubernetes.io/service-name: cart-v2}}
addressType: IPv4
ports: [{port: 3000}]
endpoints: [{addresses: [10.0.0.2]}]
";

/// The rule of a Route that sends all to `shop/cart-v2`.
const TO_V2: &str = "rules: [{backendRefs: [{name: cart-v2, namespace: shop, port: 80}]}]";

/// A data plane that serves a mesh too.
fn with_mesh() -> Options {
    Options {
        features: SUPPORTED.iter().chain(SUPPORTED_IN_MESHES).copied().collect(),
        any_class: true,
        ..Options::default()
    }
}

fn document(kind: &str, name: &str, spec: &str) -> String {
    let (namespace, name) = name.split_once('/').unwrap();
    format!(
        "
---
apiVersion: gateway.networking.k8s.io/v1
kind: {kind}
metadata: {{namespace: {namespace}, name: {name}}}
spec: {{{spec}}}
"
    )
}

/// A Route with this parent, a Service of `shop`.
fn bound(kind: &str, name: &str, parent: &str, more: &str) -> String {
    let parent = format!("{{group: '', kind: Service, namespace: shop, name: {parent}}}");
    document(kind, name, &format!("parentRefs: [{parent}], {more}"))
}

fn resources(documents: &[&str]) -> Resources {
    common::resources(&(SERVICES.to_owned() + &documents.concat()))
}

fn translated(documents: &[&str]) -> Translation {
    let translation = translate(&resources(documents), &with_mesh());
    assert!(translation.diagnostics.is_empty(), "{:?}", translation.diagnostics);
    translation
}

/// What becomes of a request to port 80 of `shop/cart`: where it goes, the status of the answer, or that no Route is for it.
fn sent(table: &RouteTable, from: &str, path: &str) -> String {
    sent_to(table, from, "cart", 80, http::Request::get(path))
}

fn sent_to(
    table: &RouteTable,
    from: &str,
    service: &str,
    port: u16,
    request: http::request::Builder,
) -> String {
    let service = ObjectName::new("shop", service);
    let arrival = Arrival::in_mesh(&service, from, port);
    if table.frontend_for(arrival.owner, Transport::Tcp, port).is_none() {
        return "past the mesh".to_owned();
    }
    let (parts, ()) = request.header("host", "whatever.test").body(()).unwrap().into_parts();
    match Arc::new(table.clone()).decide(&arrival, parts, &mut || 0) {
        Decision::Forward(forward) => forward.backend().endpoints[0].address().to_string(),
        Decision::Answer(answer) => match answer.headers().get("location") {
            Some(location) => location.to_str().unwrap().to_owned(),
            None => answer.status().as_u16().to_string(),
        },
        Decision::Ask(_) => panic!("no rule asks an authorization service"),
    }
}

/// The conditions of a Route, those of each parent in a line.
fn conditions(translation: &Translation, kind: RouteKind, name: &str) -> Vec<String> {
    let (namespace, name) = name.split_once('/').unwrap();
    let key = RouteKey::new(kind, ObjectName::new(namespace, name));
    let parents = translation.statuses.routes.get(&key).map_or(&[][..], |status| &status.parents);
    let of_parent = |parent: &status::RouteParentStatus| {
        let each = parent.conditions.iter().map(|it| format!("{}={}/{}", it.kind, it.status, it.reason));
        each.collect::<Vec<_>>().join(" ")
    };
    parents.iter().map(of_parent).collect()
}

const GOOD: &str = "Accepted=true/Accepted ResolvedRefs=true/ResolvedRefs";

// MSH-01, MSH-02, MSH-14
#[test]
fn a_route_of_a_service_is_for_what_is_sent_to_its_addresses() {
    let translation = translated(&[&bound("HTTPRoute", "shop/r", "cart", TO_V2)]);
    let table = &translation.table;
    let addresses: Vec<_> = table.services().map(|(address, name)| format!("{address} {name}")).collect();
    assert_eq!(addresses, ["10.96.0.1 shop/cart", "fd00::1 shop/cart"], "others are none of its business");
    let cart = ObjectName::new("shop", "cart");
    assert_eq!(table.service_at("10.96.0.1".parse().unwrap()), Some(&cart));
    assert_eq!(table.service_at("10.0.0.1".parse().unwrap()), None, "an endpoint is not the Service");
    assert_eq!(sent(table, "shop", "/"), "10.0.0.2:3000");
    assert_eq!(conditions(&translation, RouteKind::Http, "shop/r"), [GOOD]);
    let status = &translation.statuses.routes.values().next().unwrap().parents[0];
    assert_eq!(&*status.controller_name, with_mesh().controller_name);
    assert_eq!(status.parent_ref.namespace.as_deref(), Some("shop"));
}

// MSH-03
#[test]
fn a_route_is_for_the_ports_that_it_names() {
    let ports = |parent: &str| {
        let translation = translated(&[&bound("HTTPRoute", "shop/r", parent, TO_V2)]);
        let frontends = translation.table.frontends();
        let mut ports: Vec<_> = frontends.map(|(_, frontend)| frontend.port()).collect();
        ports.sort_unstable();
        let status = translation.statuses.routes.values().next().unwrap();
        let fields: Vec<_> = status.causes.iter().map(|cause| cause.finding.field.clone()).collect();
        (ports, status.parents[0].conditions[0].clone(), fields)
    };
    assert_eq!(ports("cart").0, [80, 8080], "all that carry TCP");
    assert_eq!(ports("cart, port: 8080").0, [8080]);
    assert_eq!(ports("cart, sectionName: http").0, [80]);
    for (parent, field) in [
        ("cart, port: 81", "port"),
        ("cart, sectionName: dns", "sectionName"),
        ("cart, sectionName: http, port: 8080", "sectionName"),
    ] {
        let (ports, accepted, fields) = ports(parent);
        assert_eq!(ports, [0; 0], "{parent}");
        assert_eq!(
            accepted.to_string(),
            "Accepted=False/NoMatchingParent: Service shop/cart has no such port for TCP; it has http (80), alt (8080)",
            "{parent}"
        );
        assert_eq!(fields, [format!("spec.parentRefs[0].{field}")], "{parent}");
    }
}

// MSH-04, MSH-05, MSH-06, MSH-13
#[test]
fn a_namespace_with_routes_of_its_own_has_only_these() {
    let producer = bound("HTTPRoute", "shop/producer", "cart", TO_V2);
    let consumer = bound(
        "HTTPRoute",
        "desk/consumer",
        "cart, port: 80",
        "rules: [{matches: [{path: {value: /a}}], backendRefs: [{name: cart, namespace: shop, port: 80}]}]",
    );
    let grant = "
---
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {namespace: shop, name: all}
spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: desk}], to: [{group: '', kind: Service}]}
";
    for documents in [&[&*producer, &consumer][..], &[&*producer, &consumer, grant]] {
        let translation = translated(documents);
        let table = &translation.table;
        assert_eq!(sent(table, "desk", "/a"), "10.0.0.1:3000");
        assert_eq!(sent(table, "desk", "/b"), "404", "routes of the two groups are not mixed");
        assert_eq!(sent(table, "shop", "/a"), "10.0.0.2:3000");
        assert_eq!(sent(table, "elsewhere", "/a"), "10.0.0.2:3000");
        let other_port = sent_to(table, "desk", "cart", 8080, http::Request::get("/b"));
        assert_eq!(other_port, "10.0.0.2:3000", "where it has none, the producer's are");
    }
    let alone = translated(&[&consumer]);
    assert_eq!(sent(&alone.table, "shop", "/a"), "past the mesh");
    assert_eq!(conditions(&alone, RouteKind::Http, "desk/consumer"), [GOOD]);
    let fewer = Options {
        features: with_mesh().features.into_iter().filter(|it| *it != Feature::MeshConsumerRoute).collect(),
        ..with_mesh()
    };
    let refused = translate(&resources(&[&consumer]), &fewer);
    let accepted = "Accepted=false/UnsupportedValue ResolvedRefs=true/ResolvedRefs";
    assert_eq!(conditions(&refused, RouteKind::Http, "desk/consumer"), [accepted]);
}

// MSH-07
#[test]
fn the_routes_of_a_backend_are_not_looked_at() {
    let first = bound("HTTPRoute", "shop/first", "cart", TO_V2);
    let back = "rules: [{backendRefs: [{name: cart, port: 80}]}]";
    let second = bound("HTTPRoute", "shop/second", "cart-v2", back);
    let table = translated(&[&first, &second]).table;
    assert_eq!(sent(&table, "shop", "/"), "10.0.0.2:3000");
    assert_eq!(sent_to(&table, "shop", "cart-v2", 80, http::Request::get("/")), "10.0.0.1:3000");
}

// MSH-08
#[test]
fn where_there_is_a_route_all_else_is_refused_and_where_there_is_none_nothing_is() {
    assert_eq!(sent(&translated(&[]).table, "shop", "/"), "past the mesh");
    let rule = "rules: [{matches: [{path: {value: /a}}], backendRefs: [{name: cart-v2, port: 80}]}]";
    let table = translated(&[&bound("HTTPRoute", "shop/r", "cart", rule)]).table;
    assert_eq!(
        (sent(&table, "shop", "/a/b"), sent(&table, "shop", "/b")),
        ("10.0.0.2:3000".to_owned(), "404".to_owned())
    );
    // A Route of which no rule can be carried out is not passed by.
    let broken = "rules: [{matches: [{path: {type: RegularExpression, value: '('}}]}]";
    let translation = translated(&[&bound("HTTPRoute", "shop/r", "cart", broken)]);
    assert_eq!(sent(&translation.table, "shop", "/a"), "404");
    assert!(
        conditions(&translation, RouteKind::Http, "shop/r")[0].starts_with("Accepted=false/UnsupportedValue")
    );
    let missing = "rules: [{backendRefs: [{name: missing, port: 80}]}]";
    assert_eq!(
        sent(&translated(&[&bound("HTTPRoute", "shop/r", "cart", missing)]).table, "shop", "/a"),
        "500"
    );
    // GRP-02: a GRPCRoute may have no rules at all.
    let none = translated(&[&bound("GRPCRoute", "shop/g", "cart", "rules: []")]);
    assert_eq!(sent(&none.table, "shop", "/a"), "404");
}

// MSH-09, CND-86
#[test]
fn a_grpc_route_takes_the_place_of_http_routes() {
    let call = || {
        let call = http::Request::post("/shop.Cart/Add").version(http::Version::HTTP_2);
        call.header("content-type", "application/grpc")
    };
    let http = bound("HTTPRoute", "shop/r", "cart", TO_V2);
    let grpc = |parent: &str| bound("GRPCRoute", "shop/g", parent, TO_V2);
    let both = translated(&[&http, &grpc("cart")]);
    assert_eq!(sent_to(&both.table, "shop", "cart", 80, call()), "10.0.0.2:3000");
    assert_eq!(sent(&both.table, "shop", "/a"), "404");
    let conflict = "Accepted=false/Conflicted ResolvedRefs=true/ResolvedRefs";
    assert_eq!(conditions(&both, RouteKind::Http, "shop/r"), [conflict]);
    assert_eq!(conditions(&both, RouteKind::Grpc, "shop/g"), [GOOD]);
    // On one port of two.
    let one = translated(&[&http, &grpc("cart, port: 80")]);
    assert_eq!(sent(&one.table, "shop", "/a"), "404");
    assert_eq!(sent_to(&one.table, "shop", "cart", 8080, http::Request::get("/a")), "10.0.0.2:3000");
    assert_eq!(conditions(&one, RouteKind::Http, "shop/r"), [GOOD]);
    let said = &one.statuses.routes.values().find(|status| !status.without_effect.is_empty()).unwrap();
    assert!(said.without_effect[0].message.starts_with("a GRPCRoute is for port 80 of Service shop/cart"));
    assert!(said.parents[0].conditions[0].message.contains("a GRPCRoute is for port 80"));
    // Those of another group are no conflict.
    let elsewhere = translated(&[&http, &bound("GRPCRoute", "desk/g", "cart", TO_V2)]);
    assert_eq!(conditions(&elsewhere, RouteKind::Http, "shop/r"), [GOOD]);
    assert_eq!(
        (sent(&elsewhere.table, "shop", "/a"), sent(&elsewhere.table, "desk", "/a")),
        ("10.0.0.2:3000".to_owned(), "404".to_owned())
    );
}

// MSH-09: what becomes of a Route depends on another, also when only the other changes.
#[test]
fn a_conflict_comes_and_goes_with_the_other_route() {
    let mut translator = Translator::new(with_mesh());
    translator.update(&resources(&[&bound("HTTPRoute", "shop/r", "cart", TO_V2)]));
    let accepted = |translator: &mut Translator| {
        let translation = translator.translate();
        let fresh = (
            conditions(translation, RouteKind::Http, "shop/r")[0].clone(),
            sent(&translation.table, "shop", "/"),
        );
        (fresh.0.split(' ').next().unwrap().to_owned(), fresh.1)
    };
    let free = ("Accepted=true/Accepted".to_owned(), "10.0.0.2:3000".to_owned());
    let taken = ("Accepted=false/Conflicted".to_owned(), "404".to_owned());
    let object = |text: &str| -> AnyObject { manifest::read(text, "g.yaml").objects.remove(0).0 };
    assert_eq!(accepted(&mut translator), free);
    translator.insert(object(&bound("GRPCRoute", "shop/g", "cart", TO_V2)));
    assert_eq!(accepted(&mut translator), taken);
    translator.insert(object(&bound("GRPCRoute", "shop/g", "cart-v2", TO_V2)));
    assert_eq!(accepted(&mut translator), free);
    translator.insert(object(&bound("GRPCRoute", "shop/g", "cart, port: 80", TO_V2)));
    translator.insert(object(&bound("GRPCRoute", "shop/h", "cart", TO_V2)));
    assert_eq!(accepted(&mut translator).1, "404");
    translator.remove(Kind::GrpcRoute, &ObjectName::new("shop", "g"));
    assert_eq!(accepted(&mut translator), taken, "there is still the other");
    translator.remove(Kind::GrpcRoute, &ObjectName::new("shop", "h"));
    assert_eq!(accepted(&mut translator), free);
    // A mesh that is switched off serves nothing, and one that is switched on all.
    translator.set_options(Options { any_class: true, ..Options::default() });
    assert!(conditions(translator.translate(), RouteKind::Http, "shop/r").is_empty());
    assert_eq!(translator.translation().table.frontends().len(), 0);
    assert_eq!(translator.translation().table.services().count(), 0);
    translator.set_options(with_mesh());
    assert_eq!(accepted(&mut translator), free);
}

// MSH-19, GEN-10: a Service comes, changes, and goes.
#[test]
fn without_the_service_there_is_no_status() {
    let route = bound("HTTPRoute", "shop/r", "late", TO_V2);
    let mut translator = Translator::new(with_mesh());
    translator.update(&resources(&[&route]));
    assert!(translator.translate().statuses.routes.is_empty());
    let unserved = lint::unserved(&resources(&[&route]), &translator.translation().statuses, &with_mesh());
    assert_eq!(unserved.len(), 1);
    assert_eq!(
        unserved[0].to_string(),
        "HTTPRoute shop/r: spec.parentRefs[0]: names no Service that is there; name one"
    );
    let service = |address: &str, port: u16| -> AnyObject {
        let text = format!(
            "{{apiVersion: v1, kind: Service, metadata: {{namespace: shop, name: late}}, \
             spec: {{clusterIP: {address}, ports: [{{port: {port}}}]}}}}"
        );
        manifest::read(&text, "service.yaml").objects.remove(0).0
    };
    translator.insert(service("10.96.0.9", 80));
    let translation = translator.translate();
    assert_eq!(conditions(translation, RouteKind::Http, "shop/r"), [GOOD]);
    assert!(translation.table.service_at("10.96.0.9".parse().unwrap()).is_some());
    translator.insert(service("10.96.0.10", 81));
    let table = translator.translate().table.clone();
    assert!(table.service_at("10.96.0.9".parse().unwrap()).is_none());
    let late = ObjectName::new("shop", "late");
    let frontend = |port| table.frontend(FrontendOwner::Service(&late), Transport::Tcp, port);
    assert_eq!((frontend(80), frontend(81).is_some()), (None, true));
    translator.remove(Kind::Service, &late);
    let translation = translator.translate();
    assert!(translation.statuses.routes.is_empty() && translation.table.frontends().len() == 0);
    assert_eq!(translation.table.services().count(), 0);
}

// MSH-10
#[test]
fn hostnames_have_no_effect_and_that_is_said() {
    let route = bound("HTTPRoute", "shop/r", "cart", &format!("hostnames: [other.test], {TO_V2}"));
    let translation = translated(&[&route]);
    assert_eq!(sent(&translation.table, "shop", "/"), "10.0.0.2:3000");
    let status = translation.statuses.routes.values().next().unwrap();
    let said = "hostnames have no effect where the parent is a Service; match the header Host in their place";
    assert_eq!(status.without_effect[0].message, said);
    assert!(status.parents[0].conditions[0].message.ends_with(said));
}

// MSH-02, MSH-11
#[test]
fn of_a_service_that_is_written_without_its_address_it_is_said_that_nothing_comes_to_its_routes() {
    let said = |address: &str| {
        let service = format!(
            "---\napiVersion: v1\nkind: Service\nmetadata: {{namespace: shop, name: bare}}\nspec: {{{address}ports: [{{port: 80}}]}}\n"
        );
        let route = |name| bound("HTTPRoute", name, "bare", TO_V2);
        let resources = resources(&[&service, &route("shop/r"), &route("shop/s")]);
        let unserved =
            lint::unserved(&resources, &translate(&resources, &with_mesh()).statuses, &with_mesh());
        unserved.iter().map(ToString::to_string).filter(|said| said.contains("bare")).collect::<Vec<_>>()
    };
    assert_eq!(said("clusterIP: 10.96.0.9, "), [""; 0]);
    assert_eq!(said("clusterIPs: ['fd00::9'], "), [""; 0]);
    let bare = said("");
    assert_eq!(bare.len(), 1, "once for both Routes: {bare:#?}");
    assert!(bare[0].starts_with("Service shop/bare: spec.clusterIP: there is no address"), "{bare:?}");
    assert!(bare[0].contains("nothing comes to HTTPRoute shop/r; write the address"), "{bare:?}");
    let headless = said("clusterIP: None, ");
    assert!(headless.is_empty(), "the status of the Route says it: {headless:?}");
}

// MSH-11
#[test]
fn a_service_without_an_address_of_its_own_is_no_parent() {
    for (service, expected) in [
        ("node", "Accepted=True/Accepted"),
        ("peers", "Accepted=False/NoMatchingParent: Service shop/peers is headless, so"),
        ("alias", "Accepted=False/NoMatchingParent: Service shop/alias is of type ExternalName, so"),
    ] {
        let translation = translated(&[&bound("HTTPRoute", "shop/r", service, TO_V2)]);
        let accepted = &translation.statuses.routes.values().next().unwrap().parents[0].conditions[0];
        assert!(accepted.to_string().starts_with(expected), "{accepted}");
        assert_eq!(translation.table.frontends().len() == 1, accepted.status, "{service}");
    }
}

// MSH-12, MSH-15, RGR-05
#[test]
fn what_gateways_must_be_granted_a_mesh_need_not() {
    let gateway = document(
        "Gateway",
        "desk/web",
        "gatewayClassName: any, listeners: [{name: http, port: 80, protocol: HTTP}]",
    );
    let parents = "{name: web}, {group: '', kind: Service, namespace: shop, name: cart}";
    let route = document("HTTPRoute", "desk/r", &format!("parentRefs: [{parents}], {TO_V2}"));
    let translation = translate(&resources(&[&gateway, &route]), &with_mesh());
    let refused = "Accepted=true/Accepted ResolvedRefs=false/RefNotPermitted";
    assert_eq!(conditions(&translation, RouteKind::Http, "desk/r"), [refused, GOOD]);
    assert_eq!(sent(&translation.table, "desk", "/"), "10.0.0.2:3000");
    let web = ObjectName::new("desk", "web");
    let (parts, ()) = http::Request::get("/").header("host", "a.test").body(()).unwrap().into_parts();
    let table = Arc::new(translation.table);
    let Decision::Answer(answer) = table.decide(&Arrival::new(&web, 80), parts, &mut || 0) else {
        panic!("no grant permits it")
    };
    assert_eq!(answer.status(), 500);
    // GWK-09: the Gateway counts the Route, and once.
    let listener = &translation.statuses.gateways[&web].listeners[0];
    assert_eq!(listener.attached_routes, 1);
}

// MSH-16
#[test]
fn a_redirect_has_the_port_of_the_service() {
    let rule = "rules: [{filters: [{type: RequestRedirect, requestRedirect: {hostname: a.test}}]}]";
    let table = translated(&[&bound("HTTPRoute", "shop/r", "cart", rule)]).table;
    assert_eq!(sent(&table, "shop", "/x"), "http://a.test/x");
    let other_port = sent_to(&table, "shop", "cart", 8080, http::Request::get("/x"));
    assert_eq!(other_port, "http://a.test:8080/x");
}

// MSH-05
#[test]
fn a_client_is_known_by_the_slices_that_list_it() {
    let slice = |name: &str, addresses: &str| -> AnyObject {
        let (namespace, name) = name.split_once('/').unwrap();
        let text = format!(
            "{{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {{namespace: {namespace}, name: {name}}}, \
             addressType: IPv4, ports: [], endpoints: [{{addresses: [{addresses}], conditions: {{ready: false}}}}]}}"
        );
        manifest::read(&text, "slice.yaml").objects.remove(0).0
    };
    let mut translator = Translator::new(with_mesh());
    translator.update(&resources(&[]));
    let known = |translator: &mut Translator, address: &str| {
        let table = &translator.translate().table;
        table.namespace_of(address.parse().unwrap()).map(ToString::to_string)
    };
    assert_eq!(known(&mut translator, "10.0.0.1").as_deref(), Some("shop"));
    assert_eq!(known(&mut translator, "10.0.0.9"), None);
    translator.insert(slice("desk/a", "10.0.0.9"));
    translator.insert(slice("desk/b", "10.0.0.9"));
    assert_eq!(known(&mut translator, "10.0.0.9").as_deref(), Some("desk"));
    translator.insert(slice("host/a", "10.0.0.9"));
    assert_eq!(known(&mut translator, "10.0.0.9"), None, "it may be either's");
    translator.remove(Kind::EndpointSlice, &ObjectName::new("host", "a"));
    translator.insert(slice("desk/b", "10.0.0.8"));
    assert_eq!(known(&mut translator, "10.0.0.9").as_deref(), Some("desk"), "one lists it still");
    translator.insert(slice("desk/a", "10.0.0.8"));
    assert_eq!(known(&mut translator, "10.0.0.9"), None);
    translator.set_options(Options { any_class: true, ..Options::default() });
    assert_eq!(known(&mut translator, "10.0.0.8"), None, "nobody asks");
    translator.set_options(with_mesh());
    assert_eq!(known(&mut translator, "10.0.0.8").as_deref(), Some("desk"));
}

// GEN-09
#[test]
fn routes_of_other_kinds_say_that_they_are_not_served_there() {
    let route = bound("TCPRoute", "shop/r", "cart", "rules: [{backendRefs: [{name: cart-v2, port: 80}]}]");
    let text = route.replace("/v1\nkind: TCPRoute", "/v1alpha2\nkind: TCPRoute");
    let translation = translated(&[&text]);
    let accepted = &translation.statuses.routes.values().next().unwrap().parents[0].conditions[0];
    assert!(
        accepted
            .to_string()
            .starts_with("Accepted=False/UnsupportedValue: routes of kind TCPRoute are not served in a mesh")
    );
    assert_eq!(translation.table.frontends().len(), 0);
}
