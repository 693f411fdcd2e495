//! One match entry of an HTTPRoute, compiled.

use http::{HeaderName, Method};

use super::scope::Scope;
use crate::api::{
    HeaderMatchType, HttpMethod, HttpPathMatch, HttpQueryParamMatch, HttpRouteMatch, PathMatchType,
    QueryParamMatchType,
};
use crate::condition::Reason;
use crate::finding::Finding;
use crate::matching::{Conditions, HeaderMatch, HttpMatch, PathMatch, QueryParamMatch, ValueMatch};

/// The entry, or the field that cannot be carried out.
///
/// # Spec
/// HRM-04 to HRM-15; the choices are AMB-62 and AMB-63.
pub(super) fn http_match(written: &HttpRouteMatch, scope: &mut Scope<'_, '_>) -> Result<HttpMatch, Finding> {
    let method = match &written.method {
        None => None,
        Some(HttpMethod::Unknown(method)) => {
            let message =
                format!("{method:?} is not a method; write one of {}", HttpMethod::KNOWN.join(", "));
            return Err(unsupported("method", message));
        }
        Some(method) => {
            let method = Method::from_bytes(method.as_str().as_bytes());
            Some(method.map_err(|error| unsupported("method", error.to_string()))?)
        }
    };
    let path = path_match(&written.path, scope).map_err(|message| unsupported("path", message))?;
    let conditions = if method.is_none() && written.headers.is_empty() && written.query_params.is_empty() {
        Conditions::default()
    } else {
        let all = written.headers.iter().map(|header| (&header.r#type, &*header.name, &*header.value));
        let headers = headers(all, scope)?;
        let query_params: Result<Vec<_>, _> =
            written.query_params.iter().map(|param| query_param_match(param, scope)).collect();
        let query_params = query_params.map_err(|message| unsupported("queryParams", message))?;
        Conditions::new(method, headers, query_params)
    };
    Ok(HttpMatch { path, conditions })
}

/// The conditions on headers, which GRPCRoutes have in the same form.
pub(super) fn headers<'w>(
    written: impl Iterator<Item = (&'w HeaderMatchType, &'w str, &'w str)>,
    scope: &mut Scope<'_, '_>,
) -> Result<Vec<HeaderMatch>, Finding> {
    let made: Result<Vec<_>, String> =
        written.map(|(r#type, name, value)| header_match(r#type, name, value, scope)).collect();
    made.map_err(|message| unsupported("headers", message))
}

/// What is wrong with a type of match that is not known.
pub(super) fn unknown_type(unknown: &str, known: &[&str]) -> String {
    format!("{unknown:?} is not a type of match; write one of {}", known.join(", "))
}

fn unsupported(field: &str, message: String) -> Finding {
    Finding::new(field, Reason::UnsupportedValue, message)
}

fn path_match(written: &HttpPathMatch, scope: &mut Scope<'_, '_>) -> Result<PathMatch, String> {
    match &written.r#type {
        PathMatchType::Exact => Ok(PathMatch::exact(&written.value)),
        PathMatchType::PathPrefix => Ok(PathMatch::prefix(&written.value)),
        PathMatchType::RegularExpression => scope.pattern(&written.value).map(PathMatch::Regex),
        // What the drafts called it.
        PathMatchType::Unknown(unknown) if &**unknown == "Prefix" => {
            Err("\"Prefix\" is not a type of match any more; write PathPrefix".to_owned())
        }
        PathMatchType::Unknown(unknown) => Err(unknown_type(unknown, PathMatchType::KNOWN)),
    }
}

fn header_match(
    r#type: &HeaderMatchType,
    name: &str,
    value: &str,
    scope: &mut Scope<'_, '_>,
) -> Result<HeaderMatch, String> {
    let name =
        HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("{name:?} is not a header name"))?;
    let value = match r#type {
        HeaderMatchType::Exact => ValueMatch::exact(value),
        HeaderMatchType::RegularExpression => ValueMatch::Regex(scope.pattern(value)?),
        HeaderMatchType::Unknown(unknown) => return Err(unknown_type(unknown, HeaderMatchType::KNOWN)),
    };
    Ok(HeaderMatch { name, value })
}

fn query_param_match(
    written: &HttpQueryParamMatch,
    scope: &mut Scope<'_, '_>,
) -> Result<QueryParamMatch, String> {
    let value = match &written.r#type {
        QueryParamMatchType::Exact => ValueMatch::exact(&written.value),
        QueryParamMatchType::RegularExpression => ValueMatch::Regex(scope.pattern(&written.value)?),
        QueryParamMatchType::Unknown(unknown) => {
            return Err(unknown_type(unknown, QueryParamMatchType::KNOWN));
        }
    };
    Ok(QueryParamMatch { name: written.name.as_str().into(), value })
}
