//! The filters of one list, and running them.

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, header, request, response};

use super::cors::{self, Cors};
use super::extension::Extension;
use super::header_modifier::HeaderModifier;
use super::request_edits::RequestEdits;
use super::request_mirror::RequestMirror;
use super::request_redirect::RequestRedirect;
use super::scheme::Scheme;
use super::url_rewrite::UrlRewrite;
use crate::matching::MatchedPath;

/// One filter of a rule or of a backend.
///
/// # Spec
/// `HTTPRouteFilter`, `GRPCRouteFilter`; FLT-01 to FLT-12.
#[derive(Clone, Debug, PartialEq)]
pub enum HttpFilter {
    /// Changes headers of the request.
    RequestHeaderModifier(HeaderModifier),
    /// Changes headers of the answer.
    ResponseHeaderModifier(HeaderModifier),
    /// Answers with a redirect.
    RequestRedirect(Box<RequestRedirect>),
    /// Changes host and path of the request.
    UrlRewrite(Box<UrlRewrite>),
    /// Copies the request to another backend.
    RequestMirror(RequestMirror),
    /// Lets other origins' scripts read the answers.
    Cors(Box<Cors>),
    /// Does what its author likes.
    Extension(Arc<dyn Extension>),
    /// Cannot be resolved or carried out: fails every request.
    ///
    /// # Spec
    /// FLT-05
    Unresolved,
}

/// What filters must know besides the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilterContext {
    /// The scheme of the listener that received the request.
    pub scheme: Scheme,
    /// The port of that listener, as the Gateway names it.
    pub port: u16,
    /// How the path of the request was matched.
    pub path: MatchedPath,
}

/// What is to happen with a request after its filters have run.
#[derive(Debug)]
pub enum Verdict {
    /// Go on: run the next list, forward the request.
    Continue,
    /// Do not forward: this is the answer. [`on_response`] is still to be run on it.
    Respond(Box<Response<Bytes>>),
    /// Do not forward: a filter cannot be carried out. Answer 500, in the protocol's own way (gRPC has no such status).
    Fail,
}

/// Runs the filters of one list, in list order, until one answers.
///
/// The path in `parts` must be the normalised one that was matched. `random` gives one number for each mirror, uniform
/// over all of `u64`. Run the rule's list first, then that of the chosen backend, with the same `edits`.
///
/// A CORS preflight is answered by the list's CORS filter, even where a redirect stands before it, because browsers
/// refuse to follow a redirected preflight.
///
/// # Spec
/// FLT-01, FLT-05, FLT-10, FLT-11; the choices are AMB-51, AMB-61 and AMB-65.
pub fn on_request(
    filters: &[HttpFilter],
    context: &FilterContext,
    parts: &mut request::Parts,
    edits: &mut RequestEdits,
    random: &mut dyn FnMut() -> u64,
) -> Verdict {
    // Both are facts about the request as it came, before any filter changes its headers.
    let cors = cors_of(filters);
    let preflight = cors.filter(|_| cors::is_preflight(parts));
    if cors.is_some() && edits.origin.is_none() {
        edits.origin = parts.headers.get(header::ORIGIN).cloned();
    }
    for filter in filters {
        let verdict = match filter {
            HttpFilter::RequestHeaderModifier(modifier) => {
                if modifier.sets_host() {
                    edits.keep_original(parts);
                }
                match modifier.apply_to_request(parts) {
                    Ok(()) => Verdict::Continue,
                    Err(_) => Verdict::Fail,
                }
            }
            HttpFilter::UrlRewrite(rewrite) => rewrite.apply(context, edits.keep_original(parts), parts),
            HttpFilter::RequestMirror(mirror) => {
                if mirror.share.taken(random()) {
                    edits.mirror(mirror.backend, parts);
                }
                Verdict::Continue
            }
            HttpFilter::RequestRedirect(redirect) => match preflight {
                Some(cors) => answer_preflight(cors, parts, edits),
                None => match redirect.answer(context, &edits.target(parts)) {
                    Some(response) => Verdict::Respond(Box::new(response)),
                    None => Verdict::Fail,
                },
            },
            HttpFilter::Cors(_) => match preflight {
                Some(cors) => answer_preflight(cors, parts, edits),
                None => Verdict::Continue,
            },
            HttpFilter::Extension(extension) => {
                edits.keep_original(parts);
                extension.on_request(parts)
            }
            // It acts on the answer.
            HttpFilter::ResponseHeaderModifier(_) => Verdict::Continue,
            HttpFilter::Unresolved => Verdict::Fail,
        };
        match verdict {
            Verdict::Continue => {}
            Verdict::Respond(_) | Verdict::Fail => {
                // AMB-51: only what is attempted itself is mirrored.
                edits.mirrors.clear();
                return verdict;
            }
        }
    }
    Verdict::Continue
}

/// Runs the filters of one list on the answer: a backend's, or the one of a [`Verdict::Respond`].
///
/// Run the backend's list first, then the rule's. An answer to a CORS preflight stays as it is. For answers that the
/// gateway makes by itself, use [`on_local_response`].
///
/// # Spec
/// FHM-08, FHM-11, FCO-02, FCO-19, FRD-11.
pub fn on_response(filters: &[HttpFilter], edits: &RequestEdits, response: &mut response::Parts) {
    if edits.preflight {
        return;
    }
    for filter in filters {
        match filter {
            HttpFilter::ResponseHeaderModifier(modifier) => {
                // A response with so many headers that there is no room for another stays as it is.
                let _full = modifier.apply(&mut response.headers);
            }
            HttpFilter::Cors(cors) => share_with_origin(cors, edits, response),
            HttpFilter::Extension(extension) => extension.on_response(response),
            // These act on the request.
            HttpFilter::RequestHeaderModifier(_)
            | HttpFilter::RequestRedirect(_)
            | HttpFilter::UrlRewrite(_)
            | HttpFilter::RequestMirror(_)
            | HttpFilter::Unresolved => {}
        }
    }
}

/// Runs the filters of one list on an answer that the gateway makes by itself: 500, 503, 504.
///
/// Header modifiers and extensions are for the application's answers and leave these alone; CORS is carried out, so that
/// a script of an allowed origin can tell an outage from a refusal.
///
/// # Spec
/// FHM-11, FCO-02.
pub fn on_local_response(filters: &[HttpFilter], edits: &RequestEdits, response: &mut response::Parts) {
    if let Some(cors) = cors_of(filters) {
        share_with_origin(cors, edits, response);
    }
}

fn cors_of(filters: &[HttpFilter]) -> Option<&Cors> {
    filters.iter().find_map(|filter| match filter {
        HttpFilter::Cors(cors) => Some(&**cors),
        HttpFilter::RequestHeaderModifier(_)
        | HttpFilter::ResponseHeaderModifier(_)
        | HttpFilter::RequestRedirect(_)
        | HttpFilter::UrlRewrite(_)
        | HttpFilter::RequestMirror(_)
        | HttpFilter::Extension(_)
        | HttpFilter::Unresolved => None,
    })
}

fn answer_preflight(cors: &Cors, parts: &request::Parts, edits: &mut RequestEdits) -> Verdict {
    edits.preflight = true;
    Verdict::Respond(Box::new(cors.answer_preflight(edits.origin.as_ref(), parts)))
}

/// Requests without an origin are not CORS requests; their answers stay as they are.
fn share_with_origin(cors: &Cors, edits: &RequestEdits, response: &mut response::Parts) {
    if let Some(origin) = &edits.origin {
        cors.share_with(origin, &mut response.headers);
    }
}
