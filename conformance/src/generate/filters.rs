//! Filters of rules and backends.

use gateway_core::api::{
    BackendObjectReference, EXPERIMENTAL_GROUP, ForwardBodyConfig, Fraction, GrpcAuthConfig, HttpAuthConfig,
    HttpCorsFilter, HttpExternalAuthFilter, HttpHeader, HttpHeaderFilter, HttpMethodWithWildcard,
    HttpPathModifier, HttpPathModifierType, HttpRequestMirrorFilter, HttpRequestRedirectFilter,
    HttpRouteExternalAuthProtocol as Protocol, HttpRouteFilter, HttpRouteFilterType as Type,
    HttpUrlRewriteFilter, LocalObjectReference, MULTICLUSTER_GROUP, RedirectScheme,
};

use super::source::Source;
use super::words::{NAMESPACES, SERVICES};

/// The filters of a rule; a matched prefix is replaced only where the rule has one.
pub(super) fn of_rule(source: &mut Source<'_>, replaces_prefix: bool) -> Vec<HttpRouteFilter> {
    list(source, replaces_prefix, true)
}

/// The filters of a backend.
pub(super) fn of_backend(source: &mut Source<'_>, replaces_prefix: bool) -> Vec<HttpRouteFilter> {
    list(source, replaces_prefix, false)
}

fn list(source: &mut Source<'_>, replaces_prefix: bool, of_rule: bool) -> Vec<HttpRouteFilter> {
    let mut kept: Vec<HttpRouteFilter> = Vec::new();
    for filter in source.list(1, 4, |source| filter(source, replaces_prefix, of_rule)) {
        // VAL-HR-09 to VAL-HR-14: one of each, but for mirrors and extensions; redirect or rewrite.
        let repeatable = matches!(filter.r#type, Type::RequestMirror | Type::ExtensionRef | Type::Unknown(_));
        let redirects =
            |filter: &HttpRouteFilter| matches!(filter.r#type, Type::RequestRedirect | Type::UrlRewrite);
        let fits = kept.iter().all(|other| {
            (repeatable || other.r#type != filter.r#type) && !(redirects(other) && redirects(&filter))
        });
        if fits {
            kept.push(filter);
        }
    }
    kept
}

fn filter(source: &mut Source<'_>, replaces_prefix: bool, of_rule: bool) -> HttpRouteFilter {
    let usual = [
        Type::RequestHeaderModifier,
        Type::ResponseHeaderModifier,
        Type::RequestMirror,
        Type::UrlRewrite,
        Type::Cors,
        Type::RequestRedirect,
    ];
    let unusual = [
        Type::ExtensionRef,
        Type::ExternalAuth,
        Type::Unknown("Magic".into()),
        Type::RequestRedirect,
        Type::Cors,
    ];
    let r#type = match (source.chance(6), of_rule) {
        (true, true | false) => source.one(&unusual),
        (false, true) => source.one(&usual),
        (false, false) => source.one(&usual[..4]),
    };
    let mut filter = HttpRouteFilter::new(r#type.clone());
    match r#type {
        Type::RequestHeaderModifier => {
            filter.request_header_modifier = Some(Box::new(header_modifier(source)))
        }
        Type::ResponseHeaderModifier => {
            filter.response_header_modifier = Some(Box::new(header_modifier(source)))
        }
        Type::RequestMirror => filter.request_mirror = Some(Box::new(mirror(source))),
        Type::UrlRewrite => filter.url_rewrite = Some(Box::new(rewrite(source, replaces_prefix))),
        Type::RequestRedirect => filter.request_redirect = Some(Box::new(redirect(source, replaces_prefix))),
        Type::Cors => filter.cors = Some(Box::new(cors(source))),
        Type::ExtensionRef => {
            let reference = LocalObjectReference {
                group: "example.com".to_owned(),
                kind: "Filter".to_owned(),
                name: "filter".to_owned(),
            };
            filter.extension_ref = Some(Box::new(reference));
        }
        Type::ExternalAuth => filter.external_auth = Some(Box::new(external_auth(source))),
        Type::Unknown(_) => {}
    }
    filter
}

pub(super) fn external_auth(source: &mut Source<'_>) -> HttpExternalAuthFilter {
    let names = |source: &mut Source<'_>| {
        let mut names =
            source.list(0, 2, |source| source.one(&["x", "Y", "version", "host", "te", "cookie"]).to_owned());
        names.dedup();
        names
    };
    let is_call = source.chance(30);
    HttpExternalAuthFilter {
        protocol: if is_call { Protocol::Grpc } else { Protocol::Http },
        backend_ref: backend_ref(source),
        grpc: is_call.then(|| GrpcAuthConfig { allowed_headers: names(source) }),
        http: (!is_call).then(|| HttpAuthConfig {
            path: source.some(40, |source| source.one(&["/a", "a/b/", "/a/../c", "/"]).to_owned()),
            allowed_headers: names(source),
            allowed_response_headers: names(source),
        }),
        forward_body: source.some(30, |source| ForwardBodyConfig { max_size: Some(source.one(&[0, 4])) }),
    }
}

const MODIFIED: [&str; 10] =
    ["x", "y", "X", "version", "host", "origin", "vary", "location", "access-control-allow-origin", "te"];

fn header_modifier(source: &mut Source<'_>) -> HttpHeaderFilter {
    // The last of the names are rarely good for anything.
    let name = |source: &mut Source<'_>| {
        let of = if source.chance(15) { &MODIFIED[..] } else { &MODIFIED[..4] };
        source.one(of).to_owned()
    };
    let header = |source: &mut Source<'_>| HttpHeader {
        name: name(source),
        value: source.one(&["1", "2", "a, b", "rewritten.test", "rewritten.test:81", "a b"]).to_owned(),
    };
    let distinct = |mut headers: Vec<HttpHeader>| {
        let mut names = Vec::new();
        headers.retain(|header| {
            let new = !names.contains(&header.name);
            names.push(header.name.clone());
            new
        });
        headers
    };
    let set = distinct(source.list(0, 2, header));
    let add = distinct(source.list(0, 2, header));
    let mut remove = source.list(0, 2, name);
    remove.dedup();
    let mut modifier = HttpHeaderFilter { set, add, remove };
    // Mostly one action for each name.
    if !source.chance(5) {
        let HttpHeaderFilter { set, add, remove } = &mut modifier;
        let is = |header: &HttpHeader, name: &str| header.name.eq_ignore_ascii_case(name);
        add.retain(|header| !set.iter().any(|other| is(other, &header.name)));
        remove.retain(|name| !set.iter().chain(add.iter()).any(|other| is(other, name)));
    }
    modifier
}

fn backend_ref(source: &mut Source<'_>) -> BackendObjectReference {
    let (group, kind) = match source.below(26) {
        0 => ("", "ConfigMap"),
        1..3 => (MULTICLUSTER_GROUP, "ServiceImport"),
        3 => (EXPERIMENTAL_GROUP, "XBackend"),
        _ => ("", "Service"),
    };
    BackendObjectReference {
        group: group.to_owned(),
        kind: kind.to_owned(),
        name: source.one(&SERVICES).to_owned(),
        namespace: source.some(20, |source| source.one(&NAMESPACES).to_owned()),
        port: (kind != "XBackend").then(|| source.one(&[80, 8080])),
    }
}

fn mirror(source: &mut Source<'_>) -> HttpRequestMirrorFilter {
    let (percent, fraction) = match source.below(3) {
        0 => (None, None),
        1 => (Some(source.one(&[0, 1, 50, 100])), None),
        _ => {
            let (numerator, denominator) =
                source.one(&[(0, 1), (1, 1), (1, 2), (1, 3), (i32::MAX, i32::MAX)]);
            (None, Some(Fraction { numerator, denominator }))
        }
    };
    HttpRequestMirrorFilter { backend_ref: backend_ref(source), percent, fraction }
}

fn hostname(source: &mut Source<'_>) -> Option<String> {
    let of = if source.chance(5) { ["10.0.0.1", "10.0.0.2"] } else { ["rewritten.test", "a.example.com"] };
    source.some(50, |source| source.one(&of).to_owned())
}

fn rewrite(source: &mut Source<'_>, replaces_prefix: bool) -> HttpUrlRewriteFilter {
    HttpUrlRewriteFilter {
        hostname: hostname(source),
        path: source.some(80, |source| path_modifier(source, replaces_prefix)),
    }
}

fn redirect(source: &mut Source<'_>, replaces_prefix: bool) -> HttpRequestRedirectFilter {
    let scheme = |source: &mut Source<'_>| match source.chance(3) {
        true => RedirectScheme::Unknown("ftp".into()),
        false => source.one(&[RedirectScheme::Http, RedirectScheme::Https]),
    };
    HttpRequestRedirectFilter {
        scheme: source.some(50, scheme),
        hostname: hostname(source),
        path: source.some(60, |source| path_modifier(source, replaces_prefix)),
        port: source.some(40, |source| source.one(&[80, 443, 8080])),
        status_code: source.one(&[302, 301, 303, 307, 308, 302, 301, 303, 307, 308, 304]),
    }
}

fn path_modifier(source: &mut Source<'_>, replaces_prefix: bool) -> HttpPathModifier {
    let r#type = match (source.chance(3), replaces_prefix && !source.chance(30)) {
        (true, true | false) => HttpPathModifierType::Unknown("ReplaceSuffix".into()),
        (false, true) => HttpPathModifierType::ReplacePrefixMatch,
        (false, false) => HttpPathModifierType::ReplaceFullPath,
    };
    let text = source.one(&[
        "",
        "/",
        "/new",
        "/new/",
        "/new/path",
        "new",
        "/new//",
        "?",
        "/new?r=1",
        "/new?",
        "/a b",
        "/é",
        "/%41",
        "/%4",
        "/new#x",
        "?r=1#x",
        "//new",
    ]);
    let text = Some(text.to_owned());
    let (full, prefix) = match r#type {
        HttpPathModifierType::ReplaceFullPath => (text, None),
        HttpPathModifierType::ReplacePrefixMatch => (None, text),
        HttpPathModifierType::Unknown(_) => (None, None),
    };
    HttpPathModifier { r#type, replace_full_path: full, replace_prefix_match: prefix }
}

fn cors(source: &mut Source<'_>) -> HttpCorsFilter {
    use HttpMethodWithWildcard::{Any, Get, Post};
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    HttpCorsFilter {
        allow_origins: source.one(&[
            words(&["https://a.test"]),
            words(&["*"]),
            words(&["https://*.test", "http://b.test:8080"]),
            words(&["https://*", "http://A.test"]),
            words(&[]),
            words(&["https://*.a.test:444", "https://a.test:443"]),
        ]),
        allow_credentials: source.one(&[None, Some(true), Some(false)]),
        allow_methods: source.one(&[vec![], vec![Any], vec![Get, Post]]),
        allow_headers: source.one(&[words(&[]), words(&["*"]), words(&["x", "Y"])]),
        expose_headers: source.one(&[words(&[]), words(&["*"]), words(&["x", "*"]), words(&["x", "y"])]),
        max_age: source.one(&[5, 1, 600]),
    }
}
