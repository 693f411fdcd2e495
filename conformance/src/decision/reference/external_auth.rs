//! Filters that ask an authorization service.

use gateway_core::api::{
    HttpAuthConfig, HttpExternalAuthFilter, HttpRouteExternalAuthProtocol as Protocol, Resources,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::super::{Asked, AuthReply, CheckReply, Question, Sent, headers};
use super::backend::{self, Referrer};
use super::request::normal_form;

/// The most bytes of a body that are held.
const MAX_BODY: i32 = 1 << 20;

/// What comes of asking.
pub(super) enum Answered {
    /// The request passes, with the headers as they are now.
    Passes,
    /// It does not: the client gets this.
    Denied(StatusCode, HeaderMap),
    /// [FEA-01](gateway_core::spec#FEA-01): it does not, since nothing is known.
    Unknown,
    /// [FEA-08](gateway_core::spec#FEA-08), [CON-13](gateway_core::choices#CON-13): it does not, since its body is too long to be
    /// sent along.
    TooLong,
    /// The service is still to be asked.
    Asks(Box<Asked>),
}

/// The replies that have not been used.
pub(super) type Replies<'a> = std::slice::Iter<'a, AuthReply>;

/// FEA-03, FEA-08: whether the filter can be carried out, wherever it leads.
pub(super) fn is_valid(auth: &HttpExternalAuthFilter) -> bool {
    let size = auth.forward_body.as_ref().and_then(|body| body.max_size).unwrap_or(0);
    matches!(auth.protocol, Protocol::Http | Protocol::Grpc) && (0..=MAX_BODY).contains(&size)
}

/// The kind of routes that send what the service is sent.
pub(super) fn gets(auth: &HttpExternalAuthFilter) -> &'static str {
    if auth.protocol == Protocol::Grpc { "GRPCRoute" } else { "HTTPRoute" }
}

/// FEA-01 to FEA-08: asks about a request whose target and headers are these.
pub(super) fn ask(
    resources: &Resources,
    referrer: &Referrer<'_>,
    auth: &HttpExternalAuthFilter,
    replies: &mut Replies<'_>,
    (method, target, body_length): (&Method, Option<&str>, u64),
    map: &mut HeaderMap,
) -> Answered {
    let Some(to) = backend::resolve(resources, referrer, &auth.backend_ref) else { return Answered::Unknown };
    let limit = auth.forward_body.as_ref().and_then(|body| body.max_size).unwrap_or(0) as u64;
    if limit > 0 && body_length > limit {
        return Answered::TooLong;
    }
    let sent_along = if limit > 0 { body_length } else { 0 };
    let config = auth.http.clone().unwrap_or_default();
    let question = match auth.protocol {
        Protocol::Grpc => Some(check(auth, method, target, map)),
        _ => request(&config, method, target, sent_along, map),
    };
    let Some(question) = question else { return Answered::Unknown };
    let endpoints = backend::endpoints(resources, &to, &backend::transport(referrer.gets));
    if endpoints.is_empty() {
        return Answered::Unknown;
    }
    match (replies.next(), &auth.protocol) {
        (None, _) => Answered::Asks(Box::new(Asked { to, endpoints, question })),
        (Some(AuthReply::Http(response)), Protocol::Http) => {
            over_http(&config, response.status(), response.headers(), map)
        }
        (Some(AuthReply::Check(reply)), Protocol::Grpc) => over_grpc(reply, map),
        (Some(_), _) => Answered::Unknown,
    }
}

/// FEA-04, FEA-05.
fn request(
    config: &HttpAuthConfig,
    method: &Method,
    target: Option<&str>,
    body_length: u64,
    map: &HeaderMap,
) -> Option<Question> {
    let target = target.filter(|target| target.starts_with('/') && *method != Method::CONNECT)?;
    let prefix = normal_form(&format!("/{}", config.path.as_deref().unwrap_or("").trim_start_matches('/')));
    let target = format!("{}{}", prefix.trim_end_matches('/'), as_matched(target));
    // What is no target of a request any more.
    if target.len() > usize::from(u16::MAX) - 1 {
        return None;
    }
    let mut sent = HeaderMap::new();
    let allowed = config.allowed_headers.iter().map(String::as_str).filter(|name| !is_untouchable(name));
    for name in allowed.chain(["host", "authorization"]) {
        let name: HeaderName = name.parse().ok()?;
        sent.remove(&name);
        map.get_all(&name).iter().for_each(|value| _ = sent.append(&name, value.clone()));
    }
    sent.insert("content-length", HeaderValue::from(body_length));
    Some(Question::Http(Sent {
        method: method.to_string(),
        authority: None,
        target,
        headers: headers(&sent),
    }))
}

/// A target in the form in which paths are matched: a filter before may have written another.
fn as_matched(target: &str) -> String {
    let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    let path = if path.starts_with('/') { normal_form(path) } else { path.to_owned() };
    path + query
}

/// FEA-07, CON-14.
fn check(auth: &HttpExternalAuthFilter, method: &Method, target: Option<&str>, map: &HeaderMap) -> Question {
    let allowed = auth.grpc.clone().unwrap_or_default().allowed_headers;
    let is_told = |name: &str| allowed.is_empty() || allowed.iter().any(|it| it.eq_ignore_ascii_case(name));
    let mut told = headers(map);
    told.retain(|name, _| is_told(name));
    for (name, lines) in &mut told {
        *lines = vec![lines.join(if name == "cookie" { "; " } else { "," })];
    }
    let host = map.get("host").map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned());
    let target = as_matched(target.unwrap_or_default());
    Question::Check(Sent { method: method.to_string(), authority: host, target, headers: told })
}

/// FEA-02, FEA-06.
fn over_http(
    config: &HttpAuthConfig,
    status: StatusCode,
    answer: &HeaderMap,
    map: &mut HeaderMap,
) -> Answered {
    if status != StatusCode::OK {
        if status.is_success() {
            return Answered::Denied(StatusCode::FORBIDDEN, HeaderMap::new());
        }
        return denied(status, answer.iter());
    }
    let listed = |name: &str| config.allowed_response_headers.iter().any(|it| it.eq_ignore_ascii_case(name));
    let all = config.allowed_response_headers.is_empty();
    let of_client: Vec<_> = map.keys().cloned().collect();
    for name in of_client.iter().filter(|name| !is_untouchable(name.as_str())) {
        let is_set = answer.contains_key(name) && all && !is_of_the_answer(name.as_str());
        if is_set || listed(name.as_str()) {
            map.remove(name);
        }
    }
    for (name, value) in answer {
        let is_copied = listed(name.as_str()) || all && !is_of_the_answer(name.as_str());
        if is_copied && !is_untouchable(name.as_str()) {
            map.append(name, value.clone());
        }
    }
    Answered::Passes
}

/// FEA-02.
fn over_grpc(reply: &CheckReply, map: &mut HeaderMap) -> Answered {
    let parsed = |headers: &[(String, String)]| -> Option<Vec<(HeaderName, HeaderValue)>> {
        headers.iter().map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?))).collect()
    };
    match reply {
        CheckReply::Permit(set) => {
            let Some(set) = parsed(set) else { return Answered::Unknown };
            for (name, value) in set.into_iter().filter(|(name, _)| !is_untouchable(name.as_str())) {
                map.insert(name, value);
            }
            Answered::Passes
        }
        CheckReply::Deny(status, headers, _) => match (parsed(headers), StatusCode::from_u16(*status)) {
            (Some(headers), Ok(status)) => denied(status, headers.iter().map(|(name, value)| (name, value))),
            (_, _) => Answered::Unknown,
        },
    }
}

fn denied<'h>(
    status: StatusCode,
    answer: impl Iterator<Item = (&'h HeaderName, &'h HeaderValue)>,
) -> Answered {
    let mut map = HeaderMap::new();
    for (name, value) in answer.filter(|(name, _)| !is_untouchable(name.as_str())) {
        map.append(name, value.clone());
    }
    Answered::Denied(status, map)
}

/// What says where a message goes or ends, or is for one hop: whatever a service says, it stays.
fn is_untouchable(name: &str) -> bool {
    const STAY: [&str; 12] = [
        "host",
        "authority",
        "content-length",
        "transfer-encoding",
        "connection",
        "upgrade",
        "te",
        "trailer",
        "expect",
        "keep-alive",
        "proxy-connection",
        "http2-settings",
    ];
    STAY.iter().any(|it| it.eq_ignore_ascii_case(name))
}

/// What an answer has for itself.
fn is_of_the_answer(name: &str) -> bool {
    const OWN: [&str; 9] =
        ["date", "server", "via", "age", "etag", "last-modified", "accept-ranges", "vary", "set-cookie"];
    name.starts_with("content-") || OWN.contains(&name)
}
