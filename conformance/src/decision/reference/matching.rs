//! The match of a request with one entry, and how specific the entry is.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::HashMap;

use gateway_core::api::{
    HeaderMatchType, HttpHeaderMatch, HttpMethod, HttpPathMatch, HttpQueryParamMatch, HttpRouteMatch,
    PathMatchType, QueryParamMatchType,
};

use regex::bytes::Regex;

use super::request::{Seen, normal_form};

/// RTE-30: whether the entry can be carried out: no value is unknown, every regular expression compiles.
pub(super) fn is_valid(entry: &HttpRouteMatch) -> bool {
    let path = match &entry.path.r#type {
        PathMatchType::Exact | PathMatchType::PathPrefix => true,
        PathMatchType::RegularExpression => whole(&entry.path.value).is_some(),
        PathMatchType::Unknown(_) => false,
    };
    let headers = entry.headers.iter().all(|header| match &header.r#type {
        HeaderMatchType::Exact => true,
        HeaderMatchType::RegularExpression => whole(&header.value).is_some(),
        HeaderMatchType::Unknown(_) => false,
    });
    let params = entry.query_params.iter().all(|param| match &param.r#type {
        QueryParamMatchType::Exact => true,
        QueryParamMatchType::RegularExpression => whole(&param.value).is_some(),
        QueryParamMatchType::Unknown(_) => false,
    });
    path && headers && params && !matches!(entry.method, Some(HttpMethod::Unknown(_)))
}

/// HRM-01: path, method, headers and query parameters, all of them.
pub(super) fn matches(entry: &HttpRouteMatch, seen: &Seen) -> bool {
    path_matches(&entry.path, &seen.path)
        // HRM-15, AMB-34: exactly this method.
        && entry.method.as_ref().is_none_or(|method| method.as_str() == seen.method.as_str())
        && headers(entry).iter().all(|header| header_matches(header, seen))
        && query_params(entry).iter().all(|param| query_param_matches(param, seen))
}

fn path_matches(wanted: &HttpPathMatch, path: &str) -> bool {
    match wanted.r#type {
        // HRM-04: the whole path, with regard to case; AMB-70: both in normal form.
        PathMatchType::Exact => normal_form(&wanted.value) == path,
        // HRM-05: element by element, a trailing slash ignored.
        PathMatchType::PathPrefix => {
            let prefix = prefix(&wanted.value);
            if prefix.is_empty() {
                return true;
            }
            let (prefix, path): (Vec<&str>, Vec<&str>) =
                (prefix.split('/').collect(), path.split('/').collect());
            prefix.len() <= path.len() && prefix == path[..prefix.len()]
        }
        PathMatchType::RegularExpression => is_whole(&wanted.value, path.as_bytes()),
        PathMatchType::Unknown(_) => false,
    }
}

/// A prefix in normal form without its trailing slash: the root is empty.
pub(super) fn prefix(value: &str) -> String {
    let normal = normal_form(value);
    normal.strip_suffix('/').unwrap_or(&normal).to_owned()
}

/// HRM-09, AMB-29: of matchers for equivalent header names the first counts.
pub(super) fn headers(entry: &HttpRouteMatch) -> Vec<&HttpHeaderMatch> {
    let mut first: Vec<&HttpHeaderMatch> = Vec::new();
    for header in &entry.headers {
        if !first.iter().any(|other| other.name.eq_ignore_ascii_case(&header.name)) {
            first.push(header);
        }
    }
    first
}

/// HRM-12: of matchers for the same query parameter the first counts.
fn query_params(entry: &HttpRouteMatch) -> Vec<&HttpQueryParamMatch> {
    let mut first: Vec<&HttpQueryParamMatch> = Vec::new();
    for param in &entry.query_params {
        if !first.iter().any(|other| other.name == param.name) {
            first.push(param);
        }
    }
    first
}

/// HRM-08, AMB-27: some line of the header is the value; the lines of `Cookie` are one.
fn header_matches(wanted: &HttpHeaderMatch, seen: &Seen) -> bool {
    let of_name = seen.headers.iter().filter(|(name, _)| name.as_str().eq_ignore_ascii_case(&wanted.name));
    let mut values: Vec<Vec<u8>> = of_name.map(|(_, line)| line.as_bytes().to_vec()).collect();
    if wanted.name.eq_ignore_ascii_case("cookie") && !values.is_empty() {
        values = vec![values.join(&b"; "[..])];
    }
    values.iter().any(|value| match wanted.r#type {
        HeaderMatchType::Exact => value == wanted.value.as_bytes(),
        HeaderMatchType::RegularExpression => is_whole(&wanted.value, value),
        HeaderMatchType::Unknown(_) => false,
    })
}

fn query_param_matches(wanted: &HttpQueryParamMatch, seen: &Seen) -> bool {
    seen.query_param(&wanted.name).is_some_and(|value| match wanted.r#type {
        QueryParamMatchType::Exact => value == wanted.value.as_bytes(),
        QueryParamMatchType::RegularExpression => is_whole(&wanted.value, &value),
        QueryParamMatchType::Unknown(_) => false,
    })
}

/// Whether the text is a regular expression.
pub(super) fn is_expression(text: &str) -> bool {
    whole(text).is_some()
}

/// AMB-08: the expression as one that matches whole texts; `None` if it is none.
fn whole(expression: &str) -> Option<Regex> {
    thread_local! {
        /// Compiling takes longer than everything else here together.
        static COMPILED: RefCell<HashMap<String, Option<Regex>>> = RefCell::default();
    }
    COMPILED.with_borrow_mut(|compiled| {
        let compile = || {
            // Alone first: `a)(b` would become valid within parentheses.
            Regex::new(expression).ok()?;
            Regex::new(&format!(r"\A(?:{expression})\z")).ok()
        };
        compiled.entry(expression.to_owned()).or_insert_with(compile).clone()
    })
}

pub(super) fn is_whole(expression: &str, text: &[u8]) -> bool {
    whole(expression).is_some_and(|expression| expression.is_match(text))
}

/// HRM-20: which of two entries goes first, as far as their own text decides.
pub(super) fn compare(a: &HttpRouteMatch, b: &HttpRouteMatch) -> Ordering {
    // (1) an exact path before others; HRM-21, AMB-09: a regular expression before a prefix;
    kind(&a.path)
        .cmp(&kind(&b.path))
        // (2) the longest path: HRM-25, AMB-10;
        .then_with(|| length(&b.path).cmp(&length(&a.path)))
        // (3) one with a method;
        .then_with(|| b.method.is_some().cmp(&a.method.is_some()))
        // (4) the most headers;
        .then_with(|| headers(b).len().cmp(&headers(a).len()))
        // (5) the most query parameters.
        .then_with(|| query_params(b).len().cmp(&query_params(a).len()))
}

fn kind(path: &HttpPathMatch) -> u8 {
    match path.r#type {
        PathMatchType::Exact => 0,
        PathMatchType::RegularExpression => 1,
        PathMatchType::PathPrefix | PathMatchType::Unknown(_) => 2,
    }
}

/// Two exact paths that match the same request are the same path, whatever their spelling.
fn length(path: &HttpPathMatch) -> usize {
    match path.r#type {
        PathMatchType::Exact | PathMatchType::Unknown(_) => 0,
        PathMatchType::RegularExpression => path.value.chars().count(),
        PathMatchType::PathPrefix => prefix(&path.value).chars().count(),
    }
}
