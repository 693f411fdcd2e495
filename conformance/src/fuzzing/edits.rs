//! A translator that takes edits against a translation from nothing.

use std::collections::BTreeSet;
use std::fmt::{self, Debug, Write as _};
use std::ops;
use std::sync::Arc;

use gateway_core::api::Resources;
use gateway_core::filter::{ExternalAuth, HttpFilter, ListenerFilter, RequestMirror};
use gateway_core::hostname::Host;
use gateway_core::name::ObjectName;
use gateway_core::options::Options;
use gateway_core::rule::{BackendRef, BackendTarget, Backends, HttpRule, StreamRule};
use gateway_core::table::{
    ExplainedStream, Listener, ListenerId, RouteTable, Spans, StreamExplanation, Tracing,
};
use gateway_core::translate::{Translation, Translator, translate};
use gateway_core::validate;

use crate::decision::core::Core;
use crate::decision::{Arrival, MeshArrival};
use crate::generate::{Edit, HOSTS, Source, World, arrival, edit, mesh_arrival, options, world};

/// How many translations one sequence of edits has at most.
const TRANSLATIONS: usize = 60;

/// How many requests each of them is asked about.
const REQUESTS: usize = 5;

/// What was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Followed {
    /// Edits.
    pub edits: usize,
    /// Translations after one edit or several.
    pub translations: usize,
    /// Those among them with a rule in their table.
    pub serving: usize,
    /// Requests.
    pub requests: usize,
}

/// Edits after which a translator does not give what a translation from nothing gives.
#[derive(Debug)]
pub struct Divergence {
    first: Resources,
    options: Options,
    edits: Vec<Vec<Edit>>,
    difference: String,
}

/// Resources, edits and requests made of the bytes: a translator that takes the edits gives what a translation from
/// nothing gives.
///
/// # Panics
/// When it does not.
pub fn edits(bytes: &[u8]) {
    if let Err(divergence) = follow(bytes) {
        panic!("{divergence}");
    }
}

/// The same, told by its result.
///
/// # Errors
/// When the two translations differ.
pub fn follow(bytes: &[u8]) -> Result<Followed, Box<Divergence>> {
    let mut source = Source::new(bytes);
    let World { resources: first, .. } = world(&mut source);
    let first_options = options(&mut source);
    let (mut now, mut options) = (first.clone(), first_options.clone());
    // What requests are made for: all that ever was.
    let mut ever = World { resources: first.clone(), hostname_fall_through: true };
    let mut translator = Translator::new(options.clone());
    translator.update(&first);
    let mut done = Vec::new();
    let mut followed = Followed::default();
    loop {
        let requests: Vec<_> = (0..REQUESTS).map(|_| arrival(&mut source, &ever)).collect();
        let of_workloads: Vec<_> = (0..REQUESTS).map(|_| mesh_arrival(&mut source, &ever)).collect();
        let fresh = translate(&now, &options);
        if let Some(difference) = difference(translator.translate(), &fresh, &requests, &of_workloads) {
            return Err(Box::new(Divergence { first, options: first_options, edits: done, difference }));
        }
        followed.translations += 1;
        followed.serving += usize::from(fresh.table.rules().next().is_some());
        followed.requests += requests.len() + of_workloads.len();
        if source.is_empty() || followed.translations >= TRANSLATIONS {
            return Ok(followed);
        }
        let edits: Vec<Edit> = (0..[1, 1, 2, 4][source.below(4)])
            .map(|_| {
                let edit = edit(&mut source, &first, &now);
                apply(&edit, &mut translator, &mut now, &mut options, &mut ever.resources);
                edit
            })
            .collect();
        followed.edits += edits.len();
        done.push(edits);
    }
}

fn apply(
    edit: &Edit,
    translator: &mut Translator,
    now: &mut Resources,
    options: &mut Options,
    ever: &mut Resources,
) {
    match edit.clone() {
        Edit::Insert(object) => {
            if validate::problems(&object).is_empty() {
                ever.insert(object.clone());
            }
            now.insert(object.clone());
            translator.insert(object);
        }
        Edit::Remove(kind, name) => {
            now.remove(kind, &name);
            translator.remove(kind, &name);
        }
        Edit::Update(resources) => {
            translator.update(&resources);
            *now = *resources;
        }
        Edit::SetOptions(set) => {
            translator.set_options((*set).clone());
            *options = *set;
        }
    }
}

/// Where the two differ, if they do. Tables number things as they please: what is in them is compared by name.
fn difference(
    kept: &Translation,
    fresh: &Translation,
    requests: &[Arrival],
    of_workloads: &[MeshArrival],
) -> Option<String> {
    let of_table = || {
        let (kept, fresh) = (Shown::new(&kept.table), Shown::new(&fresh.table));
        None.or_else(|| unequal("listeners", &kept.listeners, &fresh.listeners))
            .or_else(|| unequal("frontends", &kept.frontends, &fresh.frontends))
            .or_else(|| unequal("services", &kept.services, &fresh.services))
            .or_else(|| unequal("rules", &kept.rules, &fresh.rules))
            .or_else(|| unequal("stream rules", &kept.stream_rules, &fresh.stream_rules))
            .or_else(|| unequal("backends", &kept.backends, &fresh.backends))
            .or_else(|| unequal("traces", &kept.traces, &fresh.traces))
    };
    let of_requests = || {
        let (kept, fresh) = (Core::with_table(kept.table.clone()), Core::with_table(fresh.table.clone()));
        let of_gateways = requests.iter().find_map(|arrival| {
            let what = format!("decisions about {arrival:?}");
            unequal(&what, &kept.answer(arrival), &fresh.answer(arrival))
                .or_else(|| unequal(&what, &kept.explain(arrival), &fresh.explain(arrival)))
        });
        of_gateways.or_else(|| {
            of_workloads.iter().find_map(|arrival| {
                let what = format!("decisions about {arrival:?}");
                unequal(&what, &kept.answer_in_mesh(arrival), &fresh.answer_in_mesh(arrival))
            })
        })
    };
    let (a, b) = (&kept.statuses, &fresh.statuses);
    None.or_else(|| unequal("statuses of classes", &a.gateway_classes, &b.gateway_classes))
        .or_else(|| unequal("statuses of Gateways", &a.gateways, &b.gateways))
        .or_else(|| unequal("statuses of ListenerSets", &a.listener_sets, &b.listener_sets))
        .or_else(|| unequal("statuses of Routes", &a.routes, &b.routes))
        .or_else(|| unequal("statuses", a, b))
        .or_else(|| unequal("lookups", &kept.lookups, &fresh.lookups))
        .or_else(|| unequal("diagnostics", &kept.diagnostics, &fresh.diagnostics))
        .or_else(of_table)
        .or_else(of_requests)
}

fn unequal<T: PartialEq + Debug>(what: &str, kept: &T, fresh: &T) -> Option<String> {
    (kept != fresh).then(|| {
        let (kept, fresh) = (format!("{kept:#?}"), format!("{fresh:#?}"));
        let only = |text: &str, other: &str| {
            let other: BTreeSet<&str> = other.lines().collect();
            let lines = text.lines().filter(|line| !other.contains(line));
            lines.fold(String::new(), |all, line| all + line + "\n")
        };
        format!(
            "{what}\nonly in the translator's:\n{}only in that from nothing:\n{}\nall of the translator's:\n{kept}",
            only(&kept, &fresh),
            only(&fresh, &kept)
        )
    })
}

/// What is in a table, by name and sorted; each thing as often as it is there.
struct Shown {
    listeners: Vec<String>,
    frontends: Vec<String>,
    services: Vec<String>,
    rules: Vec<String>,
    stream_rules: Vec<String>,
    backends: Vec<String>,
    traces: Vec<String>,
}

// === impl Shown ===

impl Shown {
    fn new(table: &RouteTable) -> Self {
        let sorted = |mut all: Vec<String>| {
            all.sort();
            all
        };
        let frontends = table.frontends().map(|(id, frontend)| {
            let mut text = format!(
                "{} {:?} {} {:?}:",
                frontend.owner(),
                frontend.transport(),
                frontend.port(),
                frontend.opening()
            );
            for host in HOSTS.iter().map(|host| Host::from_name(host).ok()).chain([None]) {
                let listener = table.listener_by_server_name(id, host.as_ref());
                let listener = listener.map(|id| table.listener(id).to_string());
                write!(text, " {}", listener.as_deref().unwrap_or("-")).expect("text takes text");
                let StreamExplanation { candidates, .. } = table.explain_stream(id, host.as_ref());
                for ExplainedStream { rule, hostname, outcome } in candidates {
                    let rule = &table.stream_rule(rule).id;
                    write!(text, " {rule:#} by {hostname:?} {outcome}").expect("text takes text");
                }
            }
            text
        });
        Self {
            listeners: sorted(
                table
                    .listeners()
                    .map(|(id, listener)| {
                        format!("{} {:?}", shown_listener(listener), shown_listener_filters(id, table))
                    })
                    .collect(),
            ),
            frontends: sorted(frontends.collect()),
            services: table.services().map(|(address, name)| format!("{address} {name}")).collect(),
            rules: sorted(table.rules().map(|rule| shown_rule(rule, table)).collect()),
            stream_rules: sorted(table.stream_rules().map(|rule| shown_stream_rule(rule, table)).collect()),
            backends: sorted(table.backends().map(|backend| shown_backend(Some(backend))).collect()),
            traces: table.all_tracing().map(|of_gateway| shown_traces(of_gateway, table)).collect(),
        }
    }
}

fn shown_listener(listener: &Listener) -> String {
    let certificates = listener.protocol.tls().into_iter().flat_map(|tls| &*tls.certificates);
    let certificates: Vec<_> =
        certificates.map(|certificate| (certificate.chain(), certificate.key().secret_der())).collect();
    format!("{listener:?} {certificates:?}")
}

/// Everything in a rule, with the backends in the place of their numbers.
fn shown_rule(rule: &HttpRule, table: &RouteTable) -> String {
    let HttpRule { id, filters, backends, backend_filters, timeouts, retry, sessions, data } = rule;
    let shown = |filters: &[HttpFilter]| -> Vec<String> {
        filters.iter().map(|filter| shown_filter(filter, table)).collect()
    };
    let filters = shown(filters);
    let backend_filters: Vec<_> = backend_filters.lists().iter().map(|filters| shown(filters)).collect();
    let backends = shown_backends(backends, table);
    let data = data.as_ref().map(|data| data.get::<String>());
    format!(
        "{id:?} {filters:?} {backends:?} {backend_filters:?} {timeouts:?} {retry:?} {sessions:?} {data:?}"
    )
}

fn shown_stream_rule(rule: &StreamRule, table: &RouteTable) -> String {
    let StreamRule { id, backends, data } = rule;
    let data = data.as_ref().map(|data| data.get::<String>());
    format!("{id:?} {:?} {data:?}", shown_backends(backends, table))
}

fn shown_backends(backends: &Backends, table: &RouteTable) -> Vec<String> {
    let backend = |backend: &BackendRef| {
        let to = match backend.target {
            BackendTarget::Backend(id) => Some(table.backend(id)),
            BackendTarget::Unresolved => None,
        };
        format!("{} × {}", backend.weight, shown_backend(to))
    };
    backends.refs().iter().map(backend).collect()
}

fn shown_filter(filter: &HttpFilter, table: &RouteTable) -> String {
    match filter {
        HttpFilter::RequestMirror(RequestMirror { backend, share }) => {
            format!("{share:?} to {}", shown_backend(Some(table.backend(*backend))))
        }
        HttpFilter::ExternalAuth(auth) => shown_auth(auth, table),
        HttpFilter::RequestHeaderModifier(_)
        | HttpFilter::ResponseHeaderModifier(_)
        | HttpFilter::RequestRedirect(_)
        | HttpFilter::UrlRewrite(_)
        | HttpFilter::Cors(_)
        | HttpFilter::Extension(_)
        | HttpFilter::Unresolved => format!("{filter:?}"),
    }
}

fn shown_auth(auth: &ExternalAuth, table: &RouteTable) -> String {
    let ExternalAuth { backend, terms } = auth;
    format!("{terms:?} at {}", shown_backend(Some(table.backend(*backend))))
}

/// The filters of a listener; an extension is the same object in every table.
fn shown_listener_filters(id: ListenerId, table: &RouteTable) -> Vec<String> {
    let shown = |filter: &ListenerFilter| match filter {
        ListenerFilter::ExternalAuth(auth) => shown_auth(auth, table),
        ListenerFilter::Extension(_) | ListenerFilter::Unresolved => format!("{filter:?}"),
    };
    table.listener_filters(id).iter().map(shown).collect()
}

/// What a policy says of the traces of a Gateway, with the backend in the place of its number.
fn shown_traces((gateway, tracing): (&ObjectName, &Arc<Tracing>), table: &RouteTable) -> String {
    let Tracing { policy, spans } = &**tracing;
    let Some(spans) = spans else { return format!("{gateway} {policy}") };
    let Spans { provider, headers, sampling, service_name, name, attributes } = spans;
    let provider = shown_backend(Some(table.backend(*provider)));
    format!("{gateway} {policy} {provider} {headers:?} {sampling:?} {service_name:?} {name:?} {attributes:?}")
}

fn shown_backend(backend: Option<&gateway_core::rule::Backend>) -> String {
    let Some(backend) = backend else { return "nowhere".to_owned() };
    let localities: Vec<_> = backend.endpoints.iter().map(|endpoint| endpoint.locality()).collect();
    format!("{backend:?} {localities:?}")
}

// === impl Followed ===

impl ops::AddAssign for Followed {
    fn add_assign(&mut self, other: Self) {
        self.edits += other.edits;
        self.translations += other.translations;
        self.serving += other.serving;
        self.requests += other.requests;
    }
}

// === impl Divergence ===

impl fmt::Display for Divergence {
    /// The resources, the edits and the difference; objects are written as manifests.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, options, edits, difference } = self;
        let text = |object| serde_json::to_string(&object).map_err(|_| fmt::Error);
        writeln!(f, "{options:?}")?;
        for object in first.iter() {
            writeln!(f, "{}", text(object)?)?;
        }
        for (number, edits) in edits.iter().enumerate() {
            writeln!(f, "# {}", number + 1)?;
            for edit in edits {
                match edit {
                    Edit::Insert(object) => writeln!(f, "insert {}", text(object.clone())?)?,
                    Edit::Remove(kind, name) => writeln!(f, "remove {kind} {name}")?,
                    Edit::Update(resources) => {
                        writeln!(f, "update to {} objects", resources.len())?;
                        for object in resources.iter() {
                            writeln!(f, "    {}", text(object)?)?;
                        }
                    }
                    Edit::SetOptions(options) => writeln!(f, "set {options:?}")?,
                }
            }
        }
        writeln!(f, "then these differ: {difference}")
    }
}
