//! The core agrees with the plain reference, on generated resources and requests.
//!
//! `GATEWAY_CASES` sets the number of requests that are compared; a release build compares a million in minutes:
//! `GATEWAY_CASES=1000000 cargo test --release -p gateway-conformance --test agreement`

use std::cell::Cell;

use conformance::fuzzing::{self, Compared};
use proptest::collection::vec;
use proptest::prelude::{any, proptest};
use proptest::test_runner::{Config, TestCaseError, TestRunner};

/// The number of requests to compare.
fn cases() -> usize {
    std::env::var("GATEWAY_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000)
}

#[test]
fn the_core_agrees_with_the_reference() {
    let total = Cell::new(Compared::default());
    let wanted = cases();
    // More runs than are needed; the last ones compare nothing.
    let config = Config { cases: wanted as u32, ..config() };
    let result = TestRunner::new(config).run(&vec(any::<u8>(), 0..3000), |bytes| {
        if total.get().requests < wanted {
            let mut sum = total.get();
            sum += fuzzing::compare(&bytes).map_err(|it| TestCaseError::fail(it.to_string()))?;
            total.set(sum);
        }
        Ok(())
    });
    let Compared { requests, served, forwarded, in_session } = total.get();
    if let Err(error) = result {
        panic!("{error}");
    }
    eprintln!("{requests} requests, {served} served, {forwarded} forwarded, {in_session} in a session");
    assert!(requests >= wanted);
    // Generators that hit nothing would agree on nothing.
    assert!(
        served * 10 > requests * 3 && forwarded * 10 > requests && in_session * 200 > requests,
        "{served} served, {forwarded} forwarded, {in_session} in a session"
    );
}

#[test]
fn the_core_agrees_with_the_reference_below_http() {
    let total = Cell::new((0, 0));
    let wanted = cases() / 2;
    let config = Config { cases: wanted as u32, ..config() };
    let result = TestRunner::new(config).run(&vec(any::<u8>(), 0..3000), |bytes| {
        let (mut streams, mut forwarded) = total.get();
        if streams < wanted {
            let compared =
                fuzzing::compare_streams(&bytes).map_err(|it| TestCaseError::fail(it.to_string()))?;
            (streams, forwarded) = (streams + compared.0, forwarded + compared.1);
            total.set((streams, forwarded));
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let (streams, forwarded) = total.get();
    eprintln!("{streams} streams, {forwarded} forwarded");
    // Most of what comes leads nowhere: that is where the two could differ.
    assert!(streams >= wanted && forwarded * 40 > streams, "{forwarded} of {streams} forwarded");
}

// MSH-01 to MSH-12, MSH-15, MSH-16
#[test]
fn the_core_agrees_with_the_reference_in_a_mesh() {
    let total = Cell::new(Compared::default());
    let wanted = cases() / 2;
    let config = Config { cases: wanted as u32, ..config() };
    let result = TestRunner::new(config).run(&vec(any::<u8>(), 0..3000), |bytes| {
        if total.get().requests < wanted {
            let mut sum = total.get();
            sum += fuzzing::compare_mesh(&bytes).map_err(|it| TestCaseError::fail(it.to_string()))?;
            total.set(sum);
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let Compared { requests, served: routed, forwarded, .. } = total.get();
    eprintln!("{requests} requests, {routed} to Services with Routes, {forwarded} forwarded by them");
    assert!(requests >= wanted && routed * 4 > requests && routed < requests && forwarded * 20 > requests);
}

#[test]
fn the_order_of_resources_does_not_matter() {
    proptest!(Config { cases: 100, ..config() }, |(bytes in vec(any::<u8>(), 0..3000))| fuzzing::any_order(&bytes));
}

#[test]
fn hostnames_and_hosts_agree() {
    let word = "[a-b*.]{0,6}|\\*\\.[ab.]{1,5}|[ab]\\.[ab]";
    proptest!(config(), |(a in word, b in word, host in "[aAb.:0\\[\\]-]{0,8}|[ab]\\.[abB]\\.?(:[0-9]{0,2})?")| {
        fuzzing::hostname(format!("{a}\n{b}\n{host}").as_bytes());
    });
}

#[test]
fn replaced_paths_agree() {
    let target = "(/[ab.%2eF/;]{0,8}){0,3}(\\?[a=%]{0,3})?";
    let prefix = "(/[ab]{0,2}){0,2}/?";
    proptest!(config(), |(target in target, prefix in prefix, to in "[/a?#% é]{0,8}")| {
        fuzzing::rewrite(format!("{target}\n{prefix}\n{to}").as_bytes());
    });
}

fn config() -> Config {
    Config { cases: cases() as u32 / 10, failure_persistence: None, ..Config::default() }
}
