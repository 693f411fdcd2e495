//! Behaviour that all engines in this process share.

use gateway_core::api::{AnyObject, Kind};
use gateway_core::name::ObjectName;

use super::pure::{CoreEngines, ReferenceEngines};
use super::tower::TowerEngines;
use super::{ControlPlane as _, Engine, Engines};
use crate::case::{
    Case, HttpRequest, ObjectRef, Target, WebSocketConversation, WebSocketMessage, base, read,
};
use crate::exchange::{Answer, Exchange, HttpAnswer};

/// A case with one rule under each path.
fn case() -> Case {
    let rules = [
        ("/slow", "timeouts: {request: 500ms}"),
        ("/retry", "retry: {codes: [503], attempts: 2}"),
        ("/short", "retry: {attempts: 1}, timeouts: {backendRequest: 200ms}"),
        (
            "/copied",
            "filters: [{type: RequestMirror, requestMirror: {backendRef: {name: infra-backend-v2, port: 8080}}}]",
        ),
    ];
    let rule = |(path, fields): (&str, &str)| {
        format!(
            "  - {{matches: [{{path: {{value: {path}}}}}], {fields}, \
                 backendRefs: [{{name: infra-backend-v3, port: 8080}}]}}\n"
        )
    };
    let rules: String = rules.map(rule).concat();
    let text = format!(
        "
apiVersion: conformance.gateway-api.rs/v1
kind: Case
name: Example
summary: Nothing.
features: [Gateway]
steps:
- accepted: [HTTPRoute route]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: route, namespace: gateway-conformance-infra}}
spec:
  parentRefs: [{{name: same-namespace}}]
  rules:
{rules}"
    );
    read(&text, "example.yaml").unwrap()
}

async fn start<E: Engines>(engines: &E) -> E::Engine {
    let case = case();
    let mut engine = engines.start(&case).await.unwrap();
    engine.apply(base().objects.clone()).await.unwrap();
    engine.apply(case.objects).await.unwrap();
    engine
}

async fn ask(engine: &mut impl Engine, path: &str) -> HttpAnswer {
    let target = Target { gateway: "same-namespace".into(), port: None };
    let request = HttpRequest { path: path.to_owned(), ..HttpRequest::default() };
    match engine.send(&Exchange::Http(target, request)).await.unwrap() {
        Answer::Http(answer) => answer,
        other => panic!("{other:?}"),
    }
}

async fn check(engines: &impl Engines) {
    let mut engine = start(engines).await;
    let statuses = [
        ("/slow", 200),
        ("/slow?delay=1s", 504),
        ("/nowhere", 404),
        ("/retry?responseCode=503&succeedAfter=2&uuid=a", 200),
        ("/retry?responseCode=503&succeedAfter=3&uuid=b", 503),
        ("/retry?responseCode=500&succeedAfter=1&uuid=c", 500),
        // It breaks off, and may have processed the request.
        ("/retry?succeedAfter=1&uuid=d", 502),
        ("/short?delay=100ms", 200),
        ("/short?delay=300ms", 504),
    ];
    for (path, status) in statuses {
        let answer = ask(&mut engine, path).await;
        assert_eq!(answer.status, status, "{} {path}", engines.name());
        if status == 200 {
            let echo = answer.echo.expect("a backend answers");
            assert_eq!((echo.path.as_str(), echo.host.as_str()), (path, "198.18.0.3"));
            assert_eq!(echo.pod.deployment(), "infra-backend-v3");
        }
    }
    ask(&mut engine, "/copied?id=1").await;
    let received = async |name: &str, path: &str| {
        let backend = ObjectName::new("gateway-conformance-infra", name);
        engine.received(&backend, path).await.unwrap()
    };
    assert_eq!(received("infra-backend-v2", "/copied?id=1").await, 1);
    assert_eq!(received("infra-backend-v3", "/copied?id=1").await, 1);
    assert_eq!(received("infra-backend-v3", "/short?delay=300ms").await, 2);
}

#[tokio::test]
async fn requests_are_carried_out_in_virtual_time() {
    let began = std::time::Instant::now();
    check(&CoreEngines).await;
    check(&ReferenceEngines).await;
    assert!(began.elapsed() < std::time::Duration::from_secs(20), "nobody waits");
}

#[tokio::test]
async fn the_tower_stack_carries_out_requests() {
    check(&TowerEngines).await;
}

#[tokio::test]
async fn a_web_socket_gets_back_what_it_sends() {
    async fn check(engines: &impl Engines) {
        let mut engine = start(engines).await;
        let target = Target { gateway: "same-namespace".into(), port: None };
        let path = "/slow".to_owned();
        let messages = vec![WebSocketMessage::Text("one".to_owned()), WebSocketMessage::Binary(vec![2])];
        let conversation = WebSocketConversation { path, host: None, messages: messages.clone() };
        let answer = engine.send(&Exchange::WebSocket(target, conversation)).await.unwrap();
        assert_eq!(answer, Answer::WebSocket(messages), "{}", engines.name());
    }
    check(&CoreEngines).await;
    check(&ReferenceEngines).await;
    check(&TowerEngines).await;
}

#[tokio::test]
async fn the_core_writes_statuses() {
    let engine = start(&CoreEngines).await;
    let gateway =
        ObjectRef::new(Kind::Gateway, ObjectName::new("gateway-conformance-infra", "same-namespace"));
    let Some(AnyObject::Gateway(gateway)) = engine.object(&gateway).await.unwrap() else {
        panic!("it was applied")
    };
    assert_eq!(gateway.status.addresses[0].value, "198.18.0.3");
    assert_eq!(gateway.status.listeners[0].attached_routes, 1);
}

#[tokio::test]
async fn the_core_says_why() {
    let engine = start(&CoreEngines).await;
    let target = Target { gateway: "same-namespace".into(), port: None };
    let request = HttpRequest { path: "/slow/x".to_owned(), ..HttpRequest::default() };
    let text = engine.explain(&Exchange::Http(target, request)).unwrap();
    assert_eq!(
        text,
        "listener gateway-conformance-infra/same-namespace/http\n\
             HTTPRoute gateway-conformance-infra/route/0 matches[0], * PathPrefix /slow: chosen"
    );
}
