//! The filters of HTTPRoute, and those of them that GRPCRoute has too.

use super::header_modifier::header_modifier;
use super::pattern;
use super::problem::Problems;
use super::reference;
use super::schema::PORT;
use crate::api::{
    Fraction, HttpCorsFilter, HttpExternalAuthFilter, HttpMethodWithWildcard, HttpPathModifier,
    HttpPathModifierType, HttpRequestMirrorFilter, HttpRequestRedirectFilter, HttpRouteExternalAuthProtocol,
    HttpRouteFilter, HttpRouteFilterType as Type, HttpUrlRewriteFilter,
};

/// The filters of a rule or of a backend.
///
/// # Spec
/// LIM-14, VAL-HR-09 to VAL-HR-14.
pub(super) fn filters(filters: &[HttpRouteFilter], at: &mut Problems) {
    if filters.is_empty() {
        return;
    }
    let filters = at.list("filters", filters, 0..=16, "LIM-14", filter);
    let of_type = |wanted: &Type| filters.iter().filter(|filter| filter.r#type == *wanted).count();
    let at = &mut *at.field("filters");
    for (rule, once) in [
        ("VAL-HR-10", Type::Cors),
        ("VAL-HR-11", Type::RequestHeaderModifier),
        ("VAL-HR-12", Type::ResponseHeaderModifier),
        ("VAL-HR-13", Type::RequestRedirect),
        ("VAL-HR-14", Type::UrlRewrite),
    ] {
        if of_type(&once) > 1 {
            at.report(rule, format!("have type {once} more than once; write it once, with everything in it"));
        }
    }
    if of_type(&Type::RequestRedirect) > 0 && of_type(&Type::UrlRewrite) > 0 {
        at.report(
            "VAL-HR-09",
            "have RequestRedirect and URLRewrite; a request is redirected or rewritten, not both",
        );
    }
}

/// # Spec
/// VAL-HR-15 to VAL-HR-30. A type that is not known is not refused: it has a condition of its own (FLT-09).
fn filter(filter: &HttpRouteFilter, at: &mut Problems) {
    let HttpRouteFilter {
        r#type,
        request_header_modifier,
        response_header_modifier,
        request_mirror,
        request_redirect,
        url_rewrite,
        cors,
        external_auth,
        extension_ref,
    } = filter;
    let mut union = |name, of: Type, present: bool, not_absent, not_present| {
        member(name, of.as_str(), r#type == &of, present, not_absent, not_present, at);
    };
    if !matches!(r#type, Type::Unknown(_)) {
        union("cors", Type::Cors, cors.is_some(), "VAL-HR-15", "VAL-HR-16");
        let present = request_header_modifier.is_some();
        union("requestHeaderModifier", Type::RequestHeaderModifier, present, "VAL-HR-17", "VAL-HR-18");
        let present = response_header_modifier.is_some();
        union("responseHeaderModifier", Type::ResponseHeaderModifier, present, "VAL-HR-19", "VAL-HR-20");
        union("requestMirror", Type::RequestMirror, request_mirror.is_some(), "VAL-HR-21", "VAL-HR-22");
        union("requestRedirect", Type::RequestRedirect, request_redirect.is_some(), "VAL-HR-23", "VAL-HR-24");
        union("urlRewrite", Type::UrlRewrite, url_rewrite.is_some(), "VAL-HR-25", "VAL-HR-26");
        union("extensionRef", Type::ExtensionRef, extension_ref.is_some(), "VAL-HR-27", "VAL-HR-28");
        union("externalAuth", Type::ExternalAuth, external_auth.is_some(), "VAL-HR-29", "VAL-HR-30");
    }
    if let Some(modifier) = request_header_modifier {
        header_modifier(modifier, &mut at.field("requestHeaderModifier"));
    }
    if let Some(modifier) = response_header_modifier {
        header_modifier(modifier, &mut at.field("responseHeaderModifier"));
    }
    if let Some(mirror) = request_mirror {
        self::request_mirror(mirror, &mut at.field("requestMirror"));
    }
    if let Some(redirect) = request_redirect {
        self::request_redirect(redirect, &mut at.field("requestRedirect"));
    }
    if let Some(rewrite) = url_rewrite {
        self::url_rewrite(rewrite, &mut at.field("urlRewrite"));
    }
    if let Some(cors) = cors {
        self::cors(cors, &mut at.field("cors"));
    }
    if let Some(auth) = external_auth {
        self::external_auth(auth, &mut at.field("externalAuth"));
    }
    if let Some(reference) = extension_ref {
        reference::local(reference, &mut at.field("extensionRef"));
    }
}

/// A member of a union: it must be there if the type names it, and only then.
#[inline]
pub(super) fn member(
    name: &'static str,
    of: &str,
    named: bool,
    present: bool,
    absent_unless_named: &'static str,
    present_if_named: &'static str,
    at: &mut Problems,
) {
    match (named, present) {
        (true, true) | (false, false) => {}
        (false, true) => at
            .field(name)
            .report(absent_unless_named, format!("is for type {of} only; drop it, or change the type")),
        (true, false) => {
            at.field(name).report(present_if_named, format!("is absent, but type {of} needs it"));
        }
    }
}

/// # Spec
/// VAL-HR-38, VAL-HR-39, VAL-RT-03, VAL-ST-06.
pub(super) fn request_mirror(mirror: &HttpRequestMirrorFilter, at: &mut Problems) {
    reference::backend((&mirror.backend_ref).into(), &mut at.field("backendRef"));
    at.optional_number("percent", mirror.percent, 0..=100);
    if let Some(fraction) = &mirror.fraction {
        self::fraction(fraction, &mut at.field("fraction"));
    }
    if mirror.percent.is_some() && mirror.fraction.is_some() {
        at.report("VAL-HR-38", "has both percent and fraction; drop one of them");
    }
}

/// A share of requests.
///
/// # Spec
/// VAL-HR-39, VAL-ST-06.
pub(super) fn fraction(fraction: &Fraction, at: &mut Problems) {
    let Fraction { numerator, denominator } = *fraction;
    at.number("numerator", numerator, 0..=i32::MAX);
    at.number("denominator", denominator, 1..=i32::MAX);
    if numerator > denominator {
        at.report("VAL-HR-39", format!("{numerator}/{denominator} is more than all requests; 1 is the most"));
    }
}

/// Schemes and status codes that are not known are not refused: they have a condition of their own (FRD-10).
fn request_redirect(redirect: &HttpRequestRedirectFilter, at: &mut Problems) {
    at.optional_text("hostname", redirect.hostname.as_deref(), &pattern::PRECISE);
    at.optional_number("port", redirect.port, PORT);
    if let Some(path) = &redirect.path {
        path_modifier(path, &mut at.field("path"));
    }
}

fn url_rewrite(rewrite: &HttpUrlRewriteFilter, at: &mut Problems) {
    at.optional_text("hostname", rewrite.hostname.as_deref(), &pattern::PRECISE);
    if let Some(path) = &rewrite.path {
        path_modifier(path, &mut at.field("path"));
    }
}

/// # Spec
/// VAL-HR-40 to VAL-HR-43, LIM-16.
fn path_modifier(modifier: &HttpPathModifier, at: &mut Problems) {
    use HttpPathModifierType as Type;
    let HttpPathModifier { r#type, replace_full_path, replace_prefix_match } = modifier;
    if !matches!(r#type, Type::Unknown(_)) {
        let (full, prefix) = (Type::ReplaceFullPath, Type::ReplacePrefixMatch);
        let named = *r#type == full;
        let present = replace_full_path.is_some();
        member("replaceFullPath", full.as_str(), named, present, "VAL-HR-41", "VAL-HR-40", at);
        let present = replace_prefix_match.is_some();
        member("replacePrefixMatch", prefix.as_str(), !named, present, "VAL-HR-43", "VAL-HR-42", at);
    }
    for (name, text) in [("replaceFullPath", replace_full_path), ("replacePrefixMatch", replace_prefix_match)]
    {
        if let Some(text) = text {
            at.length(name, text, 0..=1024, "LIM-16");
        }
    }
}

/// # Spec
/// LIM-17, VAL-HR-31 to VAL-HR-33, VAL-ST-02, VAL-ST-04, VAL-ST-06.
fn cors(cors: &HttpCorsFilter, at: &mut Problems) {
    let HttpCorsFilter {
        allow_origins,
        allow_credentials: _,
        allow_methods,
        allow_headers,
        expose_headers,
        max_age,
    } = cors;
    let origins = text_set("allowOrigins", allow_origins, Some(&pattern::CORS_ORIGIN), "LIM-17", at);
    alone("allowOrigins", origins.iter().map(String::as_str), "VAL-HR-31", at);

    let methods = at.list("allowMethods", allow_methods, 0..=9, "LIM-17", |method, at| {
        if let HttpMethodWithWildcard::Unknown(value) = method {
            at.unknown_value(value, HttpMethodWithWildcard::KNOWN);
        }
    });
    at.unique("allowMethods", methods, None, "VAL-ST-02", HttpMethodWithWildcard::as_str);
    alone("allowMethods", methods.iter().map(HttpMethodWithWildcard::as_str), "VAL-HR-32", at);

    let headers = text_set("allowHeaders", allow_headers, Some(&pattern::HEADER_NAME), "LIM-17", at);
    alone("allowHeaders", headers.iter().map(String::as_str), "VAL-HR-33", at);
    text_set("exposeHeaders", expose_headers, Some(&pattern::HEADER_NAME), "LIM-17", at);
    at.number("maxAge", *max_age, 1..=i32::MAX);
}

/// A wildcard stands alone: what else is in the list would have no effect.
fn alone<'a>(
    name: &'static str,
    mut values: impl ExactSizeIterator<Item = &'a str>,
    rule: &'static str,
    at: &mut Problems,
) {
    if values.len() > 1 && values.any(|value| value == "*") {
        at.field(name).report(rule, "has * beside other entries; write * alone, or drop it");
    }
}

/// # Spec
/// VAL-HR-34 to VAL-HR-37, VAL-RT-03, VAL-ST-02, VAL-ST-04, VAL-ST-06.
pub(super) fn external_auth(auth: &HttpExternalAuthFilter, at: &mut Problems) {
    use HttpRouteExternalAuthProtocol as Protocol;
    let HttpExternalAuthFilter { protocol, backend_ref, grpc, http, forward_body } = auth;
    match protocol {
        Protocol::Http | Protocol::Grpc => {
            let of_grpc = *protocol == Protocol::Grpc;
            protocol_member("grpc", Protocol::Grpc, of_grpc, grpc.is_some(), "VAL-HR-34", "VAL-HR-35", at);
            protocol_member("http", Protocol::Http, !of_grpc, http.is_some(), "VAL-HR-36", "VAL-HR-37", at);
        }
        Protocol::Unknown(value) => at.field("protocol").unknown_value(value, Protocol::KNOWN),
    }
    reference::backend(backend_ref.into(), &mut at.field("backendRef"));
    if let Some(forward_body) = forward_body {
        at.field("forwardBody").optional_number("maxSize", forward_body.max_size, 0..=i32::MAX);
    }
    if let Some(grpc) = grpc {
        text_set("allowedHeaders", &grpc.allowed_headers, None, "VAL-ST-02", &mut at.field("grpc"));
    }
    if let Some(http) = http {
        let at = &mut *at.field("http");
        // An empty path passes the length but not the pattern.
        at.optional_text("path", http.path.as_deref(), &pattern::PATH);
        text_set("allowedHeaders", &http.allowed_headers, None, "VAL-ST-02", at);
        text_set("allowedResponseHeaders", &http.allowed_response_headers, None, "VAL-ST-02", at);
    }
}

fn protocol_member(
    name: &'static str,
    of: HttpRouteExternalAuthProtocol,
    named: bool,
    present: bool,
    present_if_named: &'static str,
    absent_unless_named: &'static str,
    at: &mut Problems,
) {
    match (named, present) {
        (true, true) | (false, false) => {}
        (true, false) => {
            at.field(name).report(present_if_named, format!("is absent, but protocol {of} needs it"))
        }
        (false, true) => at.field(name).report(
            absent_unless_named,
            format!("is for protocol {of} only; drop it, or change the protocol"),
        ),
    }
}

/// Texts that may be there once each, at most 64.
fn text_set<'a>(
    name: &'static str,
    texts: &'a [String],
    pattern: Option<&pattern::Pattern>,
    limit: &'static str,
    at: &mut Problems,
) -> &'a [String] {
    let texts = at.list(name, texts, 0..=64, limit, |text, at| {
        if let Some(pattern) = pattern
            && !pattern.accepts(text)
        {
            at.wrong_text(text, pattern);
        }
    });
    at.unique(name, texts, None, "VAL-ST-02", |text| text.as_str());
    texts
}
