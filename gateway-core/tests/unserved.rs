//! Objects and fields that are given and not served: each is said once, at its field.

mod common;

use gateway_core::api::{Kind, Resources};
use gateway_core::manifest::Severity;
use gateway_core::name::ObjectName;
use gateway_core::options::Options;
use gateway_core::translate::{Translator, translate};
use gateway_core::{lint, manifest};

use self::common::resources;

/// A class, a Gateway, a Service with a slice, and a route that is served.
const GOOD: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: ours}
spec: {controllerName: gateway-api.rs/controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: g}
spec: {gatewayClassName: ours, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {ports: [{name: web, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: shop, labels: {kubernetes.io/service-name: shop}}
addressType: IPv4
ports: [{name: web, port: 8080}]
endpoints: [{addresses: [10.0.0.1]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec: {parentRefs: [{name: g}], rules: [{backendRefs: [{name: shop, port: 80}]}]}
";

/// Everything that is said of these resources: object, field and message.
fn said_with(resources: &Resources, options: &Options) -> Vec<String> {
    let translation = translate(resources, options);
    let unserved = lint::unserved(resources, &translation.statuses, options);
    let without_effect = translation.statuses.routes.iter().flat_map(|(key, status)| {
        status.without_effect.iter().map(move |finding| format!("{} {}: {finding}", key.kind, key.name))
    });
    let without_effect: Vec<_> = without_effect.collect();
    let all = translation.diagnostics.iter().chain(&unserved).map(ToString::to_string);
    all.chain(without_effect).collect()
}

/// What is said when these replace parts of the good resources, and these objects are added.
fn said(replaced: &[(&str, &str)], more: &str) -> Vec<String> {
    let mut yaml = GOOD.to_owned();
    for (from, to) in replaced {
        assert!(yaml.contains(from), "{from}");
        yaml = yaml.replace(from, to);
    }
    said_with(&resources(&format!("{yaml}{more}")), &Options::default())
}

#[track_caller]
fn expect(name: &str, found: Vec<String>, expected: &[&str]) {
    assert_eq!(found.len(), expected.len(), "{name}: {found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{name}: {found}");
    }
}

fn object(kind: &str, version: &str, name: &str, rest: &str) -> String {
    format!("---\napiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}}}\n{rest}\n")
}

const GATEWAY: &str = "gateway.networking.k8s.io/v1";
const EXPERIMENTAL: &str = "gateway.networking.x-k8s.io/v1alpha1";

#[test]
fn nothing_is_said_of_what_is_served() {
    expect("all good", said(&[], ""), &[]);
}

// HRM-09, HRM-22, HRM-23, GRP-07
#[test]
fn a_match_that_gets_nothing_is_said_with_what_goes_before_it() {
    let route = |kind: &str, name: &str, spec: &str, rules: &str| {
        object(kind, GATEWAY, name, &format!("spec: {{parentRefs: [{{name: g}}], {spec} rules: [{rules}]}}"))
    };
    let http = |name: &str, spec: &str, rules: &str| route("HTTPRoute", name, spec, rules);
    let backend = "backendRefs: [{name: shop, port: 80}]";
    let rule = |matches: &str| format!("{{matches: [{matches}], {backend}}}");
    let of_x = "hostnames: [x.example],";
    let both =
        "{path: {value: /a/}, headers: [{name: X, value: v}, {name: b, value: w}, {name: x, value: z}]}";
    let same = "{path: {value: /a}, headers: [{name: B, value: w}, {name: x, value: v}]}";
    for (name, more, expected) in [
        (
            "a rule without matches",
            http("late", "", &format!("{{{backend}}}")),
            &[
                "HTTPRoute default/shop: spec.rules[0]: gets no request: rules[0] of HTTPRoute default/late, which came first, asks \
               for the same",
            ][..],
        ),
        ("another host", http("late", of_x, &format!("{{{backend}}}")), &[]),
        (
            "headers in another order, of which one does not count",
            http("r", of_x, &(rule(both) + ", " + &rule(&format!("{{method: GET}}, {same}")))),
            &[
                "HTTPRoute default/r: spec.rules[1].matches[1]: gets no request: rules[0] of the same Route asks for the same; let",
            ],
        ),
        ("another method", http("r", of_x, &(rule("{method: GET}") + ", " + &rule("{method: PUT}"))), &[]),
        (
            "an expression",
            http(
                "r",
                of_x,
                &(rule("{path: {value: /a}}") + ", " + &rule("{path: {type: Exact, value: /a}}")),
            ),
            &[],
        ),
        (
            "only for one of its hosts",
            http("r", "hostnames: [x.example, y.example],", &rule("{path: {value: /a}}"))
                + &http("q", of_x, &rule("{path: {value: /a}}")),
            &[],
        ),
        (
            "calls",
            route(
                "GRPCRoute",
                "r",
                of_x,
                &(rule("{method: {service: a.B}}") + ", " + &rule("{method: {type: Exact, service: a.B}}")),
            ),
            &["GRPCRoute default/r: spec.rules[1]: gets no request: rules[0] of the same Route"],
        ),
        (
            "a listener of its own",
            http("late", "", &format!("{{{backend}}}")).replace("{name: g}", "{name: g, sectionName: http}"),
            &[],
        ),
    ] {
        // `late` comes before `shop` by its name; a Route that names one listener does not cover one that names all.
        expect(name, said(&[], &more), expected);
    }
}

#[test]
fn a_misspelt_controller_is_said_although_classes_of_every_controller_are_served() {
    let said = |controller: &str| {
        let resources = resources(&GOOD.replace("gateway-api.rs/controller", controller));
        let options = Options { any_class: true, ..Options::default() };
        let found = lint::unserved(&resources, &translate(&resources, &options).statuses, &options);
        found.iter().map(|found| (found.severity, found.to_string())).collect::<Vec<_>>()
    };
    assert_eq!(said("gateway-api.rs/controller"), []);
    let found = said("gateway-api.rs/controler");
    assert_eq!(found[0].0, Severity::Warning);
    assert!(
        found[0].1.contains("spec.controllerName: ")
            && found[0].1.contains("did you mean `gateway-api.rs/controller`?"),
        "{found:?}"
    );
    assert_eq!(said("example.com/other"), []);
}

// AMB-73
#[test]
fn kinds_that_are_not_carried_out_are_said_object_by_object() {
    let target = "targetRefs: [{group: '', kind: Service, name: shop}]";
    let tls =
        format!("spec: {{{target}, validation: {{hostname: a.example, wellKnownCACertificates: System}}}}");
    expect("BackendTLSPolicy", said(&[], &object("BackendTLSPolicy", GATEWAY, "p", &tls)), &[]);
    let elsewhere = tls.replace("name: shop", "name: elsewhere");
    expect(
        "BackendTLSPolicy that nothing leads to",
        said(
            &[],
            &(object("BackendTLSPolicy", GATEWAY, "p", &elsewhere)
                + &object("Service", "v1", "elsewhere", "spec: {ports: [{port: 80}]}")),
        ),
        &[
            "BackendTLSPolicy default/p: spec.targetRefs: no Route that is served here sends anything within TLS",
        ],
    );
    let policy = format!("spec: {{{target}, sessionPersistence: {{type: Cookie, cookie: {{}}}}}}");
    expect(
        "XBackendTrafficPolicy",
        said(&[], &object("XBackendTrafficPolicy", EXPERIMENTAL, "p", &policy)),
        &[],
    );
    let backend =
        "spec: {type: ExternalHostname, externalHostname: {hostname: a.example}, port: {number: 80}}";
    expect("XBackend", said(&[], &object("XBackend", EXPERIMENTAL, "b", backend)), &[]);
    let policy = "spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: g}], tracing: {mode: Disabled}}";
    let object_of = |spec: &str| object("XTelemetryPolicy", EXPERIMENTAL, "t", spec);
    expect("XTelemetryPolicy, whose status says it", said(&[], &object_of(policy)), &[]);
    expect(
        "XTelemetryPolicy for no Gateway",
        said(&[], &object_of(&policy.replace("kind: Gateway", "kind: HTTPRoute"))),
        &["XTelemetryPolicy default/t: spec.targetRefs: none of them is a Gateway of this controller"],
    );
    let mesh = object("XMesh", EXPERIMENTAL, "m", "spec: {controllerName: gateway-api.rs/controller}");
    expect("XMesh", said(&[], &mesh), &["XMesh m: kind: objects of this kind are not supported"]);
}

// RTE-03, LST-06, GEN-10
#[test]
fn each_parent_that_is_not_served_is_said() {
    expect(
        "one of two",
        said(&[("[{name: g}]", "[{name: g}, {name: h}]")], ""),
        &["HTTPRoute default/shop: spec.parentRefs[1]: names no Gateway that is served here; name one"],
    );
    expect(
        "a mesh",
        said(&[("[{name: g}]", "[{name: g}, {group: '', kind: Service, name: shop}]")], ""),
        &[
            "HTTPRoute default/shop: spec.parentRefs[1]: no mesh is carried out here; name a Gateway, or carry one out (`--mesh`)",
        ],
    );
    expect(
        "another group",
        said(&[("[{name: g}]", "[{group: example.com, kind: Gateway, name: g}]")], ""),
        &[
            "HTTPRoute default/shop: spec.parentRefs[0]: no route can be attached to Gateway of group \"example.com\"; \
             write `group: \"gateway.networking.k8s.io\"`",
        ],
    );
    let set = "spec: {parentRef: {name: h}, listeners: [{name: a, port: 81, protocol: HTTP}]}";
    expect(
        "a ListenerSet",
        said(&[], &object("ListenerSet", GATEWAY, "s", set)),
        &["ListenerSet default/s: spec.parentRef: names no Gateway that is served here"],
    );
    let route = "spec: {parentRefs: [{name: h}], rules: [{backendRefs: [{name: shop, port: 80}]}]}";
    expect(
        "a TCPRoute",
        said(&[], &object("TCPRoute", GATEWAY, "t", route)),
        &["TCPRoute default/t: spec.parentRefs[0]: names no Gateway"],
    );
}

// GEN-10, GC-14
#[test]
fn a_gateway_without_its_class_is_said_and_any_class_is_also_none() {
    let without = [("metadata: {name: ours}", "metadata: {name: other}")];
    let route = "HTTPRoute default/shop: spec.parentRefs[0]: names no Gateway";
    expect(
        "no such class",
        said(&without, ""),
        &[
            "Gateway default/g: spec.gatewayClassName: there is no GatewayClass ours, so that the Gateway is not served; \
         write one with controllerName gateway-api.rs/controller",
            route,
        ],
    );
    expect(
        "another controller",
        said(&[("gateway-api.rs/controller", "example.com/other")], ""),
        &[
            "Gateway default/g: spec.gatewayClassName: the Gateway is not served: GatewayClass ours is of controller \
         example.com/other, and this is gateway-api.rs/controller",
            route,
        ],
    );
    let yaml = GOOD.replace("metadata: {name: ours}", "metadata: {name: other}");
    let options = Options { any_class: true, ..Options::default() };
    expect("any class", said_with(&resources(&yaml), &options), &[]);
    assert_eq!(translate(&resources(&yaml), &options).table.rules().count(), 1);
}

// HRB-02, HRB-15
#[test]
fn endpoints_that_get_no_requests_are_said() {
    let slice = "EndpointSlice default/shop: ";
    for (name, from, to, expected) in [
        (
            "a port's name",
            "ports: [{name: web, port: 8080}]",
            "ports: [{name: http, port: 8080}]",
            "ports[0].name: Service default/shop has no port named \"http\" (TCP)",
        ),
        (
            "a port without a name",
            "ports: [{name: web, port: 8080}]",
            "ports: [{port: 8080}]",
            "ports[0].name: Service default/shop has no port without a name (TCP), so that the endpoints get no requests there; it has \
             \"web\" (TCP)",
        ),
        (
            "a port's protocol",
            "ports: [{name: web, port: 8080}]",
            "ports: [{name: web, port: 8080, protocol: UDP}]",
            "ports[0].name: ",
        ),
        ("no number", "ports: [{name: web, port: 8080}]", "ports: [{name: web}]", "ports[0].port: required"),
        (
            "no ports",
            "ports: [{name: web, port: 8080}]",
            "ports: []",
            "ports: there are none, so that the endpoints get no requests; Service default/shop has \"web\" (TCP)",
        ),
        ("names", "addressType: IPv4", "addressType: FQDN", "addressType: FQDN is not supported"),
        (
            "no address",
            "[10.0.0.1]",
            "[shop.example]",
            "endpoints[0].addresses[0]: \"shop.example\" is not an IP address",
        ),
        (
            "no label",
            ", labels: {kubernetes.io/service-name: shop}",
            "",
            "metadata.labels: no label kubernetes.io/service-name",
        ),
        (
            "no Service",
            "service-name: shop",
            "service-name: sohp",
            "metadata.labels[\"kubernetes.io/service-name\"]: there is no Service default/sohp",
        ),
    ] {
        expect(name, said(&[(from, to)], ""), &[&format!("{slice}{expected}")]);
    }
    expect(
        "a Service's port without a name",
        said(&[("ports: [{name: web, port: 80}]", "ports: [{port: 80}]")], ""),
        &[&format!(
            "{slice}ports[0].name: Service default/shop has no port named \"web\" (TCP), so that the endpoints get no requests \
             there; it has one without a name (TCP)"
        )],
    );
}

// HRB-03
#[test]
fn a_rule_of_which_all_weights_are_0_is_said() {
    let of_weights = |weights: &str| said(&[("[{name: shop, port: 80}]", weights)], "");
    expect(
        "one that has one",
        of_weights("[{name: shop, port: 80, weight: 0}, {name: shop, port: 80}]"),
        &[],
    );
    expect(
        "none",
        of_weights("[{name: shop, port: 80, weight: 0}, {name: shop, port: 80, weight: 0}]"),
        &[
            "HTTPRoute default/shop: spec.rules[0].backendRefs: all weights are 0, so that requests of the rule are answered with 500; \
             give one of them a weight",
        ],
    );
    expect("no backends at all, of which statuses speak or which is meant", of_weights("[]"), &[]);
}

// BPR-04, BPR-06
#[test]
fn a_protocol_that_is_not_known_is_said_where_another_one_is_spoken() {
    let protocol = |value: &str, more: &str| {
        said(&[("{name: web, port: 80}", &format!("{{name: web, port: 80, appProtocol: {value}}}"))], more)
    };
    let http_1 = |value: &str, spoken: &str, way_out: &str| {
        let said = format!(
            "Service default/shop: spec.ports[0].appProtocol: {value:?} is not known here, so that HTTP/1.1 is spoken{spoken}; {way_out}"
        );
        expect(value, protocol(value, ""), &[&said]);
    };
    for value in ["http2", "HTTP2", "h2c", "grpc", "kubernetes.io/http2", "Kubernetes.io/h2c"] {
        http_1(value, "", "write kubernetes.io/h2c for HTTP/2");
    }
    for value in ["https", "wss", "kubernetes.io/https"] {
        http_1(value, " without TLS", "write a BackendTLSPolicy for the port, or leave it out");
    }
    for value in ["redis", "kubernetes.io/quic", "example.com/custom"] {
        http_1(value, "", "write kubernetes.io/h2c for HTTP/2, or leave it out");
    }
    for value in ["kubernetes.io/h2c", "kubernetes.io/ws", "http", "HTTP", "ws"] {
        expect(value, protocol(value, ""), &[]);
    }

    let policy = "spec: {targetRefs: [{group: '', kind: Service, name: shop, sectionName: web}], \
                  validation: {hostname: a.example, wellKnownCACertificates: System}}";
    let policy = object("BackendTLSPolicy", GATEWAY, "p", policy);
    for value in ["https", "kubernetes.io/wss"] {
        expect(value, protocol(value, &policy), &[]);
    }

    let calls = object(
        "GRPCRoute",
        GATEWAY,
        "calls",
        "spec: {parentRefs: [{name: g}], hostnames: [calls.example], rules: [{backendRefs: [{name: shop, port: 80}]}]}",
    );
    let of_calls = |value: &str, expected: &[&str]| {
        let yaml =
            GOOD.replace("{name: web, port: 80}", &format!("{{name: web, port: 80, appProtocol: {value}}}"));
        let (without_route, _) = yaml.rsplit_once("---\n").unwrap();
        let resources = resources(&format!("{without_route}{calls}"));
        expect(value, said_with(&resources, &Options::default()), expected);
    };
    of_calls("grpc", &[]);
    of_calls("h2c", &[]);
    of_calls(
        "redis",
        &[
            "Service default/shop: spec.ports[0].appProtocol: \"redis\" is not known here, so that HTTP/2 is spoken; write",
        ],
    );
    expect(
        "both",
        protocol("grpc", &calls),
        &["Service default/shop: spec.ports[0].appProtocol: \"grpc\" is not known here"],
    );

    let passed_on = object(
        "TCPRoute",
        GATEWAY,
        "bytes",
        "spec: {parentRefs: [{name: g}], rules: [{backendRefs: [{name: shop, port: 80}]}]}",
    );
    let yaml = GOOD.replace("{name: web, port: 80}", "{name: web, port: 80, appProtocol: redis}");
    let yaml = yaml.replace("protocol: HTTP}", "protocol: TCP}");
    let (without_route, _) = yaml.rsplit_once("---\n").unwrap();
    expect(
        "bytes, in which anything may be spoken",
        said_with(&resources(&format!("{without_route}{passed_on}")), &Options::default()),
        &[],
    );

    let of_domain =
        GOOD.replace("{name: web, port: 80}", "{name: web, port: 80, appProtocol: example.com/custom}");
    let resources = resources(&of_domain);
    let translation = translate(&resources, &Options::default());
    let found = lint::unserved(&resources, &translation.statuses, &Options::default());
    assert_eq!(found[0].severity, Severity::Info, "a hint for other programs is no mistake");
}

// XBK-05
#[test]
fn a_name_that_always_leads_to_the_machine_itself_is_said() {
    let found = |hostname: &str, options: &Options| {
        let spec = format!(
            "spec: {{type: ExternalHostname, externalHostname: {{hostname: {hostname}}}, port: {{number: 80}}}}"
        );
        let to = "group: gateway.networking.x-k8s.io, kind: XBackend, name: b";
        let route = GOOD.replace("{name: shop, port: 80}]", &format!("{{name: shop, port: 80}}, {{{to}}}]"));
        said_with(&resources(&format!("{route}{}", object("XBackend", EXPERIMENTAL, "b", &spec))), options)
    };
    let remote = Options { external_hostnames: true, ..Options::default() };
    for hostname in ["localhost", "a.localhost", "metadata.google.internal"] {
        let expected = format!(
            "XBackend default/b: spec.externalHostname.hostname: {hostname} leads to the machine of the gateway, where names may not lead, \
             so that its requests are answered with 503; write a name that leads elsewhere, or let names lead anywhere (`--external-hostnames any`)"
        );
        expect(hostname, found(hostname, &remote), &[&expected]);
        expect(hostname, found(hostname, &Options { local_hostnames: true, ..remote.clone() }), &[]);
    }
    expect("another", found("notlocalhost", &remote), &[]);
}

// XBK-08
#[test]
fn a_port_of_a_reference_to_an_x_backend_is_said_to_have_no_effect() {
    let backend =
        "spec: {type: EndpointSelector, endpointSelector: {matchLabels: {app: shop}}, port: {number: 80}}";
    let pod = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: shop}}\n\
               spec: {containers: [{name: c, image: i}]}\n\
               status: {phase: Running, conditions: [{type: Ready, status: 'True'}], podIP: 10.0.0.9}\n";
    let more = object("XBackend", EXPERIMENTAL, "b", backend) + pod;
    let to = "group: gateway.networking.x-k8s.io, kind: XBackend, name: b";
    let of = |reference: &str| said(&[("{name: shop, port: 80}]", &format!("{{{reference}}}]"))], &more);
    expect("no port", of(to), &[]);
    expect(
        "a port",
        of(&format!("{to}, port: 80")),
        &[
            "HTTPRoute default/shop: spec.rules[0].backendRefs[0].port: has no effect: an XBackend has a port of its own",
        ],
    );
    let with_port = format!("backendRef: {{{to}, port: 80}}");
    let auth = format!("type: ExternalAuth, externalAuth: {{protocol: HTTP, http: {{}}, {with_port}}}");
    let filters = format!("{{type: RequestMirror, requestMirror: {{{with_port}}}}}, {{{auth}}}");
    let of_listener = format!("filters: {{requests: [{{{auth}}}]}}");
    expect(
        "a port of a mirror, of authorization, and of the filter of a listener",
        said(
            &[
                ("{name: shop, port: 80}]", &format!("{{name: shop, port: 80, filters: [{filters}]}}]")),
                ("protocol: HTTP}", &format!("protocol: HTTP, {of_listener}}}")),
            ],
            &more,
        ),
        &[
            "Gateway default/g: spec.listeners[0].filters.requests[0].externalAuth.backendRef.port: has no effect: an XBackend",
            "HTTPRoute default/shop: spec.rules[0].backendRefs[0].filters[0].requestMirror.backendRef.port: has no effect",
            "HTTPRoute default/shop: spec.rules[0].backendRefs[0].filters[1].externalAuth.backendRef.port: has no effect",
        ],
    );
}

// HRB-06, BTP-02
#[test]
fn a_service_without_ports_is_said_to_have_none() {
    let headless = GOOD.replace("spec: {ports: [{name: web, port: 80}]}", "spec: {clusterIP: None}");
    let policy = object(
        "BackendTLSPolicy",
        GATEWAY,
        "p",
        "spec: {targetRefs: [{group: '', kind: Service, name: shop, sectionName: web}], \
                        validation: {hostname: a.example, wellKnownCACertificates: System}}",
    );
    let statuses = translate(&resources(&format!("{headless}{policy}")), &Options::default()).statuses;
    let causes: Vec<_> = statuses.causes().map(|(.., cause)| cause.to_string()).collect();
    for expected in ["has no port 80; it has none", "has no port named \"web\"; it has none with a name"] {
        assert!(causes.iter().any(|cause| cause.ends_with(expected)), "{expected}: {causes:#?}");
    }
}

// HRB-03
#[test]
fn a_service_without_slices_is_said_if_requests_go_there() {
    let (services, slice) = GOOD.split_once("---\napiVersion: discovery").unwrap();
    let route = slice.split_once("---\n").unwrap().1;
    let without = |service: &str| {
        said_with(&resources(&format!("{services}{service}---\n{route}")), &Options::default())
    };
    let said = "Service default/shop: no EndpointSlice has its endpoints, so that its requests are answered with 503; write one";
    let other = object("Service", "v1", "other", "spec: {ports: [{port: 80}]}");
    expect(
        "no slice",
        without(&other),
        &[&format!("{said}, with the label kubernetes.io/service-name: shop")],
    );
    let selector =
        services.replace("name: web, port: 80}]}", "name: web, port: 80}], selector: {app: shop}}");
    let found = said_with(&resources(&format!("{selector}---\n{route}")), &Options::default());
    expect("a selector", found, &[&format!("{said}, as a cluster does for the selector, with the label")]);
    let mirror = route.replace(
        "backendRefs: [{name: shop, port: 80}]",
        "filters: [{type: RequestMirror, requestMirror: {backendRef: {name: shop, port: 80}}}]",
    );
    expect(
        "a mirror",
        said_with(&resources(&format!("{services}---\n{mirror}")), &Options::default()),
        &[said],
    );
}

// HRB-15
#[test]
fn a_service_of_which_no_endpoint_is_ready_is_said_if_requests_go_there() {
    let with = |conditions: &str| {
        let endpoint = format!("{{addresses: [10.0.0.1], conditions: {{{conditions}}}}}");
        said(&[("{addresses: [10.0.0.1]}", &endpoint)], "")
    };
    let none = "Service default/shop: no endpoint of its EndpointSlices is ready, so that its requests are answered with 503";
    expect("not known", with(""), &[]);
    expect("ready", with("ready: true"), &[]);
    expect("the last of a rollout", with("ready: false, serving: true, terminating: true"), &[]);
    expect("not ready", with("ready: false"), &[none]);
    expect("terminating", with("ready: false, serving: false, terminating: true"), &[none]);
    expect("an empty slice", said(&[("[{addresses: [10.0.0.1]}]", "[]")], ""), &[none]);
}

// RTE-03
#[test]
fn a_parent_of_the_same_name_elsewhere_is_named() {
    let gateway =
        |namespace: &str| [("metadata: {name: g}", format!("metadata: {{name: g, namespace: {namespace}}}"))];
    let moved = gateway("infra");
    expect(
        "another namespace",
        said(&[(moved[0].0, &moved[0].1)], ""),
        &[
            "HTTPRoute default/shop: spec.parentRefs[0]: names no Gateway that is served here; there is Gateway \
           infra/g: write `namespace: infra`",
        ],
    );
    expect(
        "another kind",
        said(&[("[{name: g}]", "[{name: g, kind: ListenerSet}]")], ""),
        &[
            "HTTPRoute default/shop: spec.parentRefs[0]: names no ListenerSet that is served here; there is Gateway \
           default/g: write `kind: Gateway`",
        ],
    );
}

// GEN-17, GWL-10, RTE-06, RTE-15, RTE-16, RTE-17
#[test]
fn every_condition_that_is_bad_has_its_causes_at_fields() {
    let causes = |replaced: &[(&str, &str)]| {
        let yaml = replaced.iter().fold(GOOD.to_owned(), |yaml, (from, to)| {
            assert!(yaml.contains(from), "{from}");
            yaml.replace(from, to)
        });
        let statuses = translate(&resources(&yaml), &Options::default()).statuses;
        statuses.causes().map(|(kind, name, cause)| format!("{kind} {name}: {cause}")).collect::<Vec<_>>()
    };
    let route = "HTTPRoute default/shop: spec.";
    let gateway = "Gateway default/g: spec.listeners[0].";
    let backend = "[{backendRefs: [{name: shop, port: 80}]}]";
    for (name, from, to, expected) in [
        (
            "a backend",
            "name: shop, port: 80}]}]",
            "name: sohp, port: 80}]}]",
            format!(
                "{route}rules[0].backendRefs[0]: ResolvedRefs=False/BackendNotFound: there is no Service default/sohp"
            ),
        ),
        (
            "a listener",
            "[{name: g}]",
            "[{name: g, sectionName: https}]",
            format!(
                "{route}parentRefs[0].sectionName: Accepted=False/NoMatchingParent: Gateway g has no listener named \"https\"; it has http (port 80)"
            ),
        ),
        (
            "a port",
            "[{name: g}]",
            "[{name: g, port: 81}]",
            format!("{route}parentRefs[0].port: Accepted=False/NoMatchingParent"),
        ),
        (
            "a protocol",
            "protocol: HTTP",
            "protocol: example.com/quic",
            format!("{gateway}protocol: Accepted=False/UnsupportedProtocol"),
        ),
        (
            "a pattern",
            backend,
            "[{matches: [{path: {type: RegularExpression, value: '/a('}}]}]",
            format!(
                "{route}rules[0].matches[0].path.value: Accepted=False/UnsupportedValue: \"/a(\" is not a usable regular expression: unclosed group, at character 3"
            ),
        ),
        (
            "a header's pattern, of one of two rules",
            backend,
            "[{}, {matches: [{headers: [{name: a, value: b}, {type: RegularExpression, name: b, value: '['}]}]}]",
            format!("{route}rules[1].matches[0].headers[1].value: PartiallyInvalid=True/UnsupportedValue"),
        ),
    ] {
        let found = causes(&[(from, to)]);
        let of_this: Vec<_> = found.iter().filter(|cause| cause.starts_with(&expected)).collect();
        assert_eq!(of_this.len(), 1, "{name}: {found:#?}");
    }
    assert_eq!(causes(&[]), [""; 0]);
}

#[test]
fn a_service_without_endpoints_is_said_whichever_kind_of_route_leads_there() {
    let service = object("Service", "v1", "lonely", "spec: {ports: [{port: 80}]}");
    let mirror = "filters: [{type: RequestMirror, requestMirror: {backendRef: {name: lonely, port: 80}}}], backendRefs: [{name: shop, port: 80}]";
    for kind in ["HTTPRoute", "GRPCRoute"] {
        for rule in ["backendRefs: [{name: lonely, port: 80}]", mirror] {
            let hostnames = "hostnames: [lonely.example]";
            let route = format!("spec: {{parentRefs: [{{name: g}}], {hostnames}, rules: [{{{rule}}}]}}");
            let found = said(&[], &(service.clone() + &object(kind, GATEWAY, "r", &route)));
            expect(kind, found, &["Service default/lonely: no EndpointSlice has its endpoints"]);
        }
    }
}

// RTE-05
#[test]
fn a_kind_of_route_that_is_not_served_is_said_with_a_way_out_that_leads_somewhere() {
    let yaml = |kind: &str| {
        format!(
            "{GOOD}{}",
            object(
                kind,
                GATEWAY,
                "r",
                "spec: {parentRefs: [{name: g}], rules: [{backendRefs: [{name: shop, port: 80}]}]}"
            )
        )
    };
    // A data plane that does less than the one of this workspace.
    let mut options = Options::default();
    for (kind, way_out) in [
        ("GRPCRoute", "an HTTPRoute with the path /package.Service/Method serves calls of gRPC too"),
        ("TCPRoute", "remove it"),
        ("UDPRoute", "remove it"),
    ] {
        options.features.retain(|feature| !feature.as_str().starts_with(kind));
        let statuses = translate(&resources(&yaml(kind)), &options).statuses;
        let found: Vec<_> =
            statuses.causes().map(|(kind, name, cause)| format!("{kind} {name}: {cause}")).collect();
        let expected = format!(
            "{kind} default/r: kind: Accepted=False/NotAllowedByListeners: routes of kind {kind} are not served here; {way_out}"
        );
        assert_eq!(found[0], expected);
    }
}

// RGR-01, RGR-02
#[test]
fn a_grant_that_permits_nothing_is_said() {
    let grant = |from: &str, to: &str| {
        let spec = format!("spec: {{from: [{{{from}, namespace: a}}], to: [{{{to}}}]}}");
        said(&[], &object("ReferenceGrant", GATEWAY, "r", &spec))
    };
    let route = "group: gateway.networking.k8s.io, kind: HTTPRoute";
    expect("good", grant(route, "group: '', kind: Service"), &[]);
    let x_backend = "group: gateway.networking.x-k8s.io, kind: XBackend";
    expect("to an XBackend", grant(route, x_backend), &[]);
    expect("from an XBackend", grant(x_backend, "group: '', kind: Secret"), &[]);
    let telemetry = "group: gateway.networking.x-k8s.io, kind: XTelemetryPolicy";
    expect("from an XTelemetryPolicy", grant(telemetry, "group: '', kind: Service"), &[]);
    expect(
        "the group of an XBackend",
        grant("group: gateway.networking.k8s.io, kind: XBackend", "group: '', kind: Secret"),
        &[
            "ReferenceGrant default/r: spec.from[0]: permits nothing: no references come from XBackend of group \
             \"gateway.networking.k8s.io\", but from Gateway, ListenerSet, HTTPRoute, GRPCRoute, TLSRoute, TCPRoute, UDPRoute of \
             group \"gateway.networking.k8s.io\", XBackend, XTelemetryPolicy of group \"gateway.networking.x-k8s.io\"",
        ],
    );
    expect(
        "what refers to its own namespace alone",
        grant("group: gateway.networking.k8s.io, kind: BackendTLSPolicy", "group: '', kind: ConfigMap"),
        &[
            "ReferenceGrant default/r: spec.from[0]: permits nothing: a BackendTLSPolicy refers to objects of its own",
        ],
    );
    expect(
        "what is in no namespace",
        grant(route, "group: certificates.k8s.io, kind: ClusterTrustBundle"),
        &["ReferenceGrant default/r: spec.to[0]: permits nothing: a ClusterTrustBundle is in no namespace"],
    );
    expect(
        "from",
        grant("group: gateway.networking.k8s.io, kind: HttpRoute", "group: '', kind: Service"),
        &["ReferenceGrant default/r: spec.from[0]: permits nothing: no references come from HttpRoute"],
    );
    expect(
        "to",
        grant(route, "group: v1, kind: Service"),
        &[
            "ReferenceGrant default/r: spec.to[0]: permits nothing: no references lead to Service of group \"v1\"",
        ],
    );
}

// RGR-01, RGR-03
#[test]
fn a_grant_in_the_namespace_of_who_refers_is_said() {
    let spec = "spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: default}], \
                to: [{group: '', kind: Service}]}";
    expect(
        "its own namespace",
        said(&[], &object("ReferenceGrant", GATEWAY, "r", spec)),
        &[
            "ReferenceGrant default/r: spec.from[0]: permits nothing: within namespace default references need no ReferenceGrant; \
             from default into another namespace, it has to stand in that one",
        ],
    );
}

// GWF-02
#[test]
fn how_clients_of_a_port_are_checked_that_no_listener_has_is_said() {
    let ca = "caCertificateRefs: [{group: '', kind: ConfigMap, name: ca}]";
    let tls = |port: u16| {
        let per_port = format!("[{{port: {port}, tls: {{validation: {{{ca}}}}}}}]");
        format!("tls: {{frontend: {{default: {{}}, perPort: {per_port}}}}}, gatewayClassName: ours")
    };
    let secure = |name: &str, port: u16| {
        format!("{{name: {name}, port: {port}, protocol: HTTPS, tls: {{certificateRefs: [{{name: c}}]}}}}")
    };
    let listeners = format!("protocol: HTTP}}, {}]", secure("https", 443));
    let said_of = |port: u16, more: &str| {
        said(&[("gatewayClassName: ours", &tls(port)), ("protocol: HTTP}]", &listeners)], more)
    };
    expect("one that has it", said_of(443, ""), &[]);
    let field = "Gateway default/g: spec.tls.frontend.perPort[0].port: ";
    let expected = format!("{field}has no effect: no listener of protocol HTTPS has it; they have 443");
    expect("none has it", said_of(8443, ""), &[&expected]);
    expect("one without TLS", said_of(80, ""), &[&expected]);
    let set = format!("spec: {{parentRef: {{name: g}}, listeners: [{}]}}", secure("more", 8443));
    let with_set = said_of(8443, &object("ListenerSet", GATEWAY, "s", &set));
    assert!(!with_set.iter().any(|said| said.contains("perPort")), "one of a ListenerSet: {with_set:#?}");
}

// TCR-03, TCR-04, UDR-03
#[test]
fn a_route_for_streams_that_an_older_one_keeps_from_a_listener_is_said() {
    let route = |kind: &str, name: &str, parent: &str| {
        let spec = format!(
            "spec: {{parentRefs: [{{{parent}}}], rules: [{{backendRefs: [{{name: shop, port: 80}}]}}]}}"
        );
        object(kind, GATEWAY, name, &spec)
    };
    let listeners = "protocol: HTTP}, {name: a, port: 81, protocol: TCP}, {name: b, port: 82, protocol: TCP}, \
                     {name: c, port: 81, protocol: UDP}]";
    let said_of = |routes: &[String]| said(&[("protocol: HTTP}]", listeners)], &routes.concat());
    let (a, b) = ("name: g, sectionName: a", "name: g, sectionName: b");
    let apart =
        [route("TCPRoute", "one", a), route("TCPRoute", "two", b), route("UDPRoute", "one", "name: g")];
    expect("each has its own", said_of(&apart), &[]);
    let expected = |of: &str, name: &str, first: &str| {
        format!(
            "{of}: spec.parentRefs[0]: gets nothing of listener {name} of Gateway default/g: all of it goes to {first}, \
             which came first; name another listener in one of the two, by sectionName"
        )
    };
    let everywhere = [route("TCPRoute", "one", "name: g"), route("TCPRoute", "two", b)];
    expect(
        "one has all",
        said_of(&everywhere),
        &[&expected("TCPRoute default/two", "b", "TCPRoute default/one")],
    );
    let older =
        everywhere[1].replace("{name: two}", "{name: two, creationTimestamp: '2020-01-01T00:00:00Z'}");
    let younger =
        everywhere[0].replace("{name: one}", "{name: one, creationTimestamp: '2021-01-01T00:00:00Z'}");
    expect(
        "the older",
        said_of(&[older, younger]),
        &[&expected("TCPRoute default/one", "b", "TCPRoute default/two")],
    );
    let datagrams = [route("UDPRoute", "one", "name: g"), route("UDPRoute", "two", "name: g, port: 81")];
    expect(
        "datagrams",
        said_of(&datagrams),
        &[&expected("UDPRoute default/two", "c", "UDPRoute default/one")],
    );
    let closed = listeners.replace(
        "port: 82, protocol: TCP",
        "port: 82, protocol: TCP, allowedRoutes: {kinds: [{kind: TLSRoute}]}",
    );
    let found = said(
        &[("protocol: HTTP}]", &closed)],
        &[route("TCPRoute", "one", "name: g"), route("TCPRoute", "two", a)].concat(),
    );
    expect("not attached", found, &[&expected("TCPRoute default/two", "a", "TCPRoute default/one")]);
}

// BTP-02
#[test]
fn a_policy_for_a_service_of_another_namespace_is_said() {
    let policy = object(
        "BackendTLSPolicy",
        GATEWAY,
        "p",
        "spec: {targetRefs: [{group: '', kind: Service, name: shop}], \
                        validation: {hostname: a.example, wellKnownCACertificates: System}}",
    );
    expect(
        "no such Service",
        said(&[], &policy.replace("{name: p}", "{name: p, namespace: other}")),
        &[
            "BackendTLSPolicy other/p: spec.targetRefs[0].name: there is no Service other/shop, and a policy is for Services of its \
             own namespace; write one, or name another",
        ],
    );
}

// BTP-02, XBK-04
#[test]
fn a_policy_for_an_x_backend_is_told_of_the_field_of_the_x_backend() {
    let target = "targetRefs: [{group: gateway.networking.x-k8s.io, kind: XBackend, name: b}]";
    let tls =
        format!("spec: {{{target}, validation: {{hostname: a.example, wellKnownCACertificates: System}}}}");
    expect(
        "TLS",
        said(&[], &object("BackendTLSPolicy", GATEWAY, "p", &tls)),
        &["BackendTLSPolicy default/p: spec.targetRefs[0].kind: policies of this kind are for Services and \
             ServiceImports, and an XBackend has spec.tls of its own; write it in XBackend default/b"],
    );
    let traffic = format!("spec: {{{target}, sessionPersistence: {{type: Cookie, cookie: {{}}}}}}");
    expect(
        "sessions",
        said(&[], &object("XBackendTrafficPolicy", EXPERIMENTAL, "p", &traffic)),
        &[
            "XBackendTrafficPolicy default/p: spec.targetRefs[0].kind: policies of this kind are for Services and ServiceImports, and",
        ],
    );
    expect(
        "a Service beside it, to which nothing is sent within TLS",
        said(
            &[],
            &(object(
                "BackendTLSPolicy",
                GATEWAY,
                "p",
                &tls.replace("name: b}", "name: b}, {group: '', kind: Service, name: other}"),
            ) + &object("Service", "v1", "other", "spec: {ports: [{port: 80}]}")),
        ),
        &[
            "BackendTLSPolicy default/p: spec.targetRefs[0].kind: policies of this kind are for Services and ServiceImports, and",
            "BackendTLSPolicy default/p: spec.targetRefs: no Route that is served here sends anything within TLS",
        ],
    );
}

// RTB-05, BTP-02, XBK-04
#[test]
fn the_status_of_a_policy_says_what_policies_of_its_kind_are_for() {
    let service = "{group: '', kind: Service, name: shop}";
    let x_backend = "{group: gateway.networking.x-k8s.io, kind: XBackend, name: b}";
    let route = "{group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop}";
    let validation = "validation: {hostname: a.example, wellKnownCACertificates: System}";
    let traffic = "sessionPersistence: {type: Cookie, cookie: {}}";
    for (kind, version, spec, expected) in [
        (
            "BackendTLSPolicy",
            GATEWAY,
            validation,
            "policies of this kind are for Services and ServiceImports, and an XBackend has spec.tls of its own; write it in XBackend default/b",
        ),
        (
            "XBackendTrafficPolicy",
            EXPERIMENTAL,
            traffic,
            "policies of this kind are for Services and ServiceImports, and an XBackend has spec.sessionPersistence of its own, but no \
             budget of retries; write it in XBackend default/b",
        ),
    ] {
        let spec = format!("spec: {{targetRefs: [{service}, {x_backend}, {route}], {spec}}}");
        let resources = resources(&format!("{GOOD}{}", object(kind, version, "p", &spec)));
        let statuses = translate(&resources, &Options::default()).statuses;
        let causes =
            statuses.causes().filter(|(of, ..)| of.as_str() == kind).map(|(.., cause)| &cause.finding);
        let causes: Vec<_> =
            causes.map(|finding| (finding.field.as_str(), finding.message.as_str())).collect();
        let unsupported = "HTTPRoute of group \"gateway.networking.k8s.io\" is not supported as a target; name a Service or a ServiceImport";
        assert_eq!(causes, [("spec.targetRefs[1].kind", expected), ("spec.targetRefs[2].kind", unsupported)]);
    }
}

// GWA-08, SES-01
#[test]
fn fields_without_effect_are_said() {
    let gateway = "listeners: [{name: http, port: 80, protocol: HTTP}]";
    let more = |text: &str| said(&[(gateway, &format!("{gateway}, {text}"))], "");
    expect(
        "labels",
        more("infrastructure: {labels: {a: b}, annotations: {c: d}}"),
        &[
            "Gateway default/g: spec.infrastructure.labels: has no effect",
            "Gateway default/g: spec.infrastructure.annotations: has no effect",
        ],
    );
    let https =
        "listeners: [{name: https, port: 443, protocol: HTTPS, tls: {options: {example.com/min: '1.3'}}}]";
    expect(
        "options",
        said(&[(gateway, https)], ""),
        &["Gateway default/g: spec.listeners[0].tls.options: example.com/min has no effect"],
    );
    let passed = "listeners: [{name: http, port: 80, protocol: HTTP}, {name: tls, port: 443, protocol: TLS, tls: {mode: Passthrough, \
                  certificateRefs: [{name: shop}]}}]";
    expect(
        "certificates that no client sees",
        said(&[(gateway, passed)], ""),
        &["Gateway default/g: spec.listeners[1].tls.certificateRefs: have no effect: TLS is passed through"],
    );
    let kept = GOOD.replace("rules: [{", "rules: [{sessionPersistence: {type: Cookie, cookie: {}}, ");
    let without = Options { session_persistence: false, ..Options::default() };
    expect("a rule", said_with(&resources(&kept), &Options::default()), &[]);
    expect(
        "a rule of an embedding without",
        said_with(&resources(&kept), &without),
        &["HTTPRoute default/shop: spec.rules[0].sessionPersistence: is not supported, and has no effect"],
    );
}

#[test]
fn of_objects_that_are_written_twice_the_first_stays_and_it_is_said() {
    let twice = |objects: &[&str]| resources(&objects.join("---"));
    let other = GOOD.replace("port: 80, protocol", "port: 81, protocol");
    let given = twice(&[GOOD, &other]);
    let translation = translate(&given, &Options::default());
    let said: Vec<_> = translation.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 5, "{said:#?}");
    assert!(said.contains(
        &"Gateway default/g: metadata.name: written more than once; the first stays, and the others are left out: \
          remove them"
            .to_owned()
    ));
    assert!(translation.diagnostics.iter().all(|diagnostic| diagnostic.severity == Severity::Error));
    assert_eq!(translation.table.listeners().next().unwrap().1.port, 80);

    // Another way in that takes the first as well, and says so.
    let both = ["a.yaml", "b.yaml"].into_iter().zip([GOOD, &other]);
    let collection: manifest::Collection = both.map(|(name, text)| manifest::read(text, name)).collect();
    assert_eq!(collection.problems.len(), 5);
    assert_eq!(collection.resources.gateways, given.gateways);

    // What takes the place of an object does so by name, and in the next version it is gone.
    let mut translator = Translator::new(Options::default());
    translator.update(&given);
    assert_eq!(translator.translate().diagnostics.len(), 5);
    let key = ObjectName::new("default", "g");
    translator.insert(resources(&other).get(Kind::Gateway, &key).unwrap());
    assert_eq!(translator.translate().diagnostics.len(), 4);
    assert_eq!(translator.translation().table.listeners().next().unwrap().1.port, 81);
    translator.update(&resources(GOOD));
    assert_eq!(translator.translate().diagnostics, []);
}
