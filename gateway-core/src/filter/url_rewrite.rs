//! Rewrites: the host and the path that the backend sees.

use http::request;
use http::uri::Uri;

use super::http_filter::FilterContext;
use super::path_modifier::{PathModifier, Unreplaceable};
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
    ) -> Result<(), Unreplaceable> {
        if let Some(hostname) = &self.hostname {
            hostname.apply(parts);
        }
        // The target of a CONNECT has no path that could be replaced.
        if let Some(modifier) = &self.path
            && parts.uri.path_and_query().is_some()
        {
            let target = modifier.target(original.uri.path(), context.path, parts.uri.query())?;
            let mut uri = parts.uri.clone().into_parts();
            uri.path_and_query = Some(target);
            // The same components are there as before, so they still make a URI, unless it is too long.
            parts.uri = Uri::from_parts(uri).map_err(|_| Unreplaceable::TooLong)?;
        }
        Ok(())
    }
}
