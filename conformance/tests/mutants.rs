//! Every mutant is caught by some case.
//!
//! `docs/mutants.md` has the table; `REWRITE=1 cargo test -p gateway-conformance --test mutants` writes it anew.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use conformance::case::{Case, Step, cases};
use conformance::engine::Engines;
use conformance::engine::pure::{CoreEngines, CoreStatusEngines};
use conformance::mutant::{Fault, Mutant, Mutated, RIGHT_ORDER, mutants};
use conformance::outcome::Verdict;
use conformance::run::{Settings, run_all};

/// How many cases the table names for each mutant.
const NAMED: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mutant_is_caught_by_some_case() {
    let engines = Arc::new(CoreEngines);
    let settings = Settings { jobs: 2, ..Settings::default() };
    let reports = run_all(engines.clone(), cases().iter().collect(), &settings, |_| {}).await;
    // What the good engine passes is what a mutant can fail.
    let good: Vec<&'static Case> = cases()
        .iter()
        .zip(&reports)
        .filter(|(_, report)| report.verdict == Verdict::Passed)
        .map(|(case, _)| case)
        .collect();

    let (many_requests, few): (Vec<&Case>, Vec<&Case>) =
        good.into_iter().partition(|case| sends_many_requests(case));

    // And what it has statuses for without serving it can be wrong there.
    let statuses_only = Arc::new(CoreStatusEngines::default());
    let statuses = about_statuses(&statuses_only, &settings).await;

    let of_control = caught_by(&engines, RIGHT_ORDER, &few, &settings).await;

    let mut table = String::new();
    let mut survivors = Vec::new();
    for mutant in mutants() {
        let mut caught = caught_by(&engines, mutant, &few, &settings).await;
        if matches!(mutant.fault, Fault::Order(_)) {
            caught.retain(|name| !of_control.contains(name));
        }
        if caught.is_empty() {
            caught = caught_by(&engines, mutant, &many_requests, &settings).await;
        }
        if caught.is_empty() {
            caught = caught_by(&statuses_only, mutant, &statuses, &settings).await;
        }
        if caught.is_empty() {
            survivors.push(mutant.name);
        }
        let named: Vec<&str> = caught.iter().take(NAMED).copied().collect();
        writeln!(table, "| {} | {} | {} |", mutant.name, caught.len(), named.join(", "))
            .expect("a string takes it");
    }
    assert!(survivors.is_empty(), "no case fails for these:\n{}", survivors.join("\n"));
    assert!(mutants().len() >= 25);
    check_docs(&table);
}

/// Whether the case takes much longer than others.
fn sends_many_requests(case: &Case) -> bool {
    case.steps.iter().any(|step| matches!(step, Step::Distribution(_) | Step::MirrorShare(_)))
}

/// The cases of which the good engine shows some status.
async fn about_statuses(engines: &Arc<CoreStatusEngines>, settings: &Settings) -> Vec<&'static Case> {
    let reports = run_all(engines.clone(), cases().iter().collect(), settings, |_| {}).await;
    let shown = cases().iter().zip(&reports).filter(|(_, report)| report.checked > 0);
    shown.map(|(case, _)| case).collect()
}

/// The cases that fail because of the mutant.
async fn caught_by<E: Engines + 'static>(
    engines: &Arc<E>,
    mutant: Mutant,
    good: &[&'static Case],
    settings: &Settings,
) -> Vec<&'static str> {
    let mutated = Arc::new(Mutated::new(engines.clone(), mutant));
    let reports = run_all(mutated, good.to_vec(), settings, |_| {}).await;
    let failed = reports.iter().filter(|report| matches!(report.verdict, Verdict::Failed(_)));
    let names = failed.map(|report| report.name.as_str());
    names.map(|name| good.iter().find(|case| case.name == name).expect("it was run").name.as_str()).collect()
}

fn check_docs(table: &str) {
    let text = format!(
        "# Mutants\n\n\
         Mistakes that implementations make, put into the engine `core` one at a time, and the cases that fail because of each.\n\
         Cases that send hundreds of requests are asked only where no other case fails, and then the statuses of the kinds of\n\
         Route that are not served yet.\n\
         The faults are in `src/mutant/`; `REWRITE=1 cargo test -p gateway-conformance --test mutants` writes this page anew.\n\n\
         | mutant | cases that fail | the first of them |\n| --- | --- | --- |\n{table}"
    );
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/mutants.md");
    if std::env::var_os("REWRITE").is_some() {
        std::fs::write(&path, &text).expect("the page can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "docs/mutants.md is stale; write it anew with REWRITE=1");
}
