//! One filter of a list, what it must know, and what it may decide.

use std::sync::Arc;

use super::cors::Cors;
use super::extension::Extension;
use super::external_auth::ExternalAuth;
use super::header_modifier::HeaderModifier;
use super::path_modifier::PathModifier;
use super::request_mirror::RequestMirror;
use super::request_redirect::RequestRedirect;
use super::url_rewrite::UrlRewrite;

/// One filter of a rule or of a backend.
///
/// It is exhaustive, although releases of the specification add filters: a `match` elsewhere that knows all of them then
/// does not compile, which is better than one that passes over a filter without a word.
///
/// # Spec
/// `HTTPRouteFilter`, `GRPCRouteFilter`; [FLT-01](crate::spec#FLT-01) to [FLT-12](crate::spec#FLT-12).
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
    /// Asks another service whether the request may pass.
    ExternalAuth(Arc<ExternalAuth>),
    /// Does what its author likes.
    Extension(Arc<dyn Extension>),
    /// Cannot be resolved or carried out: fails every request.
    ///
    /// # Spec
    /// [FLT-05](crate::spec#FLT-05)
    Unresolved,
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
            | Self::ExternalAuth(_)
            | Self::Extension(_)
            | Self::Unresolved => None,
        }
    }
}
