//! HTTPRoutes from manifests: where they attach, what their status says, and what they serve.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_core::condition::{Condition, ConditionType, Reason};
use gateway_core::matching::RequestHead;
use gateway_core::name::{ObjectName, RouteKey, RouteKind};
use gateway_core::options::Options;
use gateway_core::rule::{
    BackendProtocol, BackendTarget, RuleData, RuleDataSource, RuleName, SessionCarrier, SessionCookie,
    SessionPersistence, Sessions,
};
use gateway_core::table::{FrontendOwner, Transport};
use gateway_core::translate::{Translation, translate};
use http::Request;

use self::common::resources;

/// A class, a Gateway `infra/gw` with three HTTP listeners, namespaces, Services and endpoints in `apps` and `other`.
const BASE: &str = r#"
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: class}
spec: {controllerName: gateway-api.rs/controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: infra}
spec:
  gatewayClassName: class
  listeners:
  - {name: all, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}
  - {name: example, port: 80, protocol: HTTP, hostname: "*.example.com", allowedRoutes: {namespaces: {from: All}}}
  - {name: same, port: 8080, protocol: HTTP}
  - {name: selected, port: 8081, protocol: HTTP, allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {team: a}}}}}
  - {name: grpc-only, port: 8082, protocol: HTTP, allowedRoutes: {namespaces: {from: All}, kinds: [{kind: TLSRoute}]}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: apps, labels: {team: a}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: other, labels: {team: b}}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: apps}
spec:
  ports:
  - {name: http, port: 80}
  - {name: h2c, port: 81, appProtocol: kubernetes.io/h2c}
  - {name: ws, port: 82, appProtocol: kubernetes.io/ws}
  - {name: wss, port: 83, appProtocol: kubernetes.io/wss}
  - {name: dns, port: 53, protocol: UDP}
  - {name: vendor, port: 84, appProtocol: example.com/custom}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: apps, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: http, port: 9001}, {name: h2c, port: 9002}]
endpoints:
- {addresses: [10.0.0.1]}
- {addresses: [10.0.0.2], conditions: {ready: true}}
- {addresses: [10.0.0.3], conditions: {ready: false}}
- {addresses: [10.0.0.1]}
---
apiVersion: v1
kind: Service
metadata: {name: outside, namespace: apps}
spec: {type: ExternalName, externalName: example.org, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: other}
spec: {ports: [{port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {name: one, namespace: other}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: apps}]
  to: [{group: "", kind: Service, name: web}]
"#;

fn translated(manifests: &str) -> Translation {
    let translation = translate(&resources(&format!("{BASE}\n---\n{manifests}")), &Options::default());
    assert!(translation.diagnostics.is_empty(), "{:#?}", translation.diagnostics);
    translation
}

/// An HTTPRoute `apps/r` with this spec.
fn route(spec: &str) -> Translation {
    translated(&format!(
        "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: r, namespace: apps, generation: 7}}\nspec: {spec}\n"
    ))
}

/// An HTTPRoute `apps/r` at the whole Gateway, with these rules.
fn rules(rules: &str) -> Translation {
    route(&format!("{{parentRefs: [{{name: gw, namespace: infra}}], rules: [{rules}]}}"))
}

fn condition(translation: &Translation, parent: usize, kind: ConditionType) -> Option<&Condition> {
    let status =
        translation.statuses.routes.get(&RouteKey::new(RouteKind::Http, ObjectName::new("apps", "r")))?;
    status.parents.get(parent)?.conditions.iter().find(|condition| condition.kind == kind)
}

/// `True/Reason` or `False/Reason` of a condition of the first parent, or `-`.
fn state(translation: &Translation, kind: ConditionType) -> String {
    state_of(translation, 0, kind)
}

fn state_of(translation: &Translation, parent: usize, kind: ConditionType) -> String {
    match condition(translation, parent, kind) {
        Some(condition) => {
            format!("{}/{}", if condition.status { "True" } else { "False" }, condition.reason)
        }
        None => "-".to_owned(),
    }
}

/// What `GET url` gets on a port of the Gateway: the rule as `namespace/name/rule`, or a status.
fn decide(translation: &Translation, port: u16, url: &str) -> String {
    let table = &translation.table;
    let Some(port) =
        table.frontend(FrontendOwner::Gateway(&ObjectName::new("infra", "gw")), Transport::Tcp, port)
    else {
        return "not served".to_owned();
    };
    let request = Request::get(format!("http://{url}")).body(()).unwrap();
    let head = RequestHead::new(request.method(), request.uri(), request.headers()).unwrap();
    match table.find(port, None, &head) {
        Ok(matched) => table.rule(matched.rule).id.to_string(),
        Err(no_match) => no_match.status().as_str().to_owned(),
    }
}

use ConditionType::{Accepted, PartiallyInvalid, ResolvedRefs};

// RTE-03, RTE-04, RTE-05, RTE-06, RTE-07, RTE-08, RTE-09, RTE-12, RTE-33, CND-80, CND-81, CND-82, CND-83, AMB-57
#[test]
fn a_parent_ref_attaches_or_says_why_not() {
    for (parent_ref, hostnames, expected) in [
        ("{name: gw, namespace: infra}", "", "True/Accepted"),
        ("{name: gw, namespace: infra, sectionName: example}", "", "True/Accepted"),
        ("{name: gw, namespace: infra, sectionName: none}", "", "False/NoMatchingParent"),
        ("{name: gw, namespace: infra, port: 80}", "", "True/Accepted"),
        ("{name: gw, namespace: infra, port: 81}", "", "False/NoMatchingParent"),
        ("{name: gw, namespace: infra, sectionName: example, port: 80}", "", "True/Accepted"),
        ("{name: gw, namespace: infra, sectionName: example, port: 8080}", "", "False/NoMatchingParent"),
        ("{name: gw, namespace: infra, sectionName: same}", "", "False/NotAllowedByListeners"),
        ("{name: gw, namespace: infra, sectionName: selected}", "", "True/Accepted"),
        ("{name: gw, namespace: infra, sectionName: grpc-only}", "", "False/NotAllowedByListeners"),
        ("{name: gw, namespace: infra, sectionName: example}", "a.example.com", "True/Accepted"),
        ("{name: gw, namespace: infra, sectionName: example}", "\"*.com\"", "True/Accepted"),
        (
            "{name: gw, namespace: infra, sectionName: example}",
            "example.com",
            "False/NoMatchingListenerHostname",
        ),
        ("{name: gw, namespace: infra}", "example.com", "True/Accepted"),
    ] {
        let translation = route(&format!("{{parentRefs: [{parent_ref}], hostnames: [{hostnames}]}}"));
        assert_eq!(state(&translation, Accepted), expected, "{parent_ref} {hostnames}");
        // RTE-13: always there.
        assert_eq!(state(&translation, ResolvedRefs), "True/ResolvedRefs", "{parent_ref}");
    }
}

// RTE-10, RTE-23, GEN-10
#[test]
fn a_parent_that_is_not_ours_gets_no_entry() {
    for parent_refs in [
        "",
        "{name: absent, namespace: infra}",
        "{name: gw}",
        "{name: gw, namespace: infra, kind: Other}",
        "{name: gw, namespace: infra, group: example.com}",
        "{name: web, kind: Service, group: \"\"}",
    ] {
        let translation = route(&format!("{{parentRefs: [{parent_refs}]}}"));
        assert!(translation.statuses.routes.is_empty(), "{parent_refs}");
    }
}

// RTE-01, RTE-11, RTE-12, RTE-35, GEN-03
#[test]
fn each_parent_ref_has_its_entry_with_the_defaults_filled_in() {
    let translation = route(
        "{parentRefs: [{name: gw, namespace: infra, sectionName: example}, {name: gw, namespace: infra, sectionName: none}], \
         hostnames: [a.example.com]}",
    );
    let status = &translation.statuses.routes[&RouteKey::new(RouteKind::Http, ObjectName::new("apps", "r"))];
    assert_eq!(status.generation, Some(7));
    assert_eq!(status.parents.len(), 2);
    let first = &status.parents[0].parent_ref;
    assert_eq!((first.group.as_str(), first.kind.as_str()), ("gateway.networking.k8s.io", "Gateway"));
    assert_eq!((first.namespace.as_deref(), first.section_name.as_deref()), (Some("infra"), Some("example")));
    assert_eq!(state_of(&translation, 0, Accepted), "True/Accepted");
    assert_eq!(state_of(&translation, 1, Accepted), "False/NoMatchingParent");
}

// GWK-09, GWK-11, GWK-12
#[test]
fn a_listener_counts_each_accepted_route_once() {
    // The two references are the same one, written in two ways that the schema lets stand side by side.
    let translation = translated(
        "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r, namespace: infra}\n\
         spec: {parentRefs: [{name: gw}, {name: gw, namespace: infra}], rules: [{backendRefs: [{name: absent, port: 80}]}]}",
    );
    let gateway = &translation.statuses.gateways[&ObjectName::new("infra", "gw")];
    let counts: Vec<_> = gateway.listeners.iter().map(|listener| listener.attached_routes).collect();
    assert_eq!(counts, [1, 1, 1, 0, 0]);
    let dropped = rules("{matches: [{path: {type: RegularExpression, value: '('}}]}");
    let gateway = &dropped.statuses.gateways[&ObjectName::new("infra", "gw")];
    assert!(
        gateway.listeners.iter().all(|listener| listener.attached_routes == 0),
        "not accepted, not counted"
    );
}

// RTE-15, RTE-16, RGR-08, RGR-09, HRB-05, HRB-06, HRB-07, HRB-08, HRB-16, BPR-03, BPR-05, CND-88, CND-89, CND-90, CND-91, CND-92
#[test]
fn a_bad_backend_never_costs_the_acceptance() {
    for (reference, expected) in [
        ("{name: web, port: 80}", "True/ResolvedRefs"),
        ("{name: web, port: 81}", "True/ResolvedRefs"),
        ("{name: web, port: 82}", "True/ResolvedRefs"),
        ("{name: web, port: 84}", "True/ResolvedRefs"),
        ("{name: web, port: 83}", "False/UnsupportedProtocol"),
        ("{name: web, port: 53}", "False/UnsupportedProtocol"),
        ("{name: web, port: 99}", "False/BackendNotFound"),
        ("{name: absent, port: 80}", "False/BackendNotFound"),
        ("{name: outside, port: 80}", "False/InvalidKind"),
        ("{name: web, kind: Deployment, port: 80}", "False/InvalidKind"),
        ("{name: web, kind: Thing, group: example.com, port: 80}", "False/InvalidKind"),
        ("{name: web, namespace: other, port: 80}", "True/ResolvedRefs"),
        ("{name: absent, namespace: other, port: 80}", "False/RefNotPermitted"),
        ("{name: web, kind: Thing, group: example.com, namespace: other, port: 80}", "False/RefNotPermitted"),
        ("{name: web, namespace: nowhere, port: 80}", "False/RefNotPermitted"),
    ] {
        let translation = rules(&format!("{{backendRefs: [{reference}]}}"));
        assert_eq!(state(&translation, ResolvedRefs), expected, "{reference}");
        assert_eq!(state(&translation, Accepted), "True/Accepted", "{reference}");
        assert_eq!(state(&translation, PartiallyInvalid), "-", "{reference}");
        let target = translation.table.rules().next().unwrap().backends.refs()[0].target;
        assert_eq!(matches!(target, BackendTarget::Backend(_)), expected.starts_with("True"), "{reference}");
    }
}

// HRB-10
#[test]
fn a_rule_knows_what_its_invalid_references_are_to() {
    let translation = rules(
        "{backendRefs: [{name: absent, port: 80}, {name: web, port: 80}, {name: absent, namespace: other, port: 80}, \
         {name: web, kind: Deployment, group: apps}]}",
    );
    let backends = &translation.table.rules().next().unwrap().backends;
    let names: Vec<_> = (0..4).map(|position| backends.unresolved(position).map(|name| &**name)).collect();
    assert_eq!(names, [Some("apps/absent:80"), None, Some("other/absent:80"), Some("Deployment apps/web")]);
}

// RTE-16, RTE-17, FMR-06, FEX-02
#[test]
fn every_reference_counts_and_the_gravest_reason_is_given() {
    let mirror = "{type: RequestMirror, requestMirror: {backendRef: {name: absent, port: 80}}}";
    let extension = "{type: ExtensionRef, extensionRef: {group: example.com, kind: Auth, name: x}}";
    let translation = rules(&format!("{{filters: [{mirror}], backendRefs: [{{name: web, port: 80}}]}}"));
    assert_eq!(state(&translation, ResolvedRefs), "False/BackendNotFound");
    assert!(
        translation.table.rules().next().unwrap().filters.is_empty(),
        "a mirror that leads nowhere is left out"
    );

    let translation = rules(&format!("{{filters: [{extension}], backendRefs: [{{name: web, port: 99}}]}}"));
    assert_eq!(state(&translation, ResolvedRefs), "False/InvalidKind");
    assert_eq!(state(&translation, Accepted), "True/Accepted");
    assert_eq!(
        translation.table.rules().next().unwrap().filters.len(),
        1,
        "a filter that cannot be found is not skipped"
    );

    let below = format!(
        "{{backendRefs: [{{name: web, port: 80, filters: [{mirror}]}}, {{name: web, namespace: nowhere, port: 1}}]}}"
    );
    let translation = rules(&below);
    assert_eq!(state(&translation, ResolvedRefs), "False/RefNotPermitted");
    let message = &condition(&translation, 0, ResolvedRefs).unwrap().message;
    assert!(message.contains("absent") && message.contains("ReferenceGrant"), "{message}");
}

// GEN-14, RTE-18, RTE-19, RTE-20, RTE-22, RTE-25, RTE-30, VAL-ST-07, CND-84, CND-93, AMB-62, AMB-63
#[test]
fn a_rule_that_cannot_be_matched_is_dropped_and_the_others_serve() {
    let good = "{matches: [{path: {value: /good}}]}";
    for bad in [
        "path: {type: RegularExpression, value: '('}",
        "path: {type: Glob, value: /x}",
        "headers: [{type: Glob, name: x, value: z}]",
        "queryParams: [{type: Glob, name: x, value: z}]",
        "headers: [{type: RegularExpression, name: x, value: '['}]",
        "method: FETCH",
    ] {
        let bad = format!("{{matches: [{{{bad}}}]}}");
        let alone = rules(&bad);
        assert_eq!(state(&alone, Accepted), "False/UnsupportedValue", "{bad}");
        assert_eq!(state(&alone, PartiallyInvalid), "-", "{bad}");
        assert_eq!(decide(&alone, 80, "h/x"), "404", "{bad}");

        let both = rules(&format!("{bad}, {good}"));
        assert_eq!(state(&both, Accepted), "True/Accepted", "{bad}");
        assert_eq!(state(&both, PartiallyInvalid), "True/UnsupportedValue", "{bad}");
        let message = &condition(&both, 0, PartiallyInvalid).unwrap().message;
        assert!(message.starts_with("Dropped Rule") && message.contains("rules[0].matches[0]."), "{message}");
        assert_eq!(decide(&both, 80, "h/x"), "404", "{bad}");
        assert_eq!(decide(&both, 80, "h/good"), "apps/r/1", "{bad}");
    }
}

// FLT-05, FLT-06, FLT-09, FRD-10, FHM-05, FHM-09, RTE-31, CND-85, AMB-53, AMB-54, AMB-60, AMB-62
#[test]
fn a_filter_that_cannot_be_carried_out_fails_its_requests_and_is_not_skipped() {
    for (bad, reason) in [
        ("{type: Unheard}", "UnsupportedValue"),
        (
            "{type: ExternalAuth, externalAuth: {protocol: HTTP, http: {}, backendRef: {name: web, port: 80}, \
             forwardBody: {maxSize: 2000000}}}",
            "UnsupportedValue",
        ),
        ("{type: RequestRedirect, requestRedirect: {scheme: ftp}}", "UnsupportedValue"),
        ("{type: RequestRedirect, requestRedirect: {statusCode: 305}}", "UnsupportedValue"),
        ("{type: URLRewrite, urlRewrite: {path: {type: Unheard}}}", "UnsupportedValue"),
        (
            "{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: a, value: b}], remove: [A]}}",
            "IncompatibleFilters",
        ),
        (
            "{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: content-length, value: \"1\"}]}}",
            "IncompatibleFilters",
        ),
    ] {
        let rule = format!("{{matches: [{{path: {{value: /x}}}}], filters: [{bad}]}}");
        let alone = rules(&rule);
        assert_eq!(state(&alone, Accepted), format!("False/{reason}"), "{bad}");
        assert_eq!(
            decide(&alone, 80, "h/x"),
            "apps/r/0",
            "the rule still takes its requests, to fail them: {bad}"
        );
        let both = rules(&format!("{rule}, {{matches: [{{path: {{value: /good}}}}]}}"));
        assert_eq!(state(&both, Accepted), "True/Accepted", "{bad}");
        assert_eq!(state(&both, PartiallyInvalid), format!("True/{reason}"), "{bad}");
        let unresolved = format!("{:?}", both.table.rules().next().unwrap().filters);
        assert_eq!(unresolved, "[Unresolved]", "{bad}");
    }
}

// HRB-18, AMB-53, FEA-10
#[test]
fn backends_have_filters_of_their_own_but_not_all_of_them() {
    let modifier = "{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: a, value: b}]}}";
    let good = rules(&format!("{{backendRefs: [{{name: web, port: 80, filters: [{modifier}]}}]}}"));
    assert_eq!(state(&good, Accepted), "True/Accepted");
    assert_eq!(good.table.rules().next().unwrap().filters_of(0).len(), 1);
    for answers in [
        "{type: CORS, cors: {allowOrigins: ['*']}}",
        "{type: RequestRedirect, requestRedirect: {scheme: https}}",
        "{type: ExternalAuth, externalAuth: {protocol: HTTP, http: {}, backendRef: {name: web, port: 80}}}",
    ] {
        let bad = rules(&format!("{{backendRefs: [{{name: web, port: 80, filters: [{answers}]}}]}}"));
        assert_eq!(state(&bad, Accepted), "False/UnsupportedValue", "{answers}");
    }
}

fn of_rule(sessions: Option<&Sessions>) -> SessionPersistence {
    match sessions {
        Some(Sessions::OfRule(session)) => session.clone(),
        sessions => panic!("the rule has sessions of its own: {sessions:?}"),
    }
}

// SES-01, SES-02, SES-03, SES-08, SES-10
#[test]
fn a_rule_has_the_sessions_that_are_written_for_it() {
    let written = |session: &str| {
        let translation =
            rules(&format!("{{sessionPersistence: {{{session}}}, backendRefs: [{{name: web, port: 80}}]}}"));
        let message = condition(&translation, 0, Accepted).unwrap().message.clone();
        assert!(!message.contains("sessionPersistence"), "{message}");
        let rule = translation.table.rules().next().unwrap();
        of_rule(rule.sessions.as_deref())
    };
    let cookie =
        |name, path, permanent| SessionCarrier::Cookie(SessionCookie::new(name, path, permanent).unwrap());
    let hour = Some(std::time::Duration::from_secs(3_600));
    for (session, carrier, absolute_timeout) in [
        ("cookie: {name: s}", cookie("s", "/", false), None),
        (
            "cookie: {name: s, path: /shop, lifetimeType: Permanent}, absoluteTimeout: 1h",
            cookie("s", "/shop", true),
            hour,
        ),
        ("type: Header, header: {name: X-S}", SessionCarrier::Header("x-s".parse().unwrap()), None),
    ] {
        let scope = "HTTPRoute apps/r".into();
        assert_eq!(written(session), SessionPersistence { carrier, absolute_timeout, scope }, "{session}");
    }
    let SessionCarrier::Cookie(own) = written("cookie: {}").carrier else { panic!("a cookie") };
    assert!(own.name().starts_with("session-") && own.name().len() == 24, "{}", own.name());
    let translation = rules(
        "{sessionPersistence: {cookie: {}}}, {matches: [{path: {value: /b}}], sessionPersistence: {cookie: {}}}",
    );
    let carriers: Vec<_> =
        translation.table.rules().map(|rule| of_rule(rule.sessions.as_deref()).carrier).collect();
    assert_ne!(carriers[0], carriers[1], "each rule has a name of its own");
}

// SES-05, SES-10: a Route that takes the place of another has sessions of its own, and the name of a rule stays with it.
#[test]
fn sessions_are_those_of_one_route_and_their_cookie_that_of_one_rule() {
    let session = |uid: &str, rules: &str, index: usize| {
        let route = format!(
            "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: r, namespace: apps, uid: '{uid}'}}\n\
             spec: {{parentRefs: [{{name: gw, namespace: infra}}], rules: [{rules}]}}\n"
        );
        let translation = translated(&route);
        let mut rules = translation.table.rules().filter(|rule| usize::from(rule.id.index) == index);
        of_rule(rules.next().and_then(|rule| rule.sessions.as_deref()))
    };
    let named = "{name: cart, sessionPersistence: {cookie: {}}}";
    let one = session("1", named, 0);
    assert_eq!(&*one.scope, "1");
    let behind = session("2", &format!("{{matches: [{{path: {{value: /b}}}}]}}, {named}"), 1);
    assert_eq!((&*behind.scope, behind.carrier), ("2", one.carrier));
}

// SES-11
#[test]
fn a_rule_with_sessions_to_a_service_with_affinity_is_not_carried_out() {
    let sticky = "{apiVersion: v1, kind: Service, metadata: {name: sticky, namespace: apps}, spec: {sessionAffinity: ClientIP, ports: [{port: 80}]}}\n";
    let elsewhere = "{apiVersion: v1, kind: Service, metadata: {name: sticky, namespace: other}, spec: {sessionAffinity: ClientIP, ports: [{port: 80}]}}\n";
    let state_with = |rules: &str| {
        let route = format!(
            "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: r, namespace: apps}}\n\
             spec: {{parentRefs: [{{name: gw, namespace: infra}}], rules: [{rules}]}}\n"
        );
        let translation = translated(&format!("{sticky}---\n{elsewhere}---\n{route}"));
        let message = condition(&translation, 0, Accepted).unwrap().message.clone();
        let partly = condition(&translation, 0, PartiallyInvalid).map(|condition| condition.message.clone());
        (state(&translation, Accepted), message, partly.unwrap_or_default())
    };
    let rule = |session: &str, service: &str| {
        format!(
            "{{matches: [{{path: {{value: /{service}}}}}], {session} backendRefs: [{{name: {service}, port: 80}}]}}"
        )
    };
    let kept = "sessionPersistence: {cookie: {}},";
    let (state, message, _) = state_with(&rule(kept, "sticky"));
    assert_eq!(state, "False/UnsupportedValue");
    assert!(
        message.contains("rules[0].sessionPersistence") && message.contains("Service apps/sticky"),
        "{message}"
    );
    assert_eq!(state_with(&rule("", "sticky")).0, "True/Accepted");
    assert_eq!(state_with(&rule(kept, "web")).0, "True/Accepted");
    let (state, _, partly) = state_with(&format!("{}, {}", rule(kept, "sticky"), rule(kept, "web")));
    assert_eq!(state, "True/Accepted", "the other rule is served");
    assert!(partly.contains("rules[0].sessionPersistence"), "{partly}");
    // What may not be referred to is not told of.
    let ungranted = format!("{{{kept} backendRefs: [{{name: sticky, namespace: other, port: 80}}]}}");
    let (state, message, partly) = state_with(&ungranted);
    assert_eq!(state, "True/Accepted");
    assert!(!message.contains("sessionAffinity") && partly.is_empty(), "{message} {partly}");
}

// SES-02, SES-08, AMB-54
#[test]
fn sessions_that_cannot_be_kept_are_without_effect_and_the_status_says_so() {
    for (session, field) in [
        ("cookie: {name: s, path: '/; Domain=x'}", "cookie"),
        // It would say where the answer ends.
        ("type: Header, header: {name: Content-Length}", "header"),
        ("type: Header, header: {name: transfer-encoding}", "header"),
    ] {
        let translation =
            rules(&format!("{{sessionPersistence: {{{session}}}, backendRefs: [{{name: web, port: 80}}]}}"));
        assert_eq!(state(&translation, Accepted), "True/Accepted");
        let message = &condition(&translation, 0, Accepted).unwrap().message;
        assert!(message.contains(&format!("rules[0].sessionPersistence.{field}")), "{session}: {message}");
        assert!(translation.table.rules().next().unwrap().sessions.is_none(), "{session}");
    }
}

// HRB-01, HRB-02, HRB-15, BPR-01, BPR-02, BPR-04, BPR-06, BPR-07
#[test]
fn endpoints_are_the_ready_ones_of_the_port_with_the_services_name() {
    let translation =
        rules("{backendRefs: [{name: web, port: 80}, {name: web, port: 81}, {name: web, port: 82}]}");
    let backends: Vec<_> = translation.table.backends().collect();
    let addresses = |i: usize| {
        backends[i].endpoints.iter().map(|endpoint| endpoint.address().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(addresses(0), ["10.0.0.1:9001", "10.0.0.2:9001"]);
    assert_eq!(addresses(1), ["10.0.0.1:9002", "10.0.0.2:9002"]);
    assert_eq!(addresses(2), [""; 0], "no endpoints is no error of the reference: HRB-12");
    let protocols: Vec<_> = backends.iter().map(|backend| backend.protocol).collect();
    assert_eq!(protocols, [BackendProtocol::Http1, BackendProtocol::H2c, BackendProtocol::WebSocket]);
    let weights: Vec<_> = translation
        .table
        .rules()
        .next()
        .unwrap()
        .backends
        .refs()
        .iter()
        .map(|backend| backend.weight)
        .collect();
    assert_eq!(weights, [1, 1, 1]);
}

// HRB-02
#[test]
fn endpoints_that_terminate_get_requests_while_none_is_ready() {
    let with = |last: &str| {
        let text = format!(
            "
apiVersion: v1
kind: Service
metadata: {{name: rolling, namespace: apps}}
spec: {{ports: [{{port: 80}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: rolling-1, namespace: apps, labels: {{kubernetes.io/service-name: rolling}}}}
addressType: IPv4
ports: [{{port: 8080}}]
endpoints:
- {{addresses: [10.0.1.1], conditions: {{ready: false, serving: true, terminating: true}}}}
- {{addresses: [10.0.1.2], conditions: {{ready: false, serving: false, terminating: true}}}}
- {{addresses: [10.0.1.3], conditions: {{ready: false, serving: false, terminating: false}}}}
{last}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: r, namespace: apps}}
spec: {{parentRefs: [{{name: gw, namespace: infra}}], rules: [{{backendRefs: [{{name: rolling, port: 80}}]}}]}}
"
        );
        let translation = translated(&text);
        let backend = translation.table.backends().find(|backend| &*backend.service.name == "rolling");
        let endpoints = backend.unwrap().endpoints.iter();
        endpoints.map(|endpoint| endpoint.address().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(with(""), ["10.0.1.1:8080"]);
    assert_eq!(with("- {addresses: [10.0.1.4]}"), ["10.0.1.4:8080"]);
}

#[test]
fn endpoints_say_where_they_run_if_their_slice_does() {
    let elsewhere = "
apiVersion: v1
kind: Service
metadata: {name: zoned, namespace: apps}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: zoned-1, namespace: apps, labels: {kubernetes.io/service-name: zoned}}
addressType: IPv4
ports: [{port: 8080}]
endpoints:
- {addresses: [10.0.1.3]}
- {addresses: [10.0.1.2], zone: a, nodeName: n1}
- {addresses: [10.0.1.1], zone: a}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: apps}
spec: {parentRefs: [{name: gw, namespace: infra}], rules: [{backendRefs: [{name: zoned, port: 80}]}]}
";
    let translation = translated(elsewhere);
    let places: Vec<_> = translation
        .table
        .backends()
        .next()
        .unwrap()
        .endpoints
        .iter()
        .map(|endpoint| {
            endpoint.locality().map(|locality| (locality.zone.as_deref(), locality.node.as_deref()))
        })
        .collect();
    assert_eq!(places, [Some((Some("a"), None)), Some((Some("a"), Some("n1"))), None]);
}

// HRB-09, HRB-19, BTP-14
#[test]
fn a_service_that_wants_tls_is_never_sent_plain_text() {
    let policy = "
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: p, namespace: apps}
spec: {targetRefs: [{group: '', kind: Service, name: web}], validation: {hostname: web.example, wellKnownCACertificates: example.com/odd}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: apps}
spec: {parentRefs: [{name: gw, namespace: infra}], rules: [{backendRefs: [{name: web, port: 80}, {name: web, port: 80}]}]}
";
    let translation = translated(policy);
    let refs = translation.table.rules().next().unwrap().backends.refs();
    assert_eq!([refs[0].target, refs[1].target], [BackendTarget::Unresolved; 2]);
    assert_eq!(state(&translation, ResolvedRefs), "False/UnsupportedProtocol");
}

// BTP-01, BTP-04
#[test]
fn a_policy_for_one_port_of_a_service_leaves_the_others_alone() {
    let policy = "
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: p, namespace: apps}
spec:
  targetRefs: [{group: '', kind: Service, name: web, sectionName: h2c}]
  validation: {hostname: web.example, wellKnownCACertificates: System}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: apps}
spec: {parentRefs: [{name: gw, namespace: infra}], rules: [{backendRefs: [{name: web, port: 80}, {name: web, port: 81}]}]}
";
    let translation = translated(policy);
    let within_tls: BTreeMap<u16, bool> =
        translation.table.backends().map(|backend| (backend.port, backend.tls.is_some())).collect();
    assert_eq!(within_tls, [(80, false), (81, true)].into());
}

// BPR-02
#[test]
fn web_sockets_within_tls_need_a_policy() {
    let route = "
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: apps}
spec: {parentRefs: [{name: gw, namespace: infra}], rules: [{backendRefs: [{name: web, port: 83}]}]}
";
    assert_eq!(state(&translated(route), ResolvedRefs), "False/UnsupportedProtocol");
    let policy = "
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: p, namespace: apps}
spec: {targetRefs: [{group: '', kind: Service, name: web}], validation: {hostname: web.example, wellKnownCACertificates: System}}
";
    let translation = translated(&format!("{route}{policy}"));
    assert_eq!(state(&translation, ResolvedRefs), "True/ResolvedRefs");
    let backend = translation.table.backends().next().unwrap();
    assert_eq!((backend.protocol, backend.tls.is_some()), (BackendProtocol::WebSocket, true));
}

// AMB-49: a list of hostnames of which none can be served is not an empty list
#[test]
fn an_ip_address_as_hostname_serves_nothing() {
    let translation = route("{parentRefs: [{name: gw, namespace: infra}], hostnames: [10.0.0.1]}");
    assert_eq!(state(&translation, Accepted), "False/UnsupportedValue");
    assert_eq!(decide(&translation, 80, "10.0.0.1/"), "404");
    assert_eq!(decide(&translation, 80, "a.example.com/"), "404");
}

// HST-04, HST-05, HST-18
#[test]
fn a_route_serves_the_intersection_with_each_listener() {
    let translation = route(
        "{parentRefs: [{name: gw, namespace: infra, sectionName: example}], hostnames: [a.example.com, b.example.org]}",
    );
    assert_eq!(decide(&translation, 80, "a.example.com/"), "apps/r/0");
    assert_eq!(decide(&translation, 80, "b.example.org/"), "404");
    assert_eq!(decide(&translation, 80, "c.example.com/"), "404");
    let hostless = route("{parentRefs: [{name: gw, namespace: infra, sectionName: example}]}");
    assert_eq!(decide(&hostless, 80, "x.y.example.com/"), "apps/r/0");
    assert_eq!(decide(&hostless, 80, "example.com/"), "404");
}

// TMO-01, TMO-02, TMO-03, TMO-06, RTY-01, RTY-02, RTY-05, RTY-08, AMB-56, RTE-32
#[test]
fn times_and_retries_are_as_written_and_zero_is_no_limit() {
    let translation = rules(
        "{name: first, timeouts: {request: 5s, backendRequest: 0s}, retry: {codes: [500, 503], attempts: 3, backoff: 100ms}}, \
         {retry: {}}, {}, {retry: {attempts: 2147483647, backoff: 0s}}, \
         {retry: {attempts: 0, codes: [503]}}",
    );
    let rules: Vec<_> = translation.table.rules().collect();
    assert_eq!(rules[0].id.to_string(), "apps/r/first");
    assert_eq!(rules[0].timeouts.request().unwrap().as_secs(), 5);
    assert_eq!(rules[0].timeouts.backend_request(), None);
    let retry = rules[0].retry.as_deref().unwrap();
    assert_eq!((retry.codes.len(), retry.attempts, retry.backoff.as_millis()), (2, 3, 100));
    let default = rules[1].retry.as_deref().unwrap();
    assert_eq!((default.codes.len(), default.attempts), (0, 1));
    assert!(rules[2].retry.is_none() && rules[2].timeouts.request().is_none());
    assert_eq!(rules[3].retry.as_deref().unwrap().attempts, 100, "a request comes to an end");
    assert!(rules[4].retry.is_none(), "0 disables retries altogether");
}

#[test]
fn the_prefix_of_the_drafts_is_told_its_name() {
    let translation = rules("{matches: [{path: {type: Prefix, value: /a}}]}");
    let (_, status) = translation.statuses.routes.first_key_value().unwrap();
    let accepted = &status.parents[0].conditions[0];
    assert_eq!(accepted.reason, Reason::UnsupportedValue);
    assert!(accepted.message.contains("write PathPrefix"), "{}", accepted.message);
}

// HRM-02, HRM-03
#[test]
fn absent_matches_and_an_empty_list_match_everything() {
    for spec in ["{matches: []}", "{}", "{matches: [{}]}"] {
        assert_eq!(decide(&rules(spec), 80, "h/any/path"), "apps/r/0", "{spec}");
    }
}

// FRD-08, FRW-04
#[test]
fn replacing_a_prefix_needs_a_prefix_in_every_match() {
    // Two matches with a rewrite in a list of two backends are let through by the schema's rule of exactly one.
    let rewrite =
        "{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /y}}}";
    let backend = format!("{{name: web, port: 80, filters: [{rewrite}]}}");
    let translation = rules(&format!(
        "{{matches: [{{path: {{type: Exact, value: /x}}}}], backendRefs: [{backend}, {backend}]}}"
    ));
    assert_eq!(state(&translation, Accepted), "False/UnsupportedValue");
}

/// Reads the annotation `example.com/quota`.
#[derive(Debug)]
struct Quotas;

impl RuleDataSource for Quotas {
    fn data(
        &self,
        rule: &RuleName,
        _labels: &BTreeMap<String, String>,
        annotations: &BTreeMap<String, String>,
    ) -> Option<RuleData> {
        let quota: u32 = annotations.get("example.com/quota")?.parse().ok()?;
        Some(RuleData::new(quota + u32::from(rule.index)))
    }
}

#[test]
fn a_rule_carries_what_the_embedder_makes_of_its_routes_annotations() {
    let route = "
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {namespace: apps, name: r, annotations: {example.com/quota: '40'}}
spec: {parentRefs: [{namespace: infra, name: gw}], rules: [{}, {}]}
";
    let resources = resources(&format!("{BASE}{route}"));
    let options = Options { rule_data: Some(Arc::new(Quotas)), ..Options::default() };
    let quotas = |options: &Options| -> Vec<Option<u32>> {
        let table = translate(&resources, options).table;
        table.rules().map(|rule| rule.data.as_ref()?.get().copied()).collect()
    };
    assert_eq!(quotas(&options), [Some(40), Some(41)]);
    assert_eq!(quotas(&Options::default()), [None, None]);
}
