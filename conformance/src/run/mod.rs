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

use self::stage::{Place, Stage, Stop};
use crate::case::{Case, Step};
use crate::engine::{Abilities, Engines};
use crate::outcome::{CaseReport, Finding, Verdict};
use crate::skips;

/// Plays a case with an engine of its own.
pub async fn run_case<E: Engines>(engines: &E, case: &Case, settings: &Settings) -> CaseReport {
    let started = Instant::now();
    let mut passed_over = Vec::new();
    let abilities = engines.abilities();
    let verdict = match without_running(engines, case, settings, &abilities, &mut passed_over) {
        Some(verdict) => verdict,
        None => {
            let place = Place::default();
            let play = play(engines, case, settings, &abilities, &place, &mut passed_over);
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
    CaseReport { name: case.name.clone(), verdict, passed_over, duration: started.elapsed() }
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
    passed_over: &mut Vec<String>,
) -> Result<(), Stop> {
    place.set("start of the engine");
    let engine = engines.start(case).await?;
    let mut stage = Stage::new(engine, case, settings, abilities, place);
    stage.set_up().await?;
    let mut shown = false;
    for (index, step) in case.steps.iter().enumerate() {
        place.set(format!("steps[{index}].{}", step.key()));
        if !abilities.statuses && stage::is_about_statuses(step) {
            passed_over.push(format!("{}: the engine has no statuses", place.get()));
            continue;
        }
        stage.step(step).await?;
        shown |= !matches!(step, Step::Apply(_) | Step::Delete(_) | Step::Patch(_));
    }
    if !shown {
        passed_over.clear();
        return Err(Stop::Skipped("it is about statuses only, and the engine has none".to_owned()));
    }
    Ok(())
}

/// What a panic says.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}
