//! The sessions of a rule: its own, or those of its backends.

use super::rule::{RuleFindings, WeightedBackends, WrittenBackend};
use super::scope::Scope;
use crate::api;
use crate::condition::Reason;
use crate::finding::Finding;
use crate::resolve;
use crate::rule::{BackendTarget, Sessions};

const FIELD: &str = "sessionPersistence";

/// The [sessions](sessions) of a rule. Where they make it invalid, it matches nothing.
pub(super) fn of_rule<M, B: WrittenBackend>(
    written: Option<&api::SessionPersistence>,
    rule: (usize, Option<&str>),
    backends: (&[B], &WeightedBackends),
    scope: &Scope<'_, '_>,
    matches: &mut Vec<M>,
    findings: &mut RuleFindings,
) -> Option<Box<Sessions>> {
    sessions(written, rule, backends, scope, findings).unwrap_or_else(|finding| {
        matches.clear();
        findings.problems.push(finding);
        None
    })
}

/// Sessions as they are written for a rule, which is named here, or known by its index; or for its backends. What of them cannot
/// be carried out has no effect: requests are answered all the same.
///
/// # Errors
/// When a Service of the rule has affinity of its own beside sessions of the rule: the rule is invalid then.
///
/// # Spec
/// SES-01, SES-02, SES-11, SES-14; AMB-54.
fn sessions<B: WrittenBackend>(
    written: Option<&api::SessionPersistence>,
    (index, name): (usize, Option<&str>),
    (refs, backends): (&[B], &WeightedBackends),
    scope: &Scope<'_, '_>,
    findings: &mut RuleFindings,
) -> Result<Option<Box<Sessions>>, Finding> {
    let Some(written) = written else { return Ok(of_backends(refs, backends, scope)) };
    if !scope.options().session_persistence {
        findings.ignored.push(FIELD);
        return Ok(None);
    }
    // What may not be referred to is not looked at.
    let found =
        refs.iter().zip(backends).filter(|(_, ((made, _), _))| made.target != BackendTarget::Unresolved);
    let with_affinity = found.filter_map(|(written, _)| scope.service_with_affinity(written.reference()));
    let services: Vec<_> = with_affinity.collect();
    if !services.is_empty() {
        return Err(Finding::new(FIELD, Reason::UnsupportedValue, resolve::beside_affinity(&services)));
    }
    // A rule that has a name keeps its cookie where it stands elsewhere.
    let route = format!("{} {}", scope.route().kind, scope.route().name);
    let named = name.map_or_else(|| format!("{route} {index}"), |name| format!("{route} name {name}"));
    let made = resolve::session(written, scope.identity(), &named);
    let made = made.map_err(|field| findings.ignored.push(field)).ok();
    Ok(made.map(|session| Box::new(Sessions::OfRule(session))))
}

fn of_backends<B: WrittenBackend>(
    refs: &[B],
    backends: &WeightedBackends,
    scope: &Scope<'_, '_>,
) -> Option<Box<Sessions>> {
    let sessions = refs.iter().zip(backends).map(|(written, ((made, _), _))| match made.target {
        BackendTarget::Backend(_) => scope.session_of_backend(written.reference()),
        BackendTarget::Unresolved => None,
    });
    let sessions: Box<[_]> = sessions.collect();
    sessions.iter().any(Option::is_some).then(|| Box::new(Sessions::OfBackends(sessions)))
}
