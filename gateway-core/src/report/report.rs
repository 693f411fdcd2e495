//! Findings as problems with a place, one for each thing that is wrong.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use super::left_out::LeftOut;
use super::places::Places;
use crate::api::{Kind, Resources};
use crate::condition::{Condition, Reason};
use crate::finding::Finding;
use crate::lint;
use crate::manifest::{ManifestProblem, Severity, closest};
use crate::name::{ObjectName, RouteKey};
use crate::options::Options;
use crate::status::{Cause, Statuses};
use crate::translate::{Diagnostic, Translation};

/// Findings as problems with a place, one for each thing that is wrong.
#[derive(Debug)]
pub struct Report<'r> {
    places: Places<'r>,
    /// What is used of it.
    resources: &'r Resources,
    left_out: LeftOut,
    problems: Vec<ManifestProblem>,
    /// Where among the problems each message about each object is, and at how many fields more it is true.
    known: HashMap<(Kind, ObjectName, String), (usize, usize)>,
    /// Where among the problems each message is that is true of what refers to an object that was left out, and of what else it is.
    because_of: HashMap<BecauseOf, (usize, BTreeSet<String>)>,
}

/// What is true of all that refers to an object that was left out.
#[derive(Debug, PartialEq, Eq, Hash)]
struct BecauseOf {
    severity: Severity,
    kind: &'static str,
    name: ObjectName,
    message: String,
}

impl<'r> Report<'r> {
    /// An empty report on these objects, which are those in use, and are written at these places.
    pub fn new(places: Places<'r>, resources: &'r Resources) -> Self {
        Self {
            places,
            resources,
            left_out: LeftOut::default(),
            problems: Vec::new(),
            known: HashMap::new(),
            because_of: HashMap::new(),
        }
    }

    /// The same, with the objects that are written and not used: of one that is missing it is said that it was left out.
    pub fn left_out(self, left_out: LeftOut) -> Self {
        Self { left_out, ..self }
    }

    /// Adds everything that a translation of the objects with these options has to say: [what users should
    /// know](Translation::diagnostics), what is [given and not served](lint::unserved), and what statuses say that is wrong.
    pub fn add_translation(&mut self, translation: &Translation, options: &Options) {
        self.add_outcome(&translation.diagnostics, &translation.statuses, options);
    }

    /// As [`add_translation`](Self::add_translation), of the parts of a translation.
    pub fn add_outcome(&mut self, diagnostics: &[Diagnostic], statuses: &Statuses, options: &Options) {
        let unserved = lint::unserved(self.resources, statuses, options);
        for Diagnostic { severity, kind, key, finding } in diagnostics.iter().cloned().chain(unserved) {
            self.add(severity, kind, &key, finding);
        }
        self.add_statuses(statuses);
    }

    /// Adds a finding about an object. What is true at several fields of it is said once, and so is what is true of several objects
    /// since one that they refer to was left out.
    pub fn add(&mut self, severity: Severity, kind: Kind, key: &ObjectName, finding: Finding) {
        let Finding { field, mut message, because_of, reason: _ } = finding;
        let about = (kind, key.clone(), message.clone());
        if let Some((_, more)) = self.known.get_mut(&about) {
            *more += 1;
            return;
        }
        let (object, position) = (format!("{kind} {key}"), self.problems.len());
        if let Some((kind, name)) = because_of {
            let written = self.written(kind, &name);
            let left_out = if written.is_none() { self.left_out.why(kind, &name) } else { None };
            if left_out.is_some() {
                let because_of = BecauseOf { severity, kind, name: name.clone(), message: message.clone() };
                match self.because_of.entry(because_of) {
                    Entry::Occupied(first) => {
                        first.into_mut().1.insert(object);
                        return;
                    }
                    Entry::Vacant(entry) => entry.insert((position, BTreeSet::new())),
                };
            }
            message.extend(written.or(left_out).or_else(|| self.meant(kind, &name)));
        }
        self.known.insert(about, (position, 0));
        self.problems.push(ManifestProblem {
            severity,
            location: self.places.location(kind, key),
            object: Some(object),
            field: Some(field).filter(|field| !field.is_empty()),
            message,
        });
    }

    /// Where an object that is there is written, as the end of a message; in a cluster that is nowhere.
    fn written(&self, kind: &str, name: &ObjectName) -> Option<String> {
        let kind = Kind::ALL.iter().copied().find(|known| known.as_str() == kind)?;
        let place = self.resources.contains(kind, name).then(|| self.places.location(kind, name))?;
        (place.line > 0).then(|| format!("; the {kind} is written at {place}"))
    }

    /// The object of this kind that may have been meant, as the end of a message: one of a similar name in the namespace, or of the
    /// same in another.
    fn meant(&self, kind: &str, name: &ObjectName) -> Option<String> {
        /// Among more than these, what is near says little, and takes long to find.
        const MOST: usize = 1_000;
        let own = self.resources.own.keys().map(|kind| Kind::Own(kind));
        let kind = &Kind::ALL.iter().copied().chain(own).find(|known| known.as_str() == kind)?;
        let beside = self.resources.names(*kind).filter(|other| other.namespace == name.namespace);
        if let Some(meant) = closest(&name.name, beside.map(|other| &*other.name).take(MOST)) {
            return Some(format!("; did you mean {meant}?"));
        }
        let elsewhere = self.resources.names(*kind).take(MOST).find(|other| other.name == name.name)?;
        Some(format!("; there is one in namespace {}", elsewhere.namespace))
    }

    /// What the statuses say that is wrong.
    fn add_statuses(&mut self, statuses: &Statuses) {
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
        for (kind, name, status) in statuses.policies() {
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

    /// The list, in the order in which its parts were added.
    pub fn into_problems(mut self) -> Vec<ManifestProblem> {
        /// More are of no use to a reader: all of them are well once the object that they refer to is.
        const MOST: usize = 3;
        for (position, more) in self.known.into_values().filter(|(_, more)| *more > 0) {
            let places = if more == 1 { "place" } else { "places" };
            self.problems[position]
                .message
                .push_str(&format!("; the same holds at {more} more {places} in the object"));
        }
        for (position, others) in self.because_of.into_values().filter(|(_, others)| !others.is_empty()) {
            let count = others.len();
            let mut named: Vec<String> = others.into_iter().take(MOST).collect();
            if count > MOST {
                named.push(format!("{} more", count - MOST));
            }
            let last = named.pop().map(|last| if named.is_empty() { last } else { format!(" and {last}") });
            let named = named.join(", ") + &last.unwrap_or_default();
            self.problems[position].message.push_str(&format!("; the same holds for {named}"));
        }
        self.problems
    }
}

/// Whether a condition says that something is wrong.
fn is_trouble(condition: &Condition) -> bool {
    let is_bad = condition.kind.bad_status() == Some(condition.status);
    // A Gateway or ListenerSet may be accepted and have listeners that are not valid.
    is_bad || condition.reason == Reason::ListenersNotValid
}
