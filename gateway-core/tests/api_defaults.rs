//! Defaults and other choices of reading, rule by rule. `api_fields.rs` compares every default with the schema; here the
//! rules of the specification stand with what an author would write.
#![cfg(feature = "resources")]

use gateway_core::api::*;
use gateway_core::manifest;

/// Reads the one object of a text, without a word of complaint.
fn read(text: &str) -> AnyObject {
    let manifest = manifest::read(text, "test.yaml");
    let problems: Vec<String> = manifest.problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems, Vec::<String>::new(), "{text}");
    let [(object, _)] = <[_; 1]>::try_from(manifest.objects).expect("one object");
    object
}

macro_rules! reader {
    ($($name:ident: $kind:ident;)+) => {$(
        fn $name(spec: &str) -> std::sync::Arc<$kind> {
            let kind = Kind::$kind;
            let text = format!(
                "{{apiVersion: {}, kind: {kind}, metadata: {{name: sample}}, {spec}}}", kind.api_version());
            match read(&text) {
                AnyObject::$kind(object) => object,
                other => panic!("{other:?}"),
            }
        }
    )+};
}

reader! {
    gateway_class: GatewayClass;
    gateway: Gateway;
    listener_set: ListenerSet;
    http_route: HttpRoute;
    grpc_route: GrpcRoute;
    tcp_route: TcpRoute;
    tls_route: TlsRoute;
    backend_tls_policy: BackendTlsPolicy;
    backend_traffic_policy: XBackendTrafficPolicy;
    mesh: XMesh;
    service: Service;
    secret: Secret;
    endpoint_slice: EndpointSlice;
}

fn every_path() -> HttpRouteMatch {
    let path = HttpPathMatch { r#type: PathMatchType::PathPrefix, value: "/".into() };
    HttpRouteMatch { path, headers: Vec::new(), query_params: Vec::new(), method: None }
}

// DEF-01
#[test]
fn a_parent_is_a_gateway() {
    let route = http_route("spec: {parentRefs: [{name: a}, {name: b, group: '', kind: Service}]}");
    let [gateway, service] = &route.spec.parent_refs[..] else { panic!() };
    assert_eq!((gateway.group.as_str(), gateway.kind.as_str()), ("gateway.networking.k8s.io", "Gateway"));
    assert_eq!((gateway.namespace.as_ref(), gateway.section_name.as_ref(), gateway.port), (None, None, None));
    assert_eq!((service.group.as_str(), service.kind.as_str()), ("", "Service"));
}

// DEF-02
#[test]
fn a_backend_is_a_service_of_weight_one() {
    let route =
        http_route("spec: {rules: [{backendRefs: [{name: a}, {name: b, weight: 0}, {name: c, weight: }]}]}");
    let backends: Vec<_> = route.spec.rules[0].backend_refs.iter().collect();
    assert!(backends.iter().all(|backend| (&*backend.group, &*backend.kind) == ("", "Service")));
    assert_eq!(backends.iter().map(|backend| backend.weight).collect::<Vec<_>>(), [1, 0, 1]);

    let route = tcp_route("spec: {rules: [{backendRefs: [{name: a}]}]}");
    assert_eq!(route.spec.rules[0].backend_refs[0].weight, 1);
    let route = grpc_route("spec: {rules: [{backendRefs: [{name: a}]}]}");
    assert_eq!(route.spec.rules[0].backend_refs[0].weight, 1);
}

// DEF-03
#[test]
fn a_certificate_is_a_secret_and_an_authority_says_what_it_is() {
    let gateway = gateway(
        "spec: {gatewayClassName: c, listeners: [{name: a, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: s}]}}]}",
    );
    let certificate = &gateway.spec.listeners[0].tls.as_ref().unwrap().certificate_refs[0];
    assert_eq!((certificate.group.as_str(), certificate.kind.as_str()), ("", "Secret"));

    let text = "apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: p}
spec:
  targetRefs: [{group: '', kind: Service, name: s}]
  validation: {hostname: a.example, caCertificateRefs: [{name: ca}]}
";
    let problems = manifest::read(text, "f").problems;
    assert_eq!(problems[0].field.as_deref(), Some("spec.validation.caCertificateRefs[0].group"));
}

// DEF-04 DEF-06
#[test]
fn routes_come_from_the_same_namespace() {
    let gateway = gateway(
        "spec: {gatewayClassName: c, listeners: [{name: a, port: 80, protocol: HTTP}, \
         {name: b, port: 80, protocol: HTTP, allowedRoutes: {kinds: [{kind: HTTPRoute}]}}, \
         {name: c, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {selector: {}}}}]}",
    );
    for listener in &gateway.spec.listeners {
        assert_eq!(listener.allowed_routes.namespaces.from, FromNamespaces::Same, "{}", listener.name);
    }
    assert_eq!(gateway.spec.listeners[1].allowed_routes.kinds[0].group, GATEWAY_GROUP);
}

// DEF-05
#[test]
fn listener_sets_come_from_nowhere() {
    let from = |spec: &str| {
        gateway(spec).spec.allowed_listeners.as_ref().map(|allowed| allowed.namespaces.from.clone())
    };
    assert_eq!(from("spec: {gatewayClassName: c, listeners: []}"), None);
    assert_eq!(
        from("spec: {gatewayClassName: c, listeners: [], allowedListeners: {}}"),
        Some(FromNamespaces::None)
    );
    let selector =
        "spec: {gatewayClassName: c, listeners: [], allowedListeners: {namespaces: {selector: {}}}}";
    assert_eq!(from(selector), Some(FromNamespaces::None));
}

// DEF-07 DEF-08
#[test]
fn tls_ends_at_the_gateway_and_wants_valid_clients() {
    let gateway = gateway(
        "spec: {gatewayClassName: c, listeners: [{name: a, port: 443, protocol: HTTPS, tls: {}}], \
         tls: {frontend: {default: {validation: {caCertificateRefs: []}}}}}",
    );
    assert_eq!(gateway.spec.listeners[0].tls.as_ref().unwrap().mode, TlsModeType::Terminate);
    let frontend = gateway.spec.tls.as_ref().unwrap().frontend.as_ref().unwrap();
    let validation = frontend.default.validation.as_ref().unwrap();
    assert_eq!(validation.mode, FrontendValidationModeType::AllowValidOnly);
}

// HRM-02 DEF-09
#[test]
fn what_a_route_leaves_out_matches_everything() {
    let every_request = [HttpRouteRule { matches: vec![every_path()], ..HttpRouteRule::default() }];
    let specs = [
        "{}",
        "{rules: null}",
        "{rules: [{}]}",
        "{rules: [{matches: [{}]}]}",
        "{rules: [{matches: [{path: {}}]}]}",
    ];
    for spec in specs {
        assert_eq!(http_route(&format!("spec: {spec}")).spec.rules, every_request, "{spec}");
    }

    let typed = http_route("spec: {rules: [{matches: [{path: {type: Exact}}, {path: {value: /a}}]}]}");
    let paths: Vec<_> =
        typed.spec.rules[0].matches.iter().map(|m| (m.path.r#type.as_str(), &*m.path.value)).collect();
    assert_eq!(paths, [("Exact", "/"), ("PathPrefix", "/a")]);

    let method_only = http_route("spec: {rules: [{matches: [{method: GET}]}]}");
    assert_eq!(method_only.spec.rules[0].matches[0].path, every_path().path);
}

// HRM-03
#[test]
fn an_explicit_empty_list_stays_empty() {
    assert_eq!(http_route("spec: {rules: []}").spec.rules, []);
    assert_eq!(http_route("spec: {rules: [{matches: []}]}").spec.rules[0].matches, []);
    let written = serde_json::to_value(&*http_route("spec: {rules: [{matches: []}]}")).unwrap();
    assert_eq!(written["spec"]["rules"][0]["matches"], serde_json::json!([]), "and it is written as such");
}

// DEF-10
#[test]
fn names_and_values_are_compared_exactly() {
    let route = http_route(
        "spec: {rules: [{matches: [{headers: [{name: a, value: b}], queryParams: [{name: a, value: b}]}]}]}",
    );
    let m = &route.spec.rules[0].matches[0];
    assert_eq!(m.headers[0].r#type, HeaderMatchType::Exact);
    assert_eq!(m.query_params[0].r#type, QueryParamMatchType::Exact);
    let route =
        grpc_route("spec: {rules: [{matches: [{headers: [{name: a, value: b}], method: {service: s}}]}]}");
    let m = &route.spec.rules[0].matches[0];
    assert_eq!(m.headers[0].r#type, HeaderMatchType::Exact);
    assert_eq!(m.method.as_ref().unwrap().r#type, GrpcMethodMatchType::Exact);
}

// DEF-11 DEF-12 DEF-13
#[test]
fn filters_have_their_defaults() {
    let route = http_route(
        "spec: {rules: [{filters: [{type: RequestRedirect, requestRedirect: {}}, {type: CORS, cors: {}}, \
         {type: RequestMirror, requestMirror: {backendRef: {name: a}, fraction: {numerator: 1}}}, \
         {type: RequestMirror, requestMirror: {backendRef: {name: a}}}]}]}",
    );
    let [redirect, cors, fraction, all] = &route.spec.rules[0].filters[..] else { panic!() };
    assert_eq!(redirect.request_redirect.as_ref().unwrap().status_code, 302);
    assert_eq!(cors.cors.as_ref().unwrap().max_age, 5);
    let fraction = fraction.request_mirror.as_ref().unwrap();
    assert_eq!(fraction.fraction, Some(Fraction { numerator: 1, denominator: 100 }));
    let all = all.request_mirror.as_ref().unwrap();
    assert_eq!((all.percent, all.fraction.as_ref()), (None, None));
    assert_eq!((all.backend_ref.group.as_str(), all.backend_ref.kind.as_str()), ("", "Service"));
}

// DEF-14
#[test]
fn an_address_is_an_ip_address() {
    let gateway = gateway("spec: {gatewayClassName: c, listeners: [], addresses: [{value: 10.0.0.1}, {}]}");
    assert!(gateway.spec.addresses.iter().all(|address| address.r#type == AddressType::IpAddress));
}

// DEF-15
#[test]
fn a_listener_set_attaches_to_a_gateway_of_its_own_namespace() {
    let set = listener_set("spec: {parentRef: {name: g}, listeners: []}");
    let expected = ParentGatewayReference {
        group: GATEWAY_GROUP.into(),
        kind: "Gateway".into(),
        name: "g".into(),
        namespace: None,
    };
    assert_eq!(set.spec.parent_ref, expected);
}

// DEF-16
#[test]
fn a_new_object_waits_for_its_controller() {
    let pending = |conditions: &[Condition]| -> Vec<String> {
        for condition in conditions {
            assert_eq!(condition.status, ConditionStatus::Undecided);
            assert_eq!(condition.reason, "Pending");
            assert_eq!(condition.last_transition_time.as_str(), "1970-01-01T00:00:00Z");
            assert_eq!(condition.observed_generation, None);
        }
        conditions.iter().map(|condition| condition.r#type.clone()).collect()
    };
    let class = gateway_class("spec: {controllerName: example.com/c}");
    assert_eq!(pending(&class.status.conditions), ["Accepted"]);
    let new_gateway = gateway("spec: {gatewayClassName: c, listeners: []}");
    assert_eq!(pending(&new_gateway.status.conditions), ["Accepted", "Programmed"]);
    let set = listener_set("spec: {parentRef: {name: g}, listeners: []}");
    assert_eq!(pending(&set.status.conditions), ["Accepted", "Programmed"]);
    assert_eq!(pending(&mesh("spec: {controllerName: example.com/c}").status.conditions), ["Accepted"]);

    let seen = gateway("spec: {gatewayClassName: c, listeners: []}, status: {conditions: []}");
    assert_eq!(seen.status.conditions, [], "an empty list is no missing one");
}

// DEF-17
#[test]
fn a_session_is_a_cookie_of_the_browser_session() {
    let route = http_route("spec: {rules: [{sessionPersistence: {cookie: {}}}]}");
    let session = route.spec.rules[0].session_persistence.as_ref().unwrap();
    assert_eq!(session.r#type, SessionPersistenceType::Cookie);
    let lifetime_type = CookieLifetimeType::Session;
    // SES-08
    assert_eq!(session.cookie, Some(CookieConfig { name: None, path: "/".to_owned(), lifetime_type }));
}

// DEF-18
#[test]
fn a_retry_budget_is_twenty_percent_over_ten_seconds() {
    let policy = backend_traffic_policy("spec: {targetRefs: [], retryConstraint: {}}");
    let constraint = policy.spec.retry_constraint.as_ref().unwrap();
    assert_eq!(constraint.budget, BudgetDetails { percent: 20, interval: "10s".into() });
    assert_eq!(constraint.min_retry_rate, RequestRate { count: Some(10), interval: Some("1s".into()) });

    let policy =
        backend_traffic_policy("spec: {targetRefs: [], retryConstraint: {minRetryRate: {count: 3}}}");
    let rate = &policy.spec.retry_constraint.as_ref().unwrap().min_retry_rate;
    assert_eq!(
        *rate,
        RequestRate { count: Some(3), interval: None },
        "the default is for the whole rate only"
    );
}

// DEF-19
#[test]
fn a_grpc_route_has_no_rules_unless_it_says_so() {
    assert_eq!(grpc_route("spec: {}").spec.rules, []);
    assert_eq!(grpc_route("spec: {rules: [{}]}").spec.rules[0].matches, []);
}

// DEF-20
#[test]
fn an_ancestor_is_a_gateway() {
    let policy = backend_tls_policy(
        "spec: {targetRefs: [], validation: {hostname: a.example}}, \
         status: {ancestors: [{ancestorRef: {name: g}, controllerName: example.com/c, conditions: []}]}",
    );
    assert_eq!(policy.status.ancestors[0].ancestor_ref, ParentReference::gateway("g"));
}

// GEN-14
#[test]
fn an_unknown_value_is_kept_as_written() {
    let route = http_route(
        "spec: {useDefaultGateways: Some, rules: [{matches: [{path: {type: Glob}, method: BREW, \
         headers: [{type: Suffix, name: a, value: b}], queryParams: [{type: Suffix, name: a, value: b}]}], \
         filters: [{type: Teleport}, {type: RequestRedirect, requestRedirect: {scheme: gopher, statusCode: 399, \
         path: {type: ReplaceSuffix}}}]}]}",
    );
    let rule = &route.spec.rules[0];
    let m = &rule.matches[0];
    assert_eq!(m.path.r#type, PathMatchType::Unknown("Glob".into()));
    assert_eq!(m.method, Some(HttpMethod::Unknown("BREW".into())));
    assert_eq!(m.headers[0].r#type, HeaderMatchType::Unknown("Suffix".into()));
    assert_eq!(m.query_params[0].r#type, QueryParamMatchType::Unknown("Suffix".into()));
    assert_eq!(rule.filters[0].r#type, HttpRouteFilterType::Unknown("Teleport".into()));
    let redirect = rule.filters[1].request_redirect.as_ref().unwrap();
    assert_eq!(redirect.scheme, Some(RedirectScheme::Unknown("gopher".into())));
    assert_eq!(redirect.status_code, 399);
    let path = redirect.path.as_ref().unwrap();
    assert_eq!(path.r#type, HttpPathModifierType::Unknown("ReplaceSuffix".into()));
    assert_eq!(route.spec.use_default_gateways, Some(GatewayDefaultScope::Unknown("Some".into())));

    let written = serde_json::to_value(&*route).unwrap();
    assert_eq!(written["spec"]["rules"][0]["matches"][0]["path"]["type"], "Glob");

    // The case of a value matters.
    let route = http_route("spec: {rules: [{matches: [{method: get}]}]}");
    assert_eq!(route.spec.rules[0].matches[0].method, Some(HttpMethod::Unknown("get".into())));
}

// RGR-10
#[test]
fn a_reference_grant_means_the_same_in_both_versions() {
    let grants = ["v1", "v1beta1"].map(|version| {
        read(&format!(
            "{{apiVersion: gateway.networking.k8s.io/{version}, kind: ReferenceGrant, metadata: {{name: g}}, spec: \
             {{from: [{{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: a}}], \
             to: [{{group: '', kind: Service}}]}}}}"
        ))
    });
    assert_eq!(grants[0], grants[1]);
    let written = serde_json::to_value(&grants[1]).unwrap();
    assert_eq!(written["apiVersion"], "gateway.networking.k8s.io/v1");
    assert_eq!(written.get("status"), None);
}

// GC-11
#[test]
fn supported_features_may_be_plain_strings() {
    let features = |written: &str| {
        let class = gateway_class(&format!(
            "spec: {{controllerName: example.com/c}}, status: {{supportedFeatures: {written}}}"
        ));
        class.status.supported_features.iter().map(|feature| feature.name.clone()).collect::<Vec<_>>()
    };
    let expected = ["Gateway", "HTTPRoute"];
    assert_eq!(features("[{name: Gateway}, {name: HTTPRoute}]"), expected);
    assert_eq!(features("[Gateway, HTTPRoute]"), expected);
    assert_eq!(features("[Gateway, {name: HTTPRoute}]"), expected);
    let written = serde_json::to_value(SupportedFeature { name: "Gateway".into() }).unwrap();
    assert_eq!(written, serde_json::json!({"name": "Gateway"}), "only the current form is written");
}

#[test]
fn the_version_of_a_stream_route_is_kept() {
    let route = |version: &str| {
        let text = format!(
            "{{apiVersion: gateway.networking.k8s.io/{version}, kind: TLSRoute, metadata: {{name: r}}, spec: {{rules: []}}}}"
        );
        match read(&text) {
            AnyObject::TlsRoute(route) => route.api_version.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(route("v1"), StreamRouteVersion::V1);
    assert_eq!(route("v1alpha2"), StreamRouteVersion::V1Alpha2);
    assert_eq!(route("v1alpha3"), StreamRouteVersion::V1Alpha3);
    assert_eq!(TlsRoute::default().api_version, StreamRouteVersion::V1);
    assert_eq!(tls_route("spec: {rules: []}").spec.hostnames, Vec::<String>::new());
}

#[test]
fn a_secret_is_decoded_and_never_shown() {
    let secret =
        secret("type: kubernetes.io/tls, data: {a: aGVsbG8=, b: eA==}, stringData: {b: plain, c: text}");
    assert_eq!(&*secret.data["a"], b"hello");
    assert_eq!(&*secret.data["b"], b"plain", "stringData wins, as in an API server");
    assert_eq!(&*secret.data["c"], b"text");
    let shown = format!("{secret:?}");
    assert!(!shown.contains("hello") && !shown.contains("plain"), "{shown}");
    let written = serde_json::to_value(&*secret).unwrap();
    assert_eq!(written["data"]["b"], "cGxhaW4=");

    let text = "{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {key: 'not base64: hunter2'}}";
    let problem = manifest::read(text, "f").problems.remove(0).to_string();
    assert!(problem.contains("Secret s: data.key: not valid base64"), "{problem}");
    assert!(
        problem.contains("; write what `base64` makes of it, or in a Secret the text itself"),
        "{problem}"
    );
    assert!(!problem.contains("hunter2"), "{problem}");
}

#[test]
fn services_and_endpoints_have_the_defaults_of_kubernetes() {
    let service = service(
        "spec: {ports: [{port: 80, targetPort: 8080}, {port: 81, targetPort: web, protocol: UDP}, {port: 82}], \
         clusterIP: None, ipFamilies: [IPv4]}, status: {loadBalancer: {}}",
    );
    assert_eq!(
        (&service.spec.r#type, &service.spec.session_affinity),
        (&ServiceType::ClusterIp, &ServiceAffinity::None)
    );
    let ports: Vec<_> =
        service.spec.ports.iter().map(|port| (port.target_port.clone(), port.protocol.clone())).collect();
    assert_eq!(
        ports,
        [
            (Some(IntOrString::Int(8080)), TransportProtocol::Tcp),
            (Some(IntOrString::String("web".into())), TransportProtocol::Udp),
            (None, TransportProtocol::Tcp),
        ]
    );
    let slice = endpoint_slice(
        "addressType: IPv4, endpoints: [{addresses: [10.0.0.1], conditions: {ready: false}, hints: {}}], \
         ports: [{name: '', port: 8080}]",
    );
    assert_eq!(slice.endpoints[0].conditions.ready, Some(false));
    assert_eq!(slice.ports[0].protocol, TransportProtocol::Tcp);
    assert_eq!(slice.service_name(), None);
}

#[test]
fn a_namespaced_object_without_a_namespace_is_in_the_default_one() {
    let resources: Resources = [
        read("{apiVersion: v1, kind: Service, metadata: {name: a}}"),
        read("{apiVersion: v1, kind: Service, metadata: {name: a, namespace: b}}"),
        read("{apiVersion: v1, kind: Namespace, metadata: {name: b, namespace: ignored}}"),
    ]
    .into_iter()
    .collect();
    let keys: Vec<_> = resources.services.keys().map(ToString::to_string).collect();
    assert_eq!(keys, ["b/a", "default/a"]);
    assert_eq!(
        resources.services.values().next_back().unwrap().metadata.namespace.as_deref(),
        Some("default")
    );
    assert!(resources.get(Kind::Namespace, &gateway_core::name::ObjectName::cluster("b")).is_some());
}

/// What is read of a text of JSON.
fn json<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).expect(text)
}

// DEF-01, DEF-02
#[test]
fn what_is_made_by_hand_is_what_would_be_read() {
    let name = || "a".to_owned();
    assert_eq!(ParentReference { name: name(), ..Default::default() }, json(r#"{"name": "a"}"#));
    assert_eq!(ParentGatewayReference { name: name(), ..Default::default() }, json(r#"{"name": "a"}"#));
    assert_eq!(BackendObjectReference { name: name(), ..Default::default() }, json(r#"{"name": "a"}"#));
    assert_eq!(BackendRef { name: name(), ..Default::default() }, json(r#"{"name": "a"}"#));
    assert_eq!(HttpBackendRef { name: "a".into(), ..Default::default() }, json(r#"{"name": "a"}"#));
    assert_eq!(GrpcBackendRef { name: name(), ..Default::default() }, json(r#"{"name": "a"}"#));
    assert_eq!(SecretObjectReference { name: name(), ..Default::default() }, json(r#"{"name": "a"}"#));
    assert_eq!(RouteGroupKind { kind: name(), ..Default::default() }, json(r#"{"kind": "a"}"#));
    assert_eq!(Fraction { numerator: 3, ..Default::default() }, json(r#"{"numerator": 3}"#));
    assert_eq!(
        HttpRouteFilter::request_redirect(HttpRequestRedirectFilter::default()),
        json(r#"{"type": "RequestRedirect", "requestRedirect": {}}"#)
    );
    assert_eq!(
        GrpcRouteFilter::request_header_modifier(HttpHeaderFilter::default()),
        json(r#"{"type": "RequestHeaderModifier", "requestHeaderModifier": {}}"#)
    );
    let reference = LocalObjectReference { group: "b".into(), kind: "C".into(), name: name() };
    assert_eq!(
        ListenerFilter::extension_ref(reference),
        json(r#"{"type": "ExtensionRef", "extensionRef": {"group": "b", "kind": "C", "name": "a"}}"#)
    );
    let backend = || BackendObjectReference { name: name(), port: Some(80), ..Default::default() };
    assert_eq!(
        HttpExternalAuthFilter::grpc(backend()),
        json(r#"{"protocol": "GRPC", "backendRef": {"name": "a", "port": 80}}"#)
    );
    assert_eq!(
        HttpPathModifier::replace_prefix_match("/b"),
        json(r#"{"type": "ReplacePrefixMatch", "replacePrefixMatch": "/b"}"#)
    );
    assert_eq!(SubjectAltName::uri("spiffe://b"), json(r#"{"type": "URI", "uri": "spiffe://b"}"#));
    let metadata = ObjectMeta { name: name(), ..Default::default() };
    assert_eq!(
        EndpointSlice::new(metadata, EndpointAddressType::Ipv4),
        json(r#"{"metadata": {"name": "a"}, "addressType": "IPv4"}"#)
    );
}
