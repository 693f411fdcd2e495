//! Matches that get no request, since one that asks for the same goes before them.

use std::collections::HashMap;

use super::Lint;
use crate::api::{GrpcRouteMatch, HttpRouteMatch, Kind, ObjectMeta, ParentReference, PathMatchType};
use crate::condition::{Condition, ConditionType, Reason};
use crate::name::{Age, ObjectName, RouteKey, RouteKind};

/// A match of a Route that is served.
struct Entry<'r> {
    age: Age,
    route: &'r ObjectName,
    rule: usize,
    /// Its position among those of the rule, where there are several.
    position: Option<usize>,
    /// What it asks for besides the host, in one form for all that ask for the same.
    asked: String,
    /// Where it is served: at each parent for each hostname.
    parents: Vec<&'r ParentReference>,
    hostnames: &'r [String],
}

/// What an entry asks for, at one parent: what is equal for two of which one has all requests.
type Place<'e> = (&'e str, &'e str, &'e str, Option<&'e str>, &'e str);

/// Of equal matches, for equal hostnames at one parent, one has all requests: by age, by name, or by its position.
///
/// # Spec
/// HRM-22, HRM-23, GRP-07.
pub(super) fn look(lint: &mut Lint<'_>) {
    let resources = lint.resources;
    let mut entries = Vec::new();
    for (name, route) in &resources.http_routes {
        let rules = route.spec.rules.iter().map(|rule| rule.matches.iter().map(of_request).collect());
        entries.extend(of_route(lint, RouteKind::Http, name, &route.metadata, &route.spec.hostnames, rules));
    }
    say(lint, RouteKind::Http, entries);
    let mut entries = Vec::new();
    for (name, route) in &resources.grpc_routes {
        let rules = route.spec.rules.iter().map(|rule| rule.matches.iter().map(of_call).collect());
        entries.extend(of_route(lint, RouteKind::Grpc, name, &route.metadata, &route.spec.hostnames, rules));
    }
    say(lint, RouteKind::Grpc, entries);
}

/// The entries of a Route, as far as it is served. `rules` are what the matches of each rule ask for.
fn of_route<'r>(
    lint: &Lint<'r>,
    kind: RouteKind,
    name: &'r ObjectName,
    metadata: &ObjectMeta,
    hostnames: &'r [String],
    rules: impl Iterator<Item = Vec<String>>,
) -> Vec<Entry<'r>> {
    let Some(status) = lint.statuses.routes.get(&RouteKey::new(kind, name.clone())) else {
        return Vec::new();
    };
    let holds = |kind| status.parents.iter().filter(move |parent| Condition::holds(&parent.conditions, kind));
    // Which rules were left out is not known here.
    if holds(ConditionType::PartiallyInvalid).next().is_some() {
        return Vec::new();
    }
    let parents: Vec<_> = holds(ConditionType::Accepted).map(|parent| &parent.parent_ref).collect();
    let age = metadata.age(name);
    let entry = |rule, position, asked| Entry {
        age: age.clone(),
        route: name,
        rule,
        position,
        asked,
        parents: parents.clone(),
        hostnames,
    };
    let entries = rules.enumerate().flat_map(|(rule, matches)| match matches.len() {
        0 => vec![entry(rule, None, everything(kind))],
        // Of a rule that is written without any it is this one, too.
        1 => matches.into_iter().map(|asked| entry(rule, None, asked)).collect(),
        _ => {
            let matches = matches.into_iter().enumerate();
            matches.map(|(position, asked)| entry(rule, Some(position), asked)).collect::<Vec<_>>()
        }
    });
    entries.collect()
}

/// Says of each entry that gets nothing what has it all.
fn say(lint: &mut Lint<'_>, kind: RouteKind, mut entries: Vec<Entry<'_>>) {
    entries.sort_by(|a, b| (&a.age, a.rule, a.position).cmp(&(&b.age, b.rule, b.position)));
    let mut at: HashMap<Place<'_>, Vec<(usize, &ParentReference)>> = HashMap::new();
    for (index, entry) in entries.iter().enumerate() {
        for (place, parent) in entry.places() {
            at.entry(place).or_default().push((index, parent));
        }
    }
    for (index, entry) in entries.iter().enumerate() {
        let before = |(place, parent): (Place<'_>, &ParentReference)| {
            let earlier = at[&place].iter().take_while(|(other, _)| *other < index);
            let mut covering = earlier.filter(|(other, of_other)| {
                covers(of_other, parent, entries[*other].route.namespace == entry.route.namespace)
            });
            covering.next().map(|(other, _)| &entries[*other])
        };
        let before: Option<Vec<_>> = entry.places().map(before).collect();
        let Some(first) = before.as_ref().and_then(|before| before.first()) else { continue };
        let why = if first.route == entry.route {
            format!("rules[{}] of the same Route asks for the same", first.rule)
        } else {
            format!("rules[{}] of {kind} {}, which came first, asks for the same", first.rule, first.route)
        };
        let position = entry.position.map(|position| format!(".matches[{position}]")).unwrap_or_default();
        let field = format!("spec.rules[{}]{position}", entry.rule);
        let message = format!("gets no request: {why}; let one of them ask for something else, or remove it");
        lint.say(Kind::from(kind), entry.route, Reason::Unsupported, field, message);
    }
}

/// Whether all that comes to an entry by one parentRef would come to another entry by the other one, of the same parent.
fn covers(one: &ParentReference, other: &ParentReference, of_one_namespace: bool) -> bool {
    // Listeners do not take the Routes of every namespace; one that is named has taken it.
    let is_taken = of_one_namespace || one.section_name.is_some();
    is_taken
        && one.section_name.as_ref().is_none_or(|_| one.section_name == other.section_name)
        && one.port.is_none_or(|_| one.port == other.port)
}

fn of_request(written: &HttpRouteMatch) -> String {
    let path = match written.path.r#type {
        PathMatchType::PathPrefix => written.path.value.trim_end_matches('/'),
        _ => &*written.path.value,
    };
    let headers = written.headers.iter();
    let headers =
        firsts(headers.map(|header| (header.name.to_lowercase(), header.r#type.as_str(), &*header.value)));
    let params = written.query_params.iter();
    let params = firsts(params.map(|param| (param.name.clone(), param.r#type.as_str(), &*param.value)));
    let method = written.method.as_ref().map(|method| method.as_str());
    format!("{:?}", (written.path.r#type.as_str(), path, method, headers, params))
}

fn of_call(written: &GrpcRouteMatch) -> String {
    let method = written.method.as_ref();
    let part = |part: Option<&String>| part.filter(|part| !part.is_empty()).cloned();
    let method = method
        .map(|method| (method.r#type.as_str(), part(method.service.as_ref()), part(method.method.as_ref())));
    let headers = written.headers.iter();
    let headers =
        firsts(headers.map(|header| (header.name.to_lowercase(), header.r#type.as_str(), &*header.value)));
    format!("{:?}", (method, headers))
}

/// What a rule without matches asks for.
fn everything(kind: RouteKind) -> String {
    match kind {
        RouteKind::Grpc => of_call(&GrpcRouteMatch::default()),
        RouteKind::Http | RouteKind::Tls | RouteKind::Tcp | RouteKind::Udp => {
            of_request(&HttpRouteMatch::default())
        }
    }
}

/// Of conditions on the same name only the first counts, and their order does not.
///
/// # Spec
/// HRM-09, HRM-12.
fn firsts<'c>(
    conditions: impl Iterator<Item = (String, &'c str, &'c str)>,
) -> Vec<(String, &'c str, &'c str)> {
    let mut firsts: Vec<_> = conditions.collect();
    firsts.sort_by(|a, b| a.0.cmp(&b.0));
    firsts.dedup_by(|later, first| later.0 == first.0);
    firsts
}

// === impl Entry ===

impl Entry<'_> {
    fn places(&self) -> impl Iterator<Item = (Place<'_>, &ParentReference)> {
        let any = self.hostnames.is_empty().then_some("");
        let hostnames = move || any.into_iter().chain(self.hostnames.iter().map(String::as_str));
        self.parents.iter().flat_map(move |parent| {
            let (kind, name, namespace) = (&*parent.kind, &*parent.name, parent.namespace.as_deref());
            hostnames().map(move |hostname| ((&*self.asked, kind, name, namespace, hostname), *parent))
        })
    }
}
