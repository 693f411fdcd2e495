//! HTTPRoutes.

use gateway_core::api::{
    CookieConfig, CookieLifetimeType, EXPERIMENTAL_GROUP, HeaderConfig, HeaderMatchType, HttpBackendRef,
    HttpHeaderMatch, HttpMethod, HttpPathMatch, HttpQueryParamMatch, HttpRoute, HttpRouteFilterType,
    HttpRouteMatch, HttpRouteRetry, HttpRouteRule, HttpRouteSpec, HttpRouteTimeouts, MULTICLUSTER_GROUP,
    ParentReference, PathMatchType, QueryParamMatchType, Resources, SessionPersistence,
    SessionPersistenceType,
};
use gateway_core::name::ObjectName;

use super::source::Source;
use super::words::{
    HEADER_NAMES, HEADER_VALUES, HOSTNAMES, MANY_VALUES, METHODS, NAMESPACES, PARAM_NAMES, PARAM_VALUES,
    PATH_PATTERNS, PATHS, SERVICES, VALUE_PATTERNS,
};
use super::{created, filters, metadata};

pub(super) fn insert(source: &mut Source<'_>, resources: &mut Resources) {
    let parents = parents(resources);
    for i in 0..1 + source.below(6) {
        resources.insert(route(source, &parents, i).into());
    }
}

/// What routes may be attached to.
pub(super) fn parents(resources: &Resources) -> Vec<(&'static str, ObjectName)> {
    let gateways = resources.gateways.keys().map(|key| ("Gateway", key.clone()));
    let sets = resources.listener_sets.keys().map(|key| ("ListenerSet", key.clone()));
    // More routes on Gateways than on ListenerSets, of which many have no place.
    gateways.clone().chain(gateways.clone()).chain(gateways).chain(sets).collect()
}

pub(super) fn route(source: &mut Source<'_>, parents: &[(&str, ObjectName)], number: usize) -> HttpRoute {
    // Names and ages that tie.
    let namespace = source.one(&NAMESPACES);
    let mut metadata = metadata(namespace, format!("{}-{number}", source.one(&["r", "q"])));
    metadata.creation_timestamp = source.one(&[created(1), created(1), created(2), None]);
    let spec = HttpRouteSpec {
        parent_refs: parent_refs(source, parents, namespace),
        hostnames: unique(source.list(0, 3, |source| source.one(&HOSTNAMES).to_owned())),
        rules: if source.chance(8) { source.list(1, 3, many) } else { source.list(1, 4, rule) },
        ..HttpRouteSpec::default()
    };
    HttpRoute { metadata, spec, ..HttpRoute::default() }
}

fn unique(mut words: Vec<String>) -> Vec<String> {
    let mut seen = Vec::new();
    words.retain(|word| {
        let new = !seen.contains(word);
        seen.push(word.clone());
        new
    });
    words
}

fn parent_refs(
    source: &mut Source<'_>,
    parents: &[(&str, ObjectName)],
    namespace: &str,
) -> Vec<ParentReference> {
    let mut kept: Vec<ParentReference> = Vec::new();
    for parent in source.list(1, 3, |source| parent_ref(source, parents, namespace)) {
        // VAL-RT-01, VAL-RT-02: references to one parent differ in what all of them have.
        let fits = kept.iter().all(|other| {
            (&other.kind, &other.namespace, &other.name) != (&parent.kind, &parent.namespace, &parent.name)
                || (other.section_name.is_some() == parent.section_name.is_some()
                    && other.port.is_some() == parent.port.is_some()
                    && (&other.section_name, other.port) != (&parent.section_name, parent.port))
        });
        if fits {
            kept.push(parent);
        }
    }
    kept
}

fn parent_ref(source: &mut Source<'_>, parents: &[(&str, ObjectName)], namespace: &str) -> ParentReference {
    let (kind, parent) = source.one(parents);
    // Absent where it can be, and now and then where it cannot.
    let absent = if *parent.namespace == *namespace { source.chance(50) } else { source.chance(3) };
    let (of_gateway, sections) = (ParentReference::gateway(&*parent.name), ["l0", "l1", "l2", "l9"]);
    let (group, sections) = match kind {
        "Service" => (String::new(), ["http", "http", "other", "l9"]),
        _ => (of_gateway.group.clone(), sections),
    };
    ParentReference {
        group,
        kind: kind.to_owned(),
        namespace: (!absent).then(|| parent.namespace.to_string()),
        section_name: source.some(15, |source| source.one(&sections).to_owned()),
        port: source.some(10, |source| source.one(&[80, 443, 8080, 9])),
        ..of_gateway
    }
}

fn rule(source: &mut Source<'_>) -> HttpRouteRule {
    let matches = source.list(0, 3, http_match);
    let replaces_prefix = matches.len() == 1 && matches[0].path.r#type == PathMatchType::PathPrefix;
    let filters = if source.chance(40) { filters::of_rule(source, replaces_prefix) } else { Vec::new() };
    // VAL-HR-03
    let redirects = filters.iter().any(|filter| filter.r#type == HttpRouteFilterType::RequestRedirect);
    let most = if redirects { 0 } else { 3 };
    let least = if source.chance(5) { 0 } else { most.min(1) };
    let backend_refs = source.list(least, most, |source| backend_ref(source, replaces_prefix));
    HttpRouteRule {
        matches,
        filters,
        backend_refs,
        timeouts: source.some(10, |source| Box::new(timeouts(source))),
        retry: source.some(10, |source| Box::new(retry(source))),
        session_persistence: source.some(20, |source| Box::new(session(source))),
        ..HttpRouteRule::default()
    }
}

fn timeouts(source: &mut Source<'_>) -> HttpRouteTimeouts {
    // VAL-HR-08: an attempt takes no longer than all of it.
    HttpRouteTimeouts {
        request: source.some(60, |source| source.one(&["1s", "0s", "2s500ms", "1h"]).to_owned()),
        backend_request: source.some(60, |source| source.one(&["0s", "250ms", "1s"]).to_owned()),
    }
}

fn retry(source: &mut Source<'_>) -> HttpRouteRetry {
    HttpRouteRetry {
        codes: source.one(&[&[][..], &[500], &[503, 502, 429]]).to_vec(),
        attempts: source.one(&[0, 1, 1, 3, 1000]),
        backoff: source.some(40, |source| source.one(&["0s", "100ms", "1m1s"]).to_owned()),
    }
}

/// Sessions with names that several rules have.
pub(super) fn session(source: &mut Source<'_>) -> SessionPersistence {
    let absolute_timeout = source.some(40, |source| source.one(&["0s", "500ms", "10s", "1h"]).to_owned());
    if source.chance(30) {
        let header = Some(HeaderConfig { name: source.one(&["x-session", "X-Other"]).to_owned() });
        let r#type = SessionPersistenceType::Header;
        return SessionPersistence { absolute_timeout, r#type, cookie: None, header };
    }
    // VAL-SP-01: one that outlives the browser says for how long.
    let lifetime_type = match absolute_timeout.is_some() && source.chance(40) {
        true => CookieLifetimeType::Permanent,
        false => CookieLifetimeType::Session,
    };
    let (name, path) = (source.one(&["s", "t"]).to_owned(), source.one(&["/", "/a"]).to_owned());
    let cookie = Some(CookieConfig { name: Some(name), path, lifetime_type });
    SessionPersistence { absolute_timeout, cookie, ..SessionPersistence::default() }
}

/// A rule with many entries under one path, told apart by values: enough of them that they are not looked at one by one.
fn many(source: &mut Source<'_>) -> HttpRouteRule {
    let matches = source.list(8, 24, |source| {
        let value = source.one(&MANY_VALUES).to_owned();
        let mut entry = match source.below(3) {
            0 => http_match(source),
            _ => HttpRouteMatch::default(),
        };
        entry.path = HttpPathMatch { r#type: PathMatchType::PathPrefix, value: "/a".into() };
        match source.below(4) {
            0..2 => {
                entry.headers.retain(|header| header.name != "x");
                let name = "x".to_owned();
                entry.headers.push(HttpHeaderMatch { r#type: HeaderMatchType::Exact, name, value });
            }
            2 => {
                entry.query_params.retain(|param| param.name != "p");
                let name = "p".to_owned();
                entry.query_params.push(HttpQueryParamMatch {
                    r#type: QueryParamMatchType::Exact,
                    name,
                    value,
                });
            }
            _ => {}
        }
        entry
    });
    HttpRouteRule { matches, backend_refs: vec![backend_ref(source, false)], ..HttpRouteRule::default() }
}

fn http_match(source: &mut Source<'_>) -> HttpRouteMatch {
    let mut names = Vec::new();
    let mut headers = source.list(0, 2, header_match);
    // VAL-ST-01: names are unique as written, not without regard to case.
    headers.retain(|header| {
        let new = !names.contains(&header.name);
        names.push(header.name.clone());
        new
    });
    let mut names = Vec::new();
    let mut query_params = source.list(0, 2, query_param_match);
    query_params.retain(|param| {
        let new = !names.contains(&param.name);
        names.push(param.name.clone());
        new
    });
    let path = path_match(source);
    let method = source.some(15, |source| match source.chance(2) {
        true => HttpMethod::Unknown("FETCH".into()),
        false => HttpMethod::from(source.one(&METHODS[..6])),
    });
    // Most entries ask for little, or nothing would match.
    if source.chance(70) {
        headers.clear();
    }
    if source.chance(80) {
        query_params.clear();
    }
    HttpRouteMatch { path, headers, query_params, method }
}

fn path_match(source: &mut Source<'_>) -> HttpPathMatch {
    use PathMatchType::{Exact, PathPrefix, RegularExpression};
    let r#type = source.one(&[PathPrefix, PathPrefix, PathPrefix, Exact, RegularExpression]);
    let value = match &r#type {
        RegularExpression => source.one(&PATH_PATTERNS),
        _ if source.chance(30) => source.one(&PATHS),
        _ => source.one(&PATHS[..4]),
    };
    let r#type = if source.chance(1) { PathMatchType::Unknown("Glob".into()) } else { r#type };
    HttpPathMatch { r#type, value: value.into() }
}

fn header_match(source: &mut Source<'_>) -> HttpHeaderMatch {
    let name = source.one(&HEADER_NAMES).to_owned();
    let (r#type, value) = match source.below(4) {
        0..3 => (HeaderMatchType::Exact, source.one(&HEADER_VALUES)),
        // The schema wants some text.
        _ => (HeaderMatchType::RegularExpression, source.one(&VALUE_PATTERNS[..6])),
    };
    let r#type = if source.chance(1) { HeaderMatchType::Unknown("Glob".into()) } else { r#type };
    HttpHeaderMatch { r#type, name, value: value.to_owned() }
}

fn query_param_match(source: &mut Source<'_>) -> HttpQueryParamMatch {
    let name = source.one(&PARAM_NAMES).to_owned();
    let (r#type, value) = match source.below(4) {
        0..3 => (QueryParamMatchType::Exact, source.one(&PARAM_VALUES)),
        _ => (QueryParamMatchType::RegularExpression, source.one(&VALUE_PATTERNS[..6])),
    };
    let r#type = if source.chance(1) { QueryParamMatchType::Unknown("Glob".into()) } else { r#type };
    HttpQueryParamMatch { r#type, name, value: value.to_owned() }
}

fn backend_ref(source: &mut Source<'_>, replaces_prefix: bool) -> HttpBackendRef {
    let (group, kind) = match source.below(43) {
        0..35 => ("", "Service"),
        35..38 => (MULTICLUSTER_GROUP, "ServiceImport"),
        38 => ("", "ConfigMap"),
        39..42 => (EXPERIMENTAL_GROUP, "XBackend"),
        _ => ("example.com", "Service"),
    };
    let services = if source.chance(5) { &SERVICES[..] } else { &SERVICES[..3] };
    HttpBackendRef {
        group: group.into(),
        kind: kind.into(),
        name: source.one(services).into(),
        namespace: source.some(15, |source| source.one(&NAMESPACES).into()),
        // An XBackend has a port of its own.
        port: (kind != "XBackend").then(|| source.one(&[80, 80, 80, 80, 80, 80, 80, 8080, 8080, 9])),
        weight: source.one(&[1, 1, 1, 0, 3, 1_000_000]),
        filters: if source.chance(20) {
            filters::of_backend(source, replaces_prefix).into()
        } else {
            Box::default()
        },
    }
}
