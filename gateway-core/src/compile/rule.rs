//! The parts of a compiled rule that all kinds of Routes share, and the findings about it.

use super::scope::{Scope, Weighted};
use crate::api::{GrpcBackendRef, HttpBackendRef};
use crate::filter::HttpFilter;
use crate::finding::Finding;
use crate::matching::{GrpcMatch, HttpMatch};
use crate::resolve::BackendReference;
use crate::rule::{Backends, HttpRule, Retry, RuleName, Sessions, StreamRule, Timeouts};

/// A rule with its match entries; none for a rule that is dropped.
pub(crate) type CompiledRule<M> = (Box<[M]>, HttpRule);

/// The rules of a Route that are served.
#[derive(Debug)]
pub(crate) enum CompiledRules {
    /// Those of an HTTPRoute.
    Http(Vec<CompiledRule<HttpMatch>>),
    /// Those of a GRPCRoute.
    Grpc(Vec<CompiledRule<GrpcMatch>>),
    /// That of a TLSRoute, TCPRoute or UDPRoute.
    Stream(Option<Box<StreamRule>>),
}

/// What is wrong with a rule. Fields are below the rule.
#[derive(Debug, Default)]
pub(crate) struct RuleFindings {
    /// Why the rule is invalid; empty for a valid one.
    pub(crate) problems: Vec<Finding>,
    /// Which of its references lead nowhere.
    pub(crate) references: Vec<Finding>,
    /// The fields that are accepted and have no effect.
    pub(crate) ignored: Vec<&'static str>,
}

/// What a rule does with the requests that meet it, whatever the kind of its Route.
pub(super) struct Actions<'w> {
    /// The position in the Route.
    pub(super) index: usize,
    /// The name, as written.
    pub(super) name: Option<&'w str>,
    pub(super) filters: Box<[HttpFilter]>,
    pub(super) backends: WeightedBackends,
    pub(super) timeouts: Timeouts,
    pub(super) retry: Option<Retry>,
    pub(super) sessions: Option<Box<Sessions>>,
}

/// The backends of a rule, each with filters of its own.
pub(super) type WeightedBackends = Vec<(Weighted, Box<[HttpFilter]>)>;

/// An entry of a rule's `backendRefs` of which the filters stand in it.
pub(super) trait WrittenBackend {
    fn reference(&self) -> BackendReference<'_>;
    fn weight(&self) -> i32;
}

// === impl CompiledRules ===

impl CompiledRules {
    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Http(rules) => rules.is_empty(),
            Self::Grpc(rules) => rules.is_empty(),
            Self::Stream(rule) => rule.is_none(),
        }
    }
}

// === impl Actions ===

impl Actions<'_> {
    /// The rule.
    pub(super) fn into_rule(self, scope: &Scope<'_, '_>) -> HttpRule {
        let Self { index, name, filters, backends, timeouts, retry, sessions } = self;
        let id = RuleName { route: scope.route().clone(), index: index as u16, name: name.map(Into::into) };
        let (refs, of_backends): (Vec<_>, Vec<_>) = backends.into_iter().unzip();
        HttpRule {
            data: scope.data(&id),
            id,
            filters,
            backends: listed(refs),
            backend_filters: of_backends.into_iter().collect(),
            timeouts,
            retry: retry.map(Box::new),
            sessions,
        }
    }
}

/// The entries of a rule's `backendRefs`, in their order.
pub(super) fn listed(entries: Vec<Weighted>) -> Backends {
    let backends = Backends::new(entries.iter().map(|(backend, _)| *backend));
    let unresolved =
        entries.into_iter().enumerate().filter_map(|(position, (_, name))| Some((position, name?)));
    unresolved.fold(backends, |backends, (position, name)| backends.with_unresolved(position, name))
}

/// Makes the matches of a rule ready; without any it has one that asks for nothing. What is wrong with one is a problem of the rule.
///
/// # Spec
/// HRM-03, GRP-02.
pub(super) fn matches<W, M: Default>(
    written: &[W],
    scope: &mut Scope<'_, '_>,
    findings: &mut RuleFindings,
    made: impl Fn(&W, &mut Scope<'_, '_>) -> Result<M, Finding>,
) -> Vec<M> {
    if written.is_empty() {
        return vec![M::default()];
    }
    let mut matches = Vec::with_capacity(written.len());
    for (position, written) in written.iter().enumerate() {
        match made(written, scope) {
            Ok(made) => matches.push(made),
            Err(finding) => findings.problems.push(finding.under(format_args!("matches[{position}]"))),
        }
    }
    matches
}

/// Follows the references of a rule. `filters` makes the filters of one; it is told where they stand below the rule.
pub(super) fn backends<'w, B: WrittenBackend>(
    written: &'w [B],
    scope: &mut Scope<'_, '_>,
    findings: &mut RuleFindings,
    mut filters: impl FnMut(&'w B, &str, &mut Scope<'_, '_>, &mut RuleFindings) -> Box<[HttpFilter]>,
) -> WeightedBackends {
    let made = written.iter().enumerate().map(|(position, written)| {
        let (reference, weight) = (written.reference(), written.weight());
        let backend = scope.weighted(reference, weight, position, &mut findings.references);
        (backend, filters(written, &format!("backendRefs[{position}]."), scope, findings))
    });
    made.collect()
}

// === impl WrittenBackend ===

impl WrittenBackend for HttpBackendRef {
    fn reference(&self) -> BackendReference<'_> {
        self.into()
    }

    fn weight(&self) -> i32 {
        self.weight
    }
}

impl WrittenBackend for GrpcBackendRef {
    fn reference(&self) -> BackendReference<'_> {
        self.into()
    }

    fn weight(&self) -> i32 {
        self.weight
    }
}
