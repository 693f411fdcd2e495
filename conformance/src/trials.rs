//! The cases as ordinary tests of a crate that embeds the library.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use tokio::runtime::{Handle, Runtime};

use crate::case::{Case, cases};
use crate::engine::Engines;
use crate::outcome::{Finding, Verdict};
use crate::run::{Settings, run_case, without_running};
use crate::skips::SKIPS;

/// Runs the cases as tests of the crate that calls this, with the arguments of the process.
///
/// One file is all that it takes. In `Cargo.toml`:
///
/// ```toml
/// [[test]]
/// name = "conformance"
/// harness = false
/// ```
///
/// And in `tests/conformance.rs`, here with the engine of this crate that has no network:
///
/// ```no_run
/// use std::process::ExitCode;
/// use conformance::engine::pure::CoreEngines;
///
/// fn main() -> ExitCode {
///     conformance::trials(CoreEngines)
/// }
/// ```
///
/// Every case is a test then, named after its first profile, such as `GATEWAY-HTTP::HTTPRouteMatching`, or `MORE::` for those
/// that no profile has, or `BEYOND::` for those that upstream does not have. `cargo test`, `cargo nextest run`, names to
/// filter by, `--exact` and `--list` work as with any test. A case whose features the engine does not claim, and a case that
/// is skipped, are shown as ignored, with the reason. A failure says where in the case it is, what was expected, and what
/// the engine itself says about it.
///
/// Besides the cases there is a test for each of the [`SKIPS`] of the engine, which fails when the case
/// passes.
pub fn trials<E: Engines + 'static>(engines: E) -> ExitCode {
    trials_with(engines, Settings::default())
}

/// The same with other settings. How many run at a time is for `--test-threads` to say.
///
/// # Panics
/// If the system gives no threads.
pub fn trials_with<E: Engines + 'static>(engines: E, settings: Settings) -> ExitCode {
    run(engines, settings, true)
}

/// The same as [`trials`] for an engine that has to pass every case: one that does not run fails, where it would be ignored
/// otherwise.
///
/// # Panics
/// If the system gives no threads.
pub fn trials_of_every_case<E: Engines + 'static>(engines: E) -> ExitCode {
    run(engines, Settings::default(), false)
}

fn run<E: Engines + 'static>(engines: E, settings: Settings, may_ignore: bool) -> ExitCode {
    let arguments = Arguments::from_args();
    let runtime = Runtime::new().expect("the system gives threads to a test");
    let stage = Stage {
        engines: Arc::new(engines),
        settings: Arc::new(settings),
        may_ignore,
        handle: runtime.handle().clone(),
    };
    let skips = SKIPS.iter().filter(|skip| skip.engine == stage.engines.name());
    let skips =
        skips.filter_map(|skip| Some(stage.needed(cases().iter().find(|case| case.name == skip.case)?)));
    let trials = cases().iter().map(|case| stage.trial(case)).chain(skips).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The name of the test: the first profile of the case, and its name.
fn name(case: &Case) -> String {
    let group = match case.profiles().next() {
        _ if case.is_beyond() => "BEYOND",
        Some((profile, _)) => profile.as_str(),
        None => "MORE",
    };
    format!("{group}::{}", case.name)
}

/// What a test says about a case.
fn completion(case: &Case, verdict: Verdict, may_ignore: bool) -> Result<Completion, Failed> {
    let why = match verdict {
        Verdict::Passed => return Ok(Completion::Completed),
        Verdict::Failed(finding) => return Err(explanation(case, &finding).into()),
        Verdict::Skipped(reason) => reason,
        Verdict::NotSupported(missing) => {
            let missing: Vec<&str> = missing.iter().map(|feature| feature.as_str()).collect();
            format!("not supported: {}", missing.join(", "))
        }
    };
    match may_ignore {
        true => Ok(Completion::ignored_with(why)),
        false => Err(format!("the case does not run, and every case has to: {why}").into()),
    }
}

/// Whether a skip is needed, by what becomes of the case without it.
fn is_needed(verdict: &Verdict) -> Result<(), Failed> {
    match verdict {
        Verdict::Passed => Err("the case passes: take it from the list of skips".into()),
        Verdict::Failed(_) | Verdict::Skipped(_) => Ok(()),
        Verdict::NotSupported(_) => {
            Err("the case does not run anyway: take it from the list of skips".into())
        }
    }
}

/// A finding for a reader who has not seen the case.
fn explanation(case: &Case, finding: &Finding) -> String {
    let Finding { at, sent, expected, got, explanation, tried } = finding;
    let mut text = case.summary.clone();
    for (title, content) in [
        ("at", at),
        ("looked at", sent),
        ("expected", expected),
        ("got", got),
        ("why", explanation.as_ref().unwrap_or(&String::new())),
        ("tried", tried),
    ] {
        let mut lines = content.lines();
        if let Some(first) = lines.next() {
            // Writing to a text does not fail.
            let _ = write!(text, "\n{title:>9}: {first}");
            for line in lines {
                let _ = write!(text, "\n           {line}");
            }
        }
    }
    text
}

struct Stage<E> {
    engines: Arc<E>,
    settings: Arc<Settings>,
    /// Whether a case that does not run is ignored; it fails otherwise.
    may_ignore: bool,
    handle: Handle,
}

// === impl Stage ===

impl<E: Engines + 'static> Stage<E> {
    /// The test that a case is.
    fn trial(&self, case: &'static Case) -> Trial {
        let (engines, settings, handle) = (self.engines.clone(), self.settings.clone(), self.handle.clone());
        let abilities = engines.abilities();
        let verdict = without_running(&*engines, case, &settings, &abilities, &mut Vec::new());
        let does_not_run = matches!(verdict, Some(Verdict::NotSupported(_) | Verdict::Skipped(_)));
        // nextest learns only from the list of tests that one is ignored, and cargo test learns the reason only from the test.
        let may_ignore = self.may_ignore;
        let is_ignored = may_ignore && does_not_run && std::env::var_os("NEXTEST").is_some();
        let trial = Trial::ignorable_test(name(case), move || {
            let report = handle.block_on(run_case(&*engines, case, &settings));
            completion(case, report.verdict, may_ignore)
        });
        trial.with_ignored_flag(is_ignored)
    }

    /// The test that a case that is skipped would not pass.
    fn needed(&self, case: &'static Case) -> Trial {
        let settings = Settings { skips: false, ..Settings::clone(&self.settings) };
        let (engines, handle) = (self.engines.clone(), self.handle.clone());
        Trial::test(format!("SKIPS::{}", case.name), move || {
            is_needed(&handle.block_on(run_case(&*engines, case, &settings)).verdict)
        })
    }
}

#[cfg(test)]
mod tests {
    use gateway_core::feature::Feature;

    use super::*;

    #[test]
    fn a_test_is_named_after_profile_and_case() {
        let named = |wanted: &str| name(cases().iter().find(|case| case.name == wanted).unwrap());
        assert_eq!(named("HTTPRouteMatching"), "GATEWAY-HTTP::HTTPRouteMatching");
        assert_eq!(named("HTTPRouteDisallowedKind"), "MORE::HTTPRouteDisallowedKind");
        let beyond = cases().iter().find(|case| case.is_beyond()).unwrap();
        assert_eq!(name(beyond), format!("BEYOND::{}", beyond.name));
    }

    #[test]
    fn a_case_that_does_not_run_is_ignored_or_fails() {
        let case = &cases()[0];
        for verdict in [Verdict::Skipped("no wire".into()), Verdict::NotSupported(vec![Feature::TlsRoute])] {
            assert!(completion(case, verdict.clone(), true).is_ok());
            assert!(completion(case, verdict, false).is_err());
        }
        assert!(completion(case, Verdict::Passed, false).is_ok());
    }

    #[test]
    fn a_skip_is_needed_while_the_case_fails() {
        assert!(is_needed(&Verdict::Failed(Box::default())).is_ok());
        assert!(is_needed(&Verdict::Passed).is_err());
        assert!(is_needed(&Verdict::NotSupported(Vec::new())).is_err());
    }

    #[test]
    fn a_failure_is_explained() {
        let finding = Finding {
            at: "steps[0].http.requests[1] (a.yaml:9)".to_owned(),
            expected: "status: 200\nbackend: one".to_owned(),
            got: "status: 404".to_owned(),
            ..Finding::default()
        };
        let case = &cases()[0];
        assert_eq!(
            explanation(case, &finding),
            format!(
                "{}\n       at: steps[0].http.requests[1] (a.yaml:9)\n expected: status: 200\n           backend: one\n      \
                 got: status: 404",
                case.summary
            )
        );
    }
}
