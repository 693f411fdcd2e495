//! The filters of a rule or of a backend: from the fields as written to filters that work.

use std::fmt;
use std::sync::Arc;

use super::backend_ref::{BackendReference, Backends, RefProblem};
use crate::api::{
    HttpCorsFilter, HttpHeaderFilter, HttpPathModifier, HttpPathModifierType, HttpRequestMirrorFilter,
    HttpRequestRedirectFilter, HttpRouteFilter, HttpRouteFilterType, HttpUrlRewriteFilter,
    LocalObjectReference, RedirectScheme,
};
use crate::condition::Reason;
use crate::filter::{
    Cors, CorsPolicy, Extension, HeaderModifier, HttpFilter, PathModifier, RedirectStatus, RequestMirror,
    RequestRedirect, Scheme, Share, UrlRewrite,
};
use crate::name::RouteKind;

/// Finds the filters that `ExtensionRef` names: what the embedder knows and the Gateway API does not.
///
/// # Spec
/// FEX-01, FEX-02.
pub trait Extensions: Send + Sync + fmt::Debug {
    /// The filter that a route in `namespace` refers to.
    ///
    /// # Errors
    /// When there is none; the error becomes the route's `ResolvedRefs` condition and the requests get 500.
    fn resolve(
        &self,
        namespace: &str,
        group: &str,
        kind: &str,
        name: &str,
    ) -> Result<Arc<dyn Extension>, ExtensionError>;
}

/// Why an `ExtensionRef` leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtensionError {
    /// Nobody handles this kind.
    #[error("this kind of extension is not supported here")]
    UnknownKind,
    /// The kind is known, the object is not there.
    #[error("there is no such object")]
    NotFound,
    /// The object is there and does not make a filter.
    #[error("{0}")]
    Invalid(String),
}

/// Why a rule cannot be carried out as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleProblem {
    /// The reason that the route's `Accepted` or `PartiallyInvalid` gets.
    pub reason: Reason,
    /// The field, below the rule.
    pub field: String,
    /// What is wrong, and the way out.
    pub message: String,
}

/// Which list a filter stands in; backends cannot have all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FilterLevel {
    Rule,
    Backend,
}

/// What resolving a list of filters found wrong.
#[derive(Debug, Default)]
pub(crate) struct FilterProblems {
    pub(crate) rule: Vec<RuleProblem>,
    pub(crate) refs: Vec<RefProblem>,
}

/// The filters of one list. A filter that cannot be made fails the requests that it would have processed.
///
/// # Spec
/// FLT-05 to FLT-09, FMR-06, AMB-53.
pub(crate) fn filters<'r>(
    written: &'r [HttpRouteFilter],
    level: FilterLevel,
    namespace: &'r str,
    backends: &mut Backends<'r>,
    extensions: Option<&dyn Extensions>,
    problems: &mut FilterProblems,
) -> Box<[HttpFilter]> {
    let mut made = Vec::with_capacity(written.len());
    for (index, filter) in written.iter().enumerate() {
        match resolve(filter, level, namespace, backends, extensions) {
            Ok(Some(filter)) => made.push(filter),
            // Nothing to do for any request.
            Ok(None) => {}
            Err(Problem::Rule(reason, message)) => {
                made.push(HttpFilter::Unresolved);
                problems.rule.push(RuleProblem { reason, field: format!("filters[{index}]"), message });
            }
            Err(Problem::Ref(problem)) => {
                made.push(HttpFilter::Unresolved);
                problems.refs.push(problem);
            }
            // A mirror that leads nowhere is left out: the request itself is not its business.
            Err(Problem::Mirror(problem)) => problems.refs.push(problem),
        }
    }
    made.into()
}

enum Problem {
    Rule(Reason, String),
    Ref(RefProblem),
    Mirror(RefProblem),
}

fn resolve<'r>(
    filter: &'r HttpRouteFilter,
    level: FilterLevel,
    namespace: &'r str,
    backends: &mut Backends<'r>,
    extensions: Option<&dyn Extensions>,
) -> Result<Option<HttpFilter>, Problem> {
    use HttpRouteFilterType as Type;
    let missing =
        || Problem::Rule(Reason::UnsupportedValue, format!("type {} needs its member", filter.r#type));
    let made = match &filter.r#type {
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
        Type::RequestMirror => {
            return mirror(filter.request_mirror.as_deref().ok_or_else(missing)?, namespace, backends);
        }
        Type::Cors if level == FilterLevel::Rule => {
            HttpFilter::Cors(Box::new(cors(filter.cors.as_deref().ok_or_else(missing)?)?))
        }
        Type::ExtensionRef => {
            let reference = filter.extension_ref.as_deref().ok_or_else(missing)?;
            HttpFilter::Extension(extension(reference, namespace, extensions)?)
        }
        // AMB-53: what answers instead of the backend is no filter of a backend.
        Type::RequestRedirect | Type::Cors | Type::ExternalAuth => {
            return Err(unsupported(format!("filter type {} is not supported here", filter.r#type)));
        }
        Type::Unknown(unknown) => {
            return Err(unsupported(format!(
                "{unknown:?} is not a filter type; write one of {}",
                Type::KNOWN.join(", ")
            )));
        }
    };
    Ok(Some(made))
}

fn unsupported(message: impl ToString) -> Problem {
    Problem::Rule(Reason::UnsupportedValue, message.to_string())
}

fn incompatible(message: impl ToString) -> Problem {
    Problem::Rule(Reason::IncompatibleFilters, message.to_string())
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

fn mirror<'r>(
    written: &'r HttpRequestMirrorFilter,
    namespace: &'r str,
    backends: &mut Backends<'r>,
) -> Result<Option<HttpFilter>, Problem> {
    let share = match (written.percent, &written.fraction) {
        (Some(percent), None | Some(_)) => Share::percent(percent).map_err(unsupported)?,
        (None, Some(fraction)) => {
            Share::fraction(fraction.numerator, fraction.denominator).map_err(unsupported)?
        }
        (None, None) => Share::all(),
    };
    let to = &written.backend_ref;
    let reference = BackendReference {
        group: &to.group,
        kind: &to.kind,
        namespace: to.namespace.as_deref(),
        name: &to.name,
        port: to.port,
    };
    let backend = backends.resolve(RouteKind::Http, namespace, reference).map_err(Problem::Mirror)?;
    Ok(Some(HttpFilter::RequestMirror(RequestMirror { backend, share })))
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

fn extension(
    reference: &LocalObjectReference,
    namespace: &str,
    extensions: Option<&dyn Extensions>,
) -> Result<Arc<dyn Extension>, Problem> {
    let LocalObjectReference { group, kind, name } = reference;
    let found = match extensions {
        Some(extensions) => extensions.resolve(namespace, group, kind, name),
        None => Err(ExtensionError::UnknownKind),
    };
    found.map_err(|error| {
        let reason = match error {
            ExtensionError::UnknownKind => Reason::InvalidKind,
            // The nearest reason there is: FEX-02.
            ExtensionError::NotFound | ExtensionError::Invalid(_) => Reason::BackendNotFound,
        };
        Problem::Ref(RefProblem {
            reason,
            message: format!("extension {kind}.{group} {namespace}/{name}: {error}"),
        })
    })
}
