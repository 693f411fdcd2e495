//! The state of a gateway as a table for a terminal: listeners, routes, what is wrong.
//!
//! ```text
//! LISTENER           PROTOCOL  ADDRESS         HOSTNAME  ROUTES  STATE
//! default/demo/http  HTTP      127.0.0.1:8080  *         3       serving
//!
//! ROUTE         PARENTS  HOSTNAMES  RULES  STATE
//! default/shop  demo     *          7      accepted
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::hash::{DefaultHasher, Hasher as _};

use gateway_core::api::{Gateway, Kind, ListenerSet, ParentReference, Resources};
use gateway_core::apply::{Applied, Change, Verb};
use gateway_core::condition::{Condition, ConditionType};
use gateway_core::manifest::{ManifestProblem, Severity};
use gateway_core::name::{ObjectName, RouteKey, RouteKind};
use gateway_core::rule::{Backend, BackendTarget, HttpRule};
use gateway_core::status::{ListenerStatus, Statuses};
use gateway_core::table::{RouteTable, Transport};
use gateway_tower::names::{NameStates, Standing};

/// How many rows of a kind are shown.
const MAX_ROWS: usize = 40;

/// How a socket stands, as the table shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// At this address.
    At(String),
    /// It is not, for this reason.
    Not(String),
}

/// What a socket is bound for.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The Gateway.
    pub gateway: &'a ObjectName,
    /// TCP and UDP have ports of their own.
    pub transport: Transport,
    /// The port, as the Gateway's listeners name it.
    pub port: u16,
}

/// The whole table: listeners, routes and problems. `bound` says where a port of a Gateway is bound, if it is known.
pub fn overview(update: &Applied, bound: impl Fn(&Place<'_>) -> Option<Bound>) -> String {
    let mut text = objects(&update.resources, &update.statuses, bound);
    if !update.problems.is_empty() {
        text.push('\n');
        text.push_str(&problems(&update.problems));
    }
    text
}

/// The names outside the cluster that backends of a table have, and where each leads; those that lead nowhere first.
pub fn names(table: &RouteTable, states: &NameStates) -> String {
    let mut backends: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for backend in table.named_backends() {
        if let Some(name) = backend.hostname.as_deref() {
            backends.entry(name).or_default().insert(backend.service.to_string());
        }
    }
    let state = |name: &str| Some(&states.get(name)?.standing);
    let mut shown: Vec<_> =
        backends.iter().filter_map(|(name, backends)| Some((state(name)?, name, backends))).collect();
    if shown.is_empty() {
        return String::new();
    }
    shown.sort_by_key(|(standing, ..)| matches!(standing, Standing::Found(_)));
    let rows = shown.into_iter().map(|(standing, name, backends)| {
        let mut named: Vec<_> = backends.iter().take(3).cloned().collect();
        if backends.len() > named.len() {
            named.push(format!("and {} more", backends.len() - named.len()));
        }
        vec![(*name).to_owned(), named.join(", "), standing.to_string()]
    });
    String::from("\n") + &columns(&["NAME", "XBACKENDS", "STATE"], rows.collect())
}

/// Listeners and routes.
fn objects(
    resources: &Resources,
    statuses: &Statuses,
    bound: impl Fn(&Place<'_>) -> Option<Bound>,
) -> String {
    let headings = &["LISTENER", "PROTOCOL", "ADDRESS", "HOSTNAME", "ROUTES", "STATE"];
    let mut text = columns(headings, listener_rows(resources, statuses, bound));
    text.push('\n');
    let headings = &["ROUTE", "PARENTS", "HOSTNAMES", "RULES", "STATE"];
    text.push_str(&columns(headings, route_rows(resources, statuses)));
    text
}

/// A line about a table with a number that tells two apart: it is the same for tables and statuses that came from the same
/// objects, in whatever order these came to be. Replicas are compared by it.
pub fn fingerprint(table: &RouteTable, statuses: &Statuses) -> String {
    let endpoints = |backend: &Backend| {
        let mut endpoints: Vec<_> = backend.endpoints.iter().map(|endpoint| endpoint.address()).collect();
        endpoints.sort();
        endpoints
    };
    let backend = |backend: &Backend| {
        // The addresses of a name are each replica's own.
        match &backend.hostname {
            Some(hostname) => format!("{backend} {hostname}"),
            None => format!("{backend} {:?}", endpoints(backend)),
        }
    };
    let rule = |rule: &HttpRule| {
        let targets = rule.backends.refs().iter().map(|reference| match reference.target {
            // Its number depends on what was there before.
            BackendTarget::Backend(id) => format!("{} of {}", reference.weight, backend(table.backend(id))),
            BackendTarget::Unresolved => format!("{} of nothing", reference.weight),
        });
        let targets: Vec<_> = targets.collect();
        format!("{} {targets:?} {:?} {:?} {:?}", rule.id, rule.timeouts, rule.retry, rule.sessions)
    };
    let listeners = table.listeners().map(|(_, listener)| format!("{listener:?}"));
    let (rules, backends) = (table.rules().map(rule), table.backends().map(backend));
    let mut lines: Vec<String> = listeners.chain(rules).chain(backends).collect();
    lines.sort();
    let mut hasher = Hashed(DefaultHasher::new());
    // Nothing fails in this writer.
    let _ = write!(hasher, "{lines:?}{statuses:?}");
    format!(
        "table {:016x}: {} listeners, {} rules, {} backends\n",
        hasher.0.finish(),
        table.listeners().count(),
        table.rules().count(),
        table.backends().count()
    )
}

/// Hashes what is written.
struct Hashed(DefaultHasher);

impl fmt::Write for Hashed {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

/// The problems, one a line, those that matter most first where there are too many.
pub fn problems(problems: &[ManifestProblem]) -> String {
    let mut text = String::new();
    let mut shown: Vec<_> = problems.iter().filter(|problem| problem.severity != Severity::Info).collect();
    if shown.len() > MAX_ROWS {
        shown.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
    }
    for problem in shown.iter().take(MAX_ROWS) {
        let _ = writeln!(text, "{problem}");
    }
    if shown.len() > MAX_ROWS {
        let _ = writeln!(text, "… and {} more; `gateway check` shows all", shown.len() - MAX_ROWS);
    }
    text
}

/// What changed, in a line or a few.
pub fn changes(changes: &[Change]) -> String {
    let mut text = String::new();
    if changes.len() <= 5 {
        for change in changes {
            let _ = writeln!(text, "{change}");
        }
        return text;
    }
    let count = |verb| changes.iter().filter(|change| change.verb == verb).count();
    let (added, changed, removed) = (count(Verb::Added), count(Verb::Changed), count(Verb::Removed));
    let _ = writeln!(text, "{added} objects added, {changed} changed, {removed} removed");
    text
}

fn listener_rows(
    resources: &Resources,
    all: &Statuses,
    bound: impl Fn(&Place<'_>) -> Option<Bound>,
) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (key, gateway) in &resources.gateways {
        let Gateway { spec, .. } = gateway.as_ref();
        let status = all.gateways.get(key);
        let statuses = status.map_or(&[][..], |status| &status.listeners);
        for listener in &spec.listeners {
            let port = listener.port.try_into().unwrap_or_default();
            let status = statuses.iter().find(|status| status.name == listener.name);
            let hostname = listener.hostname.as_deref();
            let row = Row { owner: key, gateway: key, name: &listener.name, port, hostname, status };
            rows.push(row.columns(listener.protocol.as_str(), &bound));
        }
    }
    for (key, set) in &resources.listener_sets {
        let ListenerSet { spec, .. } = set.as_ref();
        let status = all.listener_sets.get(key);
        let statuses = status.map_or(&[][..], |status| &status.listeners);
        let namespace = spec.parent_ref.namespace.as_deref().unwrap_or(&key.namespace);
        let gateway = ObjectName::new(namespace, spec.parent_ref.name.as_str());
        for listener in &spec.listeners {
            let port = listener.port.try_into().unwrap_or_default();
            let status = statuses.iter().find(|status| status.name == listener.name);
            let hostname = listener.hostname.as_deref();
            let row = Row { owner: key, gateway: &gateway, name: &listener.name, port, hostname, status };
            rows.push(row.columns(listener.protocol.as_str(), &bound));
        }
    }
    rows
}

/// A listener of a Gateway or a ListenerSet.
struct Row<'a> {
    owner: &'a ObjectName,
    gateway: &'a ObjectName,
    name: &'a str,
    port: u16,
    hostname: Option<&'a str>,
    status: Option<&'a ListenerStatus>,
}

impl Row<'_> {
    fn columns(&self, protocol: &str, bound: impl Fn(&Place<'_>) -> Option<Bound>) -> Vec<String> {
        let transport = if protocol == "UDP" { Transport::Udp } else { Transport::Tcp };
        let place = Place { gateway: self.gateway, transport, port: self.port };
        let (address, state) = match (bound(&place), self.status) {
            (_, None) => (format!(":{}", self.port), "not of a class that is served here".to_owned()),
            (Some(Bound::At(address)), Some(status)) => (address, state(&status.conditions, "serving")),
            (Some(Bound::Not(reason)), Some(_)) => {
                (format!(":{}", self.port), format!("not bound: {reason}"))
            }
            (None, Some(status)) => (format!(":{}", self.port), state(&status.conditions, "ready to serve")),
        };
        vec![
            format!("{}/{}", self.owner, self.name),
            protocol.to_owned(),
            address,
            self.hostname.unwrap_or("*").to_owned(),
            self.status.map_or(0, |status| status.attached_routes).to_string(),
            state,
        ]
    }
}

fn route_rows(resources: &Resources, statuses: &Statuses) -> Vec<Vec<String>> {
    let row = |kind: RouteKind,
               key: &ObjectName,
               parents: &[ParentReference],
               hostnames: &[String],
               rules: usize| {
        let status = statuses.routes.get(&RouteKey::new(kind, key.clone()));
        let accepted = status.map_or(&[][..], |status| &status.parents);
        let names: Vec<_> = parents.iter().map(|parent| named(parent, key)).collect();
        let conditions: Vec<Condition> =
            accepted.iter().flat_map(|parent| parent.conditions.clone()).collect();
        let state =
            if accepted.is_empty() { "no parent here".to_owned() } else { state(&conditions, "accepted") };
        let hostnames = if hostnames.is_empty() { "*".to_owned() } else { hostnames.join(",") };
        let name = match kind {
            RouteKind::Http => key.to_string(),
            RouteKind::Grpc | RouteKind::Tls | RouteKind::Tcp | RouteKind::Udp => format!("{kind} {key}"),
        };
        vec![name, names.join(","), shortened(&hostnames), rules.to_string(), state]
    };
    let mut rows = Vec::new();
    for kind in RouteKind::ALL {
        macro_rules! add {
            ($routes:ident, $route:ident => $hostnames:expr) => {
                for (key, $route) in &resources.$routes {
                    let spec = &$route.spec;
                    rows.push(row(kind, key, &spec.parent_refs, $hostnames, spec.rules.len()));
                }
            };
        }
        match kind {
            RouteKind::Http => add!(http_routes, route => &route.spec.hostnames),
            RouteKind::Grpc => add!(grpc_routes, route => &route.spec.hostnames),
            RouteKind::Tls => add!(tls_routes, route => &route.spec.hostnames),
            RouteKind::Tcp => add!(tcp_routes, route => &[]),
            RouteKind::Udp => add!(udp_routes, route => &[]),
        }
    }
    rows
}

/// What a route names as its parent: by the name alone a Gateway of its own namespace, and with whatever tells them apart any other
/// object and its listeners.
fn named(parent: &ParentReference, route: &ObjectName) -> String {
    let ParentReference { group: _, kind, namespace, name, section_name, port } = parent;
    let mut text = match Kind::Gateway.as_str() == kind {
        true => String::new(),
        false => format!("{} ", kind.escape_debug()),
    };
    let namespace = namespace.as_deref().unwrap_or(&route.namespace);
    if *namespace != *route.namespace || section_name.is_some() {
        let _ = write!(text, "{}/", namespace.escape_debug());
    }
    text.extend(name.escape_debug());
    if let Some(section) = section_name {
        let _ = write!(text, "/{}", section.escape_debug());
    }
    if let Some(port) = port {
        let _ = write!(text, ":{port}");
    }
    text
}

/// One word when all is well, else the conditions that say otherwise.
fn state(conditions: &[Condition], well: &str) -> String {
    let bad = conditions.iter().filter(|condition| match condition.kind {
        ConditionType::Accepted | ConditionType::Programmed | ConditionType::ResolvedRefs => {
            !condition.status
        }
        ConditionType::Conflicted | ConditionType::PartiallyInvalid => condition.status,
        // Worth a line among the problems, no obstacle to serving.
        ConditionType::AddressesAssigned
        | ConditionType::OverlappingTlsConfig
        | ConditionType::SupportedVersion
        | ConditionType::InsecureFrontendValidationMode
        | ConditionType::DefaultGateway => false,
    });
    let mut bad: Vec<_> = bad.map(|condition| format!("{}: {}", condition.kind, condition.reason)).collect();
    bad.dedup();
    if bad.is_empty() { well.to_owned() } else { bad.join(", ") }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(48) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Rows below headings, each column as wide as its widest cell.
fn columns(headings: &[&str], rows: Vec<Vec<String>>) -> String {
    let total = rows.len();
    let headings: Vec<String> = headings.iter().map(|heading| (*heading).to_owned()).collect();
    let rows: Vec<_> = std::iter::once(headings).chain(rows.into_iter().take(MAX_ROWS)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<_> = (0..rows[0].len()).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    if total > MAX_ROWS {
        let _ = writeln!(text, "… and {} more", total - MAX_ROWS);
    }
    text
}

/// Every condition of every object, one a line: what a controller would write into the statuses.
pub fn conditions(update: &Applied) -> String {
    let all = conditions_by_object(&update.statuses).into_iter();
    let lines = all.flat_map(|(about, conditions)| {
        conditions.iter().map(move |condition| format!("{about}: {condition}\n"))
    });
    lines.collect()
}

/// The conditions of every object, by what they are about: the object, and a listener or a parent of it.
pub fn conditions_by_object(statuses: &Statuses) -> Vec<(String, &[Condition])> {
    let mut all = Vec::new();
    for (key, status) in &statuses.gateway_classes {
        all.push((format!("{} {key}", Kind::GatewayClass), &*status.conditions));
    }
    for (key, status) in &statuses.gateways {
        all.push((format!("{} {key}", Kind::Gateway), &*status.conditions));
        for listener in &status.listeners {
            all.push((format!("{} {key} listener {}", Kind::Gateway, listener.name), &*listener.conditions));
        }
    }
    for (key, status) in &statuses.listener_sets {
        all.push((format!("{} {key}", Kind::ListenerSet), &*status.conditions));
        for listener in &status.listeners {
            let about = format!("{} {key} listener {}", Kind::ListenerSet, listener.name);
            all.push((about, &*listener.conditions));
        }
    }
    for (RouteKey { kind, name: key }, status) in &statuses.routes {
        for parent in &status.parents {
            let about = format!("{kind} {key} parent {}", named(&parent.parent_ref, key));
            all.push((about, &*parent.conditions));
        }
    }
    for (kind, key, status) in statuses.policies() {
        for ancestor in &status.ancestors {
            let about = format!("{kind} {key} ancestor {}", ancestor.ancestor_ref.name);
            all.push((about, &*ancestor.conditions));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_rows_are_bounded() {
        let rows = |count: usize| (0..count).map(|i| vec![format!("{i}"), "x".repeat(i.min(3))]).collect();
        assert_eq!(columns(&["NAME", "B"], rows(3)), "NAME  B\n0\n1     x\n2     xx\n");
        assert!(columns(&["NAME", "B"], rows(MAX_ROWS + 2)).ends_with("… and 2 more\n"));
    }

    #[test]
    fn parents_of_one_name_are_told_apart() {
        for (written, expected) in [
            ("{}", "web"),
            (r#"{"namespace": "default"}"#, "web"),
            (r#"{"namespace": "infra"}"#, "infra/web"),
            (r#"{"kind": "ListenerSet"}"#, "ListenerSet web"),
            (r#"{"sectionName": "http"}"#, "default/web/http"),
            (r#"{"port": 8080}"#, "web:8080"),
            (
                r#"{"kind": "ListenerSet", "namespace": "infra", "sectionName": "http", "port": 80}"#,
                "ListenerSet infra/web/http:80",
            ),
        ] {
            let mut parent: serde_json::Value = serde_json::from_str(written).unwrap();
            parent["name"] = "web".into();
            let parent = serde_json::from_value(parent).unwrap();
            assert_eq!(named(&parent, &ObjectName::new("default", "shop")), expected);
        }
    }

    #[test]
    fn many_changes_are_counted() {
        let change = |verb| Change { verb, kind: Kind::Service, key: ObjectName::new("a", "b") };
        assert_eq!(changes(&[change(Verb::Added)]), "added Service a/b\n");
        let many = [vec![change(Verb::Added); 4], vec![change(Verb::Removed); 2]].concat();
        assert_eq!(changes(&many), "4 objects added, 0 changed, 2 removed\n");
    }
}
