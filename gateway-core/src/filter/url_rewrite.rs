//! Rewrites: the host and the path that the backend sees.

use std::mem;

use http::request;
use http::uri::Uri;

use super::http_filter::{FilterContext, Verdict};
use super::path_modifier::PathModifier;
use super::precise_hostname::PreciseHostname;
use super::request_edits::Original;

/// Another host, another path, or both; what is absent stays as the client sent it.
///
/// # Spec
/// `HTTPURLRewriteFilter`, FRW-01 to FRW-08.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct UrlRewrite {
    /// The host, without port, that the backend sees.
    pub hostname: Option<PreciseHostname>,
    /// The path that the backend sees. The query stays, unless the modifier brings its own.
    pub path: Option<PathModifier>,
}

// === impl UrlRewrite ===

impl UrlRewrite {
    /// Rewrites a request that once was `original`.
    pub(super) fn apply(
        &self,
        context: &FilterContext,
        original: &Original,
        parts: &mut request::Parts,
    ) -> Verdict {
        if let Some(hostname) = &self.hostname
            && hostname.apply(parts).is_err()
        {
            return Verdict::Fail;
        }
        // The target of a CONNECT has no path that could be replaced.
        if let Some(modifier) = &self.path
            && parts.uri.path_and_query().is_some()
        {
            let Ok(target) = modifier.target(original.uri.path(), context.path, parts.uri.query()) else {
                return Verdict::Fail;
            };
            let mut uri = mem::take(&mut parts.uri).into_parts();
            uri.path_and_query = Some(target);
            parts.uri = Uri::from_parts(uri).expect("the components that made a URI before still make one");
        }
        Verdict::Continue
    }
}
