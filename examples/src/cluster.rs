//! A cluster as files are: a table and statuses, and what is wrong.
//!
//! A controller of gateway-kube that writes nothing does the reading. What it may not read is a problem among the others, since
//! what is said of all else may be wrong for it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use gateway_core::api::Kind;
use gateway_core::apply::Applied;
use gateway_core::condition::Reason;
use gateway_core::finding::Finding;
use gateway_core::manifest::{Location, ManifestProblem, Severity};
use gateway_core::options::Options;
use gateway_core::report::{LeftOut, Places, Report};
use gateway_kube::controller::{Controller, ControllerOptions, View};
use gateway_kube::kube::Client;
use gateway_kube::watch::{self, State};
use tokio::time::{Instant, sleep};

/// How long a cluster has to say everything.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How often it is looked how far the cluster has come.
const LOOK: Duration = Duration::from_millis(200);

/// Why a cluster could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The API server does not answer.
    #[error("{0}")]
    Unreachable(String),
    /// Nothing at all may be read; the first of what was refused.
    #[error("nothing of the cluster may be read. {0}")]
    Refused(watch::LeftOut),
    /// Not everything came in [time](PATIENCE).
    #[error("the cluster has not said everything after {PATIENCE:?}{}", first(.0))]
    Slow(Vec<watch::LeftOut>),
    /// The controller has ended.
    #[error("the controller has ended")]
    Ended,
}

/// Reads a cluster once. What `options` say about writing is passed over.
///
/// # Errors
/// The API server does not answer, or nothing may be read, or reading takes too long.
pub async fn read(client: Client, options: ControllerOptions) -> Result<Applied, ReadError> {
    let options = ControllerOptions { writes: false, events: false, lease: None, ..options };
    let translate = options.translate.clone();
    let (controller, mut updates) = Controller::new(client, options);
    let (viewer, begun) = (controller.viewer(), Instant::now());
    let view = loop {
        let is_read = tokio::select! {
            update = updates.next() => update.is_some(),
            () = sleep(LOOK) => false,
        };
        let view = viewer.view().await.ok_or(ReadError::Ended)?;
        if is_read {
            break view;
        }
        if let Some(told) = unreachable(&view) {
            return Err(ReadError::Unreachable(told));
        }
        if begun.elapsed() >= PATIENCE {
            return Err(ReadError::Slow(view.left_out));
        }
    };
    let left_out: BTreeSet<Kind> = view.left_out.iter().map(|left_out| left_out.kind).collect();
    match view.left_out.first() {
        Some(first) if left_out.is_superset(&controller_kinds()) => Err(ReadError::Refused(first.clone())),
        Some(_) | None => Ok(update(view, &translate)),
    }
}

/// What is wrong with what a controller sees; `options` are those of its translation.
pub fn update(view: View, options: &Options) -> Applied {
    let View { resources, statuses, diagnostics, table, rejected, unreadable, left_out } = view;
    let places = Places::Cluster;
    let mut absent = LeftOut::default();
    let mut problems: Vec<_> = left_out.iter().map(of_left_out).collect();
    for unreadable in &unreadable {
        absent.insert(unreadable.kind, &unreadable.key, places.location(unreadable.kind, &unreadable.key));
    }
    for rejected in &rejected {
        absent.insert(rejected.kind, &rejected.key, places.location(rejected.kind, &rejected.key));
    }
    let mut report = Report::new(places, &resources).left_out(absent);
    for unreadable in unreadable {
        let message = format!("{}; the object is left out", unreadable.message);
        let finding =
            Finding { field: unreadable.field, ..Finding::whole(Reason::UnsupportedValue, message) };
        report.add(Severity::Error, unreadable.kind, &unreadable.key, finding);
    }
    for rejected in rejected {
        for problem in &rejected.problems {
            let message = format!("{} ({}); the object is left out", problem.message, problem.rule);
            let finding = Finding {
                field: problem.field.to_string(),
                ..Finding::whole(Reason::UnsupportedValue, message)
            };
            report.add(Severity::Error, rejected.kind, &rejected.key, finding);
        }
    }
    report.add_outcome(&diagnostics, &statuses, options);
    problems.extend(report.into_problems());
    let mut applied = Applied::default();
    applied.problems = problems;
    applied.resources = Arc::new(resources);
    applied.table = table;
    applied.statuses = statuses;
    applied
}

/// What the API server is said to be, where it answers nothing at all.
fn unreachable(view: &View) -> Option<String> {
    let told = view.left_out.iter().map(|left_out| match &left_out.state {
        State::NotStarting(told) => Some(told),
        State::Starting | State::Current | State::Missing | State::Forbidden(_) | State::Failing(_) => None,
    });
    let told: Option<Vec<_>> = told.collect();
    let first = told?.first().map(|told| (*told).clone());
    first.filter(|_| view.left_out.len() >= controller_kinds().len())
}

fn controller_kinds() -> BTreeSet<Kind> {
    watch::WatchOptions::default().kinds
}

fn of_left_out(left_out: &watch::LeftOut) -> ManifestProblem {
    let severity = match (&left_out.state, left_out.kind) {
        // Without these nothing is served; others belong to the experimental channel.
        (State::Missing, Kind::GatewayClass | Kind::Gateway | Kind::HttpRoute) => Severity::Error,
        (State::Missing, _) => Severity::Info,
        // Its Gateway says what that means.
        (_, Kind::Secret | Kind::ConfigMap | Kind::ClusterTrustBundle) => Severity::Warning,
        (_, _) => Severity::Error,
    };
    ManifestProblem {
        severity,
        location: Location::without_lines("cluster"),
        object: None,
        field: None,
        message: left_out.to_string(),
    }
}

/// The first of what is not read, as the end of a message.
fn first(left_out: &[watch::LeftOut]) -> String {
    match left_out {
        [] => String::new(),
        [first] => format!(": {first}"),
        [first, rest @ ..] => format!(": {first} (and {} more)", rest.len()),
    }
}
