//! Routes of every kind: from rules as written to rules that work, and what is wrong with the others.

use std::sync::Arc;

use super::rule::{CompiledRules, RuleFindings};
use super::scope::{Compiler, Scope};
use super::{grpc_rule, http_rule, stream_rule};
use crate::api::{GrpcRoute, HttpRoute, TcpRoute, TlsRoute, UdpRoute};
use crate::attach::{AttachedParent, AttachedRoute, AttachedTo, ListenerKey, MeshPlace, Route, Side};
use crate::hostname::HostnameError;
use crate::name::{Age, ObjectName, RouteKey};
use crate::resolve::{BackendKey, Usage};

/// A Route of any kind, attached, with its rules compiled: what its status is read from and what the table gets.
#[derive(Debug)]
pub(crate) struct CompiledRoute {
    /// The side that its parents are on.
    pub(crate) side: Side,
    /// Kind, namespace and name.
    pub(crate) key: Arc<RouteKey>,
    /// The Route's generation, for its conditions.
    pub(crate) generation: Option<i64>,
    /// The place of the Route among Routes.
    pub(crate) age: Age,
    /// What became of each parentRef that leads to an object of ours.
    pub(crate) parents: Vec<AttachedParent>,
    /// The hostnames that cannot be served.
    pub(crate) bad_hostnames: Vec<HostnameError>,
    /// The rules that are served.
    pub(crate) rules: CompiledRules,
    /// What is wrong with each rule, in the order of the spec.
    pub(crate) findings: Vec<RuleFindings>,
    /// The backends that the rules refer to, there or not, in order.
    pub(crate) used: Box<[Arc<BackendKey>]>,
    /// How many matches the rules have as written, where they are served.
    pub(crate) matches: usize,
}

/// A kind of Route whose rules can be compiled.
pub(crate) trait CompileRoute: Route {
    /// How many matches the rules have as written; one for a kind without.
    fn matches(&self) -> usize;

    /// Compiles every rule: those that are served, and what is wrong with each.
    fn compile(&self, scope: &mut Scope<'_, '_>) -> (CompiledRules, Vec<RuleFindings>);
}

/// Compiles the rules of a Route.
pub(crate) fn route<R: CompileRoute>(
    attached: AttachedRoute<R>,
    compiler: &mut Compiler<'_>,
) -> CompiledRoute {
    let AttachedRoute { side, key, object, age, parents, bad_hostnames } = attached;
    let mut attached = parents.iter().flat_map(|parent| parent.listeners.iter().flatten());
    let terminates_tls = |to: &AttachedTo| match to {
        AttachedTo::Listener { terminates_tls, .. } => *terminates_tls,
        AttachedTo::Service(_) => false,
    };
    let usage = Usage::new(key.kind, attached.any(terminates_tls));
    let mut scope = Scope::new(compiler, &key, object.metadata(), (side, usage));
    let (rules, findings) = object.compile(&mut scope);
    let (generation, used, matches) = (object.metadata().generation, scope.into_used(), object.matches());
    CompiledRoute { side, key, generation, age, parents, bad_hostnames, rules, findings, used, matches }
}

// === impl CompiledRoute ===

impl CompiledRoute {
    /// Whether some rule can be carried out. A GRPCRoute may be without rules: it takes no call, as it says.
    ///
    /// # Spec
    /// RTE-18, RTE-25, GRP-02.
    pub(crate) fn is_usable(&self) -> bool {
        self.findings.is_empty() || self.findings.iter().any(|rule| rule.problems.is_empty())
    }

    /// The listeners that count the Route: those that let it in and whose parent accepts it, each once.
    ///
    /// # Spec
    /// RTE-06, GWK-09 to GWK-12: whatever state the listener is in.
    pub(crate) fn counting_listeners(&self) -> Vec<ListenerKey> {
        let parents = self.parents.iter().filter(|_| self.is_usable());
        let attached = parents.flat_map(|parent| parent.listeners.iter().flatten());
        let listener = |to: &AttachedTo| match to {
            AttachedTo::Listener { listener, .. } => Some(*listener),
            AttachedTo::Service(_) => None,
        };
        let mut listeners: Vec<_> = attached.filter_map(listener).collect();
        listeners.sort_unstable();
        listeners.dedup();
        listeners
    }

    /// The ports of Services that it is for, whether it serves anything there or not.
    pub(crate) fn places(&self) -> impl Iterator<Item = &MeshPlace> {
        let attached = self.parents.iter().flat_map(|parent| parent.listeners.iter().flatten());
        attached.filter_map(|to| match to {
            AttachedTo::Service(place) => Some(place),
            AttachedTo::Listener { .. } => None,
        })
    }

    /// The Gateways that accept the Route.
    pub(crate) fn gateways(&self) -> impl Iterator<Item = &ObjectName> {
        let parents = self.parents.iter().filter(|parent| self.is_usable() && parent.listeners.is_ok());
        parents.filter_map(|parent| parent.gateway.as_ref())
    }
}

// === impl CompileRoute ===

impl CompileRoute for HttpRoute {
    fn matches(&self) -> usize {
        // A rule without any matches every request.
        self.spec.rules.iter().map(|rule| rule.matches.len().max(1)).sum()
    }

    fn compile(&self, scope: &mut Scope<'_, '_>) -> (CompiledRules, Vec<RuleFindings>) {
        let rules = self.spec.rules.iter().enumerate();
        let (rules, findings) = rules.map(|(index, rule)| http_rule::http_rule(index, rule, scope)).unzip();
        (CompiledRules::Http(rules), findings)
    }
}

impl CompileRoute for GrpcRoute {
    fn matches(&self) -> usize {
        self.spec.rules.iter().map(|rule| rule.matches.len().max(1)).sum()
    }

    fn compile(&self, scope: &mut Scope<'_, '_>) -> (CompiledRules, Vec<RuleFindings>) {
        let rules = self.spec.rules.iter().enumerate();
        let (rules, findings) = rules.map(|(index, rule)| grpc_rule::grpc_rule(index, rule, scope)).unzip();
        (CompiledRules::Grpc(rules), findings)
    }
}

/// A kind of Route whose rule takes all that comes to a hostname of it, or to a port.
macro_rules! streams {
    ($($route:ty),+) => { $(
        impl CompileRoute for $route {
            fn matches(&self) -> usize {
                1
            }

            fn compile(&self, scope: &mut Scope<'_, '_>) -> (CompiledRules, Vec<RuleFindings>) {
                let rules = self.spec.rules.iter();
                stream_rule::stream_rules(rules.map(|rule| (rule.name.as_deref(), &*rule.backend_refs)), scope)
            }
        }
    )+ };
}

streams!(TlsRoute, TcpRoute, UdpRoute);
