//! Every test of upstream has a case, and every case says of it what upstream says.
//!
//! The facts about upstream's tests are in `cases/upstream.json`.

use std::collections::{BTreeMap, BTreeSet};

use conformance::case::{Case, cases};
use gateway_core::feature::{Profile, SupportLevel};
use serde::Deserialize;

/// A test of upstream's suite.
#[derive(Debug, PartialEq, Deserialize)]
struct UpstreamTest {
    name: String,
    file: String,
    features: BTreeSet<String>,
    provisional: bool,
    /// What it is in each profile.
    profiles: BTreeMap<String, String>,
}

fn upstream() -> BTreeMap<String, UpstreamTest> {
    let tests: Vec<UpstreamTest> = serde_json::from_str(include_str!("../cases/upstream.json")).unwrap();
    tests.into_iter().map(|test| (test.name.clone(), test)).collect()
}

fn own() -> impl Iterator<Item = &'static Case> {
    cases().iter().filter(|case| !case.is_beyond())
}

#[test]
fn every_test_of_upstream_has_a_case_and_none_is_made_up() {
    let upstream: BTreeSet<String> = upstream().into_keys().collect();
    let cases: BTreeSet<String> = own().map(|case| case.name.clone()).collect();
    let missing: Vec<_> = upstream.difference(&cases).collect();
    let extra: Vec<_> = cases.difference(&upstream).collect();
    assert!(missing.is_empty() && extra.is_empty(), "missing: {missing:?}; not of upstream: {extra:?}");
    assert_eq!(upstream.len(), 170);
}

#[test]
fn a_case_says_of_its_test_what_upstream_says() {
    let upstream = upstream();
    for case in own() {
        let told = UpstreamTest {
            name: case.name.clone(),
            file: case.source.clone().unwrap_or_default(),
            features: case.features.iter().map(ToString::to_string).collect(),
            provisional: case.provisional,
            profiles: case
                .profiles()
                .map(|(profile, class)| (profile.to_string(), class.as_str().to_owned()))
                .collect(),
        };
        assert_eq!(Some(&told), upstream.get(&case.name), "{}", case.file);
    }
}

#[test]
fn the_profiles_have_as_many_cases_as_upstream_reports() {
    let counts = Profile::ALL.iter().map(|profile| {
        let of = |wanted: SupportLevel| own().filter(|case| case.level(*profile) == Some(wanted)).count();
        (profile.as_str(), of(SupportLevel::Core), of(SupportLevel::Extended))
    });
    assert_eq!(
        counts.collect::<Vec<_>>(),
        [
            ("GATEWAY-HTTP", 40, 64),
            ("GATEWAY-GRPC", 17, 13),
            ("GATEWAY-TLS", 21, 18),
            ("GATEWAY-TCP", 20, 11),
            ("GATEWAY-UDP", 21, 11),
            ("MESH-HTTP", 7, 7),
            ("MESH-GRPC", 3, 0),
        ]
    );
}
