//! The filters of a rule or of a backend: from the fields as written to filters that work.

use std::sync::Arc;

use super::rule::RuleFindings;
use super::scope::Scope;
use crate::api::{
    GrpcRouteFilter, GrpcRouteFilterType, HttpCorsFilter, HttpExternalAuthFilter, HttpHeaderFilter,
    HttpPathModifier, HttpPathModifierType, HttpRequestMirrorFilter, HttpRequestRedirectFilter,
    HttpRouteFilter, HttpRouteFilterType, HttpUrlRewriteFilter, LocalObjectReference, RedirectScheme,
};
use crate::condition::Reason;
use crate::filter::{
    Cors, CorsPolicy, ExtensionError, ExternalAuth, HeaderModifier, HttpFilter, PathModifier, RedirectStatus,
    RequestMirror, RequestRedirect, Scheme, Share, UrlRewrite,
};
use crate::finding::Finding;
use crate::resolve::external_auth;

/// Which list a filter stands in; backends cannot have all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FilterLevel {
    Rule,
    Backend,
}

/// Why a filter cannot be made.
enum Problem {
    /// The rule asks for what cannot be carried out.
    Rule(Finding),
    /// A reference leads nowhere.
    Ref(Finding),
    /// A mirror leads nowhere.
    Mirror(Finding),
}

/// The filters of one list of an HTTPRoute, which stands at `at` below the rule. A filter that cannot be made fails the
/// requests that it would have processed.
///
/// # Spec
/// FLT-05 to FLT-09, FMR-06, FEA-09, FEA-10, AMB-53.
pub(super) fn http_filters(
    written: &[HttpRouteFilter],
    level: FilterLevel,
    at: &str,
    scope: &mut Scope<'_, '_>,
    findings: &mut RuleFindings,
) -> Box<[HttpFilter]> {
    let made = written.iter().map(|filter| http_filter(filter, level, scope));
    collect(made, at, findings)
}

/// The filters of one list of a GRPCRoute.
///
/// # Spec
/// GRP-14, GRP-15.
pub(super) fn grpc_filters(
    written: &[GrpcRouteFilter],
    at: &str,
    scope: &mut Scope<'_, '_>,
    findings: &mut RuleFindings,
) -> Box<[HttpFilter]> {
    let made = written.iter().map(|filter| grpc_filter(filter, scope));
    collect(made, at, findings)
}

fn collect(
    filters: impl Iterator<Item = Result<HttpFilter, Problem>>,
    at: &str,
    findings: &mut RuleFindings,
) -> Box<[HttpFilter]> {
    let mut made = Vec::with_capacity(filters.size_hint().0);
    for (index, filter) in filters.enumerate() {
        let below = |finding: Finding| finding.under(format_args!("{at}filters[{index}]"));
        match filter {
            Ok(filter) => made.push(filter),
            Err(Problem::Rule(finding)) => {
                made.push(HttpFilter::Unresolved);
                findings.problems.push(below(finding));
            }
            Err(Problem::Ref(finding)) => {
                made.push(HttpFilter::Unresolved);
                findings.references.push(below(finding));
            }
            // A mirror that leads nowhere is left out: the request itself is not its business.
            Err(Problem::Mirror(finding)) => findings.references.push(below(finding)),
        }
    }
    made.into()
}

fn http_filter(
    filter: &HttpRouteFilter,
    level: FilterLevel,
    scope: &mut Scope<'_, '_>,
) -> Result<HttpFilter, Problem> {
    use HttpRouteFilterType as Type;
    let missing = || unsupported(format!("type {} needs its member", filter.r#type));
    Ok(match &filter.r#type {
        Type::RequestHeaderModifier => HttpFilter::RequestHeaderModifier(header_modifier(
            filter.request_header_modifier.as_deref().ok_or_else(missing)?,
        )?),
        Type::ResponseHeaderModifier => HttpFilter::ResponseHeaderModifier(header_modifier(
            filter.response_header_modifier.as_deref().ok_or_else(missing)?,
        )?),
        Type::RequestRedirect if level == FilterLevel::Rule => HttpFilter::RequestRedirect(Box::new(
            redirect(filter.request_redirect.as_deref().ok_or_else(missing)?)?,
        )),
        Type::UrlRewrite => {
            HttpFilter::UrlRewrite(Box::new(rewrite(filter.url_rewrite.as_deref().ok_or_else(missing)?)?))
        }
        Type::RequestMirror => mirror(filter.request_mirror.as_deref().ok_or_else(missing)?, scope)?,
        Type::Cors if level == FilterLevel::Rule => {
            HttpFilter::Cors(Box::new(cors(filter.cors.as_deref().ok_or_else(missing)?)?))
        }
        Type::ExternalAuth if level == FilterLevel::Rule && scope.options().external_auth => {
            external_auth(filter.external_auth.as_deref().ok_or_else(missing)?, scope)?
        }
        Type::ExtensionRef => extension(filter.extension_ref.as_deref().ok_or_else(missing)?, scope)?,
        // AMB-53: what answers instead of the backend is no filter of a backend.
        Type::RequestRedirect | Type::Cors | Type::ExternalAuth => {
            return Err(unsupported(format!(
                "filter type {} is not supported here; remove it",
                filter.r#type
            )));
        }
        Type::Unknown(unknown) => return Err(unknown_type(unknown, "an HTTPRoute", Type::KNOWN)),
    })
}

fn grpc_filter(filter: &GrpcRouteFilter, scope: &mut Scope<'_, '_>) -> Result<HttpFilter, Problem> {
    use GrpcRouteFilterType as Type;
    let missing = || unsupported(format!("type {} needs its member", filter.r#type));
    Ok(match &filter.r#type {
        Type::RequestHeaderModifier => HttpFilter::RequestHeaderModifier(header_modifier(
            filter.request_header_modifier.as_deref().ok_or_else(missing)?,
        )?),
        Type::ResponseHeaderModifier => HttpFilter::ResponseHeaderModifier(header_modifier(
            filter.response_header_modifier.as_deref().ok_or_else(missing)?,
        )?),
        Type::RequestMirror => mirror(filter.request_mirror.as_deref().ok_or_else(missing)?, scope)?,
        Type::ExtensionRef => extension(filter.extension_ref.as_deref().ok_or_else(missing)?, scope)?,
        Type::Unknown(unknown) => return Err(unknown_type(unknown, "a GRPCRoute", Type::KNOWN)),
    })
}

fn unknown_type(unknown: &str, of: &str, known: &[&str]) -> Problem {
    unsupported(format!("{of} has no filter type {unknown:?}; write one of {}", known.join(", ")))
}

fn unsupported(message: impl ToString) -> Problem {
    Problem::Rule(Finding::whole(Reason::UnsupportedValue, message.to_string()))
}

fn incompatible(message: impl ToString) -> Problem {
    Problem::Rule(Finding::whole(Reason::IncompatibleFilters, message.to_string()))
}

fn header_modifier(written: &HttpHeaderFilter) -> Result<HeaderModifier, Problem> {
    fn pairs(headers: &[crate::api::HttpHeader]) -> impl Iterator<Item = (&str, &str)> {
        headers.iter().map(|header| (header.name.as_str(), header.value.as_str()))
    }
    HeaderModifier::new(pairs(&written.set), pairs(&written.add), written.remove.iter().map(String::as_str))
        .map_err(incompatible)
}

fn redirect(written: &HttpRequestRedirectFilter) -> Result<RequestRedirect, Problem> {
    Ok(RequestRedirect {
        scheme: match &written.scheme {
            None => None,
            Some(RedirectScheme::Http) => Some(Scheme::Http),
            Some(RedirectScheme::Https) => Some(Scheme::Https),
            Some(RedirectScheme::Unknown(scheme)) => {
                return Err(unsupported(format!(
                    "{scheme:?} is not a scheme to redirect to; write http or https"
                )));
            }
        },
        hostname: written.hostname.as_deref().map(str::parse).transpose().map_err(unsupported)?,
        port: written.port.map(u16::try_from).transpose().map_err(unsupported)?,
        path: written.path.as_ref().map(path_modifier).transpose()?,
        status: RedirectStatus::try_from(i64::from(written.status_code)).map_err(unsupported)?,
    })
}

fn rewrite(written: &HttpUrlRewriteFilter) -> Result<UrlRewrite, Problem> {
    Ok(UrlRewrite {
        hostname: written.hostname.as_deref().map(str::parse).transpose().map_err(unsupported)?,
        path: written.path.as_ref().map(path_modifier).transpose()?,
    })
}

fn path_modifier(written: &HttpPathModifier) -> Result<PathModifier, Problem> {
    match &written.r#type {
        HttpPathModifierType::ReplaceFullPath => {
            PathModifier::replace_full_path(written.replace_full_path.as_deref().unwrap_or(""))
                .map_err(unsupported)
        }
        HttpPathModifierType::ReplacePrefixMatch => {
            PathModifier::replace_prefix_match(written.replace_prefix_match.as_deref().unwrap_or(""))
                .map_err(unsupported)
        }
        HttpPathModifierType::Unknown(unknown) => Err(unsupported(format!(
            "{unknown:?} is not a type of path modifier; write one of {}",
            HttpPathModifierType::KNOWN.join(", ")
        ))),
    }
}

fn mirror(written: &HttpRequestMirrorFilter, scope: &mut Scope<'_, '_>) -> Result<HttpFilter, Problem> {
    let share = match (written.percent, &written.fraction) {
        (Some(percent), None | Some(_)) => Share::percent(percent).map_err(unsupported)?,
        (None, Some(fraction)) => {
            Share::fraction(fraction.numerator, fraction.denominator).map_err(unsupported)?
        }
        (None, None) => Share::all(),
    };
    let backend = scope.backend(written.into()).map_err(Problem::Mirror)?;
    Ok(HttpFilter::RequestMirror(RequestMirror { backend, share }))
}

fn external_auth(written: &HttpExternalAuthFilter, scope: &mut Scope<'_, '_>) -> Result<HttpFilter, Problem> {
    let below = |finding: Finding| finding.under("externalAuth");
    let terms = external_auth::terms(written).map_err(|finding| Problem::Rule(below(finding)))?;
    let backend = scope
        .backend_for(external_auth::usage(&terms), written.into())
        .map_err(|finding| Problem::Ref(below(finding.under("backendRef"))))?;
    Ok(HttpFilter::ExternalAuth(Arc::new(ExternalAuth { backend, terms })))
}

fn cors(written: &HttpCorsFilter) -> Result<Cors, Problem> {
    Cors::new(&CorsPolicy {
        allow_origins: written.allow_origins.iter().map(String::as_str).collect(),
        allow_methods: written.allow_methods.iter().map(|method| method.as_str()).collect(),
        allow_headers: written.allow_headers.iter().map(String::as_str).collect(),
        expose_headers: written.expose_headers.iter().map(String::as_str).collect(),
        allow_credentials: written.allow_credentials.unwrap_or(false),
        max_age: Some(written.max_age),
    })
    .map_err(unsupported)
}

fn extension(reference: &LocalObjectReference, scope: &Scope<'_, '_>) -> Result<HttpFilter, Problem> {
    let LocalObjectReference { group, kind, name } = reference;
    let found = scope.extension(group, kind, name).map(HttpFilter::Extension);
    found.map_err(|error| {
        let reason = match error {
            ExtensionError::UnknownKind => Reason::InvalidKind,
            // The nearest reason there is: FEX-02.
            ExtensionError::NotFound | ExtensionError::Invalid(_) => Reason::BackendNotFound,
        };
        let namespace = &scope.route().name.namespace;
        Problem::Ref(Finding::whole(reason, format!("extension {kind}.{group} {namespace}/{name}: {error}")))
    })
}
