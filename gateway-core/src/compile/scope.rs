//! The scope in which the rules of Routes are compiled.

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashSet;

use super::patterns::Patterns;
use super::places::Places;
use super::service_listeners::ServiceListeners;
use crate::api::{
    BackendRef as WrittenBackendRef, GrpcBackendRef, HttpBackendRef, HttpRequestMirrorFilter, ObjectMeta,
};
use crate::attach::Side;
use crate::filter::{Extension, ExtensionError};
use crate::finding::Finding;
use crate::matching::Pattern;
use crate::name::{BackendId, RouteKey};
use crate::options::Options;
use crate::resolve::{
    BackendContext, BackendKey, BackendName, BackendReference, BackendUser, Backends, Usage,
};
use crate::rule::{BackendRef, BackendTarget, RuleData, RuleName, SessionPersistence};
use crate::table::RouteTableBuilder;

/// What all Routes share while they are compiled.
pub(crate) struct Compiler<'c> {
    pub(crate) references: BackendContext<'c>,
    pub(crate) backends: &'c mut Backends,
    pub(crate) patterns: &'c mut Patterns,
    pub(crate) places: &'c mut Places,
    /// The listeners of Services, which are there for as long as some Route is for them.
    pub(crate) services: &'c mut ServiceListeners,
    pub(crate) options: &'c Options,
    /// Where the backends go.
    pub(crate) table: &'c mut RouteTableBuilder,
}

/// One Route while it is compiled.
pub(crate) struct Scope<'s, 'c> {
    compiler: &'s mut Compiler<'c>,
    route: &'s Arc<RouteKey>,
    metadata: &'s ObjectMeta,
    side: Side,
    usage: Usage,
    used: HashSet<Arc<BackendKey>, RandomState>,
}

/// An entry of a rule's `backendRefs`; where it leads nowhere, with what it is to.
pub(super) type Weighted = (BackendRef, Option<Arc<str>>);

// === impl Scope ===

impl<'s, 'c> Scope<'s, 'c> {
    pub(super) fn new(
        compiler: &'s mut Compiler<'c>,
        route: &'s Arc<RouteKey>,
        metadata: &'s ObjectMeta,
        (side, usage): (Side, Usage),
    ) -> Self {
        compiler.patterns.next_route(route);
        Self { compiler, route, metadata, side, usage, used: HashSet::default() }
    }

    /// The Route.
    pub(super) fn route(&self) -> &Arc<RouteKey> {
        self.route
    }

    /// The regular expression written as `source`.
    pub(super) fn pattern(&mut self, source: &str) -> Result<Pattern, String> {
        self.compiler.patterns.compile(source)
    }

    /// The backend that a reference leads to.
    pub(super) fn backend(&mut self, reference: BackendReference<'_>) -> Result<BackendId, Finding> {
        self.backend_for(self.usage, reference)
    }

    /// The same, with what it gets where that is something else than what the Route sends.
    pub(super) fn backend_for(
        &mut self,
        usage: Usage,
        reference: BackendReference<'_>,
    ) -> Result<BackendId, Finding> {
        let Compiler { references, backends, table, .. } = &mut *self.compiler;
        let user = BackendUser {
            route: self.route,
            usage,
            // MSH-12
            needs_grants: self.side == Side::Gateways,
        };
        backends.resolve(*references, user, reference, &mut self.used, table)
    }

    /// The Service or ServiceImport that a reference leads to, where that keeps connections of a client together by itself.
    pub(super) fn service_with_affinity(&self, reference: BackendReference<'_>) -> Option<BackendName> {
        let service = reference.service(&self.route.name.namespace)?;
        self.compiler.references.services.has_affinity(&service).then_some(service)
    }

    /// How sessions stay with the endpoints of the backend that a reference leads to, where it or a policy says it.
    pub(super) fn session_of_backend(
        &self,
        reference: BackendReference<'_>,
    ) -> Option<Arc<SessionPersistence>> {
        let service = reference.service(&self.route.name.namespace)?;
        self.compiler.references.session(&service).cloned()
    }

    /// What tells the Route from all others, also from one of its name before or after it.
    pub(super) fn identity(&self) -> String {
        let named = || format!("{} {}", self.route.kind, self.route.name);
        self.metadata.uid.clone().unwrap_or_else(named)
    }

    /// What translations depend on besides the resources.
    pub(super) fn options(&self) -> &Options {
        self.compiler.options
    }

    /// One entry of a rule's backends; what is wrong with the reference goes to `findings`.
    pub(super) fn weighted(
        &mut self,
        reference: BackendReference<'_>,
        weight: i32,
        position: usize,
        findings: &mut Vec<Finding>,
    ) -> Weighted {
        let (target, unresolved) = match self.backend(reference) {
            Ok(backend) => (BackendTarget::Backend(backend), None),
            Err(finding) => {
                findings.push(finding.under(format_args!("backendRefs[{position}]")));
                (BackendTarget::Unresolved, Some(reference.to_text(&self.route.name.namespace)))
            }
        };
        (BackendRef { target, weight: u32::try_from(weight).unwrap_or(0) }, unresolved)
    }

    /// The filter that an `ExtensionRef` leads to.
    pub(super) fn extension(
        &self,
        group: &str,
        kind: &str,
        name: &str,
    ) -> Result<Arc<dyn Extension>, ExtensionError> {
        let namespace = &*self.route.name.namespace;
        if let Some(own) = self.compiler.references.own.filter(namespace, (group, kind, name)) {
            return own;
        }
        match &self.compiler.options.extensions {
            Some(extensions) => extensions.resolve(namespace, group, kind, name),
            None => Err(ExtensionError::UnknownKind),
        }
    }

    /// What the embedder wants to know about a rule.
    pub(super) fn data(&self, rule: &RuleName) -> Option<RuleData> {
        let source = self.compiler.options.rule_data.as_ref()?;
        source.data(rule, &self.metadata.labels, &self.metadata.annotations)
    }

    /// The backends that were asked for, in order.
    pub(super) fn into_used(self) -> Box<[Arc<BackendKey>]> {
        let mut used: Box<[_]> = self.used.into_iter().collect();
        used.sort_unstable();
        used
    }
}

// === impl BackendReference ===

impl<'r> From<&'r HttpBackendRef> for BackendReference<'r> {
    fn from(written: &'r HttpBackendRef) -> Self {
        let HttpBackendRef { group, kind, name, namespace, port, weight: _, filters: _ } = written;
        Self { group, kind, namespace: namespace.as_deref(), name, port: *port, is_errand: false }
    }
}

impl<'r> From<&'r GrpcBackendRef> for BackendReference<'r> {
    fn from(written: &'r GrpcBackendRef) -> Self {
        let GrpcBackendRef { group, kind, name, namespace, port, weight: _, filters: _ } = written;
        Self { group, kind, namespace: namespace.as_deref(), name, port: *port, is_errand: false }
    }
}

impl<'r> From<&'r WrittenBackendRef> for BackendReference<'r> {
    fn from(written: &'r WrittenBackendRef) -> Self {
        let WrittenBackendRef { group, kind, name, namespace, port, weight: _ } = written;
        Self { group, kind, namespace: namespace.as_deref(), name, port: *port, is_errand: false }
    }
}

impl<'r> From<&'r HttpRequestMirrorFilter> for BackendReference<'r> {
    fn from(written: &'r HttpRequestMirrorFilter) -> Self {
        (&written.backend_ref).into()
    }
}
