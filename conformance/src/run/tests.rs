//! The runner against an engine that does what a test tells it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use gateway_core::api::AnyObject;
use gateway_core::feature::Feature;
use gateway_core::name::ObjectName;
use serde_json::json;

use super::*;
use crate::case::{self, INFRA, ObjectRef};
use crate::engine::{ControlPlane, Engine, EngineError, Infrastructure, Pace};
use crate::exchange::{Answer, Echo, Exchange, HttpAnswer, Pod};

/// What the engine answers to the exchange with this number.
type Script = dyn Fn(usize, &Exchange) -> Result<Answer, EngineError> + Send + Sync;

/// Engines that follow a script, and say what they were told.
#[derive(Clone)]
struct Fake {
    abilities: Abilities,
    script: Arc<Script>,
    /// How many copies a backend has, when this many requests were sent.
    copies: fn(&ObjectName, usize) -> usize,
    /// Changes an object before it is shown.
    show: fn(&mut serde_json::Value),
    log: Arc<Mutex<Log>>,
}

/// What the runner did.
#[derive(Default)]
struct Log {
    objects: BTreeMap<ObjectRef, AnyObject>,
    paths: Vec<String>,
}

// === impl Fake ===

impl Fake {
    fn new(script: impl Fn(usize, &Exchange) -> Result<Answer, EngineError> + Send + Sync + 'static) -> Self {
        let abilities = Abilities {
            features: [Feature::Gateway, Feature::HttpRoute].into(),
            controller_name: "example.org/fake".to_owned(),
            statuses: false,
            traffic: true,
            pace: Pace::Immediate,
            static_addresses: None,
        };
        Self { abilities, script: Arc::new(script), copies: |_, _| 0, show: |_| (), log: Arc::default() }
    }

    fn good() -> Self {
        Self::new(|_, exchange| Ok(echo("infra-backend-v1", exchange)))
    }

    fn eventual(mut self) -> Self {
        self.abilities.pace = Pace::Eventual;
        self
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap()
    }

    fn has(&self, object: &str) -> bool {
        self.log().objects.contains_key(&object.parse().unwrap())
    }

    async fn run(&self, steps: &str) -> CaseReport {
        run_case(self, &case(steps, ""), &settings()).await
    }

    async fn finding(&self, steps: &str) -> Finding {
        match self.run(steps).await.verdict {
            Verdict::Failed(finding) => *finding,
            other => panic!("{other:?} instead of a failure"),
        }
    }
}

impl Engines for Fake {
    type Engine = Fake;

    fn name(&self) -> &str {
        "fake"
    }

    fn abilities(&self) -> Abilities {
        self.abilities.clone()
    }

    async fn start(&self, _case: &Case) -> Result<Fake, EngineError> {
        Ok(self.clone())
    }
}

impl ControlPlane for Fake {
    async fn apply(&mut self, objects: Vec<AnyObject>) -> Result<(), EngineError> {
        let named = objects.into_iter().map(|object| (ObjectRef::new(object.kind(), object.key()), object));
        self.log().objects.extend(named);
        Ok(())
    }

    async fn delete(&mut self, object: &ObjectRef) -> Result<(), EngineError> {
        self.log().objects.remove(object).map(drop).ok_or(EngineError::failed("there is no such object"))
    }

    async fn object(&self, object: &ObjectRef) -> Result<Option<AnyObject>, EngineError> {
        let Some(object) = self.log().objects.get(object).cloned() else { return Ok(None) };
        let mut value = serde_json::to_value(&object).unwrap();
        (self.show)(&mut value);
        Ok(Some(placeholder::read(object.kind(), value).unwrap()))
    }

    async fn infrastructure(&self, gateway: &ObjectName) -> Result<Vec<Infrastructure>, EngineError> {
        let labels = [("made-for".to_owned(), gateway.name.to_string())].into();
        Ok(vec![Infrastructure { name: "Service s".to_owned(), labels, ..Infrastructure::default() }])
    }

    fn explain(&self, exchange: &Exchange) -> Option<String> {
        Some(format!("{} has its reasons", request_path(exchange)))
    }
}

impl Engine for Fake {
    async fn send(&mut self, exchange: &Exchange) -> Result<Answer, EngineError> {
        let number = {
            let mut log = self.log();
            let Exchange::Http(_, request) = exchange else { unreachable!("the tests send HTTP") };
            log.paths.push(request.path.clone());
            log.paths.len() - 1
        };
        if request_path(exchange) == "/never" {
            std::future::pending::<()>().await;
        }
        (self.script)(number, exchange)
    }

    async fn received(&self, backend: &ObjectName, _path: &str) -> Result<usize, EngineError> {
        Ok((self.copies)(backend, self.log().paths.len()))
    }
}

fn request_path(exchange: &Exchange) -> &str {
    match exchange {
        Exchange::Http(_, request) => &request.path,
        _ => "",
    }
}

/// The answer of a pod of this Deployment.
fn echo(deployment: &str, exchange: &Exchange) -> Answer {
    let pod = Pod { namespace: INFRA.to_owned(), name: format!("{deployment}-a-b") };
    let path = request_path(exchange).to_owned();
    let echo = Echo { path, method: "GET".to_owned(), pod, ..Echo::default() };
    Answer::Http(HttpAnswer { status: 200, echo: Some(echo), ..HttpAnswer::default() })
}

fn settings() -> Settings {
    Settings {
        consistency: Duration::from_millis(200),
        status: Duration::from_millis(200),
        mirror: Duration::from_millis(20),
        poll: Duration::from_millis(1),
        limit: Duration::from_secs(3),
        ..Settings::default()
    }
}

/// A case with these steps, and a route that is there at first, and one that comes later if a step says so.
fn case(steps: &str, header: &str) -> Case {
    let text = format!(
        "
apiVersion: conformance.gateway-api.rs/v1
kind: Case
name: Scripted
source: scripted.go
summary: Does what it is told.
features: [Gateway, HTTPRoute]
{header}
steps:
{steps}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: ours}}
spec: {{controllerName: gateway-conformance.example/controller}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: first, namespace: gateway-conformance-infra}}
spec: {{parentRefs: [{{name: all-namespaces}}], hostnames: [one.org, two.org]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: later, namespace: gateway-conformance-infra}}
spec: {{parentRefs: [{{name: all-namespaces}}]}}
"
    );
    case::read(&text, "scripted.yaml").unwrap_or_else(|problems| panic!("{problems:?}"))
}

const ONE: &str = "
- http:
    to: {gateway: same-namespace}
    requests:
    - {path: /a, expect: {backend: infra-backend-v1}}
    - {path: /b, expect: {backend: infra-backend-v1}}";

#[tokio::test]
async fn what_is_there_at_first() {
    let fake = Fake::good();
    assert_eq!(fake.run(ONE).await.verdict, Verdict::Passed);
    assert!(fake.has("Gateway same-namespace"), "a step sends to it");
    assert!(fake.has("Gateway all-namespaces"), "a route attaches to it");
    assert!(!fake.has("Gateway backend-namespaces"), "nothing names it");
    assert!(fake.has("Service infra-backend-v1") && fake.has("Secret tls-checks-certificate"));
    let class = fake.log().objects[&"GatewayClass ours".parse().unwrap()].clone();
    let AnyObject::GatewayClass(class) = class else { unreachable!("it is a GatewayClass") };
    assert_eq!(class.spec.controller_name, "example.org/fake");
}

#[tokio::test]
async fn a_finding_says_everything() {
    let fake =
        Fake::new(|number, exchange| Ok(echo(["infra-backend-v1", "infra-backend-v2"][number], exchange)));
    let finding = fake.finding(ONE).await;
    let backend = |name| format!("gateway-conformance-infra/infra-backend-{name}");
    assert_eq!(
        finding,
        Finding {
            at: "steps[0].http.requests[1] (scripted.yaml:15)".to_owned(),
            sent: "GET http://address/b to Gateway same-namespace".to_owned(),
            expected: format!("backend: a pod of Deployment {}", backend("v1")),
            got: format!("backend: pod {}", backend("v2-a-b")),
            explanation: Some("/b has its reasons".to_owned()),
            tried: String::new(),
        }
    );
}

#[tokio::test]
async fn features_decide_whether_a_case_runs() {
    let mut fake = Fake::good();
    let notes = async |fake: &Fake, header: &str| run_case(fake, &case(ONE, header), &settings()).await;
    let report = notes(&fake, "unless: [HTTPRoute]").await;
    assert_eq!(
        (report.verdict, report.passed_over),
        (Verdict::Passed, vec!["nothing to show: HTTPRoute is claimed".to_owned()])
    );
    let report = notes(&fake, "onlyWith: [TLSRoute]").await;
    assert_eq!(
        (report.verdict, report.passed_over),
        (Verdict::Passed, vec!["nothing to show: TLSRoute is not claimed".to_owned()])
    );
    let report = notes(&fake, "# $(usable-address)").await;
    assert!(matches!(report.verdict, Verdict::Skipped(_)), "nobody said which address is usable");
    fake.abilities.features.remove(&Feature::HttpRoute);
    assert_eq!(fake.run(ONE).await.verdict, Verdict::NotSupported(vec![Feature::HttpRoute]));
    assert_eq!(fake.log().paths, [""; 0], "none of them was run");
}

#[tokio::test]
async fn what_holds_must_hold_three_times_in_a_row() {
    // One good answer is an accident.
    let fake = Fake::new(|number, exchange| {
        Ok(echo(if [1, 3, 4, 5].contains(&number) { "infra-backend-v1" } else { "none" }, exchange))
    })
    .eventual();
    const STEPS: &str = "
- http: {to: {gateway: same-namespace}, requests: [{path: '/$(id)', expect: {backend: infra-backend-v1}}]}";
    assert_eq!(fake.run(STEPS).await.verdict, Verdict::Passed);
    let paths: std::collections::BTreeSet<String> = fake.log().paths.iter().cloned().collect();
    assert_eq!(paths.len(), 6, "every attempt has a path of its own: {paths:?}");

    let never = Fake::new(|_, exchange| Ok(echo("none", exchange))).eventual();
    let finding = never.finding(STEPS).await;
    assert!(finding.tried.contains(" times in 0.2 s"), "{}", finding.tried);
    let mut at_once = never;
    at_once.abilities.pace = Pace::Immediate;
    at_once.log = Arc::default();
    at_once.finding(STEPS).await;
    assert_eq!(at_once.log().paths.len(), 1, "time does not pass");
}

#[tokio::test]
async fn an_engine_can_say_no_fail_panic_or_hang() {
    let unsupported = Fake::new(|_, _| Err(EngineError::unsupported("no such thing")));
    assert_eq!(unsupported.run(ONE).await.verdict, Verdict::Skipped("no such thing".to_owned()));
    let failed = Fake::new(|_, _| Err(EngineError::failed("it broke"))).finding(ONE).await;
    assert_eq!(
        (failed.at.as_str(), failed.got.as_str()),
        ("steps[0].http.requests[0] (scripted.yaml:14)", "it broke")
    );
    let panicked = Fake::new(|_, _| panic!("on purpose")).finding(ONE).await;
    assert_eq!((panicked.at.as_str(), panicked.got.as_str()), (&*failed.at, "a panic: on purpose"));
    let mut settings = settings();
    settings.limit = Duration::from_millis(50);
    let report = run_case(&Fake::good(), &case(&ONE.replace("/a", "/never"), ""), &settings).await;
    let Verdict::Failed(finding) = report.verdict else { panic!("it cannot pass") };
    assert_eq!(finding.got, "none within 0.05 s, the limit for a case");
}

#[tokio::test]
async fn steps_about_statuses_are_passed_over_without_statuses() {
    const STEPS: &str = "
- accepted: [HTTPRoute first]
- noRoutes: [Gateway all-namespaces]";
    let mut fake = Fake::good();
    let about = "it is about statuses only, and the engine has none";
    assert_eq!(fake.run(STEPS).await.verdict, Verdict::Skipped(about.to_owned()), "it would show nothing");
    let report = fake.run(&format!("{STEPS}{ONE}")).await;
    assert_eq!(report.verdict, Verdict::Passed);
    assert_eq!(
        report.passed_over,
        ["steps[0].accepted: the engine has no statuses", "steps[1].noRoutes: the engine has no statuses"]
    );
    fake.abilities.statuses = true;
    let finding = fake.finding(STEPS).await;
    assert_eq!(finding.at, "steps[0].accepted[0] (scripted.yaml:11)");
    assert_eq!(finding.sent, "status of HTTPRoute first");
    // As an API server leaves a Gateway until its controller comes.
    fake.show = |object| {
        let condition = json!({"type": "Accepted", "status": "Unknown", "reason": "Pending", "message": "", "lastTransitionTime": ""});
        if object["kind"] == "Gateway" {
            object["status"]["conditions"] = json!([condition]);
        }
    };
    let finding = fake.finding("\n- ready: [Gateway all-namespaces]").await;
    let said = "no controller has written one; the GatewayClass names example.org/fake: is that the name of this one?";
    assert_eq!(finding.explanation.as_deref(), Some(said));
    fake.show = |object| {
        let condition = json!({"type": "Accepted", "status": "True", "reason": "Accepted", "message": "", "lastTransitionTime": ""});
        let parent = json!({"name": "all-namespaces"});
        if object["kind"] == "HTTPRoute" {
            object["status"]["parents"] = json!([{"parentRef": parent, "controllerName": "example.org/fake", "conditions": [condition]}]);
        }
    };
    let report = fake.run(STEPS).await;
    assert_eq!((report.verdict, report.passed_over.len()), (Verdict::Passed, 0));
}

#[tokio::test]
async fn objects_come_change_and_go() {
    let fake = Fake::good();
    const STEPS: &str = "
- patch: {object: HTTPRoute first, merge: {metadata: {labels: {a: b}}, spec: {hostnames: [three.org], parentRefs: null}}}
- delete: [Gateway all-namespaces]
- http: {to: {gateway: same-namespace}, requests: [{expect: {backend: infra-backend-v1}}]}
- apply: [HTTPRoute later]";
    assert_eq!(fake.run(STEPS).await.verdict, Verdict::Passed);
    assert!(!fake.has("Gateway all-namespaces"));
    assert!(fake.has("HTTPRoute later"));
    let AnyObject::HttpRoute(route) = fake.log().objects[&"HTTPRoute first".parse().unwrap()].clone() else {
        unreachable!("it is an HTTPRoute")
    };
    assert_eq!(route.spec.hostnames, ["three.org"]);
    assert_eq!((route.spec.parent_refs.len(), route.metadata.labels.len()), (0, 1));

    let early = Fake::good();
    assert_eq!(
        early.run(&STEPS.replace("apply", "delete")).await.verdict,
        Verdict::Passed,
        "what nobody applies later is there at first"
    );
    let before = Fake::new(|_, exchange| Ok(echo("none", exchange)));
    before.finding(STEPS).await;
    assert!(!before.has("HTTPRoute later"), "it is held back until its step");
}

#[tokio::test]
async fn copies_are_looked_for() {
    const STEPS: &str = "
- http:
    to: {gateway: same-namespace}
    requests:
    - {expect: {backend: infra-backend-v1, mirrors: [infra-backend-v2], noMirrors: [infra-backend-v3]}}";
    let copies = async |copies| Fake { copies, ..Fake::good() }.run(STEPS).await.verdict;
    assert_eq!(
        copies(|to, sent| if *to.name == *"infra-backend-v2" { sent } else { 7 }).await,
        Verdict::Passed
    );
    let finding = Fake { copies: |_, sent| sent, ..Fake::good() }.finding(STEPS).await;
    assert_eq!(
        (finding.expected.as_str(), finding.got.as_str()),
        ("copies at infra-backend-v3: none", "copies at infra-backend-v3: 1")
    );
    let finding = Fake { copies: |_, _| 3, ..Fake::good() }.finding(STEPS).await;
    assert_eq!(finding.expected, "copies at infra-backend-v2: one");
}

#[tokio::test]
async fn shares_are_sampled_in_rounds() {
    const STEPS: &str = "
- distribution:
    of: {http: {to: {gateway: same-namespace}, request: {}}}
    shares: {infra-backend-v1: 0.5, infra-backend-v2: 0.5}
    samples: 10
    tolerance: 0.1
    rounds: 2";
    // The first round has one backend only.
    let late = Fake::new(|number, exchange| {
        Ok(echo(
            if number < 10 || number % 2 == 0 { "infra-backend-v1" } else { "infra-backend-v2" },
            exchange,
        ))
    });
    assert_eq!(late.run(STEPS).await.verdict, Verdict::Passed);
    assert_eq!(late.log().paths.len(), 20);
    let finding = Fake::good().finding(STEPS).await;
    assert_eq!(
        (finding.tried.as_str(), finding.sent.as_str()),
        ("2 rounds", "10 times GET http://address/ to Gateway same-namespace")
    );
    assert_eq!(
        finding.got,
        "share of infra-backend-v1: 1.000 (10 of 10)\nshare of infra-backend-v2: 0.000 (0 of 10)"
    );
    let stranger = Fake::new(|_, exchange| Ok(echo("stranger", exchange)));
    assert!(stranger.finding(STEPS).await.got.ends_with("/stranger-a-b"));
    // While a gateway is on its way there, failures cost no round.
    let slow = Fake::new(|number, exchange| match number {
        0..5 => Ok(Answer::Http(HttpAnswer { status: 503, ..HttpAnswer::default() })),
        number => Ok(echo(["infra-backend-v1", "infra-backend-v2"][number % 2], exchange)),
    });
    slow.finding(STEPS).await;
    let slow = Fake { log: Arc::default(), ..slow }.eventual();
    assert_eq!(slow.run(STEPS).await.verdict, Verdict::Passed);
}

#[tokio::test]
async fn a_share_of_the_requests_is_copied() {
    const STEPS: &str = "
- mirrorShare:
    to: {gateway: same-namespace}
    request: {path: '/$(id)', expect: {backend: infra-backend-v1}}
    mirror: infra-backend-v2
    share: 0.5
    samples: 100
    rounds: 2";
    assert_eq!(Fake { copies: |_, sent| sent / 2, ..Fake::good() }.run(STEPS).await.verdict, Verdict::Passed);
    let all = Fake { copies: |_, sent| sent, ..Fake::good() };
    let finding = all.finding(STEPS).await;
    assert_eq!(
        (finding.expected.as_str(), finding.got.as_str()),
        ("copies at infra-backend-v2: 35 to 65 of 100", "copies at infra-backend-v2: 100")
    );
    let paths: std::collections::BTreeSet<String> = all.log().paths.iter().cloned().collect();
    assert_eq!(paths.len(), 2, "a round has one path");
}

#[tokio::test]
async fn infrastructure_is_looked_at() {
    let step = "\n- infrastructure: {of: same-namespace, labels: {made-for: same-namespace}}";
    assert_eq!(Fake::good().run(step).await.verdict, Verdict::Passed);
    let finding = Fake::good().finding(&step.replace("made-for:", "made-by:")).await;
    assert_eq!(finding.got, "label made-by of Service s: none");
}

#[tokio::test]
async fn many_run_and_tell_of_it() {
    let cases: Vec<&'static Case> = ["/a", "/never", "/c"]
        .into_iter()
        .map(|path| &*Box::leak(Box::new(case(&ONE.replace("/a", path), ""))))
        .collect();
    let settings = Settings { jobs: 2, limit: Duration::from_millis(100), ..settings() };
    let mut events = Vec::new();
    let reports = run_all(Arc::new(Fake::good()), cases, &settings, |event| {
        events.push(match event {
            Event::Started(_) => "started",
            Event::Finished(_, report) if report.verdict == Verdict::Passed => "passed",
            Event::Finished(..) => "failed",
        });
    })
    .await;
    assert_eq!(events, ["started", "started", "passed", "started", "passed", "failed"]);
    let passed: Vec<bool> = reports.iter().map(|report| report.verdict == Verdict::Passed).collect();
    assert_eq!(passed, [true, false, true], "in the order of the cases");
}

#[tokio::test]
async fn a_case_of_which_nothing_is_sent_is_skipped_and_its_statuses_are_looked_at_all_the_same() {
    const STEPS: &str = "
- notAccepted: [HTTPRoute first]";
    let mut fake = Fake::good();
    (fake.abilities.statuses, fake.abilities.traffic) = (true, false);
    let report = fake.run(&format!("{STEPS}{ONE}{STEPS}")).await;
    let reason = "2 steps hold, and 1 were left out because the engine carries no traffic";
    assert_eq!(report.verdict, Verdict::Skipped(reason.to_owned()));
    assert_eq!(report.checked, 2);
    assert_eq!(report.passed_over, ["steps[1].http: the engine carries no traffic"]);
    assert!(fake.log().paths.is_empty(), "nothing was sent");

    let whole = fake.run(STEPS).await;
    assert_eq!((whole.verdict, whole.checked), (Verdict::Passed, 1), "nothing of it was left out");
    let nothing = fake.run(ONE).await;
    let about = "it is about traffic only, and the engine carries none";
    assert_eq!((nothing.verdict, nothing.checked), (Verdict::Skipped(about.to_owned()), 0));
    let finding = fake.finding(&format!("{ONE}\n- accepted: [HTTPRoute first]")).await;
    assert_eq!(finding.at, "steps[1].accepted[0] (scripted.yaml:16)", "what does not hold is a failure");
}
