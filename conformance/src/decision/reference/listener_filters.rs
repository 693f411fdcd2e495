//! The filters of a listener, which run before a route is looked for.

use gateway_core::api::{
    HttpExternalAuthFilter, ListenerFilter, ListenerFilterType, ListenerFilters, Resources,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::super::{Arrival, Asked, REQUEST_EDIT_GROUP, REQUEST_EDIT_KIND};
use super::backend::{self, Referrer};
use super::external_auth::{self, Answered, Replies};
use super::gateway::Listener;
use super::grpc::{self, Failure};
use super::request::{Seen, normal_form};

/// What the filters of a listener have made of a request.
pub(super) enum Filtered {
    /// It is looked for a route.
    Continue(Seen),
    /// This is the answer.
    Answer(StatusCode, HeaderMap),
    /// [PRF-07](gateway_core::spec#PRF-07): one of them leads nowhere, or cannot be carried out.
    Fail,
    /// An authorization service is to be asked.
    Asks(Box<Asked>),
    /// One that was asked does not let it pass, or cannot be.
    NotAuthorized(Failure),
}

/// A filter that leads somewhere.
enum Resolved<'f> {
    Edit(&'f str),
    Auth(&'f HttpExternalAuthFilter),
}

/// PRF-06: whether a listener with these filters is accepted.
pub(super) fn are_supported(filters: Option<&ListenerFilters>) -> bool {
    let mut filters = filters.into_iter().flat_map(|filters| &filters.requests);
    filters.all(|filter| match &filter.r#type {
        ListenerFilterType::ExtensionRef => true,
        ListenerFilterType::ExternalAuth => {
            filter.external_auth.as_ref().is_some_and(external_auth::is_valid)
        }
        ListenerFilterType::Unknown(_) => false,
    })
}

/// PRF-01, PRF-05: the filters in their order, until one answers.
pub(super) fn run(
    resources: &Resources,
    listener: &Listener<'_>,
    arrival: &Arrival,
    mut seen: Seen,
    replies: &mut Replies<'_>,
) -> Filtered {
    let target = arrival.request.uri();
    let filters = listener.filters.map_or(&[][..], |filters| &filters.requests);
    let (kind, route) = listener.object();
    let referrer = |auth: &HttpExternalAuthFilter| Referrer {
        kind,
        route,
        gateway: Some(listener.gateway),
        may_speak_tls: true,
        gets: external_auth::gets(auth),
    };
    let resolved: Option<Vec<Resolved<'_>>> = filters
        .iter()
        .map(|filter| match &filter.external_auth {
            // PRF-07
            Some(auth) => {
                backend::resolve(resources, &referrer(auth), &auth.backend_ref).map(|_| Resolved::Auth(auth))
            }
            None => resolve(filter).map(Resolved::Edit),
        })
        .collect();
    let Some(resolved) = resolved else { return Filtered::Fail };
    let host = seen.headers.get(header::HOST).cloned();
    let has_path = target.path().starts_with('/');
    let is_plain = target.path_and_query().is_some() || target.scheme().is_some();
    for filter in resolved {
        let name = match filter {
            Resolved::Edit(name) => name,
            Resolved::Auth(auth) => {
                let query = seen.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
                let target = is_plain.then(|| format!("{}{query}", seen.path));
                let request = (&seen.method, target.as_deref(), arrival.body_length);
                let asked =
                    external_auth::ask(resources, &referrer(auth), auth, replies, request, &mut seen.headers);
                match asked {
                    Answered::Passes => continue,
                    Answered::Denied(status, headers) => {
                        let (status, headers) = grpc::denied(status, headers, &arrival.request);
                        return Filtered::Answer(status, headers);
                    }
                    Answered::Unknown => return Filtered::NotAuthorized(Failure::NotAuthorized),
                    Answered::TooLong => return Filtered::NotAuthorized(Failure::BodyTooLong),
                    Answered::Asks(asked) => return Filtered::Asks(asked),
                }
            }
        };
        match name {
            "path" if has_path => seen.path = normal_form("/%61/c/../b"),
            "query" if has_path => seen.query = Some("p=1".to_owned()),
            "post" if seen.method == Method::GET => seen.method = Method::POST,
            "add" => _ = seen.headers.append("x", HeaderValue::from_static("1")),
            "remove" => _ = seen.headers.remove("x"),
            "tell" => _ = seen.headers.insert("y", host.clone().expect("a request names its host")),
            "deny" if seen.headers.get_all("x").iter().any(|value| value == "1") => {
                let headers = [("x-denied".parse().expect("a name"), HeaderValue::from_static("1"))];
                return Filtered::Answer(StatusCode::FORBIDDEN, HeaderMap::from_iter(headers));
            }
            "fail" if seen.headers.contains_key("version") => return Filtered::Fail,
            // PRF-03: `host` changes what does not change.
            _ => {}
        }
    }
    Filtered::Continue(seen)
}

/// The name of what a filter does, if it does anything.
fn resolve(filter: &ListenerFilter) -> Option<&str> {
    const NAMES: [&str; 9] = ["path", "query", "post", "add", "remove", "host", "tell", "deny", "fail"];
    let reference = filter.extension_ref.as_ref()?;
    let known = reference.group == REQUEST_EDIT_GROUP
        && reference.kind == REQUEST_EDIT_KIND
        && NAMES.contains(&&*reference.name);
    known.then_some(&*reference.name)
}
