//! Translating again and again, at the cost of what changed.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashSet;

use super::routes::{Environment, Routes};
use super::{Diagnostic, Translation};
use crate::api::{AnyObject, BackendObjectReference, Kind, ParentReference, Resources};
use crate::attach::{self, FindServices, Gateways, Mesh, Namespaces, Parents, Services, TelemetryPolicies};
use crate::compile::{Compiler, Listeners, Patterns, Places, ServiceListeners};
use crate::condition::Reason;
use crate::feature::Feature;
use crate::finding::Finding;
use crate::infrastructure;
use crate::manifest::Severity;
use crate::name::{BackendId, ObjectName, RouteKey, RouteKind};
use crate::options::Options;
use crate::resolve::{
    AllServices, BackendContext, BackendKey, BackendName, BackendTlsPolicies, BackendTrafficPolicies,
    Backends, Certificates, Endpoints, Grants, KeptCertificates, Lookups, OwnFilters, OwnObjects, Referrer,
    Usage, Workloads, XBackends, backend_of, selecting,
};
use crate::status::{self, Statuses};
use crate::table::{RouteTable, RouteTableBuilder, Unbound};
use crate::validate::{Rejected, Validated};

/// Translates resources, and keeps what did not change from one translation to the next: objects that were checked,
/// certificates that were read, expressions that were compiled, and the parts of the table.
///
/// What it gives is always what a translation from nothing gives.
///
/// ```
/// use gateway_core::manifest;
/// use gateway_core::options::Options;
/// use gateway_core::translate::Translator;
///
/// let mut translator = Translator::new(Options::default());
/// let namespace = |team| format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: shop, labels: {{team: {team}}}}}}}");
/// for team in ["red", "blue"] {
///     let (object, _) = manifest::read(&namespace(team), "namespace.yaml").objects.remove(0);
///     translator.insert(object);
///     let translation = translator.translate();
///     assert!(translation.diagnostics.is_empty());
/// }
/// assert_eq!(translator.translation().table.generation(), 1, "numbered from the options' generation on");
/// ```
#[derive(Debug)]
pub struct Translator {
    options: Options,
    valid: Validated,
    /// The objects that changed since the last translation.
    changed: BTreeSet<(Kind, ObjectName)>,
    /// The objects that resources were given several of.
    repeated: BTreeSet<(Kind, ObjectName)>,
    /// Whether everything is to be done again.
    fresh: bool,
    /// Whether what could not be bound is other than at the last translation.
    unbound_anew: bool,
    namespaces: Namespaces,
    sources: Sources,
    /// The XBackends whose Pods changed since the last translation.
    selections: BTreeSet<ObjectName>,
    /// Where clients are, in a mesh.
    workloads: Option<Workloads>,
    /// What Gateways and ListenerSets refer to.
    certificates: KeptCertificates,
    lookups: Lookups,
    /// What policies refer to.
    policy_certificates: KeptCertificates,
    policy_lookups: Lookups,
    backends: Backends,
    /// Those that filters of listeners refer to.
    services_of_listeners: HashSet<Arc<BackendKey>, RandomState>,
    patterns: Patterns,
    places: Places,
    gateways: Gateways,
    telemetry_policies: TelemetryPolicies,
    mesh: Mesh,
    listeners: Listeners,
    services: ServiceListeners,
    routes: Routes,
    table: RouteTableBuilder,
    translation: Translation,
    /// The objects whose status changed since the caller asked.
    status_changes: BTreeSet<(Kind, ObjectName)>,
}

/// What references to backends are followed through, besides the objects.
#[derive(Debug, Default)]
struct Sources {
    grants: Grants,
    tls_policies: BackendTlsPolicies,
    traffic_policies: BackendTrafficPolicies,
    x_backends: XBackends,
    endpoints: Endpoints,
    own_filters: OwnFilters,
}

/// What leads to the services of Gateways: those that filters of listeners ask, and those that are told of traces.
struct ServicesOfListeners<'t> {
    references: BackendContext<'t>,
    backends: &'t mut Backends,
    table: &'t mut RouteTableBuilder,
    used: HashSet<Arc<BackendKey>, RandomState>,
}

// === impl Sources ===

impl Sources {
    fn references<'r>(&'r self, valid: &'r Validated, options: &'r Options) -> BackendContext<'r> {
        let Self { grants, tls_policies, traffic_policies, x_backends, endpoints, own_filters } = self;
        BackendContext {
            services: AllServices::new(valid),
            endpoints,
            tls_policies,
            traffic_policies,
            x_backends,
            own: OwnObjects { kinds: &options.own_kinds, valid, filters: own_filters },
            pods: &valid.pods,
            grants,
        }
    }
}

// === impl ServicesOfListeners ===

impl FindServices for ServicesOfListeners<'_> {
    fn find(
        &mut self,
        from: Referrer<'_>,
        reference: &BackendObjectReference,
        usage: Usage,
    ) -> Result<BackendId, Finding> {
        let Self { references, backends, table, used } = self;
        backends.resolve_of_listener(*references, (from, usage), reference.into(), used, table)
    }
}

// === impl Translator ===

impl Translator {
    /// A translator without any resources. Its first table has the generation of the options, and each that follows the next.
    pub fn new(options: Options) -> Self {
        let mut table = RouteTable::builder(options.generation);
        table.hostname_fall_through(options.hostname_fall_through);
        let workloads = options.supports(Feature::Mesh).then(Workloads::default);
        Self {
            options,
            valid: Validated::default(),
            changed: BTreeSet::new(),
            repeated: BTreeSet::new(),
            fresh: true,
            unbound_anew: false,
            namespaces: Namespaces::default(),
            sources: Sources::default(),
            selections: BTreeSet::new(),
            workloads,
            certificates: KeptCertificates::default(),
            lookups: Lookups::default(),
            policy_certificates: KeptCertificates::default(),
            policy_lookups: Lookups::default(),
            backends: Backends::default(),
            services_of_listeners: HashSet::default(),
            patterns: Patterns::new(),
            places: Places::default(),
            gateways: Gateways::default(),
            telemetry_policies: TelemetryPolicies::default(),
            mesh: Mesh::default(),
            listeners: Listeners::default(),
            services: ServiceListeners::default(),
            routes: Routes::default(),
            table,
            translation: Translation::default(),
            status_changes: BTreeSet::new(),
        }
    }

    /// Takes other options. Their generation does not count: tables are numbered on.
    pub fn set_options(&mut self, options: Options) {
        let same_check = match (&self.options.certificate_check, &options.certificate_check) {
            (None, None) => true,
            (Some(before), Some(now)) => Arc::ptr_eq(before, now),
            (None, Some(_)) | (Some(_), None) => false,
        };
        if !same_check {
            self.certificates = KeptCertificates::default();
            self.policy_certificates = KeptCertificates::default();
        }
        self.table.hostname_fall_through(options.hostname_fall_through);
        self.options = Options { generation: self.options.generation, ..options };
        self.sources.own_filters = OwnFilters::new(&self.options.own_kinds, &self.valid);
        // All Routes are looked at again.
        self.mesh = Mesh::default();
        if self.options.supports(Feature::Mesh) != self.workloads.is_some() {
            self.table.clear_workloads();
            let has_mesh = self.workloads.is_none();
            self.workloads = has_mesh.then(|| Workloads::new(&self.valid.endpoint_slices));
        }
        self.fresh = true;
    }

    /// Takes note of what the data plane could not bind, in the place of what it could not bind before. Only statuses
    /// depend on it.
    ///
    /// ```
    /// use gateway_core::manifest;
    /// use gateway_core::name::ObjectName;
    /// use gateway_core::options::Options;
    /// use gateway_core::table::{Transport, Unbound, UnboundCause};
    /// use gateway_core::translate::Translator;
    ///
    /// let text = "
    /// apiVersion: gateway.networking.k8s.io/v1
    /// kind: Gateway
    /// metadata: {name: web}
    /// spec: {gatewayClassName: any, listeners: [{name: http, port: 80, protocol: HTTP}]}
    /// ";
    /// let mut translator = Translator::new(Options { any_class: true, ..Options::default() });
    /// manifest::read(text, "web.yaml").objects.into_iter().for_each(|(object, _)| translator.insert(object));
    /// let web = ObjectName::new("default", "web");
    /// let accepted = |translator: &mut Translator| {
    ///     let status = &translator.translate().statuses.gateways[&web].listeners[0];
    ///     status.conditions[0].reason.to_string()
    /// };
    /// assert_eq!(accepted(&mut translator), "Accepted");
    ///
    /// translator.set_unbound(vec![Unbound {
    ///     gateway: web.clone(),
    ///     transport: Transport::Tcp,
    ///     port: 80,
    ///     address: [127, 0, 0, 1].into(),
    ///     cause: UnboundCause::Port,
    ///     message: "address already in use".to_owned(),
    /// }]);
    /// assert_eq!(accepted(&mut translator), "PortUnavailable");
    /// ```
    pub fn set_unbound(&mut self, unbound: Vec<Unbound>) {
        self.unbound_anew |= self.options.addresses.unbound != unbound;
        self.options.addresses.unbound = unbound;
    }

    /// Takes note of the Secrets and ConfigMaps that cannot be read, in the place of those that could not be before; see
    /// [`Options::unreadable`].
    pub fn set_unreadable(&mut self, unreadable: BTreeMap<(Kind, ObjectName), String>) {
        let before = mem::replace(&mut self.options.unreadable, unreadable);
        let now = &self.options.unreadable;
        let all = before.keys().chain(now.keys());
        self.changed.extend(all.filter(|object| before.get(object) != now.get(object)).cloned());
    }

    /// Takes an object, in the place of the one of its kind and name.
    pub fn insert(&mut self, mut object: AnyObject) {
        object.settle_namespace();
        let (kind, name) = (object.kind(), object.key());
        self.before(kind, &name);
        self.repeated.remove(&(kind, name.clone()));
        self.valid.insert(&object);
        self.after(kind, &name);
    }

    /// Takes an object away.
    pub fn remove(&mut self, kind: Kind, name: &ObjectName) {
        self.before(kind, name);
        self.repeated.remove(&(kind, name.clone()));
        self.valid.remove(kind, name);
        self.after(kind, name);
    }

    /// Takes these resources in the place of all that it has. Objects that are the same as before cost a comparison.
    pub fn update(&mut self, resources: &Resources) {
        for (name, slice) in &self.valid.endpoint_slices {
            if resources.endpoint_slices.get(name).is_none_or(|now| !slice.is_same(now)) {
                self.sources.endpoints.remove(name, slice);
                self.workloads.iter_mut().for_each(|workloads| workloads.remove(name, slice));
                self.changed.extend(backend_of(name, slice).map(BackendName::into_object));
            }
        }
        for (name, pod) in &self.valid.pods {
            if resources.pods.get(name).is_none_or(|now| !pod.is_same(now)) {
                self.selections.extend(selecting(&self.valid, name, pod));
            }
        }
        for (kind, name) in self.valid.update(resources) {
            self.after(kind, &name);
        }
        self.repeated.clone_from(resources.repeated());
    }

    /// What the resources amount to now.
    pub fn translate(&mut self) -> &Translation {
        let mut changed = mem::take(&mut self.changed);
        let fresh = mem::replace(&mut self.fresh, false);
        let touched = |kinds: &[Kind]| fresh || changed.iter().any(|(kind, _)| kinds.contains(kind));

        let grants = touched(&[Kind::ReferenceGrant])
            && replace(&mut self.sources.grants, Grants::new(&self.valid.reference_grants));
        let namespaces = touched(&[Kind::Namespace])
            && replace(&mut self.namespaces, Namespaces::new(&self.valid.namespaces));
        let touched_gateways =
            touched(&[Kind::GatewayClass, Kind::Gateway, Kind::ListenerSet, Kind::XTelemetryPolicy]);
        let for_policies = |(kind, name): &(Kind, ObjectName)| {
            self.policy_lookups.contains(*kind, name)
                || BackendName::of_object(*kind, name)
                    .is_some_and(|backend| self.sources.tls_policies.names(&backend))
        };
        let traffic_policies_touched = touched(&[Kind::XBackendTrafficPolicy]);
        let judge_again =
            grants || touched(&[Kind::BackendTlsPolicy, Kind::XBackend]) || changed.iter().any(for_policies);
        if judge_again {
            changed.extend(self.judge_policies());
        }
        changed.extend(mem::take(&mut self.selections).into_iter().map(|name| (Kind::XBackend, name)));
        let of_traffic = |(kind, name): &(Kind, ObjectName)| {
            BackendName::of_object(*kind, name)
                .is_some_and(|backend| self.sources.traffic_policies.names(&backend))
        };
        let judge_traffic_again = traffic_policies_touched || changed.iter().any(of_traffic);
        if judge_traffic_again {
            changed.extend(self.judge_traffic_policies().into_iter().map(BackendName::into_object));
        }
        // Services are looked at in any case, since what leads to them is remembered.
        let (affected, services_of_listeners) = self.affected(&changed);
        let asked = |(kind, name): &(Kind, ObjectName)| self.lookups.contains(*kind, name);
        let attach_again =
            touched_gateways || grants || namespaces || services_of_listeners || changed.iter().any(asked);
        let attached_otherwise = attach_again && self.attach();
        let own_filters = fresh | self.make_own_filters(&changed);
        let all = own_filters || attached_otherwise || grants || namespaces;
        if judge_again || attach_again {
            self.translation.lookups = self.lookups.clone();
            self.translation.lookups.merge(self.policy_lookups.clone());
        }

        let mut routes = if all { self.routes.all(&self.valid) } else { affected };
        self.add_concerned(&mut routes);
        if !routes.is_empty() {
            self.compile(routes);
            self.table.services(self.services.addresses(&self.valid.services));
        }
        if let Some(workloads) = &mut self.workloads {
            self.table.workloads(workloads.take_changed());
        }
        let unbound_anew = mem::take(&mut self.unbound_anew) || attach_again;
        if unbound_anew {
            self.gateways.note_unbound(&self.options.addresses.unbound);
            let made = infrastructure::services(&self.gateways, &self.options);
            let before = mem::replace(&mut self.translation.infrastructure, made);
            let now = &self.translation.infrastructure;
            note_differences(Kind::Gateway, &before, now, &mut self.status_changes);
        }
        if self.routes.take_recounted() || unbound_anew {
            self.set_statuses();
        }
        if self.routes.take_rereferenced() || judge_again || judge_traffic_again || attach_again {
            self.set_policy_statuses();
        }
        self.set_diagnostics();
        self.table.generation(self.options.generation);
        self.options.generation = self.options.generation.saturating_add(1);
        self.translation.table = self.table.table();
        self.patterns.sweep();
        &self.translation
    }

    /// The objects whose status is another one than when this was asked last, and those that have none any more; the Gateways
    /// too for which [something else is to be made](Translation::infrastructure). What there is to be written, at the cost of what
    /// changed.
    ///
    /// ```
    /// use gateway_core::manifest;
    /// use gateway_core::options::Options;
    /// use gateway_core::translate::Translator;
    ///
    /// let class = "{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: any}, \
    ///              spec: {controllerName: gateway-api.rs/controller}}";
    /// let mut translator = Translator::new(Options::default());
    /// manifest::read(class, "class.yaml").objects.into_iter().for_each(|(object, _)| translator.insert(object));
    /// translator.translate();
    /// assert_eq!(translator.take_status_changes().len(), 1);
    /// translator.translate();
    /// assert!(translator.take_status_changes().is_empty());
    /// ```
    pub fn take_status_changes(&mut self) -> BTreeSet<(Kind, ObjectName)> {
        mem::take(&mut self.status_changes)
    }

    /// What translations depend on besides the resources.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The objects that an API server would have refused, as of the last edit. They are left out.
    pub fn rejected(&self) -> &[Rejected] {
        &self.valid.rejected
    }

    /// The last translation.
    pub fn translation(&self) -> &Translation {
        &self.translation
    }

    /// The last translation, where no other is to follow.
    pub fn into_translation(self) -> Translation {
        self.translation
    }

    /// The slices of a backend are kept apart; an old one has to go before it is forgotten.
    fn before(&mut self, kind: Kind, name: &ObjectName) {
        if kind == Kind::EndpointSlice
            && let Some(slice) = self.valid.endpoint_slices.get(name)
        {
            self.sources.endpoints.remove(name, slice);
            self.workloads.iter_mut().for_each(|workloads| workloads.remove(name, slice));
            self.changed.extend(backend_of(name, slice).map(BackendName::into_object));
        }
        self.note_selections(kind, name);
    }

    /// Notes the XBackends that select a Pod: before it changes those that it is taken from, and after that those that it comes to.
    fn note_selections(&mut self, kind: Kind, name: &ObjectName) {
        if kind == Kind::Pod
            && let Some(pod) = self.valid.pods.get(name)
        {
            self.selections.extend(selecting(&self.valid, name, pod));
        }
    }

    fn after(&mut self, kind: Kind, name: &ObjectName) {
        if kind == Kind::EndpointSlice
            && let Some(slice) = self.valid.endpoint_slices.get(name)
        {
            self.sources.endpoints.insert(name, slice);
            self.workloads.iter_mut().for_each(|workloads| workloads.insert(name, slice));
            self.changed.extend(backend_of(name, slice).map(BackendName::into_object));
        }
        self.note_selections(kind, name);
        self.changed.insert((kind, name.clone()));
    }

    /// Attaches Gateways and listeners again. Says whether anything came of it that Routes depend on.
    fn attach(&mut self) -> bool {
        let kept = mem::take(&mut self.certificates);
        let mut certificates = Certificates::new(&self.valid, &self.sources.grants, &self.options, kept);
        let mut gateways = attach::gateways(&self.valid, &self.namespaces, &mut certificates, &self.options);
        (self.certificates, self.lookups) = certificates.finish();
        self.find_services(&mut gateways);
        let mut before = mem::replace(&mut self.gateways, gateways);
        before.note_unbound(&[]);
        self.table.addresses(self.gateways.addresses());
        self.table.client_certificates(
            match self.options.supports(Feature::GatewayBackendClientCertificate) {
                true => self.gateways.client_certificates(),
                false => BTreeMap::new(),
            },
        );
        if !before.listeners().eq(self.gateways.listeners()) {
            self.listeners.update(&self.gateways, &mut self.table);
        }
        let other = !before.is_same_for_routes(&self.gateways);
        if other {
            self.routes.forget_counts(self.gateways.listener_count());
        }
        other
    }

    /// Judges BackendTLSPolicies and XBackends again. Gives the Services with which TLS is spoken otherwise now, and the XBackends that
    /// are something else.
    fn judge_policies(&mut self) -> Vec<(Kind, ObjectName)> {
        let kept = mem::take(&mut self.policy_certificates);
        let mut certificates = Certificates::new(&self.valid, &self.sources.grants, &self.options, kept);
        let policies = BackendTlsPolicies::new(&self.valid, &mut certificates, &self.options);
        let x_backends = XBackends::new(&self.valid, &mut certificates, &self.options);
        (self.policy_certificates, self.policy_lookups) = certificates.finish();
        for namespace in x_backends.namespaces_of_pods() {
            self.policy_lookups.insert_pods_of(namespace.clone());
        }
        self.table.backend_certificates(x_backends.certificates());
        let before = mem::replace(&mut self.sources.tls_policies, policies);
        let services = self.sources.tls_policies.differences(&before).into_iter();
        let mut changed: Vec<_> = services.map(|service| service.clone().into_object()).collect();
        let before = mem::replace(&mut self.sources.x_backends, x_backends);
        let others = self.sources.x_backends.differences(&before).into_iter();
        changed.extend(others.map(|name| (Kind::XBackend, name.clone())));
        changed
    }

    /// Judges XBackendTrafficPolicies again. Gives the Services to which traffic behaves otherwise now.
    fn judge_traffic_policies(&mut self) -> Vec<BackendName> {
        let policies =
            BackendTrafficPolicies::new(&self.valid, &self.options, &self.sources.traffic_policies);
        let before = mem::replace(&mut self.sources.traffic_policies, policies);
        self.sources.traffic_policies.differences(&before).into_iter().cloned().collect()
    }

    /// Makes filters of the objects that changed. Says whether some filter is another one now.
    fn make_own_filters(&mut self, changed: &BTreeSet<(Kind, ObjectName)>) -> bool {
        let Self { valid, sources, options, .. } = self;
        let own = changed.iter().filter_map(|(kind, name)| match kind {
            Kind::Own(kind) => Some((*kind, name)),
            _ => None,
        });
        own.fold(false, |other, (kind, name)| {
            other | sources.own_filters.update(kind, name, &options.own_kinds, valid)
        })
    }

    /// Finds the services of listeners and of policies of Gateways, and forgets those that none leads to any more.
    fn find_services(&mut self, gateways: &mut Gateways) {
        let Self { valid, sources, backends, table, options, .. } = self;
        let references = sources.references(valid, options);
        let mut services = ServicesOfListeners { references, backends, table, used: HashSet::default() };
        gateways.find_services(&mut services);
        self.telemetry_policies = TelemetryPolicies::new(valid, gateways, options, &mut services);
        let ServicesOfListeners { backends, table, used, .. } = services;
        table.tracing(self.telemetry_policies.tracing());
        for unused in self.services_of_listeners.iter().filter(|key| !used.contains(*key)) {
            backends.release_of_listeners(unused, table);
        }
        self.services_of_listeners = used;
    }

    /// The Routes that changed, and those for which a backend that did is no longer what it was; and whether it is no longer
    /// that for listeners.
    fn affected(&mut self, changed: &BTreeSet<(Kind, ObjectName)>) -> (BTreeSet<RouteKey>, bool) {
        let (mut affected, mut listeners) = (BTreeSet::new(), false);
        let Self { valid, sources, backends, table, options, .. } = self;
        let references = sources.references(valid, options);
        for (kind, name) in changed {
            if let Some(backend) = BackendName::of_object(*kind, name) {
                let (concerned, of_listeners) = backends.touch(references, &backend, table);
                listeners |= of_listeners;
                affected.extend(concerned.iter().map(|key| (**key).clone()));
            }
            if *kind == Kind::Service {
                affected.extend(self.mesh.routes_of(name).cloned());
            }
            let route = RouteKind::ALL.into_iter().find(|route| Kind::from(*route) == *kind);
            affected.extend(route.map(|route| RouteKey::new(route, name.clone())));
        }
        (affected, listeners)
    }

    /// Adds the Routes that do not change, and for which it makes a difference that these do: those that another kind takes the place
    /// of in a mesh, or no longer.
    fn add_concerned(&mut self, routes: &mut BTreeSet<RouteKey>) {
        if !self.options.supports(Feature::Mesh) {
            return;
        }
        let Self { valid, options, mesh, .. } = self;
        let services = Services { all: &valid.services, options };
        let mut concerned = BTreeSet::new();
        for route in routes.iter() {
            concerned.append(&mut mesh.note(route, parent_refs(route, valid), services));
        }
        routes.append(&mut concerned);
    }

    /// Compiles these Routes again.
    fn compile(&mut self, routes: BTreeSet<RouteKey>) {
        let Self { valid, sources, backends, table, options, .. } = self;
        let references = sources.references(valid, options);
        let (patterns, places, services) = (&mut self.patterns, &mut self.places, &mut self.services);
        let mut compiler = Compiler { references, backends, patterns, places, services, options, table };
        let parents = Parents {
            gateways: &self.gateways,
            namespaces: &self.namespaces,
            services: Services { all: &valid.services, options },
            mesh: &self.mesh,
        };
        let environment = Environment { valid, parents, listeners: &self.listeners };
        let statuses = &mut self.translation.statuses.routes;
        let mut translate = |key: RouteKey, compiler: &mut Compiler<'_>| {
            let status = self.routes.translate(&key, &environment, compiler);
            let object = (key.kind.into(), key.name.clone());
            // Searched for once: where there are many Routes, most of the memory that this reads is not at hand.
            match (statuses.entry(key), status) {
                (Entry::Vacant(_), None) => return,
                (Entry::Vacant(place), Some(status)) => _ = place.insert(status),
                (Entry::Occupied(known), Some(status)) if *known.get() == status => return,
                (Entry::Occupied(mut known), Some(status)) => _ = known.insert(status),
                (Entry::Occupied(known), None) => _ = known.remove(),
            }
            self.status_changes.insert(object);
        };
        routes.into_iter().for_each(|key| translate(key, &mut compiler));
        let full = compiler.patterns.take_full();
        for namespace in compiler.places.take_full(full) {
            let oldest_first = Routes::of_namespace(environment.valid, &namespace);
            oldest_first.into_iter().for_each(|key| translate(key, &mut compiler));
        }
        compiler.patterns.settle();
        compiler.places.settle();
    }

    /// The statuses of what holds listeners.
    fn set_statuses(&mut self) {
        let attached_routes = |listener| self.routes.count(listener);
        let statuses = &mut self.translation.statuses;
        let classes = mem::take(&mut statuses.gateway_classes);
        let gateways = mem::take(&mut statuses.gateways);
        let sets = mem::take(&mut statuses.listener_sets);
        status::set_listeners(statuses, &self.gateways, &attached_routes, &self.options);
        let changes = &mut self.status_changes;
        note_differences(Kind::GatewayClass, &classes, &statuses.gateway_classes, changes);
        note_differences(Kind::Gateway, &gateways, &statuses.gateways, changes);
        note_differences(Kind::ListenerSet, &sets, &statuses.listener_sets, changes);
    }

    /// The statuses of policies: of those for backends that some Gateway reaches through an accepted Route or with its traces, and of
    /// those for Gateways.
    ///
    /// # Spec
    /// BTP-09
    fn set_policy_statuses(&mut self) {
        let ours = |gateway| self.gateways.gateways.get_key_value(gateway);
        let reached =
            |route: &RouteKey| self.routes.gateways(route).iter().filter_map(ours).collect::<Vec<_>>();
        let gateways = |routes: Vec<&RouteKey>| {
            let gateways = routes.into_iter().flat_map(reached);
            gateways.map(|(name, gateway)| (name, &gateway.controller)).collect::<BTreeMap<_, _>>()
        };
        let mut of_tls = BTreeMap::new();
        for (name, policy) in self.sources.tls_policies.judged() {
            let routes = policy.services.iter().flat_map(|service| self.backends.users_within_tls(service));
            let mut gateways = gateways(routes.collect());
            let traced =
                policy.services.iter().flat_map(|service| self.telemetry_policies.gateways_of(service));
            gateways.extend(traced.filter_map(ours).map(|(name, gateway)| (name, &gateway.controller)));
            if !gateways.is_empty() {
                of_tls.insert(name.clone(), status::backend_tls_policy(policy, &gateways));
            }
        }
        let mut of_traffic = BTreeMap::new();
        for (name, policy) in self.sources.traffic_policies.judged() {
            let routes = policy.services.iter().flat_map(|service| self.backends.users_of_requests(service));
            let gateways = gateways(routes.collect());
            if !gateways.is_empty() {
                of_traffic.insert(name.clone(), status::backend_traffic_policy(policy, &gateways));
            }
        }
        let judged = self.telemetry_policies.judged().iter();
        let of_telemetry: BTreeMap<_, _> = judged
            .filter(|(_, policy)| !policy.targets.is_empty())
            .map(|(name, policy)| (name.clone(), status::telemetry_policy(policy)))
            .collect();
        let mut of_backends = BTreeMap::new();
        for (name, backend) in self.sources.x_backends.judged() {
            let gateways = gateways(self.backends.users_of_x_backend(name).collect());
            if !gateways.is_empty() {
                of_backends.insert(name.clone(), status::x_backend(backend, &gateways));
            }
        }
        let Statuses { backend_tls_policies, backend_traffic_policies, telemetry_policies, backends, .. } =
            &mut self.translation.statuses;
        let changes = &mut self.status_changes;
        note_differences(Kind::BackendTlsPolicy, backend_tls_policies, &of_tls, changes);
        note_differences(Kind::XBackendTrafficPolicy, backend_traffic_policies, &of_traffic, changes);
        note_differences(Kind::XTelemetryPolicy, telemetry_policies, &of_telemetry, changes);
        note_differences(Kind::XBackend, backends, &of_backends, changes);
        (*backend_tls_policies, *backend_traffic_policies) = (of_tls, of_traffic);
        (*telemetry_policies, *backends) = (of_telemetry, of_backends);
    }

    fn set_diagnostics(&mut self) {
        let invalid = self.valid.rejected.iter().flat_map(|rejected| {
            rejected.problems.iter().map(|problem| Diagnostic {
                severity: Severity::Error,
                kind: rejected.kind,
                key: rejected.key.clone(),
                finding: Finding::new(problem.field.to_string(), Reason::Invalid, problem.message.clone()),
            })
        });
        let repeated = self.repeated.iter().map(|(kind, key)| Diagnostic {
            severity: Severity::Error,
            kind: *kind,
            key: key.clone(),
            finding: Finding::new(
                "metadata.name",
                Reason::Conflicted,
                "written more than once; the first stays, and the others are left out: remove them",
            ),
        });
        let without_class = self.gateways.without_class.iter().map(|(key, class)| Diagnostic {
            severity: Severity::Warning,
            kind: Kind::Gateway,
            key: key.clone(),
            finding: Finding::new(
                "spec.gatewayClassName",
                Reason::Invalid,
                format!(
                    "there is no GatewayClass {class}, so that the Gateway is not served; write one with \
                     controllerName {}, or name another",
                    self.options.controller_name
                ),
            )
            .because_of(Kind::GatewayClass.as_str(), ObjectName::cluster(class.as_str())),
        });
        self.translation.diagnostics = invalid.chain(repeated).chain(without_class).collect();
    }
}

/// The parents that a Route names; none for one that is not there.
fn parent_refs<'v>(route: &RouteKey, valid: &'v Validated) -> &'v [ParentReference] {
    let name = &route.name;
    let written = match route.kind {
        RouteKind::Http => valid.http_routes.get(name).map(|route| &route.spec.parent_refs),
        RouteKind::Grpc => valid.grpc_routes.get(name).map(|route| &route.spec.parent_refs),
        RouteKind::Tls => valid.tls_routes.get(name).map(|route| &route.spec.parent_refs),
        RouteKind::Tcp => valid.tcp_routes.get(name).map(|route| &route.spec.parent_refs),
        RouteKind::Udp => valid.udp_routes.get(name).map(|route| &route.spec.parent_refs),
    };
    written.map_or(&[], Vec::as_slice)
}

/// Notes the objects of this kind whose status is another than before, or none any more.
fn note_differences<S: PartialEq>(
    kind: Kind,
    before: &BTreeMap<ObjectName, S>,
    now: &BTreeMap<ObjectName, S>,
    changes: &mut BTreeSet<(Kind, ObjectName)>,
) {
    let gone = before.keys().filter(|name| !now.contains_key(*name));
    let other = now.iter().filter(|(name, status)| before.get(*name) != Some(*status));
    changes.extend(gone.chain(other.map(|(name, _)| name)).map(|name| (kind, name.clone())));
}

/// Says whether the value is another than before.
fn replace<T: PartialEq>(value: &mut T, now: T) -> bool {
    let other = *value != now;
    *value = now;
    other
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest;

    const SECRET: &str = "{apiVersion: v1, kind: Secret, metadata: {name: tls}, type: kubernetes.io/tls, data: {tls.crt: \
                          CERTIFICATE, tls.key: KEY}}";

    /// A Gateway with a listener for each of two hosts, and the listeners that `more` adds.
    fn gateway(more: &str) -> String {
        format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {{name: gateway}}, spec: \
             {{gatewayClassName: example, listeners: [{{name: a, port: 80, protocol: HTTP}}, \
             {{name: b, port: 81, protocol: HTTP}}{more}]}}}}"
        )
    }

    fn route(name: &str, listener: &str, host: &str, path: &str) -> String {
        format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {{name: {name}}}, spec: \
             {{parentRefs: [{{name: gateway, sectionName: {listener}}}], hostnames: [{host}], \
             rules: [{{matches: [{{path: {{value: {path}}}}}]}}]}}}}"
        )
    }

    fn insert(translator: &mut Translator, yaml: &str) -> RouteTable {
        let read = manifest::read(yaml, "test.yaml");
        assert!(read.problems.is_empty(), "{:?}", read.problems);
        read.objects.into_iter().for_each(|(object, _)| translator.insert(object));
        translator.translate().table.clone()
    }

    fn translator() -> Translator {
        let mut translator = Translator::new(Options::default());
        let class = "{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: example}, \
                     spec: {controllerName: gateway-api.rs/controller}}";
        for yaml in [
            class,
            &gateway(""),
            &route("one", "a", "one.example", "/"),
            &route("two", "a", "two.example", "/"),
            &route("three", "b", "one.example", "/"),
        ] {
            insert(&mut translator, yaml);
        }
        translator
    }

    #[test]
    fn a_route_that_changes_leaves_other_listeners_and_hostnames_as_they_were() {
        let mut translator = translator();
        let before = translator.translation().table.clone();
        let after = insert(&mut translator, &route("one", "a", "one.example", "/new"));
        assert!(!after.shares_listener(&before, "a") && after.shares_listener(&before, "b"));
        assert!(!after.shares_host(&before, "a", "one.example"));
        assert!(after.shares_host(&before, "a", "two.example"));
    }

    #[test]
    fn a_route_that_is_written_again_changes_nothing() {
        let mut translator = translator();
        let before = translator.translation().table.clone();
        let after = insert(&mut translator, &route("one", "a", "one.example", "/"));
        assert!(after.shares_listener(&before, "a") && after.shares_listener(&before, "b"));
    }

    #[test]
    fn a_listener_that_comes_or_goes_leaves_the_others_as_they_were() {
        let mut translator = translator();
        let before = translator.translation().table.clone();
        for more in [
            ", {name: c, port: 82, protocol: HTTP}",
            "",
            ", {name: c, port: 80, protocol: HTTP, hostname: c.example}",
        ] {
            let after = insert(&mut translator, &gateway(more));
            assert!(after.shares_listener(&before, "a") && after.shares_listener(&before, "b"), "{more}");
        }
    }

    #[test]
    fn the_statuses_that_changed_are_told_once() {
        let mut translator = translator();
        translator.take_status_changes();
        let changes = |translator: &mut Translator| {
            let changes = translator.take_status_changes().into_iter();
            changes.map(|(kind, name)| format!("{kind} {name}")).collect::<Vec<_>>()
        };
        let both = ["Gateway default/gateway", "HTTPRoute default/four"];
        insert(&mut translator, &route("four", "a", "four.example", "/"));
        assert_eq!(changes(&mut translator), both, "the listener counts its routes");
        insert(&mut translator, &route("four", "a", "four.example", "/other"));
        assert_eq!(changes(&mut translator), [""; 0], "another table, the same statuses");
        translator.remove(Kind::HttpRoute, &ObjectName::new("default", "four"));
        translator.translate();
        assert_eq!(changes(&mut translator), both, "one that is gone too");
        assert_eq!(changes(&mut translator), [""; 0]);
    }

    #[test]
    fn a_secret_that_stays_is_not_read_again() {
        let base64 = |pem: String| {
            use base64::Engine;
            base64::engine::general_purpose::STANDARD.encode(pem)
        };
        let secret = || {
            let signed = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
            let (certificate, key) = (signed.cert.pem(), signed.signing_key.serialize_pem());
            SECRET.replace("CERTIFICATE", &base64(certificate)).replace("KEY", &base64(key))
        };
        let mut translator = translator();
        insert(&mut translator, &secret());
        let https = ", {name: s, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: tls}]}}";
        let chain = |table: &RouteTable| {
            let mut all = table.listeners().map(|(_, listener)| listener.protocol.clone());
            all.find_map(|protocol| Some(protocol.tls()?.certificates[0].chain().as_ptr()))
        };
        let before = insert(&mut translator, &gateway(https));
        let after =
            insert(&mut translator, &gateway(&format!("{https}, {{name: c, port: 82, protocol: HTTP}}")));
        assert!(chain(&before).is_some() && chain(&before) == chain(&after));
        let other = insert(&mut translator, &secret());
        assert_ne!(chain(&before), chain(&other), "another certificate");
    }
}
