//! The status of a Route of any kind: one entry for each parentRef that leads to an object of ours.
//!
//! A Route with parents on two sides, Gateways and Services of a mesh, was compiled for each: what a reference leads to on one side
//! is not what it leads to on the other.

use super::{Cause, RouteParentStatus, RouteStatus};
use crate::attach::AttachedParent;
use crate::compile::CompiledRoute;
use crate::condition::{Condition, ConditionType, Reason};
use crate::finding::Finding;

/// The conditions of a route for each of its parents: `Accepted`, `ResolvedRefs` and, where it is true,
/// `PartiallyInvalid`.
///
/// # Spec
/// RTE-06, RTE-07, RTE-11, RTE-13, RTE-15 to RTE-20, RTE-25, CND-80 to CND-93.
///
/// MSH-14, MSH-15: of every side.
pub(crate) fn route(sides: &[CompiledRoute]) -> RouteStatus {
    let mut status = RouteStatus::default();
    let mut parents: Vec<(usize, RouteParentStatus)> = Vec::new();
    for side in sides {
        status.generation = side.generation;
        parents.extend(of_parents(side));
        add_new(&mut status.causes, causes(side));
        add_new(&mut status.without_effect, without_effect(side));
    }
    parents.sort_by_key(|(position, _)| *position);
    status.parents = parents.into_iter().map(|(_, parent)| parent).collect();
    status
}

/// The entry of each parent, with its place in the spec.
fn of_parents(route: &CompiledRoute) -> impl Iterator<Item = (usize, RouteParentStatus)> {
    let resolved_refs = resolved_refs(route);
    route.parents.iter().map(move |parent| {
        let accepted = accepted(route, parent);
        let partially_invalid = partially_invalid(route).filter(|_| accepted.status);
        let conditions = [accepted, resolved_refs.clone()].into_iter().chain(partially_invalid).collect();
        let status = RouteParentStatus {
            parent_ref: parent.parent_ref.clone(),
            controller_name: parent.controller.clone(),
            conditions,
        };
        (parent.position, status)
    })
}

/// Adds what is not there yet.
fn add_new<T: PartialEq>(all: &mut Vec<T>, more: Vec<T>) {
    for new in more {
        if !all.contains(&new) {
            all.push(new);
        }
    }
}

/// What is wrong with each parent, then with each rule, whatever the parent.
fn causes(route: &CompiledRoute) -> Vec<Cause> {
    let mut causes: Vec<Cause> = Vec::new();
    for finding in route.parents.iter().filter_map(|parent| parent.listeners.as_ref().err()) {
        let cause = Cause::new(ConditionType::Accepted, finding.clone());
        if !causes.contains(&cause) {
            causes.push(cause);
        }
    }
    let of_problems =
        if route.is_usable() { ConditionType::PartiallyInvalid } else { ConditionType::Accepted };
    for (index, rule) in route.findings.iter().enumerate() {
        let problems = rule.problems.iter().map(|finding| (of_problems, finding));
        let references = rule.references.iter().map(|finding| (ConditionType::ResolvedRefs, finding));
        causes.extend(problems.chain(references).map(|(condition, finding)| {
            Cause::new(condition, finding.clone().under(format_args!("spec.rules[{index}]")))
        }));
    }
    causes
}

/// What is passed over, as opposed to what fails.
fn without_effect(route: &CompiledRoute) -> Vec<Finding> {
    let rules = route.findings.iter().enumerate();
    let ignored = rules.flat_map(|(index, rule)| {
        rule.ignored.iter().map(move |field| {
            let message = "is not supported, and has no effect; remove it";
            Finding::new(format!("spec.rules[{index}].{field}"), Reason::UnsupportedValue, message)
        })
    });
    let hostnames = route.bad_hostnames.iter().map(|bad| {
        Finding::new("spec.hostnames", Reason::UnsupportedValue, format!("a hostname is not served: {bad}"))
    });
    let of_parents = route.parents.iter().flat_map(|parent| &parent.without_effect).cloned();
    let mut all = Vec::new();
    add_new(&mut all, ignored.chain(hostnames).chain(of_parents).collect());
    all
}

fn accepted(route: &CompiledRoute, parent: &AttachedParent) -> Condition {
    let condition =
        |status, reason, message| Condition { kind: ConditionType::Accepted, status, reason, message };
    if let Err(not_attached) = &parent.listeners {
        return not_attached.clone().into_condition(ConditionType::Accepted);
    }
    if !route.is_usable() {
        let reason = match problems(route).next() {
            Some((_, first)) => first.reason,
            None => Reason::UnsupportedValue,
        };
        return condition(false, reason, format!("no rule can be carried out: {}", list_problems(route)));
    }
    let mut message = "the route is attached".to_owned();
    let rules = route.findings.iter().enumerate();
    let ignored: Vec<_> = rules
        .flat_map(|(index, rule)| rule.ignored.iter().map(move |field| format!("rules[{index}].{field}")))
        .collect();
    if !ignored.is_empty() {
        message.push_str(&format!("; not supported and without effect: {}", ignored.join(", ")));
    }
    for bad in &route.bad_hostnames {
        message.push_str(&format!("; a hostname is not served: {bad}"));
    }
    for finding in &parent.without_effect {
        message.push_str(&format!("; {}", finding.message));
    }
    condition(true, Reason::Accepted, message)
}

/// The first reason by priority, and the messages of all.
///
/// # Spec
/// RTE-16
fn resolved_refs(route: &CompiledRoute) -> Condition {
    const PRIORITY: [Reason; 4] =
        [Reason::RefNotPermitted, Reason::InvalidKind, Reason::BackendNotFound, Reason::UnsupportedProtocol];
    let problems = || route.findings.iter().flat_map(|rule| &rule.references);
    let kind = ConditionType::ResolvedRefs;
    let Some(first) = problems().next() else {
        let message = "all references are resolved".to_owned();
        return Condition { kind, status: true, reason: Reason::ResolvedRefs, message };
    };
    let reason = PRIORITY.into_iter().find(|reason| problems().any(|problem| problem.reason == *reason));
    let mut messages: Vec<&str> = problems().map(|finding| finding.message.as_str()).collect();
    messages.sort_unstable();
    messages.dedup();
    Condition { kind, status: false, reason: reason.unwrap_or(first.reason), message: messages.join("; ") }
}

fn partially_invalid(route: &CompiledRoute) -> Option<Condition> {
    let (_, first) = problems(route).next()?;
    Some(Condition {
        kind: ConditionType::PartiallyInvalid,
        status: true,
        reason: first.reason,
        message: format!("Dropped Rule {}", list_problems(route)),
    })
}

fn problems(route: &CompiledRoute) -> impl Iterator<Item = (usize, &Finding)> {
    let rules = route.findings.iter().enumerate();
    rules.flat_map(|(index, rule)| rule.problems.iter().map(move |problem| (index, problem)))
}

fn list_problems(route: &CompiledRoute) -> String {
    let list: Vec<_> = problems(route).map(|(rule, problem)| format!("rules[{rule}].{problem}")).collect();
    list.join("; ")
}
