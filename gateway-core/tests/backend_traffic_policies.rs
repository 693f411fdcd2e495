//! XBackendTrafficPolicies from manifests: which holds for a Service, and what statuses say of each.

mod common;
#[path = "common/policy.rs"]
mod policies;

use std::sync::Arc;
use std::time::Duration;

use gateway_core::api::Kind;
use gateway_core::condition::ConditionType;
use gateway_core::lint;
use gateway_core::options::Options;
use gateway_core::rule::{Backend, RetryBudget, RetryRate, SessionCarrier, Sessions};
use gateway_core::table::RouteTable;
use gateway_core::translate::{Translation, Translator, translate};

use self::common::resources;

/// A Gateway, and a Route to both ports of a Service and to another Service.
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
spec: {parentRefs: [{name: gw}], rules: [{backendRefs: [{name: web, port: 80}, {name: web, port: 81}, {name: api, port: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{name: http, port: 80}, {name: other, port: 81}]}
---
apiVersion: v1
kind: Service
metadata: {name: api}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: sticky}
spec: {sessionAffinity: ClientIP, ports: [{port: 80}]}
";

/// A policy that came into being in this year.
fn policy(name: &str, year: u16, targets: &[&str], spec: &str) -> String {
    let targets: Vec<_> =
        targets.iter().map(|target| format!("{{group: '', kind: Service, name: {target}}}")).collect();
    policies::manifest("XBackendTrafficPolicy", name, year, &targets, spec)
}

fn translated(policies: &[String]) -> Translation {
    translate(&resources(&format!("{BASE}{}", policies.concat())), &Options::default())
}

fn backend<'t>(table: &'t RouteTable, service: &str, port: u16) -> &'t Backend {
    let mut backends = table.backends();
    backends.find(|backend| *backend.service.name == *service && backend.port == port).unwrap()
}

/// The percentage of a Service's retries; none without a budget.
fn percent(translation: &Translation, service: &str) -> Option<u32> {
    backend(&translation.table, service, 80).retry_budget.as_ref().map(|budget| budget.percent())
}

/// What the status says: `Accepted`, as status and reason, with its message.
fn said(translation: &Translation, name: &str) -> (String, String) {
    let statuses = &translation.statuses.backend_traffic_policies;
    let Some(status) = policies::status(statuses, name) else { return Default::default() };
    let [ancestor] = &status.ancestors[..] else { panic!("one Gateway: {status:?}") };
    assert_eq!(&*ancestor.ancestor_ref.name, "gw");
    let [accepted] = &ancestor.conditions[..] else { panic!("one condition: {status:?}") };
    assert_eq!(accepted.kind, ConditionType::Accepted);
    (policies::said(accepted), accepted.message.clone())
}

/// What there is to be known about policies of the kind that have no effect.
fn unserved(policies: &[String], options: &Options) -> Vec<String> {
    let resources = resources(&format!("{BASE}{}", policies.concat()));
    let found = lint::unserved(&resources, &translate(&resources, options).statuses, options);
    let of_kind = found.into_iter().filter(|diagnostic| diagnostic.kind == Kind::XBackendTrafficPolicy);
    of_kind.map(|diagnostic| diagnostic.finding.message).collect()
}

const BUDGET: &str = "retryConstraint: {budget: {percent: 30}}";

// RTB-01, RTB-02, RTB-05
#[test]
fn a_service_has_one_budget_whichever_its_port() {
    let translation = translated(&[policy("a", 2025, &["web"], BUDGET)]);
    let of = |service, port| backend(&translation.table, service, port).retry_budget.clone();
    let budget = of("web", 80).unwrap();
    assert!(Arc::ptr_eq(&budget, &of("web", 81).unwrap()));
    assert_eq!(of("api", 80), None);
    assert_eq!(
        (budget.percent(), budget.interval(), budget.least()),
        (30, Duration::from_secs(10), RetryRate::DEFAULT)
    );
    assert_eq!(said(&translation, "a").0, "true/Accepted");

    let all =
        "retryConstraint: {budget: {percent: 5, interval: 1m}, minRetryRate: {count: 3, interval: 500ms}}";
    let translation = translated(&[policy("a", 2025, &["web", "api"], all)]);
    let least = RetryRate { count: 3, interval: Duration::from_millis(500) };
    let expected = RetryBudget::new(5, Duration::from_secs(60), least);
    let [web, api] =
        ["web", "api"].map(|service| backend(&translation.table, service, 80).retry_budget.clone().unwrap());
    assert_eq!((&*web, &*api), (&expected, &expected));
    assert!(!Arc::ptr_eq(&web, &api), "each Service has its own");
}

// RTB-05, POL-03, POL-04, CND-107
#[test]
fn of_two_for_one_service_the_older_holds() {
    let other = "retryConstraint: {budget: {percent: 50}}";
    for (older, younger) in [("a", "b"), ("b", "a")] {
        let translation = translated(&[
            policy(younger, 2025, &["web", "api"], other),
            policy(older, 2024, &["web"], BUDGET),
        ]);
        assert_eq!([percent(&translation, "web"), percent(&translation, "api")], [Some(30), Some(50)]);
        assert_eq!(said(&translation, older).0, "true/Accepted");
        let (state, message) = said(&translation, younger);
        assert_eq!(state, "false/Conflicted");
        assert!(
            message.contains("spec.targetRefs[0]") && message.contains(&format!("default/{older}")),
            "{message}"
        );
    }
}

// RTB-05, CND-107, LST-24
#[test]
fn what_a_policy_cannot_have_is_said() {
    let missing = translated(&[policy("a", 2025, &["web", "none"], BUDGET)]);
    assert_eq!(
        (said(&missing, "a").0.as_str(), percent(&missing, "web")),
        ("false/TargetNotFound", Some(30))
    );
    let unreached = translated(&[policy("a", 2025, &["sticky"], BUDGET)]);
    assert_eq!(said(&unreached, "a").0, "", "no Gateway reaches it");
    let told = unserved(&[policy("a", 2025, &["sticky"], BUDGET)], &Options::default());
    assert!(told.len() == 1 && told[0].contains("no Route"), "{told:?}");
    for (group, kind) in [("''", "ConfigMap"), ("gateway.networking.k8s.io", "ListenerSet")] {
        let target =
            format!("{{group: {group}, kind: {kind}, name: c}}, {{group: '', kind: Service, name: web}}");
        let manifest = policies::manifest("XBackendTrafficPolicy", "a", 2025, &[target], BUDGET);
        let (state, message) = said(&translated(&[manifest]), "a");
        assert_eq!(state, "false/Invalid");
        assert!(message.contains(kind), "{message}");
    }
}

// SES-01, SES-10, SES-11, SES-14, POL-11
#[test]
fn sessions_of_a_policy_are_kept_where_the_rule_says_nothing() {
    let sessions = |rule: &str, target: &str| {
        let route = format!(
            "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: q}}\n\
             spec: {{parentRefs: [{{name: gw}}], rules: [{{{rule} backendRefs: [{{name: api, port: 80}}, {{name: {target}, port: 80}}]}}]}}\n"
        );
        let policy = policy("a", 2025, &[target], "sessionPersistence: {cookie: {name: of-policy}}");
        let translation = translate(&resources(&format!("{BASE}{policy}{route}")), &Options::default());
        let mut rules = translation.table.rules().filter(|rule| *rule.id.route.name.name == *"q");
        let sessions = rules.next().unwrap().sessions.clone();
        let name = |position: usize| match &sessions.as_deref()?.of_backend(position)?.carrier {
            SessionCarrier::Cookie(cookie) => Some(cookie.name().to_owned()),
            SessionCarrier::Header(name) => Some(name.to_string()),
        };
        ([name(0), name(1)], said(&translation, "a").0)
    };
    let [own, of_policy] = ["of-rule", "of-policy"].map(|name| Some(name.to_owned()));
    let accepted = "true/Accepted".to_owned();
    assert_eq!(
        sessions("", "web"),
        ([None, of_policy], accepted.clone()),
        "each backend of a split for itself"
    );
    let rule = "sessionPersistence: {cookie: {name: of-rule}},";
    assert_eq!(sessions(rule, "web"), ([own.clone(), own], accepted), "the rule's word counts");
    assert_eq!(sessions("", "sticky"), ([None, None], "false/Invalid".to_owned()));
}

// RTB-01: what was used counts on as long as the policy says the same.
#[test]
fn a_budget_outlives_changes_that_are_none_of_its() {
    let mut translator = Translator::new(Options::default());
    let mut budget_with = |policies: &[String]| {
        translator.update(&resources(&format!("{BASE}{}", policies.concat())));
        let translation = translator.translate();
        (backend(&translation.table, "web", 80).retry_budget.clone(), percent(translation, "api"))
    };
    let (first, _) = budget_with(&[policy("a", 2025, &["web"], BUDGET)]);
    let (second, of_api) = budget_with(&[policy("a", 2025, &["web", "api"], BUDGET)]);
    assert!(Arc::ptr_eq(first.as_ref().unwrap(), second.as_ref().unwrap()));
    assert_eq!(of_api, Some(30));
    let (third, _) = budget_with(&[policy("a", 2025, &["web"], "retryConstraint: {budget: {percent: 31}}")]);
    assert_eq!(third.unwrap().percent(), 31);
    assert_eq!(budget_with(&[]), (None, None));
}

// AMB-54
#[test]
fn a_data_plane_without_budgets_says_that_the_kind_is_not_supported() {
    let options = Options { backend_traffic_policies: false, ..Options::default() };
    let yaml = format!("{BASE}{}", policy("a", 2025, &["web"], BUDGET));
    let translation = translate(&resources(&yaml), &options);
    assert_eq!((percent(&translation, "web"), said(&translation, "a").0.as_str()), (None, ""));
    let told = unserved(&[policy("a", 2025, &["web"], BUDGET)], &options);
    assert!(told.len() == 1 && told[0].contains("not supported"), "{told:?}");
}

#[test]
fn sessions_that_no_rule_has_are_none() {
    let translation = translated(&[policy("a", 2025, &["sticky"], "sessionPersistence: {cookie: {}}")]);
    let sessions: Vec<Option<&Sessions>> =
        translation.table.rules().map(|rule| rule.sessions.as_deref()).collect();
    assert_eq!(sessions, [None]);
}
