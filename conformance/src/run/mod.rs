//! Runs cases against engines.
//!
//! [`run_case`] plays one case: it sets up the objects, goes through the steps, and says what came of it. [`run`] plays many,
//! some at a time, and tells of each when it starts and when it is done.
//!
//! A case never harms another: each has an engine of its own, a limit of time, and a panic of the engine is a failure of that
//! case only.
//!
//! ```
//! use std::sync::Arc;
//! use conformance::engine::Engines;
//! use conformance::outcome::Verdict;
//! use conformance::run::{Selection, Settings, run};
//!
//! async fn report<E: Engines + 'static>(engines: E) {
//!     let selection = Selection { names: vec!["HTTPRoute*".parse().expect("a pattern")], ..Selection::default() };
//!     for report in run(Arc::new(engines), &selection, &Settings::default(), |_| ()).await {
//!         if let Verdict::Failed(finding) = report.verdict {
//!             eprintln!("{}: {}: expected {}, got {}", report.name, finding.at, finding.expected, finding.got);
//!         }
//!     }
//! }
//! ```

mod clients;
mod merge_patch;
mod patience;
mod placeholder;
mod selection;
mod sent;
mod settings;
mod stage;
mod suite;
mod traffic;

#[cfg(test)]
mod tests;

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use futures_util::FutureExt as _;
use gateway_core::feature::Feature;

pub use self::selection::{Choice, Pattern, Selection};
pub use self::sent::sent;
pub use self::settings::Settings;
pub use self::suite::{Event, run, run_all};

use self::stage::{About, Place, Stage, Stop};
use crate::case::Case;
use crate::engine::{Abilities, Engines};
use crate::outcome::{CaseReport, Finding, Verdict};
use crate::skips;

/// How much of a case was looked at.
#[derive(Default)]
struct Seen {
    checked: usize,
    passed_over: Vec<String>,
}

/// Plays a case with an engine of its own.
pub async fn run_case<E: Engines>(engines: &E, case: &Case, settings: &Settings) -> CaseReport {
    let started = Instant::now();
    let mut seen = Seen::default();
    let abilities = engines.abilities();
    let verdict = match without_running(engines, case, settings, &abilities, &mut seen.passed_over) {
        Some(verdict) => verdict,
        None => {
            let place = Place::default();
            let play = play(engines, case, settings, &abilities, &place, &mut seen);
            let play = AssertUnwindSafe(play).catch_unwind();
            let failed = |expected: &str, got: String| {
                let finding = Finding { expected: expected.to_owned(), got, ..Finding::default() };
                Verdict::Failed(Box::new(place.finding(case, finding)))
            };
            match tokio::time::timeout(settings.limit, play).await {
                Ok(Ok(Ok(()))) => Verdict::Passed,
                Ok(Ok(Err(Stop::Skipped(reason)))) => Verdict::Skipped(reason),
                Ok(Ok(Err(Stop::Failed(finding)))) => {
                    Verdict::Failed(Box::new(place.finding(case, *finding)))
                }
                Ok(Err(panic)) => failed("an engine that goes on", format!("a panic: {}", message(&*panic))),
                Err(_) => {
                    let limit = settings.limit.as_secs_f64();
                    failed("an end of the case", format!("none within {limit} s, the limit for a case"))
                }
            }
        }
    };
    let Seen { checked, passed_over } = seen;
    CaseReport { name: case.name.clone(), verdict, checked, passed_over, duration: started.elapsed() }
}

/// The verdict about a case that need not run, or cannot.
pub(crate) fn without_running<E: Engines>(
    engines: &E,
    case: &Case,
    settings: &Settings,
    abilities: &Abilities,
    notes: &mut Vec<String>,
) -> Option<Verdict> {
    let has = |feature: &&Feature| abilities.features.contains(*feature);
    let missing: Vec<Feature> = case.features.iter().filter(|feature| !has(feature)).copied().collect();
    if !missing.is_empty() {
        return Some(Verdict::NotSupported(missing));
    }
    if let Some(reason) = skips::reason(engines.name(), &case.name).filter(|_| settings.skips) {
        return Some(Verdict::Skipped(reason.to_owned()));
    }
    if let Some(feature) = case.unless.iter().find(has) {
        notes.push(format!("nothing to show: {feature} is claimed"));
        return Some(Verdict::Passed);
    }
    if let Some(feature) = case.only_with.iter().find(|feature| !has(feature)) {
        notes.push(format!("nothing to show: {feature} is not claimed"));
        return Some(Verdict::Passed);
    }
    if abilities.static_addresses.is_none() && placeholder::needs_addresses(&case.text) {
        return Some(Verdict::Skipped("nobody said which address is usable, and which is not".to_owned()));
    }
    None
}

async fn play<E: Engines>(
    engines: &E,
    case: &Case,
    settings: &Settings,
    abilities: &Abilities,
    place: &Place,
    seen: &mut Seen,
) -> Result<(), Stop> {
    place.set("start of the engine");
    let engine = engines.start(case).await?;
    let mut stage = Stage::new(engine, case, settings, abilities, place);
    stage.set_up().await?;
    let mut not_sent = 0;
    for (index, step) in case.steps.iter().enumerate() {
        place.set(format!("steps[{index}].{}", step.key()));
        match About::from(step) {
            About::Statuses if !abilities.statuses => {
                seen.passed_over.push(format!("{}: the engine has no statuses", place.get()));
            }
            About::Traffic if !abilities.traffic => {
                seen.passed_over.push(format!("{}: the engine carries no traffic", place.get()));
                not_sent += 1;
            }
            About::Objects => stage.step(step).await?,
            About::Statuses | About::Infrastructure | About::Traffic => {
                stage.step(step).await?;
                seen.checked += 1;
            }
        }
    }
    match (seen.checked, not_sent) {
        (0, _) => {
            seen.passed_over.clear();
            let skipped = match abilities.statuses {
                false => "it is about statuses only, and the engine has none",
                true => "it is about traffic only, and the engine carries none",
            };
            Err(Stop::Skipped(skipped.to_owned()))
        }
        (_, 0) => Ok(()),
        // What was looked at is as it must be; but the case is not shown by half of it.
        (held, left_out) => Err(Stop::Skipped(format!(
            "{held} steps hold, and {left_out} were left out because the engine carries no traffic"
        ))),
    }
}

/// What a panic says.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}
