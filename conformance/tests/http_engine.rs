//! The engine on sockets, with cases written by hand.

use conformance::case::{Case, Step, base, read};
use conformance::certificate::certificates;
use conformance::engine::http::HttpEngines;
use conformance::engine::{ControlPlane as _, Engine, Engines};
use conformance::exchange::{Answer, Exchange, Failure, HttpAnswer};
use gateway_core::api::{AnyObject, ConditionStatus};
use gateway_core::name::ObjectName;

const CASE: &str = "
apiVersion: conformance.gateway-api.rs/v1
kind: Case
name: ByHand
summary: What the engine on sockets can do.
features: [Gateway, HTTPRoute]
steps:
- http:
    to: {gateway: same-namespace}
    requests:
    - {path: /v1, expect: {backend: infra-backend-v1}}
    - {path: /mirror?a=b, expect: {backend: infra-backend-v1}}
    - {path: /h2c, expect: {backend: infra-backend-v1}}
    - {path: /none, expect: {status: 500}}
    - {path: /other, expect: {status: 404}}
    - {protocol: HTTP/2, path: /v2, expect: {backend: infra-backend-v2}}
- http:
    to: {gateway: same-namespace-with-https-listener}
    requests:
    - path: /
      host: second-example.org
      tls: {serverName: second-example.org, trust: Secret tls-validity-checks-certificate}
      expect: {backend: infra-backend-v2}
    - path: /
      host: second-example.org
      tls: {serverName: second-example.org, trust: ConfigMap mismatch-ca-certificate}
      expect: {noAnswer: true}
- websocket:
    to: {gateway: same-namespace}
    say: {path: /ws, messages: [hello]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: plain, namespace: gateway-conformance-infra}
spec:
  parentRefs: [{name: same-namespace}]
  rules:
  - matches: [{path: {value: /v1}}]
    backendRefs: [{name: infra-backend-v1, port: 8080}]
  - matches: [{path: {value: /v2}}]
    backendRefs: [{name: infra-backend-v2, port: 8080}]
  - matches: [{path: {value: /h2c}}]
    backendRefs: [{name: infra-backend-v1, port: 8081}]
  - matches: [{path: {value: /ws}}]
    backendRefs: [{name: infra-backend-v1, port: 8082}]
  - matches: [{path: {value: /none}}]
  - matches: [{path: {value: /mirror}}]
    filters: [{type: RequestMirror, requestMirror: {backendRef: {name: infra-backend-v3, port: 8080}}}]
    backendRefs: [{name: infra-backend-v1, port: 8080}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: secure, namespace: gateway-conformance-infra}
spec:
  parentRefs: [{name: same-namespace-with-https-listener}]
  rules: [{backendRefs: [{name: infra-backend-v2, port: 8080}]}]
";

async fn engine(case: &Case) -> impl Engine + use<> {
    let mut engine = HttpEngines.start(case).await.expect("the engine starts");
    let objects = certificates().objects().iter().chain(&base().objects).chain(&case.objects);
    engine.apply(objects.cloned().collect()).await.expect("objects can be applied");
    engine
}

#[tokio::test]
async fn requests_go_where_routes_say() {
    let case = read(CASE, "by-hand.yaml").expect("the case is good");
    let mut engine = engine(&case).await;
    for step in &case.steps {
        match step {
            Step::Http(step) => {
                for exchange in &step.requests {
                    let sent = Exchange::Http(step.target.clone(), exchange.request.clone());
                    let path = &exchange.request.path;
                    let answer = match engine.send(&sent).await.unwrap() {
                        Answer::Http(answer) => answer,
                        Answer::Failed(Failure::Tls(_)) if exchange.expect.no_answer => continue,
                        other => panic!("{path}: {other:?}"),
                    };
                    let status = exchange.expect.status.as_ref().map_or(200, |status| status.as_slice()[0]);
                    assert_eq!(answer.status, status, "{path}");
                    let backend = answer.echo.map(|echo| echo.pod.deployment().to_owned());
                    assert_eq!(backend, exchange.expect.backend.as_ref().map(ToString::to_string), "{path}");
                }
            }
            Step::WebSocket(step) => {
                let sent = Exchange::WebSocket(step.target.clone(), step.say.clone());
                assert_eq!(engine.send(&sent).await, Ok(Answer::WebSocket(step.say.messages.clone())));
            }
            other => panic!("the case has no such step: {other:?}"),
        }
    }
    let mirror = ObjectName::new("gateway-conformance-infra", "infra-backend-v3");
    for _ in 0..100 {
        if engine.received(&mirror, "/mirror?a=b").await == Ok(1) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the copy does not arrive");
}

#[tokio::test]
async fn what_is_deleted_takes_effect_at_once() {
    let case = read(CASE, "by-hand.yaml").expect("the case is good");
    let mut engine = engine(&case).await;
    let gateway = "Gateway same-namespace".parse().unwrap();
    let Some(AnyObject::Gateway(stored)) = engine.object(&gateway).await.unwrap() else {
        panic!("there is no Gateway")
    };
    assert_eq!(stored.status.addresses.len(), 1);
    assert!(stored.status.conditions.iter().all(|condition| condition.status == ConditionStatus::True));
    assert_eq!(stored.status.listeners[0].attached_routes, 1);

    let Step::Http(step) = &case.steps[0] else { panic!("the first step is HTTP") };
    let sent = Exchange::Http(step.target.clone(), step.requests[0].request.clone());
    engine.delete(&"HTTPRoute plain".parse().unwrap()).await.unwrap();
    let answer = engine.send(&sent).await.unwrap();
    assert!(matches!(answer, Answer::Http(HttpAnswer { status: 404, .. })), "{answer:?}");
    assert!(engine.delete(&"HTTPRoute plain".parse().unwrap()).await.is_err(), "it is gone");
    engine.delete(&gateway).await.unwrap();
    let error = engine.send(&sent).await.unwrap_err().to_string();
    assert!(error.contains("there is no Gateway same-namespace"), "{error}");
}
