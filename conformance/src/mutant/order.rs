//! Match entries that are tried in another order.

use std::cmp::{Ordering, Reverse};

use gateway_core::api::{
    AnyObject, GrpcRoute, GrpcRouteRule, HttpRoute, HttpRouteRule, ObjectMeta, ParentReference, PathMatchType,
};
use gateway_core::hostname::Hostname;

use super::{Fault, Mutant};

/// A match entry of a route for one of its hostnames, and everything that precedence depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Whether it is one of a GRPCRoute: calls go there first.
    pub calls: bool,
    /// How specific the hostname is: precise ones before wildcards, then by length.
    pub hostname: (bool, usize),
    /// The same of the most specific hostname that it shares with a listener of its parents.
    pub shared: (bool, usize),
    /// 2 for an exact path, 1 for a regular expression, 0 for a prefix.
    pub kind: u8,
    /// How long the path is.
    pub length: usize,
    /// How long the service of a call is.
    pub service: usize,
    /// How long the method of a call is.
    pub grpc_method: usize,
    /// Whether there is a method.
    pub method: bool,
    /// How many headers there are.
    pub headers: usize,
    /// How many query parameters there are.
    pub query_params: usize,
    /// When the route was created.
    pub created: i64,
    /// Namespace and name of the route.
    pub route: String,
    /// Which rule of the route.
    pub rule: usize,
    /// Which entry of the rule.
    pub entry: usize,
}

pub(super) const MUTANTS: &[Mutant] = &[
    order("prefixes go before exact paths", |a, b| {
        compare(a, b, |it| (it.kind != 2, it.length, called(it), rest(it)))
    }),
    order("the length of paths does not matter", |a, b| compare(a, b, |it| (it.kind, called(it), rest(it)))),
    order("shorter prefixes go first", |a, b| {
        compare(a, b, |it| (it.kind, Reverse(it.length), called(it), rest(it)))
    }),
    order("methods do not matter for precedence", |a, b| {
        compare(a, b, |it| (it.kind, it.length, called(it), it.headers, it.query_params))
    }),
    order("headers go before methods", |a, b| {
        compare(a, b, |it| (it.kind, it.length, called(it), it.headers, it.method, it.query_params))
    }),
    order("the number of headers does not matter", |a, b| {
        compare(a, b, |it| (it.kind, it.length, called(it), it.method, it.query_params))
    }),
    order("query parameters go before headers", |a, b| {
        compare(a, b, |it| (it.kind, it.length, called(it), it.method, it.query_params, it.headers))
    }),
    order("the number of query parameters does not matter", |a, b| {
        compare(a, b, |it| (it.kind, it.length, called(it), it.method, it.headers))
    }),
    order("the first rule that matches serves", |a, b| b.hostname.cmp(&a.hostname).then_with(|| ties(a, b))),
    order("the last of equal rules serves", |a, b| {
        specific(a, b)
            .then_with(|| age(a, b))
            .then_with(|| b.rule.cmp(&a.rule))
            .then_with(|| b.entry.cmp(&a.entry))
    }),
    order("the newest of equal routes serves", |a, b| {
        specific(a, b).then_with(|| age(b, a)).then_with(|| ties(a, b))
    }),
    order("of routes of the same age the last by name serves", |a, b| {
        specific(a, b)
            .then_with(|| a.created.cmp(&b.created))
            .then_with(|| b.route.cmp(&a.route))
            .then_with(|| ties(a, b))
    }),
    order("the age of routes does not matter, their names do", |a, b| {
        specific(a, b).then_with(|| a.route.cmp(&b.route)).then_with(|| ties(a, b))
    }),
    order("wildcard hostnames go before precise ones", |a, b| {
        a.hostname.cmp(&b.hostname).then_with(|| specific(a, b)).then_with(|| ties(a, b))
    }),
    order("older routes go before more specific hostnames", |a, b| {
        age(a, b).then_with(|| specific(a, b)).then_with(|| ties(a, b))
    }),
    order("a route ranks by the hostname that it shares with its listener", |a, b| {
        let shared = |it: &Entry| Entry { hostname: it.shared, ..it.clone() };
        specific(&shared(a), &shared(b)).then_with(|| ties(a, b))
    }),
    order("HTTPRoutes go before GRPCRoutes", |a, b| {
        a.calls.cmp(&b.calls).then_with(|| specific(a, b)).then_with(|| ties(a, b))
    }),
    order("methods of calls go before services", |a, b| {
        compare(a, b, |it| (it.kind, it.length, it.grpc_method, it.service, rest(it)))
    }),
    order("the length of services does not matter", |a, b| {
        compare(a, b, |it| (it.kind, it.length, it.grpc_method, rest(it)))
    }),
    order("the length of methods of calls does not matter", |a, b| {
        compare(a, b, |it| (it.kind, it.length, it.service, rest(it)))
    }),
    order("headers of calls go before their methods", |a, b| {
        compare(a, b, |it| (it.kind, it.length, it.service, rest(it), it.grpc_method))
    }),
    order("paths go before hostnames", |a, b| {
        let path = |it: &Entry| Reverse((it.kind, it.length));
        path(a).cmp(&path(b)).then_with(|| specific(a, b)).then_with(|| ties(a, b))
    }),
];

/// The right order. What fails even so, fails because match entries are looked at one by one, and says nothing about an order.
pub const RIGHT_ORDER: Mutant = order("the right order", |a, b| specific(a, b).then_with(|| ties(a, b)));

const fn order(name: &'static str, order: fn(&Entry, &Entry) -> Ordering) -> Mutant {
    Mutant { name, fault: Fault::Order(order) }
}

/// By kind and hostname, then by what is given, the greatest first, then as usual.
fn compare<K: Ord>(a: &Entry, b: &Entry, key: impl Fn(&Entry) -> K) -> Ordering {
    let first = |it: &Entry| (it.calls, it.hostname);
    first(b).cmp(&first(a)).then_with(|| key(b).cmp(&key(a))).then_with(|| ties(a, b))
}

fn rest(it: &Entry) -> (bool, usize, usize) {
    (it.method, it.headers, it.query_params)
}

/// The criteria of calls that stand before their headers.
fn called(it: &Entry) -> (usize, usize) {
    (it.service, it.grpc_method)
}

/// The right order of what is specific.
fn specific(a: &Entry, b: &Entry) -> Ordering {
    let key = |it: &Entry| (it.calls, it.hostname, it.kind, it.length, called(it), rest(it));
    key(b).cmp(&key(a))
}

fn age(a: &Entry, b: &Entry) -> Ordering {
    a.created.cmp(&b.created).then_with(|| a.route.cmp(&b.route))
}

/// The right order of what is equally specific.
fn ties(a: &Entry, b: &Entry) -> Ordering {
    age(a, b).then_with(|| a.rule.cmp(&b.rule)).then_with(|| a.entry.cmp(&b.entry))
}

fn rank(hostname: Option<&str>) -> (bool, usize) {
    hostname.map_or((false, 0), |it| (!it.starts_with('*'), it.len()))
}

/// A kind of route that is split into its match entries.
pub(super) trait Split: Clone {
    fn metadata(&self) -> &ObjectMeta;
    fn parent_refs(&self) -> &[ParentReference];
    fn hostnames_mut(&mut self) -> &mut Vec<String>;

    /// Every match entry, with its rule and its position there, and as a route with this entry only.
    fn entries(&self) -> Vec<(Entry, Self)>;

    fn into_object(self) -> AnyObject;
}

/// What `of_entry` makes of every match entry of these rules, by the position of the rule and its own there.
fn entries<U, M: Clone + Default, S>(
    rules: &[U],
    matches: impl Fn(&U) -> &[M],
    of_entry: impl Fn((usize, usize), &U, M) -> S,
) -> Vec<S> {
    let mut entries = Vec::new();
    for (rule, written) in rules.iter().enumerate() {
        let matches = matches_or_default(matches(written)).into_iter().enumerate();
        entries.extend(matches.map(|(position, entry)| of_entry((rule, position), written, entry)));
    }
    entries
}

/// An entry of which nothing is known.
fn entry(calls: bool, rule: usize, entry: usize) -> Entry {
    Entry {
        calls,
        hostname: (false, 0),
        shared: (false, 0),
        kind: 0,
        length: 0,
        service: 0,
        grpc_method: 0,
        method: false,
        headers: 0,
        query_params: 0,
        created: 0,
        route: String::new(),
        rule,
        entry,
    }
}

/// The matches of a rule, never none.
fn matches_or_default<M: Clone + Default>(matches: &[M]) -> Vec<M> {
    if matches.is_empty() { vec![M::default()] } else { matches.to_vec() }
}

impl Split for HttpRoute {
    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn parent_refs(&self) -> &[ParentReference] {
        &self.spec.parent_refs
    }

    fn hostnames_mut(&mut self) -> &mut Vec<String> {
        &mut self.spec.hostnames
    }

    fn entries(&self) -> Vec<(Entry, Self)> {
        entries(
            &self.spec.rules,
            |rule| &rule.matches,
            |(rule, position), written, of_entry| {
                let facts = Entry {
                    kind: match of_entry.path.r#type {
                        PathMatchType::Exact => 2,
                        PathMatchType::RegularExpression => 1,
                        PathMatchType::PathPrefix | PathMatchType::Unknown(_) => 0,
                    },
                    length: of_entry.path.value.trim_end_matches('/').len(),
                    method: of_entry.method.is_some(),
                    headers: of_entry.headers.len(),
                    query_params: of_entry.query_params.len(),
                    ..entry(false, rule, position)
                };
                let mut alone = self.clone();
                alone.spec.rules = vec![HttpRouteRule { matches: vec![of_entry], ..written.clone() }];
                (facts, alone)
            },
        )
    }

    fn into_object(self) -> AnyObject {
        self.into()
    }
}

impl Split for GrpcRoute {
    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn parent_refs(&self) -> &[ParentReference] {
        &self.spec.parent_refs
    }

    fn hostnames_mut(&mut self) -> &mut Vec<String> {
        &mut self.spec.hostnames
    }

    fn entries(&self) -> Vec<(Entry, Self)> {
        entries(
            &self.spec.rules,
            |rule| &rule.matches,
            |(rule, position), written, of_entry| {
                let method = of_entry.method.clone().unwrap_or_default();
                let facts = Entry {
                    service: method.service.map_or(0, |service| service.len()),
                    grpc_method: method.method.map_or(0, |method| method.len()),
                    headers: of_entry.headers.len(),
                    ..entry(true, rule, position)
                };
                let mut alone = self.clone();
                alone.spec.rules = vec![GrpcRouteRule { matches: vec![of_entry], ..written.clone() }];
                (facts, alone)
            },
        )
    }

    fn into_object(self) -> AnyObject {
        self.into()
    }
}

/// The hostnames of the listeners that a route may attach to.
fn hostnames_of_listeners<'o>(parents: &[ParentReference], others: &'o [AnyObject]) -> Vec<&'o str> {
    let is_parent = |name: &str, section: &str| {
        parents.iter().any(|parent| {
            parent.name == name && parent.section_name.as_deref().is_none_or(|wanted| wanted == section)
        })
    };
    let gateways = others.iter().filter_map(|object| match object {
        AnyObject::Gateway(gateway) => Some(gateway),
        _ => None,
    });
    gateways
        .flat_map(|gateway| gateway.spec.listeners.iter().map(move |listener| (gateway, listener)))
        .filter(|(gateway, listener)| is_parent(&gateway.metadata.name, &listener.name))
        .filter_map(|(_, listener)| listener.hostname.as_deref())
        .collect()
}

/// Every match entry of a route, each as a route with this entry only.
pub(super) fn split<R: Split>(route: &R, others: &[AnyObject], created: i64) -> Vec<(Entry, AnyObject)> {
    let of_listeners = hostnames_of_listeners(route.parent_refs(), others);
    let written = std::mem::take(route.clone().hostnames_mut());
    let hostnames: Vec<Option<&String>> = match written.as_slice() {
        [] => vec![None],
        hostnames => hostnames.iter().map(Some).collect(),
    };
    let metadata = route.metadata();
    let name = format!("{}/{}", metadata.namespace.as_deref().unwrap_or_default(), metadata.name);
    let mut entries = Vec::new();
    for hostname in hostnames {
        let intersects = |listener: &&str| match (hostname.map(|it| it.parse::<Hostname>()), listener.parse())
        {
            (None, _) => true,
            (Some(Ok(hostname)), Ok(listener)) => hostname.intersects(&listener),
            (Some(_), _) => false,
        };
        let shared = of_listeners.iter().copied().filter(intersects);
        let shared = shared.chain(hostname.map(String::as_str)).max_by_key(|it| rank(Some(it)));
        for (facts, mut alone) in route.entries() {
            let facts = Entry {
                hostname: rank(hostname.map(String::as_str)),
                shared: rank(shared),
                created,
                route: name.clone(),
                ..facts
            };
            *alone.hostnames_mut() = hostname.into_iter().cloned().collect();
            entries.push((facts, alone.into_object()));
        }
    }
    entries
}
