//! The reports about one run in which everything happens, as golden files. `REWRITE=1` writes them anew.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, SystemTime};
use std::{env, fs};

use conformance::case::{self, Case};
use conformance::outcome::{CaseReport, Finding, Verdict};
use conformance::report::{self, ConformanceReport, Implementation, ReportSettings, Results, StatusResult};
use gateway_core::feature::{Feature, Profile};
use serde_json::Value;

/// A run: the cases there are, what came of those that were selected, and the features that are claimed.
struct Run {
    cases: Vec<Case>,
    reports: Vec<CaseReport>,
    claimed: BTreeSet<Feature>,
}

impl Run {
    fn new(claimed: &[Feature]) -> Self {
        Self { cases: Vec::new(), reports: Vec::new(), claimed: claimed.iter().copied().collect() }
    }

    /// A case of upstream's; `more` is put before its summary.
    fn case(mut self, name: &str, features: &str, more: &str, verdict: impl Into<Option<Verdict>>) -> Self {
        let source = if more.contains("beyond") { "" } else { "source: some.go\n" };
        let more = more.replace("beyond", "");
        let text = format!(
            "apiVersion: {}\nkind: Case\nname: {name}\n{source}{more}\nsummary: Shows {name}.\nfeatures: [{features}]\n\
             steps:\n- ready: [Gateway same-namespace]\n",
            case::API_VERSION
        );
        self.cases.push(case::read(&text, name).unwrap());
        self.reports.extend(verdict.into().map(|verdict| CaseReport {
            name: name.to_owned(),
            verdict,
            checked: 0,
            passed_over: Vec::new(),
            duration: Duration::from_millis(1500),
        }));
        self
    }

    fn passed_over(mut self, what: &str) -> Self {
        self.reports.last_mut().unwrap().passed_over.push(what.to_owned());
        self
    }

    fn results(&self, profiles: &[Profile]) -> Results<'_> {
        Results {
            engine: "core",
            profiles: profiles.to_vec(),
            claimed: &self.claimed,
            cases: &self.cases,
            reports: &self.reports,
        }
    }

    fn report(&self, profiles: &[Profile]) -> ConformanceReport {
        ConformanceReport::new(&self.results(profiles), &ReportSettings::default())
    }
}

const CORE: &[Feature] = &[Feature::Gateway, Feature::HttpRoute, Feature::ReferenceGrant];
const HTTP: &[Profile] = &[Profile::GatewayHttp];

fn failed() -> Verdict {
    Verdict::Failed(Box::new(Finding {
        at: "steps[3].http.requests[1], httproute-cors.yaml:16".to_owned(),
        sent: "GET /a|b to Gateway same-namespace, port 80\nOrigin: https://www.foo.com".to_owned(),
        expected: "status 200 from infra-backend-v1".to_owned(),
        got: "status 404 from <nobody>".to_owned(),
        explanation: Some("rule 0: the path does not match\nrule 1: the method does not match".to_owned()),
        tried: "12 times in 60s".to_owned(),
    }))
}

fn skipped(reason: &str) -> Verdict {
    Verdict::Skipped(reason.to_owned())
}

/// A run in which everything happens.
fn everything() -> Run {
    Run::new(&[
        Feature::Gateway,
        Feature::GatewayPort8080,
        Feature::HttpRoute,
        Feature::HttpRouteCors,
        Feature::HttpRouteRetryCodes,
        Feature::ReferenceGrant,
        Feature::TcpRoute,
    ])
    .case("HTTPRouteMatching", "Gateway, HTTPRoute", "", Verdict::Passed)
    .case("HTTPRouteWeight", "Gateway, HTTPRoute", "", skipped("chosen by --skip | nothing else"))
    .case("HTTPRouteNoBackendRefs", "Gateway, HTTPRoute", "", None)
    .case("HTTPRouteServiceTypes", "Gateway, HTTPRoute", "", Verdict::Passed)
    .passed_over("steps[0].ready: the engine has no statuses")
    .case("HTTPRouteCORS", "Gateway, HTTPRoute, HTTPRouteCORS", "", failed())
    .case("HTTPRouteRetry", "Gateway, HTTPRoute, HTTPRouteRetryCodes", "provisional: true", Verdict::Passed)
    .case(
        "HTTPRouteHostRewrite",
        "Gateway, HTTPRoute, HTTPRouteHostRewrite",
        "",
        Verdict::NotSupported(vec![Feature::HttpRouteHostRewrite]),
    )
    .case("GatewayPort8080", "Gateway, GatewayPort8080", "provisional: true", Verdict::Passed)
    .case(
        "HTTPRouteDisallowedKind",
        "Gateway, HTTPRoute, TLSRoute",
        "",
        Verdict::NotSupported(vec![Feature::TlsRoute]),
    )
    .case("TCPRoute", "Gateway, TCPRoute", "", Verdict::Passed)
    .case("ManyRoutes", "Gateway, HTTPRoute", "beyond", failed())
}

#[test]
fn each_report_tells_everything_that_happened() {
    let run = everything();
    let results = run.results(&[Profile::GatewayTcp, Profile::GatewayHttp]);
    let implementation = Implementation {
        contact: vec!["@someone".to_owned()],
        organization: "gateway-api-rs".to_owned(),
        project: "gateway".to_owned(),
        url: "https://github.com/gateway-api-rs/gateway".to_owned(),
        version: "v0.1.0".to_owned(),
    };
    let date = SystemTime::UNIX_EPOCH + Duration::from_millis(1_785_000_000_250);
    let settings = ReportSettings { implementation, date, ..ReportSettings::default() };
    golden("conformance-report.yaml", &ConformanceReport::new(&results, &settings).to_yaml().unwrap());
    golden("junit.xml", &report::junit(&results).unwrap());
    golden("summary.md", &report::markdown(&results));
    golden("table.txt", &report::table(&results));
}

#[test]
fn the_report_has_the_fields_of_upstream_and_no_others() {
    let run = everything();
    let report = serde_json::to_value(run.report(&[Profile::GatewayHttp])).unwrap();
    assert_eq!(
        fields(&report),
        "apiVersion date gatewayAPIChannel gatewayAPIVersion implementation kind mode profiles \
         succeededProvisionalTests"
    );
    assert_eq!(fields(&report["implementation"]), "contact organization project url version");
    let profile = &report["profiles"][0];
    assert_eq!(fields(profile), "core extended name summary");
    assert_eq!(fields(&profile["core"]), "result skippedTests statistics");
    assert_eq!(fields(&profile["core"]["statistics"]), "Failed Passed Skipped");
    assert_eq!(
        fields(&profile["extended"]),
        "failedTests result statistics supportedFeatures unsupportedFeatures"
    );
}

#[test]
fn what_is_empty_is_left_out() {
    let run = Run::new(CORE).case("One", "Gateway", "", Verdict::Passed);
    let report = serde_json::to_value(run.report(HTTP)).unwrap();
    assert!(!fields(&report).contains("succeededProvisionalTests"));
    assert_eq!(fields(&report["profiles"][0]), "core name summary");
    assert_eq!(fields(&report["profiles"][0]["core"]), "result statistics");
    assert_eq!(report["implementation"]["contact"], Value::Array(Vec::new()));
}

#[test]
fn one_failure_makes_a_failure_and_one_skip_makes_it_partial() {
    let run = || Run::new(CORE).case("One", "Gateway", "", Verdict::Passed);
    for (name, run, expected, summary) in [
        ("all passed", run(), StatusResult::Success, "Core tests succeeded."),
        (
            "one skipped",
            run().case("Two", "Gateway", "", skipped("no reason")),
            StatusResult::Partial,
            "Core tests partially succeeded with 1 test skips.",
        ),
        (
            "one skipped, one failed",
            run().case("Two", "Gateway", "", skipped("no reason")).case("Three", "Gateway", "", failed()),
            StatusResult::Failure,
            "Core tests failed with 1 test failures.",
        ),
        (
            "one beyond upstream's failed",
            run().case("Two", "Gateway", "beyond", failed()),
            StatusResult::Success,
            "Core tests succeeded.",
        ),
    ] {
        let report = &run.report(HTTP).profiles[0];
        assert_eq!((report.core.result, report.summary.as_str()), (expected, summary), "{name}");
    }
}

#[test]
fn what_was_not_seen_to_pass_counts_as_skipped() {
    let run = Run::new(&[Feature::Gateway, Feature::GatewayPort8080])
        .case("NotSelected", "Gateway", "", None)
        .case("NoStatuses", "Gateway", "", Verdict::Passed)
        .passed_over("steps[0].ready")
        .case("CoreNotClaimed", "Gateway, HTTPRoute", "", Verdict::NotSupported(vec![Feature::HttpRoute]))
        .case("ExtendedNotClaimed", "ListenerSet", "", Verdict::NotSupported(vec![Feature::ListenerSet]))
        .case("NotSelectedAndNotClaimed", "ListenerSet", "", None);
    let report = &run.report(HTTP).profiles[0];
    assert_eq!(report.core.skipped_tests, ["CoreNotClaimed", "NoStatuses", "NotSelected"]);
    assert_eq!(report.core.statistics.passed, 0);
    assert!(report.extended.is_none(), "{:?}", report.extended);
}

#[test]
fn what_has_nothing_to_show_has_passed() {
    let claimed = [Feature::Gateway, Feature::HttpRouteCors];
    for (name, more, passed) in [
        ("with a feature that leaves nothing", "unless: [HTTPRouteCORS]", 1),
        ("with one of others", "unless: [ListenerSet]", 0),
        ("without a feature that it is about", "onlyWith: [ListenerSet]", 1),
        ("with it", "onlyWith: [HTTPRouteCORS]", 0),
    ] {
        let run = Run::new(&claimed).case("One", "Gateway", more, Verdict::Passed).passed_over("something");
        assert_eq!(run.report(HTTP).profiles[0].core.statistics.passed, passed, "{name}");
    }
}

#[test]
fn profiles_have_one_order_and_provisional_cases_can_be_left_out() {
    let run = everything();
    let names = |report: ConformanceReport| -> Vec<String> {
        report.profiles.into_iter().map(|profile| profile.name).collect()
    };
    let given = run.report(&[Profile::MeshHttp, Profile::GatewayTcp, Profile::GatewayHttp]);
    assert_eq!(names(given), ["GATEWAY-HTTP", "GATEWAY-TCP"], "there are no core cases of MESH-HTTP");
    let settings = ReportSettings { skip_provisional: true, ..ReportSettings::default() };
    let report = ConformanceReport::new(&run.results(HTTP), &settings);
    assert!(report.succeeded_provisional_tests.is_empty());
    assert_eq!(report.profiles[0].extended.as_ref().unwrap().status.statistics.passed, 0);
}

#[test]
fn upstream_lists_what_has_no_failure_and_few_skips() {
    let run = |skips: usize| {
        let run = Run::new(CORE).case("Passes", "Gateway", "", Verdict::Passed);
        (0..skips).fold(run, |run, index| {
            run.case(&format!("Skipped{index}"), "Gateway", "", Verdict::Skipped("no reason".to_owned()))
        })
    };
    for (skips, expected) in
        [(0, StatusResult::Success), (5, StatusResult::Partial), (6, StatusResult::Failure)]
    {
        assert_eq!(run(skips).report(HTTP).profiles[0].standing(), expected, "{skips}");
    }
}

#[test]
fn an_implementation_has_a_web_page() {
    let good = Implementation {
        contact: vec!["@someone".to_owned()],
        organization: "shop".to_owned(),
        project: "gateway".to_owned(),
        url: "https://example.com/gateway".to_owned(),
        version: "v1.0.0".to_owned(),
    };
    assert!(good.gaps().is_empty());
    for url in ["", "example.com/gateway", "/gateway", "ftp://example.com", "https:///gateway"] {
        assert_eq!(Implementation { url: url.to_owned(), ..good.clone() }.gaps(), ["url"], "{url}");
    }
}

#[test]
fn the_channel_is_that_of_the_claimed_features() {
    assert_eq!(Run::new(CORE).report(HTTP).channel, "standard");
    assert_eq!(Run::new(&[Feature::HttpRouteDestinationPortMatching]).report(HTTP).channel, "experimental");
}

#[test]
fn the_profiles_that_are_claimed_are_those_with_all_core_features() {
    assert_eq!(Results::claimed_profiles(&CORE.iter().copied().collect()), HTTP);
}

/// The numbers are those of published reports of implementations that claim everything.
#[test]
fn an_implementation_that_passes_everything_gets_the_numbers_of_upstream() {
    let passed = |case: &Case| CaseReport {
        name: case.name.clone(),
        verdict: Verdict::Passed,
        checked: 0,
        passed_over: Vec::new(),
        duration: Duration::ZERO,
    };
    let reports: Vec<CaseReport> = case::cases().iter().map(passed).collect();
    let claimed = Feature::ALL.iter().copied().collect();
    let results = Results {
        engine: "all",
        profiles: Results::claimed_profiles(&claimed),
        claimed: &claimed,
        cases: case::cases(),
        reports: &reports,
    };
    let report = ConformanceReport::new(&results, &ReportSettings::default());
    let numbers = report.profiles.iter().map(|profile| {
        let extended = profile.extended.as_ref().map_or(0, |extended| extended.status.statistics.passed);
        (profile.name.as_str(), profile.core.statistics.passed, extended)
    });
    let expected = [
        ("GATEWAY-HTTP", 40, 64),
        ("GATEWAY-GRPC", 17, 13),
        ("GATEWAY-TLS", 21, 18),
        ("GATEWAY-TCP", 20, 11),
        ("GATEWAY-UDP", 21, 11),
        ("MESH-HTTP", 7, 7),
        ("MESH-GRPC", 3, 0),
    ];
    assert_eq!(numbers.collect::<Vec<_>>(), expected);
    assert_eq!(report.succeeded_provisional_tests.len(), 6);
}

fn fields(value: &Value) -> String {
    let mut names: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names.join(" ")
}

fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if env::var_os("REWRITE").is_some() {
        fs::write(&path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "{name} is not what it was; REWRITE=1 writes it anew");
}
