//! One filter of a list, what it must know, and what it may decide.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;

use super::cors::Cors;
use super::extension::Extension;
use super::header_modifier::HeaderModifier;
use super::path_modifier::PathModifier;
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
    /// Do not forward: this is the answer. [`on_response`](super::on_response) is still to be run on it.
    Respond(Box<Response<Bytes>>),
    /// Do not forward: a filter cannot be carried out. Answer 500, in the protocol's own way (gRPC has no such status).
    Fail,
}

// === impl HttpFilter ===

impl HttpFilter {
    /// What the filter does to the path, if it changes it.
    pub fn path_modifier(&self) -> Option<&PathModifier> {
        match self {
            Self::RequestRedirect(redirect) => redirect.path.as_ref(),
            Self::UrlRewrite(rewrite) => rewrite.path.as_ref(),
            Self::RequestHeaderModifier(_)
            | Self::ResponseHeaderModifier(_)
            | Self::RequestMirror(_)
            | Self::Cors(_)
            | Self::Extension(_)
            | Self::Unresolved => None,
        }
    }
}
