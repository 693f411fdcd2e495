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
    let path = path_match(&written.path, scope)?;
    let conditions = if method.is_none() && written.headers.is_empty() && written.query_params.is_empty() {
        Conditions::default()
    } else {
        let all = written.headers.iter().map(|header| (&header.r#type, &*header.name, &*header.value));
        let headers = headers(all, scope)?;
        let query_params = written.query_params.iter().enumerate().map(|(index, param)| {
            let made = query_param_match(param, scope);
            made.map_err(|finding| finding.under(format_args!("queryParams[{index}]")))
        });
        let query_params = query_params.collect::<Result<Vec<_>, _>>()?;
        Conditions::new(method, headers, query_params)
    };
    Ok(HttpMatch { path, conditions })
}

/// The conditions on headers, which GRPCRoutes have in the same form.
pub(super) fn headers<'w>(
    written: impl Iterator<Item = (&'w HeaderMatchType, &'w str, &'w str)>,
    scope: &mut Scope<'_, '_>,
) -> Result<Vec<HeaderMatch>, Finding> {
    let made = written.enumerate().map(|(index, (r#type, name, value))| {
        let made = header_match(r#type, name, value, scope);
        made.map_err(|finding| finding.under(format_args!("headers[{index}]")))
    });
    made.collect()
}

/// What is wrong with a type of match that is not known.
pub(super) fn unknown_type(unknown: &str, known: &[&str]) -> String {
    format!("{unknown:?} is not a type of match; write one of {}", known.join(", "))
}

fn unsupported(field: &str, message: String) -> Finding {
    Finding::new(field, Reason::UnsupportedValue, message)
}

fn path_match(written: &HttpPathMatch, scope: &mut Scope<'_, '_>) -> Result<PathMatch, Finding> {
    match &written.r#type {
        PathMatchType::Exact => Ok(PathMatch::exact(&written.value)),
        PathMatchType::PathPrefix => Ok(PathMatch::prefix(&written.value)),
        PathMatchType::RegularExpression => {
            let pattern = scope.pattern(&written.value).map(PathMatch::Regex);
            pattern.map_err(|message| unsupported("path.value", message))
        }
        // What the drafts called it.
        PathMatchType::Unknown(unknown) if &**unknown == "Prefix" => {
            let message = "\"Prefix\" is not a type of match any more; write PathPrefix";
            Err(unsupported("path.type", message.to_owned()))
        }
        PathMatchType::Unknown(unknown) => {
            Err(unsupported("path.type", unknown_type(unknown, PathMatchType::KNOWN)))
        }
    }
}

fn header_match(
    r#type: &HeaderMatchType,
    name: &str,
    value: &str,
    scope: &mut Scope<'_, '_>,
) -> Result<HeaderMatch, Finding> {
    let name = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| unsupported("name", format!("{name:?} is not a header name")))?;
    let value = match r#type {
        HeaderMatchType::Exact => ValueMatch::exact(value),
        HeaderMatchType::RegularExpression => regex_value(value, scope)?,
        HeaderMatchType::Unknown(unknown) => {
            return Err(unsupported("type", unknown_type(unknown, HeaderMatchType::KNOWN)));
        }
    };
    Ok(HeaderMatch { name, value })
}

fn regex_value(source: &str, scope: &mut Scope<'_, '_>) -> Result<ValueMatch, Finding> {
    scope.pattern(source).map(ValueMatch::Regex).map_err(|message| unsupported("value", message))
}

fn query_param_match(
    written: &HttpQueryParamMatch,
    scope: &mut Scope<'_, '_>,
) -> Result<QueryParamMatch, Finding> {
    let value = match &written.r#type {
        QueryParamMatchType::Exact => ValueMatch::exact(&written.value),
        QueryParamMatchType::RegularExpression => regex_value(&written.value, scope)?,
        QueryParamMatchType::Unknown(unknown) => {
            return Err(unsupported("type", unknown_type(unknown, QueryParamMatchType::KNOWN)));
        }
    };
    Ok(QueryParamMatch { name: written.name.as_str().into(), value })
}
