//! Problems from findings: what is wrong, said once, at its place, with what else the source has to say about it.
//!
//! The core speaks of objects and fields, and knows no files and no cluster: an object that was left out because of what is
//! wrong with it is simply not there for those that refer to it. Here both come together.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use gateway_core::api::{DEFAULT_NAMESPACE, Kind, Resources};
use gateway_core::condition::{Condition, Reason};
use gateway_core::finding::Finding;
use gateway_core::manifest::{Collection, Location, ManifestProblem, Severity, closest};
use gateway_core::name::{ObjectName, RouteKey};
use gateway_core::status::{Cause, Statuses};

/// Where objects are written.
#[derive(Clone, Copy)]
pub(crate) enum Places<'r> {
    /// In files.
    Files(&'r Collection),
    /// In a cluster, which has no lines.
    Cluster,
}

/// Findings as problems with a place, one for each thing that is wrong.
pub(crate) struct Report<'r> {
    places: Places<'r>,
    /// What is used of it.
    resources: &'r Resources,
    left_out: LeftOut,
    problems: Vec<ManifestProblem>,
    /// Where among the problems each message about each object is, and at how many fields more it is true.
    known: HashMap<(Kind, ObjectName, String), (usize, usize)>,
}

impl<'r> Report<'r> {
    pub(crate) fn new(places: Places<'r>, resources: &'r Resources, left_out: LeftOut) -> Self {
        Self { places, resources, left_out, problems: Vec::new(), known: HashMap::new() }
    }

    pub(crate) fn add(&mut self, severity: Severity, kind: Kind, key: &ObjectName, finding: Finding) {
        let Finding { field, mut message, missing, reason: _ } = finding;
        match self.known.entry((kind, key.clone(), message.clone())) {
            Entry::Occupied(mut known) => return known.get_mut().1 += 1,
            Entry::Vacant(entry) => entry.insert((self.problems.len(), 0)),
        };
        if let Some((kind, name)) = missing {
            let why = self.left_out.why(kind, &name).or_else(|| self.meant(kind, &name));
            message.extend(why);
        }
        self.problems.push(ManifestProblem {
            severity,
            location: self.places.location(kind, key),
            object: Some(format!("{kind} {key}")),
            field: Some(field).filter(|field| !field.is_empty()),
            message,
        });
    }

    /// The object of this kind that may have been meant, as the end of a message: one of a similar name in the namespace, or of the
    /// same in another.
    fn meant(&self, kind: &str, name: &ObjectName) -> Option<String> {
        /// Among more than these, what is near says little, and takes long to find.
        const MOST: usize = 1_000;
        let kind = Kind::ALL.iter().find(|known| known.as_str() == kind)?;
        let beside = self.resources.names(*kind).filter(|other| other.namespace == name.namespace);
        if let Some(meant) = closest(&name.name, beside.map(|other| &*other.name).take(MOST)) {
            return Some(format!("; did you mean {meant}?"));
        }
        let elsewhere = self.resources.names(*kind).take(MOST).find(|other| other.name == name.name)?;
        Some(format!("; there is one in namespace {}", elsewhere.namespace))
    }

    /// What the statuses say that is wrong.
    pub(crate) fn add_statuses(&mut self, statuses: &Statuses) {
        for (key, status) in &statuses.gateway_classes {
            self.add_status(Kind::GatewayClass, key, &status.causes, status.conditions.iter());
        }
        for (key, status) in &statuses.gateways {
            let of_listeners = status.listeners.iter().flat_map(|listener| &listener.conditions);
            self.add_status(Kind::Gateway, key, &status.causes, status.conditions.iter().chain(of_listeners));
        }
        for (key, status) in &statuses.listener_sets {
            let of_listeners = status.listeners.iter().flat_map(|listener| &listener.conditions);
            let conditions = status.conditions.iter().chain(of_listeners);
            self.add_status(Kind::ListenerSet, key, &status.causes, conditions);
        }
        for (RouteKey { kind, name }, status) in &statuses.routes {
            let kind = Kind::from(*kind);
            let conditions = status.parents.iter().flat_map(|parent| &parent.conditions);
            self.add_status(kind, name, &status.causes, conditions);
            for finding in &status.without_effect {
                self.add(Severity::Warning, kind, name, finding.clone());
            }
        }
        let of_kind = |kind| move |(name, status)| (kind, name, status);
        let tls = statuses.backend_tls_policies.iter().map(of_kind(Kind::BackendTlsPolicy));
        let traffic = statuses.backend_traffic_policies.iter().map(of_kind(Kind::XBackendTrafficPolicy));
        let telemetry = statuses.telemetry_policies.iter().map(of_kind(Kind::XTelemetryPolicy));
        let backends = statuses.backends.iter().map(of_kind(Kind::XBackend));
        for (kind, name, status) in tls.chain(traffic).chain(telemetry).chain(backends) {
            let conditions = status.ancestors.iter().flat_map(|ancestor| &ancestor.conditions);
            self.add_status(kind, name, &status.causes, conditions);
            for finding in &status.without_effect {
                self.add(Severity::Warning, kind, name, finding.clone());
            }
        }
    }

    /// The causes at their fields, or else the conditions: those that merely sum up have nothing to add to a cause.
    fn add_status<'c>(
        &mut self,
        kind: Kind,
        key: &ObjectName,
        causes: &[Cause],
        conditions: impl Iterator<Item = &'c Condition>,
    ) {
        for cause in causes {
            let finding = Finding { message: cause.to_condition().to_string(), ..cause.finding.clone() };
            self.add(Severity::Warning, kind, key, finding);
        }
        for condition in conditions.filter(|condition| causes.is_empty() && is_trouble(condition)) {
            let finding = Finding::whole(condition.reason, condition.to_string());
            self.add(Severity::Warning, kind, key, finding);
        }
    }

    pub(crate) fn into_problems(mut self) -> Vec<ManifestProblem> {
        for (position, more) in self.known.into_values().filter(|(_, more)| *more > 0) {
            let places = if more == 1 { "place" } else { "places" };
            self.problems[position].message.push_str(&format!("; so it is at {more} more {places} of it"));
        }
        self.problems
    }
}

// === impl Places ===

impl Places<'_> {
    /// Where an object is written.
    pub(crate) fn location(self, kind: Kind, key: &ObjectName) -> Location {
        match self {
            Self::Files(written) => written.location(kind, key).cloned().unwrap_or_else(|| Location {
                source: "-".into(),
                line: 1,
                column: 1,
            }),
            Self::Cluster => Location::without_lines("cluster"),
        }
    }
}

/// The objects that are written and not used, with their places.
#[derive(Default)]
pub(crate) struct LeftOut {
    /// By kind and name in lower case, with and without the default namespace.
    places: HashMap<String, Location>,
    /// The first document that could not be read at all.
    unread: Option<Location>,
}

impl LeftOut {
    /// Those that could not be read.
    pub(crate) fn new(problems: &[ManifestProblem]) -> Self {
        let mut left_out = Self::default();
        for problem in problems {
            match &problem.object {
                Some(object) => {
                    let place = problem.location.clone();
                    left_out.places.entry(object.to_lowercase()).or_insert(place);
                }
                None if problem.severity == Severity::Error => {
                    left_out.unread.get_or_insert_with(|| problem.location.clone());
                }
                None => {}
            }
        }
        left_out
    }

    pub(crate) fn insert(&mut self, kind: Kind, name: &ObjectName, place: Location) {
        self.places.entry(format!("{kind} {name}").to_lowercase()).or_insert(place);
    }

    /// Why an object is not there, as the end of a message.
    fn why(&self, kind: &str, name: &ObjectName) -> Option<String> {
        let short =
            || Some(format!("{kind} {}", name.name)).filter(|_| *name.namespace == *DEFAULT_NAMESPACE);
        let names = [Some(format!("{kind} {name}")), short()];
        let found = names.into_iter().flatten().find_map(|name| self.places.get(&name.to_lowercase()));
        match (found, &self.unread) {
            (Some(place), _) if place.line == 0 => {
                Some(format!("; {kind} {name} is there, but was left out for what is said of it"))
            }
            (Some(place), _) => Some(format!("; {kind} {name} is written, but was left out: see {place}")),
            (None, Some(place)) => Some(format!("; perhaps it is in what could not be read: see {place}")),
            (None, None) => None,
        }
    }
}

/// Whether a condition says that something is wrong.
fn is_trouble(condition: &Condition) -> bool {
    let is_bad = condition.kind.bad_status() == Some(condition.status);
    // A Gateway or ListenerSet may be accepted and have listeners that are not valid.
    is_bad || condition.reason == Reason::ListenersNotValid
}
