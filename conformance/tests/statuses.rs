//! GRPCRoute, TLSRoute, TCPRoute and UDPRoute up to their statuses, while no data plane serves them.
//!
//! The core is told that its data plane has these kinds, and every case about one is played with all that is sent left out.
//! What is left are the statuses: parents, listeners, grants, backends, and every condition that follows.

use std::collections::BTreeSet;
use std::sync::Arc;

use conformance::case::{Case, cases};
use conformance::engine::pure::CoreStatusEngines;
use conformance::engine::{Abilities, Engines};
use conformance::outcome::{CaseReport, Verdict};
use conformance::report::{ConformanceReport, ReportSettings, Results, StatusResult};
use conformance::run::{Settings, run_all};
use gateway_core::feature::{Feature, Profile};

/// What came of the cases of a profile.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    cases: usize,
    /// Cases of which everything was looked at.
    whole: usize,
    /// Cases of which all but what is sent was looked at.
    without_traffic: usize,
    /// Steps about statuses that hold: all that the two have.
    steps: usize,
    /// Steps that send something.
    left_out: usize,
}

/// The profiles, the feature that stands for the kind of Route of each, and what must come of its cases.
const EXPECTED: [(Profile, Feature, Count); 4] = [
    (
        Profile::GatewayGrpc,
        Feature::GrpcRoute,
        Count { cases: 46, whole: 23, without_traffic: 23, steps: 128, left_out: 28 },
    ),
    (
        Profile::GatewayTls,
        Feature::TlsRoute,
        Count { cases: 44, whole: 30, without_traffic: 12, steps: 122, left_out: 25 },
    ),
    (
        Profile::GatewayTcp,
        Feature::TcpRoute,
        Count { cases: 37, whole: 26, without_traffic: 11, steps: 105, left_out: 23 },
    ),
    (
        Profile::GatewayUdp,
        Feature::UdpRoute,
        Count { cases: 35, whole: 26, without_traffic: 9, steps: 99, left_out: 18 },
    ),
];

/// The cases of the profile, and those about its kind that no profile has: upstream's extended ones and ours.
fn of(profile: Profile, kind: Feature) -> Vec<&'static Case> {
    let is_member = |case: &&Case| {
        let is_about_kind = case.features.contains(&kind) && !case.features.iter().any(|it| it.is_mesh());
        case.level(profile).is_some() || is_about_kind
    };
    cases().iter().filter(is_member).collect()
}

async fn run(engines: CoreStatusEngines, cases: Vec<&'static Case>) -> Vec<CaseReport> {
    run_all(Arc::new(engines), cases, &Settings::default(), |_| {}).await
}

/// The engines without these features.
fn without(features: &[Feature]) -> CoreStatusEngines {
    let mut engines = CoreStatusEngines::default();
    engines.features.retain(|feature| !features.contains(feature));
    engines
}

fn named(name: &str) -> Vec<&'static Case> {
    cases().iter().filter(|case| case.name == name).collect()
}

/// How many steps of a case look at a status, or at what is to be made.
fn status_steps(case: &Case) -> usize {
    const KEYS: [&str; 7] =
        ["ready", "accepted", "resolved", "notAccepted", "noRoutes", "status", "infrastructure"];
    case.steps.iter().filter(|step| KEYS.contains(&step.key())).count()
}

#[tokio::test]
async fn every_status_step_of_the_kinds_without_traffic_holds() {
    let mut not_supported = BTreeSet::new();
    let mut nothing_to_show = BTreeSet::new();
    for (profile, kind, expected) in EXPECTED {
        let cases = of(profile, kind);
        let reports = run(CoreStatusEngines::default(), cases.clone()).await;
        let mut count = Count { cases: cases.len(), ..Count::default() };
        for (case, report) in cases.iter().zip(&reports) {
            match &report.verdict {
                Verdict::NotSupported(features) => {
                    not_supported.insert(format!("{}: {features:?}", case.name));
                    continue;
                }
                Verdict::Passed if report.checked == 0 => {
                    nothing_to_show.insert(case.name.as_str());
                    continue;
                }
                Verdict::Passed => count.whole += 1,
                Verdict::Skipped(_) => count.without_traffic += 1,
                Verdict::Failed(finding) => panic!("{}: {finding:#?}", case.name),
            }
            assert_eq!(report.checked, status_steps(case), "{}: every one is looked at", case.name);
            count.steps += report.checked;
            count.left_out += report.passed_over.len();
        }
        assert_eq!(count, expected, "{profile}");
    }
    assert_eq!(not_supported, BTreeSet::new());
    // They are about data planes that cannot do what is claimed here; they have their turn below.
    assert_eq!(nothing_to_show, WITHOUT_A_MODE.map(|(name, _)| name).into());
}

/// Cases about what a data plane cannot do, with the feature that it lacks.
const WITHOUT_A_MODE: [(&str, Feature); 2] = [
    ("TLSRouteListenerMixedTerminationNotSupported", Feature::TlsRouteModeMixed),
    ("TLSRouteListenerTerminateNotSupported", Feature::TlsRouteModeTerminate),
];

#[tokio::test]
async fn a_mode_of_tls_that_is_not_there_is_refused() {
    for (name, feature) in WITHOUT_A_MODE {
        let reports = run(without(&[feature]), named(name)).await;
        assert_eq!((&reports[0].verdict, reports[0].checked), (&Verdict::Passed, 1), "{name}");
    }
}

/// Without the feature the kind is none that listeners take, and its cases do not run.
#[tokio::test]
async fn what_is_not_claimed_is_not_looked_at() {
    for (profile, kind, _) in EXPECTED {
        let about: Vec<_> =
            of(profile, kind).into_iter().filter(|case| case.features.contains(&kind)).collect();
        for report in run(without(&[kind]), about).await {
            let Verdict::NotSupported(missing) = report.verdict else { panic!("{} ran", report.name) };
            assert!(missing.contains(&kind), "{}", report.name);
        }
    }
}

#[tokio::test]
async fn a_case_of_which_something_was_left_out_is_skipped_in_the_report() {
    let engines = CoreStatusEngines::default();
    let Abilities { features: claimed, .. } = engines.abilities();
    let profiles = EXPECTED.map(|(profile, ..)| profile).to_vec();
    let reports = run(engines, cases().iter().collect()).await;
    let results =
        Results { engine: "core-statuses", profiles, claimed: &claimed, cases: cases(), reports: &reports };
    let left_out = |name: &str| {
        let report = reports.iter().find(|report| report.name == name).expect("it was run");
        !report.passed_over.is_empty() && report.checked > 0
    };
    let report = ConformanceReport::new(&results, &ReportSettings::default());
    assert_eq!(report.profiles.len(), EXPECTED.len());
    for profile in report.profiles {
        assert_eq!(profile.core.result, StatusResult::Partial, "{}", profile.name);
        assert!(!profile.core.skipped_tests.is_empty());
        assert!(
            profile.core.skipped_tests.iter().all(|name| left_out(name)),
            "{:?}",
            profile.core.skipped_tests
        );
    }
    let provisional = report.succeeded_provisional_tests;
    assert!(!provisional.iter().any(|name| left_out(name)), "{provisional:?}");
}
