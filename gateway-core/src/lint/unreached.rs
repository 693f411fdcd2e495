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

/// How much an entry has of a place.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Extent<'e> {
    /// The namespace whose Routes it goes before; without one, those of all.
    namespace: Option<&'e str>,
    section: Option<&'e str>,
    port: Option<i32>,
}

/// The first entry that has all requests at a place, for each extent.
#[derive(Default)]
struct Taken<'e> {
    firsts: HashMap<(Place<'e>, Extent<'e>), usize>,
}

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
    for (index, first) in unreached(&entries) {
        let (entry, first) = (&entries[index], &entries[first]);
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

/// The entries that get nothing at any of their places, each with the first that has all at the first of them. `entries` are in the
/// order in which one goes before the other.
fn unreached(entries: &[Entry<'_>]) -> Vec<(usize, usize)> {
    let mut taken = Taken::default();
    let mut unreached = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let namespace = &*entry.route.namespace;
        let before = entry.places().map(|(place, parent)| taken.first(place, namespace, parent));
        let before: Option<Vec<usize>> = before.collect();
        unreached.extend(before.as_ref().and_then(|before| before.first()).map(|first| (index, *first)));
        for (place, parent) in entry.places() {
            taken.add(place, namespace, parent, index);
        }
    }
    unreached
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

// === impl Taken ===

impl<'e> Taken<'e> {
    /// Adds what an entry has at a place, by a parentRef in this namespace.
    fn add(&mut self, place: Place<'e>, namespace: &'e str, parent: &'e ParentReference, entry: usize) {
        let own =
            Extent { namespace: Some(namespace), section: parent.section_name.as_deref(), port: parent.port };
        // Listeners do not take the Routes of every namespace; one that is named has taken it.
        let all = own.section.map(|_| Extent { namespace: None, ..own });
        for extent in [Some(own), all].into_iter().flatten() {
            self.firsts.entry((place, extent)).or_insert(entry);
        }
    }

    /// The first entry to which all would come that comes to a place by a parentRef in this namespace.
    fn first(&self, place: Place<'e>, namespace: &'e str, parent: &'e ParentReference) -> Option<usize> {
        let extents = [Some(namespace), None].into_iter().flat_map(|namespace| {
            let sections = [parent.section_name.as_deref(), None].into_iter();
            sections
                .flat_map(move |section| [parent.port, None].map(|port| Extent { namespace, section, port }))
        });
        extents.filter_map(|extent| self.firsts.get(&(place, extent)).copied()).min()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Routes with a match each, by namespace and what they ask for, that came one after the other.
    fn routes(all: impl IntoIterator<Item = (String, String)>) -> Vec<(ObjectName, String)> {
        let named = |(index, (namespace, asked)): (usize, (String, String))| {
            (ObjectName::new(&*namespace, format!("route-{index}").as_str()), asked)
        };
        all.into_iter().enumerate().map(named).collect()
    }

    fn entry<'r>(
        (route, asked): &'r (ObjectName, String),
        parents: &'r [ParentReference],
        hostnames: &'r [String],
    ) -> Entry<'r> {
        Entry {
            age: ObjectMeta::default().age(route),
            route,
            rule: 0,
            position: None,
            asked: asked.clone(),
            parents: parents.iter().collect(),
            hostnames,
        }
    }

    fn parent(name: &str, section: Option<&str>, port: Option<i32>) -> ParentReference {
        let value = serde_json::json!({"name": name, "sectionName": section, "port": port});
        serde_json::from_value(value).unwrap()
    }

    /// [`unreached`] by comparing each two entries, as the rules say it.
    fn plainly(entries: &[Entry<'_>]) -> Vec<(usize, usize)> {
        let covers = |one: &ParentReference, other: &ParentReference, is_same_namespace: bool| {
            (is_same_namespace || one.section_name.is_some())
                && (one.section_name.is_none() || one.section_name == other.section_name)
                && (one.port.is_none() || one.port == other.port)
        };
        let first = |index: usize, (place, parent): (Place<'_>, &ParentReference)| {
            (0..index).find(|other| {
                let is_same_namespace = entries[*other].route.namespace == entries[index].route.namespace;
                let mut places = entries[*other].places();
                places.any(|(of_other, one)| of_other == place && covers(one, parent, is_same_namespace))
            })
        };
        let of_entry = |index: usize| {
            let firsts: Vec<_> = entries[index].places().map(|place| first(index, place)).collect();
            let all = firsts.iter().all(Option::is_some);
            firsts.first().copied().flatten().filter(|_| all).map(|first| (index, first))
        };
        (0..entries.len()).filter_map(of_entry).collect()
    }

    proptest! {
        // HRM-22, HRM-23, GRP-07
        #[test]
        fn what_gets_nothing_is_what_comparing_each_two_gives(
            all in prop::collection::vec(
                (
                    "[ab]",
                    "[xy]",
                    prop::collection::vec(("[gh]", prop::option::of("[st]"), prop::option::of(1..3)), 0..3),
                    prop::collection::vec("[mn]", 0..3),
                ),
                0..12,
            ),
        ) {
            let names = routes(all.iter().map(|(namespace, asked, ..)| (namespace.clone(), asked.clone())));
            let parent = |(name, section, port): &(String, Option<String>, Option<i32>)| {
                parent(name, section.as_deref(), *port)
            };
            let parents = all.iter().map(|(_, _, parents, _)| parents.iter().map(parent).collect::<Vec<_>>());
            let parents: Vec<_> = parents.collect();
            let entries = names.iter().zip(&parents).zip(&all);
            let entries: Vec<_> =
                entries.map(|((name, parents), (.., hostnames))| entry(name, parents, hostnames)).collect();
            prop_assert_eq!(unreached(&entries), plainly(&entries));
        }
    }

    // HRM-23
    #[test]
    fn equal_matches_that_do_not_cover_each_other_are_not_compared_in_pairs() {
        // Two thousand million pairs, which nothing gets through.
        const NAMESPACES: usize = 65_536;
        let all = (0..NAMESPACES).map(|index| format!("namespace-{index}"));
        let names = routes(all.chain(["namespace-7".to_owned()]).map(|namespace| (namespace, String::new())));
        let parents = [parent("web", None, None)];
        let entries: Vec<_> = names.iter().map(|name| entry(name, &parents, &[])).collect();
        assert_eq!(unreached(&entries), [(NAMESPACES, 7)]);
    }
}
