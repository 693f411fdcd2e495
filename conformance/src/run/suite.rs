//! Many cases, some at a time.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::case::{Case, cases};
use crate::engine::Engines;
use crate::outcome::{CaseReport, Finding, Verdict};

use super::{Selection, Settings, run_case};

/// What happens in a run.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A case begins.
    Started(&'a Case),
    /// A case is done.
    Finished(&'a Case, &'a CaseReport),
}

/// Runs the cases of the crate that are selected. The reports are in the order of the cases.
pub async fn run<E: Engines + 'static>(
    engines: Arc<E>,
    selection: &Selection,
    settings: &Settings,
    on_event: impl FnMut(Event<'_>),
) -> Vec<CaseReport> {
    let cases = cases().iter().filter(|case| selection.selects(case)).collect();
    run_all(engines, cases, settings, on_event).await
}

/// Runs these cases. The reports are in their order.
pub async fn run_all<E: Engines + 'static>(
    engines: Arc<E>,
    cases: Vec<&'static Case>,
    settings: &Settings,
    mut on_event: impl FnMut(Event<'_>),
) -> Vec<CaseReport> {
    let settings = Arc::new(settings.clone());
    let mut reports = vec![None; cases.len()];
    let mut running = JoinSet::new();
    let mut waiting = cases.iter().copied().enumerate();
    loop {
        while running.len() < settings.jobs.max(1)
            && let Some((index, case)) = waiting.next()
        {
            on_event(Event::Started(case));
            let (engines, settings) = (engines.clone(), settings.clone());
            running.spawn(async move { (index, run_case(&*engines, case, &settings).await) });
        }
        match running.join_next().await {
            Some(Ok((index, report))) => {
                on_event(Event::Finished(cases[index], &report));
                reports[index] = Some(report);
            }
            // It shows below as a case without a report.
            Some(Err(_)) => {}
            None => break,
        }
    }
    reports.into_iter().zip(cases).map(|(report, case)| report.unwrap_or_else(|| lost(case))).collect()
}

/// The report about a case that was stopped from outside.
fn lost(case: &Case) -> CaseReport {
    let finding =
        Finding { expected: "an end of the case".to_owned(), got: "none".to_owned(), ..Finding::default() };
    CaseReport {
        name: case.name.clone(),
        verdict: Verdict::Failed(Box::new(finding)),
        checked: 0,
        passed_over: Vec::new(),
        duration: std::time::Duration::ZERO,
    }
}
