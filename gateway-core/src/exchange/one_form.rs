//! The one form of a request, in which it is matched and forwarded.
//!
//! Backends and other proxies must read in a request what the gateway has read. So before anything is looked up, a request
//! loses what is for one hop only and what is not to be believed, and says once where its body ends; and what is found is
//! forwarded with the path that was matched, in a target of which every version of HTTP makes the same.
//!
//! # Spec
//! [MSG-01](crate::choices#MSG-01) to [MSG-04](crate::choices#MSG-04), [MSG-06](crate::choices#MSG-06),
//! [AMB-01](crate::choices#AMB-01).

use std::mem;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::uri::{PathAndQuery, Uri};
use http::{Method, Request, Version};

use super::arrival::Arrival;
use super::forwarded::{goes_round, remove_claims};
use super::framing;
use super::header_set::HeaderSet;
use super::hop_by_hop::remove_present_from_request;
use super::refusal::Refusal;
use crate::matching::RequestError;

/// Takes out of a request what must not decide where it goes, and sees that it says where it ends: what comes before the
/// search.
///
/// # Errors
/// When it cannot be told where its body ends, a header means different things in different versions of HTTP, or it has been passed on
/// too often.
///
/// # Spec
/// MSG-02, MSG-03, AMB-43; RFC 9113 section 8.2.1; RFC 9110 section 7.6.1; FRW-07.
pub(super) fn prepare<B>(arrival: &Arrival<'_>, request: &mut Request<B>) -> Result<(), Refusal> {
    // "A server MUST ignore an Upgrade header field that is received in an HTTP/1.0 request": RFC 9110 section 7.8.
    if request.version() <= Version::HTTP_10 {
        request.headers_mut().remove(header::UPGRADE);
    }
    // "A field value MUST NOT start or end with an ASCII whitespace character": RFC 9113 section 8.2.1. A backend of HTTP/1.1
    // would see the value without, and so another than the one that was matched.
    if request.version() > Version::HTTP_11 && request.headers().values().any(has_space_around) {
        return Err(RequestError::HeaderValue.into());
    }
    put_host(request);
    let headers = request.headers_mut();
    let present = HeaderSet::from_received(headers);
    framing::check_request(headers, present)?;
    remove_present_from_request(headers, present, arrival.upgrades);
    if present.has(HeaderSet::FORWARDED_FOR) && goes_round(headers) {
        return Err(Refusal::GoesRound);
    }
    if present.has(HeaderSet::CLAIM) {
        remove_claims(headers, arrival.trust);
    }
    Ok(())
}

/// Puts the host that the target names, where it does, into the Host header, in the place of another.
///
/// # Spec
/// AMB-43; RFC 9112 section 3.2.2, RFC 9113 section 8.3.1.
fn put_host<B>(request: &mut Request<B>) {
    let Some(authority) = request.uri().authority() else { return };
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let is_said = hosts.next().is_some_and(|host| host == authority.as_str());
    // Several hosts are refused, and an authority that is no host is, too.
    if is_said || hosts.next().is_some() {
        return;
    }
    if let Ok(host) = HeaderValue::from_str(authority.as_str()) {
        // A request with so many headers that there is no room for another goes without.
        let _full = request.headers_mut().try_insert(header::HOST, host);
    }
}

fn has_space_around(value: &HeaderValue) -> bool {
    let is_space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    is_space(value.as_bytes().first()) || is_space(value.as_bytes().last())
}

/// Counts the forwarding of a request that limits it.
///
/// # Errors
/// When the gateway is the last that it may reach.
///
/// # Spec
/// MSG-06; RFC 9110 section 7.6.2.
pub(super) fn count_forward<B>(request: &mut Request<B>) -> Result<(), Refusal> {
    let refusal = match *request.method() {
        Method::OPTIONS => Refusal::OptionsOfGateway,
        Method::TRACE => Refusal::TraceOfGateway,
        _ => return Ok(()),
    };
    let left = request.headers().get(header::MAX_FORWARDS).and_then(|left| left.to_str().ok());
    match left.and_then(|left| left.trim().parse::<u64>().ok()) {
        Some(0) => Err(refusal),
        Some(left) => {
            request.headers_mut().insert(header::MAX_FORWARDS, HeaderValue::from(left - 1));
            Ok(())
        }
        // What is no number limits nothing.
        None => Ok(()),
    }
}

/// Gives a target the path that was matched, if it is another than that of the request, and a slash where it has none.
///
/// # Spec
/// AMB-01, MSG-01.
pub(super) fn put_path(uri: &mut Uri, normal: Option<String>) {
    let begins_with_query = || uri.path_and_query().is_some_and(|target| target.as_str().starts_with('?'));
    let path = match normal {
        Some(normal) => normal,
        None if begins_with_query() => "/".to_owned(),
        None => return,
    };
    *uri = with_path(mem::take(uri), path);
}

fn with_path(uri: Uri, path: String) -> Uri {
    let mut parts = uri.into_parts();
    let query = parts.path_and_query.as_ref().and_then(PathAndQuery::query);
    let target = match query {
        Some(query) => path + "?" + query,
        None => path,
    };
    parts.path_and_query =
        Some(PathAndQuery::from_maybe_shared(Bytes::from(target)).expect("a normalised path is a path"));
    Uri::from_parts(parts).expect("the components that made a URI before still make one")
}
