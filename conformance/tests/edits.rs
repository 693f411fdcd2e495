//! A translator that takes edits gives what a translation from nothing gives, on generated resources and edits.
//!
//! `GATEWAY_CASES` sets the number of translations that are compared; a release build compares fifty thousand in minutes:
//! `GATEWAY_CASES=50000 cargo test --release -p gateway-conformance --test edits`

use std::cell::Cell;

use conformance::fuzzing::{self, Followed};
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

/// The number of translations to compare.
fn cases() -> usize {
    std::env::var("GATEWAY_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000)
}

#[test]
fn a_translator_gives_what_a_translation_from_nothing_gives() {
    let total = Cell::new(Followed::default());
    let wanted = cases();
    // More runs than are needed; the last ones compare nothing.
    let config = Config { cases: wanted as u32, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&vec(any::<u8>(), 0..8000), |bytes| {
        if total.get().translations < wanted {
            let mut sum = total.get();
            sum += fuzzing::follow(&bytes).map_err(|it| TestCaseError::fail(it.to_string()))?;
            total.set(sum);
        }
        Ok(())
    });
    let Followed { edits, translations, serving, requests } = total.get();
    match result {
        Ok(()) => {}
        // To be kept as a file below fuzz/crashes/edits, where it is replayed.
        Err(TestError::Fail(reason, bytes)) => panic!("{reason}made of {bytes:?}"),
        Err(error) => panic!("{error}"),
    }
    eprintln!("{edits} edits, {translations} translations, {serving} with rules, {requests} requests");
    assert!(translations >= wanted);
    // Edits that break everything would prove nothing.
    assert!(serving * 4 > translations, "{serving} with rules");
}
