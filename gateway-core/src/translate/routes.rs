//! The Routes of a translator: what each came to, and what has to be done again when something changes.

use std::collections::BTreeSet;
use std::mem;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::api::Kind;
use crate::attach::{self, AttachedParent, AttachedTo, ListenerKey, MeshPlace, Parents, Side};
use crate::compile::{
    self, CompileRoute, CompiledRoute, CompiledRules, Compiler, Listeners, Places, ServiceListeners,
};
use crate::hostname::Hostname;
use crate::name::{Age, ObjectName, RouteKey, RouteKind};
use crate::resolve::BackendKey;
use crate::status;
use crate::status::{RouteStatus, SharedStatuses};
use crate::table::{ListenerId, RouteId, RouteTableBuilder, StreamRuleId};
use crate::validate::{Valid, Validated};

/// The Routes of every kind that have a parent of ours.
#[derive(Debug, Default)]
pub(super) struct Routes {
    known: HashMap<Arc<RouteKey>, Known, RandomState>,
    /// How many Routes each listener counts.
    counts: Vec<usize>,
    /// Whether the counts changed since the last look.
    recounted: bool,
    /// Whether Routes refer to other backends, or at other Gateways, since the last look.
    rereferenced: bool,
    statuses: SharedStatuses,
}

/// What is remembered of a Route, to be undone when it changes.
#[derive(Debug, Default)]
struct Known {
    /// The Route in the table for what comes from Gateways, unless it serves nothing there.
    served: Option<Served>,
    /// The same for what comes from workloads.
    served_in_mesh: Option<Served>,
    counting: Box<[ListenerKey]>,
    /// The ports of Services that it is for, in order.
    services: Box<[MeshPlace]>,
    /// In order.
    used: Box<[Arc<BackendKey>]>,
    /// The Gateways that it is accepted at, in order.
    gateways: Box<[ObjectName]>,
    /// The places in the indexes that it asks for.
    places: usize,
}

/// A Route in the table. What it is there does not change, since its kind does not.
#[derive(Clone, Copy, Debug)]
enum Served {
    Requests(RouteId),
    Stream(StreamRuleId),
}

/// What Routes are translated with.
pub(super) struct Environment<'e> {
    pub(super) valid: &'e Validated,
    pub(super) parents: Parents<'e>,
    pub(super) listeners: &'e Listeners,
}

// === impl Routes ===

impl Routes {
    /// Every Route that is known, and every one that there is.
    pub(super) fn all(&self, valid: &Validated) -> BTreeSet<RouteKey> {
        let mut all: BTreeSet<RouteKey> = self.known.keys().map(|key| (**key).clone()).collect();
        for kind in RouteKind::ALL {
            let names = valid.metadata(Kind::from(kind)).map(|(name, _)| name.clone());
            all.extend(names.map(|name| RouteKey::new(kind, name)));
        }
        all
    }

    /// The Routes of a namespace that there are, oldest first.
    pub(super) fn of_namespace(valid: &Validated, namespace: &str) -> Vec<RouteKey> {
        let mut all: Vec<(Age, RouteKey)> = Vec::new();
        for kind in RouteKind::ALL {
            let here = valid.metadata(Kind::from(kind)).filter(|(name, _)| *name.namespace == *namespace);
            all.extend(here.map(|(name, metadata)| (metadata.age(name), RouteKey::new(kind, name.clone()))));
        }
        all.sort();
        all.into_iter().map(|(_, key)| key).collect()
    }

    /// Forgets how many Routes the listeners count: the listeners are others now, and all Routes are translated again.
    pub(super) fn forget_counts(&mut self, listeners: usize) {
        self.known.values_mut().for_each(|known| known.counting = Box::default());
        self.counts = vec![0; listeners];
        self.recounted = true;
    }

    /// How many Routes each listener counts, if that changed since it was asked for last.
    pub(super) fn take_recounted(&mut self) -> bool {
        mem::take(&mut self.recounted)
    }

    /// How many Routes a listener counts.
    pub(super) fn count(&self, listener: ListenerKey) -> usize {
        self.counts[listener.index()]
    }

    /// Whether Routes refer to other backends, or are accepted at other Gateways, than when this was asked last.
    pub(super) fn take_rereferenced(&mut self) -> bool {
        mem::take(&mut self.rereferenced)
    }

    /// The Gateways that a Route is accepted at.
    pub(super) fn gateways(&self, route: &RouteKey) -> &[ObjectName] {
        self.known.get(route).map_or(&[], |known| &known.gateways)
    }

    /// Translates a Route, and gives its status; nothing for one that is not there or has no parent of ours.
    pub(super) fn translate(
        &mut self,
        key: &RouteKey,
        environment: &Environment<'_>,
        compiler: &mut Compiler<'_>,
    ) -> Option<Arc<RouteStatus>> {
        let valid = environment.valid;
        let name = &key.name;
        let mut sides = match key.kind {
            RouteKind::Http => compiled(name, valid.http_routes.get(name), environment, compiler),
            RouteKind::Grpc => compiled(name, valid.grpc_routes.get(name), environment, compiler),
            RouteKind::Tls => compiled(name, valid.tls_routes.get(name), environment, compiler),
            RouteKind::Tcp => compiled(name, valid.tcp_routes.get(name), environment, compiler),
            RouteKind::Udp => compiled(name, valid.udp_routes.get(name), environment, compiler),
        };
        let before = self.known.remove(key);
        let Some(first) = sides.first() else {
            self.forget(key, before, compiler);
            return None;
        };
        let is_new = before.is_none();
        let (key, mut before) = (first.key.clone(), before.unwrap_or_default());
        let mut services: Vec<_> = sides.iter().flat_map(CompiledRoute::places).cloned().collect();
        services.sort_unstable();
        services.dedup();
        compiler.services.hold(&services, compiler.table);
        let attached =
            sides.iter().map(|side| attachments(&side.parents, environment.listeners, compiler.services));
        let mut attached: Vec<_> = attached.collect();
        let places = sides.iter().zip(&attached).map(|(side, attached)| {
            let hostnames = attached.iter().map(|(_, hostnames)| hostnames.len().max(1)).sum();
            Places::of(side.matches, hostnames)
        });
        let places = places.fold(0, usize::saturating_add);
        if let Err(finding) = compiler.places.ask(&name.namespace, before.places, places) {
            attached.iter_mut().for_each(Vec::clear);
            let parents = sides.iter_mut().flat_map(|side| &mut side.parents);
            let attached = parents.filter(|parent| parent.listeners.is_ok());
            attached.for_each(|parent| parent.listeners = Err(finding.clone()));
        }
        let status = self.statuses.share(status::route(&sides));
        let mut gateways: Vec<_> = sides.iter().flat_map(CompiledRoute::gateways).cloned().collect();
        gateways.sort_unstable();
        gateways.dedup();
        let (gateways, services) = (gateways.into(), services.into());
        let mut now = Known { places, services, gateways, ..Known::default() };
        let mut used = Vec::new();
        for (side, attachments) in sides.into_iter().zip(attached) {
            let (before, served) = match side.side {
                Side::Gateways => {
                    now.counting = side.counting_listeners().into();
                    (before.served.take(), &mut now.served)
                }
                Side::Mesh => (before.served_in_mesh.take(), &mut now.served_in_mesh),
            };
            *served = serve(before, side.age, side.rules, attachments, compiler.table);
            used.extend(side.used);
        }
        // What is left was served on a side on which there is no parent any more.
        let gone = before.served.into_iter().chain(before.served_in_mesh);
        gone.for_each(|served| served.leave(compiler.table));
        used.sort_unstable();
        used.dedup();
        now.used = used.into();
        self.rereferenced |= is_new || before.used != now.used || before.gateways != now.gateways;
        self.count_again(&before.counting, &now.counting);
        compiler.services.release(&before.services, compiler.table);
        for unused in before.used.iter().filter(|key| now.used.binary_search(key).is_err()) {
            compiler.backends.release(unused, &key, compiler.table);
        }
        self.known.insert(key, now);
        Some(status)
    }

    fn forget(&mut self, key: &RouteKey, known: Option<Known>, compiler: &mut Compiler<'_>) {
        compiler.patterns.release(key);
        let Some(Known { served, served_in_mesh, counting, services, used, gateways: _, places }) = known
        else {
            return;
        };
        self.rereferenced = true;
        compiler.places.release(&key.name.namespace, places);
        served.into_iter().chain(served_in_mesh).for_each(|served| served.leave(compiler.table));
        self.count_again(&counting, &[]);
        compiler.services.release(&services, compiler.table);
        for unused in &used {
            compiler.backends.release(unused, key, compiler.table);
        }
    }

    fn count_again(&mut self, before: &[ListenerKey], now: &[ListenerKey]) {
        if before == now {
            return;
        }
        self.recounted = true;
        before.iter().for_each(|listener| self.counts[listener.index()] -= 1);
        now.iter().for_each(|listener| self.counts[listener.index()] += 1);
    }
}

fn compiled<R: CompileRoute>(
    name: &ObjectName,
    route: Option<&Valid<R>>,
    environment: &Environment<'_>,
    compiler: &mut Compiler<'_>,
) -> Vec<CompiledRoute> {
    let attached = route.map(|route| attach::route(name, route, environment.parents)).unwrap_or_default();
    attached.into_iter().map(|attached| compile::route(attached, compiler)).collect()
}

/// The listeners that are served and let the Route in, with the hostnames that it has there.
///
/// # Spec
/// MSH-10: of Services it has none.
fn attachments(
    parents: &[AttachedParent],
    listeners: &Listeners,
    services: &ServiceListeners,
) -> Vec<(ListenerId, Vec<Hostname>)> {
    let attached = parents.iter().flat_map(|parent| parent.listeners.iter().flatten());
    let served = attached.filter_map(|to| match to {
        AttachedTo::Listener { listener, hostnames, .. } => {
            Some((listeners.get(*listener)?, hostnames.clone()))
        }
        AttachedTo::Service(place) => Some((services.get(place)?, Vec::new())),
    });
    served.collect()
}

/// Puts a Route into the table, if it serves anything.
///
/// A Route of which no rule is valid is not accepted, and yet those of its rules are added that fail their requests:
/// leaving them out would hand the requests to a Route without the filter that could not be made.
///
/// # Spec
/// RTE-22, FLT-05, AMB-38, AMB-62.
fn serve(
    before: Option<Served>,
    age: Age,
    rules: CompiledRules,
    attachments: Vec<(ListenerId, Vec<Hostname>)>,
    table: &mut RouteTableBuilder,
) -> Option<Served> {
    let serves = !rules.is_empty() && !attachments.is_empty();
    if !serves {
        before.into_iter().for_each(|served| served.leave(table));
        return None;
    }
    let id = match (rules, before) {
        (CompiledRules::Http(rules), Some(Served::Requests(id))) => {
            table.replace_http_route(id, age, rules);
            id
        }
        (CompiledRules::Http(rules), _) => table.http_route(age, rules),
        (CompiledRules::Grpc(rules), Some(Served::Requests(id))) => {
            table.replace_grpc_route(id, age, rules);
            id
        }
        (CompiledRules::Grpc(rules), _) => table.grpc_route(age, rules),
        (CompiledRules::Stream(rule), before) => {
            let rule = *rule?;
            let id = match before {
                Some(Served::Stream(id)) => {
                    table.replace_stream_route(id, age, rule);
                    id
                }
                Some(Served::Requests(_)) | None => table.stream_route(age, rule),
            };
            table.attach_stream_to(id, attachments);
            return Some(Served::Stream(id));
        }
    };
    table.attach_to(id, attachments);
    Some(Served::Requests(id))
}

// === impl Served ===

impl Served {
    /// Takes the Route out of the table.
    fn leave(self, table: &mut RouteTableBuilder) {
        match self {
            Self::Requests(id) => table.remove_route(id),
            Self::Stream(id) => table.remove_stream_route(id),
        }
    }
}
