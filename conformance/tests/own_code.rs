//! Fuzzing what is a user's own: mistakes in it are found, and nothing else is.

use std::sync::Arc;

use conformance::decision::core::Core;
use conformance::decision::{Arrival, Effect};
use conformance::fuzzing::{Compared, Filtered, compare_decisions, compare_engine, filter};
use conformance::generate::{CONTROLLER_NAME, World};
use gateway_core::filter::{Extension, Verdict};
use gateway_core::options::Options;
use http::{HeaderValue, request};

/// What a fuzzer might come up with.
fn inputs() -> impl Iterator<Item = Vec<u8>> {
    let mut random = fastrand::Rng::with_seed(3);
    (0..200).map(move |_| (0..3000).map(|_| random.u8(..)).collect())
}

/// Adds a line to every request; one that is forgetful, only to those without a query.
#[derive(Debug)]
struct Adds {
    forgetful: bool,
}

impl Extension for Adds {
    fn on_request(&self, parts: &mut request::Parts) -> Verdict {
        if !(self.forgetful && parts.uri.query().is_some()) {
            parts.headers.append("z", HeaderValue::from_static("1"));
        }
        Verdict::Continue
    }
}

fn filtered(forgetful: bool) -> usize {
    let lines = |Filtered { with, .. }: &Filtered| match &with.effect {
        Effect::Forwarded(forwarded) => {
            assert_eq!(forwarded.sent.headers.get("z").map(Vec::len), Some(1), "lines that were added");
        }
        Effect::Answered(_) | Effect::Asks(_) => {}
    };
    inputs().map(|bytes| filter(&bytes, Arc::new(Adds { forgetful }), lines)).sum()
}

#[test]
fn a_filter_that_does_what_it_should_passes() {
    let requests = filtered(false);
    assert!(requests > 200, "{requests} requests met the filter");
}

#[test]
#[should_panic(expected = "lines that were added")]
fn a_filter_that_does_not_is_found() {
    filtered(true);
}

/// An engine that has no calls; one that is wrong tries no less specific hostnames.
fn engine(world: &mut World, is_wrong: bool) -> Core {
    world.resources.grpc_routes.clear();
    world.hostname_fall_through = true;
    let options = Options {
        controller_name: CONTROLLER_NAME.to_owned(),
        extensions: Some(Arc::new(conformance::decision::RequestEdits)),
        hostname_fall_through: !is_wrong,
        ..Options::default()
    };
    Core::new(&world.resources, &options)
}

#[test]
fn an_engine_that_decides_as_the_reference_does_passes() {
    let mut compared = Compared::default();
    for bytes in inputs() {
        compared += compare_engine(&bytes, |world| {
            let engine = engine(world, false);
            move |arrival: &Arrival| engine.answer(arrival)
        })
        .unwrap_or_else(|disagreement| panic!("{disagreement}"));
        compared += compare_decisions(&bytes, |world| {
            let engine = engine(world, false);
            move |arrival: &Arrival| engine.decide(arrival)
        })
        .unwrap_or_else(|disagreement| panic!("{disagreement}"));
    }
    assert!(compared.served > 100, "{compared:?}");
}

#[test]
fn an_engine_that_decides_otherwise_is_found_and_both_decisions_are_told() {
    let wrong = inputs().find_map(|bytes| {
        let decided = compare_decisions(&bytes, |world| {
            let engine = engine(world, true);
            move |arrival: &Arrival| engine.decide(arrival)
        });
        decided.err()
    });
    let told = wrong.expect("hostnames do fall through now and then").to_string();
    assert!(told.contains("reference: ") && told.contains("   engine: "), "{told}");
}
