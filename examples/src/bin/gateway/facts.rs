//! Decisions of a table, as texts that are compared with those of another.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use gateway_core::apply::Applied;
use gateway_core::filter::{HttpFilter, ListenerFilter};
use gateway_core::hostname::{Host, Hostname};
use gateway_core::matching::{RequestHead, ValueMatch};
use gateway_core::name::{ListenerOwnerKind, RouteKind};
use gateway_core::rule::{BackendTarget, Backends, RuleName};
use gateway_core::table::{ListedMatch, Listener, ListenerId, ListenerProtocol, RouteTable};
use gateway_examples::table_view;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::Value;

use crate::explain;
use crate::explain_backend::written_rule;

/// Things by name, each with what is true of it.
pub(crate) type Facts = BTreeMap<String, Vec<String>>;

/// One host of a listener, and the matches behind it in the order of precedence.
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) served: Vec<Served>,
    /// Those that get nothing, since one that asks for the same goes before them.
    pub(crate) unreached: Vec<Unreached>,
}

/// A match, and what follows on it.
pub(crate) struct Served {
    /// What is asked for besides the host.
    pub(crate) asked: String,
    pub(crate) rule: String,
    /// Whether it is of a GRPCRoute.
    pub(crate) is_of_calls: bool,
    /// What becomes of requests.
    pub(crate) follows: Vec<String>,
    /// Where it stands; nothing for streams, of which nothing but the host is asked for.
    pub(crate) listed: Option<(Arc<Listener>, ListedMatch)>,
}

/// A match that gets nothing.
pub(crate) struct Unreached {
    pub(crate) asked: String,
    pub(crate) rule: String,
    /// The rule that goes before it.
    pub(crate) before: String,
    pub(crate) follows: Vec<String>,
}

/// The listeners that are served.
pub(crate) fn listeners(update: &Applied) -> Facts {
    let of =
        |(id, listener): (ListenerId, &Listener)| (listener.to_string(), of_listener(update, id, listener));
    update.table.listeners().map(of).collect()
}

fn of_listener(update: &Applied, id: ListenerId, listener: &Listener) -> Vec<String> {
    let protocol = match &listener.protocol {
        ListenerProtocol::Http => "HTTP",
        ListenerProtocol::Https(_) => "HTTPS",
        ListenerProtocol::TlsTerminate(_) => "TLS, terminated",
        ListenerProtocol::TlsPassthrough => "TLS, passed through",
        ListenerProtocol::Tcp => "TCP",
        ListenerProtocol::Udp => "UDP",
    };
    let mut facts = vec![
        format!("{protocol}, port {} of {}", listener.port, listener.frontend),
        format!("host {}", host(listener.hostname.as_ref())),
    ];
    if let Some(tls) = listener.protocol.tls() {
        facts.extend(tls.certificates.iter().map(|certificate| {
            let secret =
                certificate.secret().map(|secret| format!(" of Secret {secret}")).unwrap_or_default();
            format!("certificate{secret}, number {:08x}", number(certificate.chain()))
        }));
        facts.extend(tls.clients.as_ref().map(|clients| {
            format!("TLS{}, number {:08x}", explain::clients(listener), number(&clients.authorities))
        }));
    }
    facts.extend(filters(update, listener));
    if update.table.listener_filters(id).contains(&ListenerFilter::Unresolved) {
        facts.push("a filter cannot be carried out, so that every request fails".to_owned());
    }
    facts
}

/// The filters of a listener as they are written.
fn filters(update: &Applied, listener: &Listener) -> Vec<String> {
    let resources = &update.resources;
    let listeners = match listener.owner_kind {
        ListenerOwnerKind::Gateway => {
            resources.gateways.get(&listener.owner).map(|owner| &owner.spec.listeners)
        }
        ListenerOwnerKind::ListenerSet => {
            resources.listener_sets.get(&listener.owner).map(|owner| &owner.spec.listeners)
        }
        _ => None,
    };
    let written = listeners.into_iter().flatten().find(|written| *written.name == *listener.name);
    let filters =
        written.and_then(|written| written.filters.as_ref()).map_or(&[][..], |filters| &filters.requests);
    filters.iter().map(|filter| format!("filter {}", json(filter))).collect()
}

/// The Gateways that are served, each with what is true of all its listeners.
pub(crate) fn gateways(update: &Applied) -> Facts {
    let table = &update.table;
    let mut facts = Facts::new();
    for name in update.statuses.gateways.keys() {
        let addresses = table.addresses(name).into_iter().flatten();
        let mut of_gateway: Vec<String> = addresses.map(|address| format!("address {address}")).collect();
        of_gateway.extend(table.client_certificate(name).map(|certificate| {
            format!("certificate for backends, number {:08x}", number(certificate.chain()))
        }));
        of_gateway
            .extend(table.tracing(name).map(|tracing| format!("traces {}", explain::traced(table, tracing))));
        facts.insert(name.to_string(), of_gateway);
    }
    facts
}

/// The backends that something refers to.
pub(crate) fn backends(update: &Applied) -> Facts {
    let table = &update.table;
    let mut facts = Facts::new();
    for backend in table.backends() {
        let mut of_backend = vec![format!("speaks {}", backend.protocol.as_str())];
        if let Some(tls) = &backend.tls {
            let number = number(&(&tls.identities, &tls.authorities));
            of_backend.push(format!("TLS for {}, number {number:08x}", tls.server_name));
        }
        of_backend.extend(backend.hostname.iter().map(|name| format!("the addresses of {name}")));
        let budget = backend.retry_budget.as_deref();
        of_backend.extend(budget.map(|budget| format!("retries {}", explain::budgeted(budget))));
        let mut endpoints: Vec<_> = backend.endpoints.iter().map(|endpoint| endpoint.address()).collect();
        endpoints.sort();
        of_backend.extend(endpoints.iter().map(|endpoint| format!("endpoint {endpoint}")));
        // The same in TLS and without are two.
        facts.entry(backend.to_string()).or_default().extend(of_backend);
    }
    facts
}

/// The conditions in statuses.
pub(crate) fn conditions(update: &Applied) -> Facts {
    let mut facts = Facts::new();
    for (about, conditions) in table_view::conditions_by_object(&update.statuses) {
        facts.entry(about).or_default().extend(conditions.iter().map(ToString::to_string));
    }
    facts
}

/// What comes to each host of each listener.
pub(crate) fn places(update: &Applied) -> Vec<Place> {
    let table = &update.table;
    let mut listeners: Vec<_> = table.listeners().collect();
    listeners.sort_by_cached_key(|(_, listener)| listener.to_string());
    let mut follow = HashMap::new();
    let mut places = Vec::new();
    for (id, listener) in listeners {
        let name = |hostname: &Option<Hostname>| format!("{listener}, host {}", host(hostname.as_ref()));
        for of_host in
            table.matches(id).chunk_by(|a, b| a.hostname == b.hostname && kind(table, a) == kind(table, b))
        {
            let is_of_calls = kind(table, &of_host[0]) == RouteKind::Grpc;
            let name = name(&of_host[0].hostname) + if is_of_calls { ", calls" } else { "" };
            let mut place = Place { name, served: Vec::new(), unreached: Vec::new() };
            let mut firsts: HashMap<String, String> = HashMap::new();
            for listed in of_host {
                let rule = table.rule(listed.rule);
                let follows = follow.entry(listed.rule).or_insert_with(|| {
                    let mut follows = what_follows(update, &rule.id, &rule.backends);
                    let broken = rule.filters.contains(&HttpFilter::Unresolved);
                    follows.extend(broken.then(|| "a filter cannot be carried out".to_owned()));
                    let failure = explain::failure(table, rule);
                    follows.extend(
                        failure.map(|(refusal, why)| format!("answered with {}: {why}", refusal.status())),
                    );
                    follows
                });
                let (asked, follows, rule) = (listed.to_string(), follows.clone(), explain::name(&rule.id));
                if let Some(before) = firsts.get(&asked) {
                    place.unreached.push(Unreached { asked, rule, before: before.clone(), follows });
                    continue;
                }
                firsts.insert(asked.clone(), rule.clone());
                let listed = Some((table.listener(id).clone(), listed.clone()));
                place.served.push(Served { asked, rule, is_of_calls, follows, listed });
            }
            places.push(place);
        }
        let mut streams = table.streams(id);
        streams.sort_by_cached_key(|stream| name(&stream.hostname));
        places.extend(streams.iter().map(|stream| {
            let rule = table.stream_rule(stream.rule);
            let follows = what_follows(update, &rule.id, &rule.backends);
            let (asked, rule) = ("everything".to_owned(), explain::name(&rule.id));
            let served = Served { asked, rule, is_of_calls: false, follows, listed: None };
            Place { name: name(&stream.hostname), served: vec![served], unreached: Vec::new() }
        }));
    }
    places
}

fn kind(table: &RouteTable, listed: &ListedMatch) -> RouteKind {
    table.rule(listed.rule).id.route.kind
}

/// What a rule does, as it is written, but for its backends, of which it is told whether they are found.
fn what_follows(update: &Applied, id: &RuleName, backends: &Backends) -> Vec<String> {
    let mut written = written_rule(update, id);
    // Where a part of the rule was dropped, they are not the same ones.
    let refs = written["backendRefs"].take();
    let refs = refs.as_array().filter(|written| written.len() == backends.refs().len());
    let mut follows = Vec::new();
    for (field, value) in written.as_object().into_iter().flatten() {
        match (field.as_str(), value) {
            ("name" | "matches" | "backendRefs", _) => {}
            ("filters", Value::Array(filters)) => {
                follows.extend(filters.iter().map(|filter| format!("filter {filter}")));
            }
            (field, value) => follows.push(format!("{field} {value}")),
        }
    }
    for (position, reference) in backends.refs().iter().enumerate() {
        let name = match reference.target {
            BackendTarget::Backend(backend) => update.table.backend(backend).to_string(),
            BackendTarget::Unresolved => {
                let name = backends.unresolved(position).map_or("one", |name| name);
                format!("{name}, which is invalid")
            }
        };
        let filters = refs.and_then(|refs| refs[position].get("filters"));
        let filters = filters.map(|filters| format!(", filters {filters}")).unwrap_or_default();
        follows.push(format!("backend {name}, weight {}{filters}", reference.weight));
    }
    follows
}

/// The rule to which a table sends what another one has a match for: a request that meets the match, and nothing more specific.
/// Nothing, where it cannot be told which request that would be.
pub(crate) fn rule_for(
    table: &RouteTable,
    listener: &Listener,
    listed: &ListedMatch,
    is_call: bool,
) -> Option<String> {
    let host = listed.hostname.as_ref().or(listener.hostname.as_ref());
    let host = host.map_or_else(|| "any".to_owned(), |host| host.to_string().replace('*', "any"));
    let mut method = if is_call { Method::POST } else { Method::GET };
    let (mut headers, mut query) = (HeaderMap::new(), Vec::new());
    if is_call {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    }
    if let Some(conditions) = &listed.conditions {
        method = conditions.method().cloned().unwrap_or(method);
        for asked in conditions.headers() {
            let ValueMatch::Exact(value) = &asked.value else { return None };
            headers.insert(&asked.name, HeaderValue::from_bytes(value).ok()?);
        }
        for asked in conditions.query_params() {
            let ValueMatch::Exact(value) = &asked.value else { return None };
            query.push(format!("{}={}", encoded(asked.name.as_bytes()), encoded(value)));
        }
    }
    let (path, query) = (listed.example.as_deref()?, query.join("&"));
    let host = Host::from_name(&host).ok()?;
    let query = Some(&*query).filter(|query| !query.is_empty());
    let head = RequestHead::from_parts(&method, host.clone(), path.into(), query, &headers);
    let frontend = table.frontend(listener.frontend.as_ref(), listener.protocol.transport(), listener.port);
    let server_name = listener.protocol.tls().map(|_| &host);
    let found = frontend.and_then(|frontend| table.find(frontend, server_name, &head).ok());
    Some(found.map_or_else(
        || "no rule".to_owned(),
        |found| format!("rule {}", explain::name(&table.rule(found.rule).id)),
    ))
}

/// A text as it stands in a query.
fn encoded(text: &[u8]) -> String {
    text.iter().map(|byte| format!("%{byte:02X}")).collect()
}

/// A hostname, or a star for all hosts.
fn host(hostname: Option<&Hostname>) -> String {
    hostname.map_or_else(|| "*".to_owned(), ToString::to_string)
}

/// A number that tells two long values apart, the same in each run.
fn number(value: &(impl Hash + ?Sized)) -> u32 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish() as u32
}

fn json(value: &impl serde::Serialize) -> String {
    // What was read can be written.
    serde_json::to_string(value).unwrap_or_default()
}
