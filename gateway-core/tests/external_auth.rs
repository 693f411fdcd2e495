//! Filters that ask authorization services: of rules and of listeners, from the fields to the decision.

mod common;

use std::sync::Arc;

use bytes::Bytes;
use gateway_core::condition::ConditionType;
use gateway_core::exchange::{
    Arrival, AuthAnswer, Decision, Denial, Exchange, Form, Refusal, Sought, Stopped,
};
use gateway_core::filter::{AuthProtocol, ExternalAuth, Put};
use gateway_core::manifest;
use gateway_core::name::ObjectName;
use gateway_core::options::Options;
use gateway_core::translate::{Translation, Translator, translate};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};

use self::common::resources;

/// Services `shop` and `auth`, each with an endpoint.
const SERVICES: &str = "
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Service, metadata: {name: shop}, spec: {ports: [{port: 80}]}}
- {apiVersion: v1, kind: Service, metadata: {name: auth}, spec: {ports: [{port: 80}]}}
- {apiVersion: v1, kind: Service, metadata: {name: auth, namespace: other}, spec: {ports: [{port: 80}]}}
- apiVersion: discovery.k8s.io/v1
  kind: EndpointSlice
  metadata: {name: shop-1, labels: {kubernetes.io/service-name: shop}}
  addressType: IPv4
  ports: [{port: 3000}]
  endpoints: [{addresses: [10.0.0.7]}]
- apiVersion: discovery.k8s.io/v1
  kind: EndpointSlice
  metadata: {name: auth-1, labels: {kubernetes.io/service-name: auth}}
  addressType: IPv4
  ports: [{port: 3000}]
  endpoints: [{addresses: [10.0.0.8]}]
";

/// A filter that asks the Service `auth`, with more fields of it.
fn auth(more: &str) -> String {
    format!("{{type: ExternalAuth, externalAuth: {{backendRef: {{name: auth, port: 80}}, {more}}}}}")
}

/// A Gateway whose one listener has these filters.
fn gateway(filters: &[String]) -> String {
    let filters = filters.join(", ");
    format!(
        "{{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {{name: web}}, spec: {{gatewayClassName: any, \
         listeners: [{{name: http, port: 80, protocol: HTTP, filters: {{requests: [{filters}]}}}}]}}}}"
    )
}

/// An HTTPRoute with these rules.
fn route(rules: &str) -> String {
    format!(
        "{{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {{name: shop}}, \
         spec: {{parentRefs: [{{name: web}}], rules: [{rules}]}}}}"
    )
}

/// One rule for everything with these filters.
fn rule(filters: &[String]) -> String {
    format!("{{filters: [{}], backendRefs: [{{name: shop, port: 80}}]}}", filters.join(", "))
}

fn set(name: &str, value: &str) -> String {
    format!(
        "{{type: RequestHeaderModifier, requestHeaderModifier: {{set: [{{name: {name}, value: {value}}}]}}}}"
    )
}

fn translated_with(documents: &[&str], options: Options) -> Translation {
    let resources = resources(&[documents, &[SERVICES]].concat().join("\n---\n"));
    translate(&resources, &Options { any_class: true, ..options })
}

fn translated(documents: &[&str]) -> Translation {
    translated_with(documents, Options::default())
}

fn web() -> ObjectName {
    ObjectName::new("default", "web")
}

fn request(path: &str, lines: &[(&str, &str)]) -> http::request::Parts {
    let mut request = Request::get(path).header("host", "shop.example");
    for (name, value) in lines {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

/// An answer of a service over HTTP, as the filter has it.
fn over_http(auth: &ExternalAuth, status: u16, lines: &[(&str, &str)]) -> AuthAnswer {
    let AuthProtocol::Http(http) = &auth.terms.protocol else { panic!("it is asked over HTTP") };
    let mut response = Response::builder().status(status);
    for (name, value) in lines {
        response = response.header(*name, *value);
    }
    http.answer(response.body(Bytes::from_static(b"of the service")).unwrap())
}

/// What becomes of a request for which the services answer these, in their order.
fn decided(translation: &Translation, parts: http::request::Parts, answers: &[(u16, &str)]) -> Decision {
    let table = Arc::new(translation.table.clone());
    let (gateway, mut answers) = (web(), answers.iter());
    let arrival = Arrival::new(&gateway, 80);
    let mut decision = table.decide(&arrival, parts, &mut || 0);
    while let Decision::Ask(question) = decision {
        assert_eq!(question.backend().service, ObjectName::new("default", "auth"));
        let (status, user) = answers.next().expect("no more is asked");
        let answer = over_http(question.auth(), *status, &[("x-user", user)]);
        decision = question.go_on(answer, &arrival, &mut || 0);
    }
    assert!(answers.next().is_none(), "all of them are asked");
    decision
}

fn condition(translation: &Translation, kind: ConditionType) -> String {
    let status = translation.statuses.routes.values().next().unwrap();
    let found = status.parents[0].conditions.iter().find(|condition| condition.kind == kind).unwrap();
    found.to_string()
}

// FEA-01, FEA-02, FEA-06, FLT-01
#[test]
fn a_rule_asks_in_the_order_of_its_filters_and_forwards_what_passes() {
    let rewrite = "{type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, replaceFullPath: /after}}}";
    let filters = [set("x-before", "\"1\""), auth("protocol: HTTP, http: {}"), rewrite.to_owned()];
    let translation = translated(&[&gateway(&[]), &route(&rule(&filters))]);
    let table = Arc::new(translation.table.clone());
    let arrival_gateway = web();
    let arrival = Arrival::new(&arrival_gateway, 80);
    let Decision::Ask(question) = table.decide(&arrival, request("/a?b", &[("x-user", "root")]), &mut || 0)
    else {
        panic!("a service is asked")
    };
    let (asked, endpoints) = (question.request_parts(), &question.backend().endpoints);
    assert!(asked.headers.contains_key("x-before"));
    assert_eq!(asked.uri.path(), "/a");
    assert_eq!(endpoints[0].address(), "10.0.0.8:3000".parse().unwrap());
    let answer = over_http(question.auth(), 200, &[("x-user", "ann")]);
    let Decision::Forward(forward) = question.go_on(answer, &arrival, &mut || 0) else {
        panic!("200 lets it pass")
    };
    let sent = forward.request_parts();
    assert_eq!((&sent.headers["x-user"], sent.uri.path()), (&HeaderValue::from_static("ann"), "/after"));
}

// FEA-01, FEA-02, FHM-08, FHM-11: the filters for answers see the one of the service.
#[test]
fn a_request_that_does_not_pass_gets_the_answer_of_the_service() {
    let modifier =
        "{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: x-seen, value: \"1\"}]}}";
    let filters = [modifier.to_owned(), auth("protocol: HTTP, http: {}")];
    let translation = translated(&[&gateway(&[]), &route(&rule(&filters))]);
    let Decision::Answer(answer) = decided(&translation, request("/", &[]), &[(401, "nobody")]) else {
        panic!("401 does not let it pass")
    };
    assert_eq!((answer.status(), &answer.body()[..]), (StatusCode::UNAUTHORIZED, &b"of the service"[..]));
    assert_eq!(
        (&answer.headers()["x-user"], &answer.headers()["x-seen"]),
        (&"nobody".parse().unwrap(), &"1".parse().unwrap())
    );
}

// FEA-01, FEA-08, CON-13
#[test]
fn a_request_about_which_nothing_is_known_does_not_pass() {
    let translation = translated(&[&gateway(&[]), &route(&rule(&[auth("protocol: GRPC, grpc: {}")]))]);
    let table = Arc::new(translation.table.clone());
    let gateway = web();
    let arrival = Arrival::new(&gateway, 80);
    for (answer, status) in [(AuthAnswer::Failed, 503), (AuthAnswer::BodyTooLong, 413)] {
        let Decision::Ask(question) = table.decide(&arrival, request("/", &[]), &mut || 0) else {
            panic!("a service is asked")
        };
        let Decision::Answer(refused) = question.go_on(answer, &arrival, &mut || 0) else {
            panic!("it does not pass")
        };
        assert_eq!(refused.status(), status);
    }
}

// FEA-01: a caller that takes the steps one by one cannot leave the question out.
#[test]
fn no_step_leads_around_a_question() {
    let gateway_name = web();
    let arrival = Arrival::new(&gateway_name, 80);
    let deny = || AuthAnswer::Deny(Denial::new(StatusCode::FORBIDDEN, HeaderMap::new(), Bytes::new()));
    let permit = || AuthAnswer::Permit(Default::default());

    let filters = [auth("protocol: HTTP, http: {}"), set("x-after", "\"1\"")];
    let table = Arc::new(translated(&[&gateway(&[]), &route(&rule(&filters))]).table);
    let begun = || {
        let mut request = Request::from_parts(request("/", &[]), ());
        let exchange = Exchange::begin(&table, &arrival, &mut request).unwrap();
        (exchange, request.into_parts().0)
    };
    let (mut exchange, mut parts) = begun();
    assert!(exchange.on_auth_answer(permit(), &mut parts.headers, Form::Http).is_err(), "nobody asked");
    assert!(matches!(exchange.run(&mut parts, &mut || 0), Err(Stopped::Asks(_))));
    assert!(matches!(exchange.run(&mut parts, &mut || 0), Err(Stopped::Refused(Refusal::Filter))));
    assert_eq!(exchange.choose_backend(0), Err(Refusal::Filter));
    assert!(exchange.on_auth_answer(deny(), &mut parts.headers, Form::Http).is_err());
    assert!(exchange.on_auth_answer(permit(), &mut parts.headers, Form::Http).is_err(), "it is denied");
    assert!(exchange.run(&mut parts, &mut || 0).is_err());

    let (mut exchange, mut parts) = begun();
    assert!(exchange.on_request(&mut parts, &mut || 0).is_err());
    exchange.on_auth_answer(permit(), &mut parts.headers, Form::Http).unwrap();
    assert_eq!(exchange.clone().choose_backend(0), Err(Refusal::Filter), "a filter has still to run");
    exchange.run(&mut parts, &mut || 0).unwrap();
    assert!(parts.headers.contains_key("x-after"));
    exchange.run(&mut parts, &mut || 0).expect("nobody is asked twice");

    let table = translated(&[&gateway(&[auth("protocol: HTTP, http: {}")]), &route(&rule(&[]))]).table;
    let mut request = Request::from_parts(request("/", &[]), ());
    let Ok(Sought::Filters(mut search)) = Sought::begin(&table, &arrival, &mut request) else {
        panic!("the listener has a filter")
    };
    assert!(search.on_auth_answer(permit(), request.headers_mut()).is_err(), "nobody asked");
    assert!(matches!(search.run(&table, &mut request), Err(Stopped::Asks(_))));
    assert!(matches!(search.run(&table, &mut request), Err(Stopped::Refused(Refusal::ListenerFilter))));
    assert!(search.on_auth_answer(permit(), request.headers_mut()).is_err(), "it is given up");
}

// PRF-01, PRF-02, PRF-03, PRF-05, PRF-08, FEA-06
#[test]
fn a_listener_asks_before_a_rule_is_looked_for() {
    let of_user =
        "{matches: [{headers: [{name: x-user, value: ann}]}], backendRefs: [{name: shop, port: 80}]}";
    let rules = format!("{of_user}, {}", rule(&[auth("protocol: HTTP, http: {}")]));
    let listener = gateway(&[auth("protocol: HTTP, http: {allowedResponseHeaders: [x-user, host]}")]);
    let translation = translated(&[&listener, &route(&rules)]);
    let index = |parts, answers: &[(u16, &str)]| match decided(&translation, parts, answers) {
        Decision::Forward(forward) => {
            assert_eq!(forward.request_parts().headers["host"], "shop.example");
            forward.rule().id.index.to_string()
        }
        Decision::Answer(answer) => answer.status().to_string(),
        Decision::Ask(_) => unreachable!("all are answered"),
    };
    assert_eq!(index(request("/", &[]), &[(200, "ann")]), "0");
    assert_eq!(index(request("/", &[("x-user", "ann")]), &[(200, "bob"), (200, "bob")]), "1");
    assert_eq!(index(request("/", &[]), &[(200, "bob"), (403, "bob")]), "403 Forbidden");
    assert_eq!(index(request("/", &[]), &[(401, "")]), "401 Unauthorized");
}

// FEA-02: what a service that a listener asked says of the answer is in the answer.
#[test]
fn a_service_has_its_say_in_the_answer() {
    let table =
        Arc::new(translated(&[&gateway(&[auth("protocol: GRPC, grpc: {}")]), &route(&rule(&[]))]).table);
    let gateway = web();
    let arrival = Arrival::new(&gateway, 80);
    let Decision::Ask(question) = table.decide(&arrival, request("/", &[]), &mut || 0) else {
        panic!("asked")
    };
    let mut permit = gateway_core::exchange::Permit::default();
    permit.put_into_answer(Put::Set, HeaderName::from_static("x-session"), HeaderValue::from_static("7"));
    let Decision::Forward(forward) = question.go_on(AuthAnswer::Permit(permit), &arrival, &mut || 0) else {
        panic!("it passes")
    };
    let (mut answer, ()) =
        Response::builder().header("x-session", "of the backend").body(()).unwrap().into_parts();
    forward.finish(&mut answer);
    assert_eq!(answer.headers.get_all("x-session").iter().collect::<Vec<_>>(), ["7"]);
}

// FEA-09, RTE-17, FLT-05
#[test]
fn a_rule_that_asks_nobody_fails_its_requests() {
    let other = "{type: ExternalAuth, externalAuth: {protocol: HTTP, http: {}, backendRef: {name: auth, namespace: other, port: 80}}}";
    let absent = "{type: ExternalAuth, externalAuth: {protocol: HTTP, http: {}, backendRef: {name: absent, port: 80}}}";
    let grant = "{apiVersion: gateway.networking.k8s.io/v1, kind: ReferenceGrant, metadata: {name: g, namespace: other}, \
                 spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: default}], \
                 to: [{group: '', kind: Service}]}}";
    for (filter, more, expected) in [
        (absent, "", "ResolvedRefs=False/BackendNotFound"),
        (other, "", "ResolvedRefs=False/RefNotPermitted"),
        (other, grant, "ResolvedRefs=True/ResolvedRefs"),
    ] {
        let documents = [gateway(&[]), route(&rule(&[filter.to_owned()])), more.to_owned()];
        let documents: Vec<_> =
            documents.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
        let translation = translated(&documents);
        let said = condition(&translation, ConditionType::ResolvedRefs);
        assert!(said.starts_with(expected), "{said}");
        let table = Arc::new(translation.table.clone());
        match table.decide(&Arrival::new(&web(), 80), request("/", &[]), &mut || 0) {
            Decision::Answer(answer) => {
                assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
                let cause = translation.statuses.causes().next().unwrap().2;
                assert_eq!(cause.finding.field, "spec.rules[0].filters[0].externalAuth.backendRef");
            }
            Decision::Ask(question) => assert_eq!(&*question.backend().service.namespace, "other"),
            Decision::Forward(forward) => panic!("{forward:?}"),
        }
    }
}

// PRF-07, RGR-04: a grant is for the kind that refers.
#[test]
fn a_listener_needs_a_grant_for_gateways() {
    let other = "{type: ExternalAuth, externalAuth: {protocol: HTTP, http: {}, backendRef: {name: auth, namespace: other, port: 80}}}";
    let grant = |kind: &str| {
        format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: ReferenceGrant, metadata: {{name: g, namespace: other}}, \
             spec: {{from: [{{group: gateway.networking.k8s.io, kind: {kind}, namespace: default}}], \
             to: [{{group: '', kind: Service}}]}}}}"
        )
    };
    for (kind, expected) in [("HTTPRoute", "False/RefNotPermitted"), ("Gateway", "True/ResolvedRefs")] {
        let translation = translated(&[&gateway(&[other.to_owned()]), &route(&rule(&[])), &grant(kind)]);
        let conditions = &translation.statuses.gateways[&web()].listeners[0].conditions;
        let resolved = conditions.iter().find(|it| it.kind == ConditionType::ResolvedRefs).unwrap();
        assert!(resolved.to_string().starts_with(&format!("ResolvedRefs={expected}")), "{resolved}");
        let table = Arc::new(translation.table);
        let decision = table.decide(&Arrival::new(&web(), 80), request("/", &[]), &mut || 0);
        assert_eq!(matches!(decision, Decision::Ask(_)), kind == "Gateway");
        assert!(!matches!(decision, Decision::Forward(_)));
    }
}

// PRF-07: with a Service that comes and goes, and its endpoints.
#[test]
fn a_listener_follows_its_service() {
    let mut translator = Translator::new(Options { any_class: true, ..Options::default() });
    let insert = |translator: &mut Translator, text: &str| {
        manifest::read(text, "test.yaml")
            .objects
            .into_iter()
            .for_each(|(object, _)| translator.insert(object));
    };
    insert(&mut translator, &gateway(&[auth("protocol: HTTP, http: {}")]));
    insert(&mut translator, &route(&rule(&[])));
    let decide = |translator: &mut Translator| {
        let table = Arc::new(translator.translate().table.clone());
        match table.decide(&Arrival::new(&web(), 80), request("/", &[]), &mut || 0) {
            Decision::Ask(question) => format!("asks {}", question.backend().endpoints.len()),
            Decision::Answer(answer) => answer.status().as_u16().to_string(),
            Decision::Forward(_) => "forwards".to_owned(),
        }
    };
    assert_eq!(decide(&mut translator), "500");
    insert(&mut translator, SERVICES);
    assert_eq!(decide(&mut translator), "asks 1");
    translator.remove(gateway_core::api::Kind::EndpointSlice, &ObjectName::new("default", "auth-1"));
    assert_eq!(decide(&mut translator), "asks 0");
    translator.remove(gateway_core::api::Kind::Service, &ObjectName::new("default", "auth"));
    assert_eq!(decide(&mut translator), "500");
    insert(&mut translator, &gateway(&[]));
    insert(&mut translator, SERVICES);
    assert_eq!(decide(&mut translator), "forwards");
    assert_eq!(translator.translation().table.backends().count(), 1, "nobody asks `auth` any more");
}

// FEA-01, FLT-05: for a data plane that asks no service.
#[test]
fn a_data_plane_that_asks_nobody_says_so() {
    let asks_nobody = Options { external_auth: false, ..Options::default() };
    let filters = [auth("protocol: HTTP, http: {}")];
    let translation = translated_with(&[&gateway(&[]), &route(&rule(&filters))], asks_nobody);
    let said = condition(&translation, ConditionType::Accepted);
    assert!(said.starts_with("Accepted=False/UnsupportedValue"), "{said}");
    assert!(said.contains("ExternalAuth is not supported here"), "{said}");
    let Decision::Answer(answer) = decided(&translation, request("/", &[]), &[]) else { panic!("it fails") };
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
}
