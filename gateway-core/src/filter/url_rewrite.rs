//! Rewrites: the host and the path that the backend sees.

use std::mem;

use http::request;
use http::uri::Uri;

use super::filter_context::FilterContext;
use super::path_modifier::PathModifier;
use super::precise_hostname::PreciseHostname;
use super::request_edits::Original;
use super::verdict::Verdict;

/// Another host, another path, or both; what is absent stays as the client sent it.
///
/// # Spec
/// `HTTPURLRewriteFilter`, [FRW-01](crate::spec#FRW-01) to [FRW-08](crate::spec#FRW-08).
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::{RequestEdits, Scheme};
    use crate::matching::MatchedPath;

    fn rewritten(rewrite: &UrlRewrite, matched: usize, uri: &str, host: &str) -> request::Parts {
        let request = http::Request::builder().uri(uri).header("host", host).body(()).unwrap();
        let (mut parts, ()) = request.into_parts();
        let context = FilterContext { scheme: Scheme::Http, port: 80, path: MatchedPath::Prefix(matched) };
        let mut edits = RequestEdits::default();
        let verdict = rewrite.apply(&context, edits.keep_original(&parts), &mut parts);
        assert!(matches!(verdict, Verdict::Continue));
        parts
    }

    fn prefix(text: &str) -> UrlRewrite {
        UrlRewrite { path: Some(PathModifier::replace_prefix_match(text).unwrap()), ..Default::default() }
    }

    fn full(text: &str) -> UrlRewrite {
        UrlRewrite { path: Some(PathModifier::replace_full_path(text).unwrap()), ..Default::default() }
    }

    // FRW-02, FRW-03, FPR-01
    #[test]
    fn path() {
        for (rewrite, matched, uri, expected) in [
            (prefix("/one"), "/prefix/one", "/prefix/one/two", "/one/two"),
            (prefix("/"), "/strip-prefix", "/strip-prefix/three", "/three"),
            (prefix("/"), "/strip-prefix", "/strip-prefix", "/"),
            (full("/one"), "/full/one", "/full/one/two", "/one"),
            (
                full("/test"),
                "/full/rewrite-path-and-modify-headers",
                "/full/rewrite-path-and-modify-headers/test",
                "/test",
            ),
            (
                prefix("/prefix"),
                "/prefix/rewrite-path-and-modify-headers",
                "/prefix/rewrite-path-and-modify-headers/one",
                "/prefix/one",
            ),
            (prefix("/x"), "/a", "/a/b?c=d&e", "/x/b?c=d&e"),
            (full("/x"), "/a", "/a/b?c=d&e", "/x?c=d&e"),
            (full("/x?y"), "/a", "/a/b?c=d&e", "/x?y"),
            (prefix("/x"), "/a", "https://a.example/a/b?c", "https://a.example/x/b?c"),
            (full("/x"), "/", "*", "/x"),
        ] {
            let matched = matched.strip_suffix('/').unwrap_or(matched).len();
            let parts = rewritten(&rewrite, matched, uri, "a.example");
            assert_eq!(parts.uri.to_string(), expected);
        }
    }

    // FRW-01
    #[test]
    fn the_hostname_replaces_host_and_authority_without_port() {
        let rewrite = UrlRewrite { hostname: Some("one.example.org".parse().unwrap()), path: None };
        let parts = rewritten(&rewrite, 0, "/one", "rewrite.example:8080");
        assert_eq!(
            (parts.uri.to_string().as_str(), parts.headers["host"].as_bytes()),
            ("/one", &b"one.example.org"[..])
        );
        let parts = rewritten(&rewrite, 0, "https://rewrite.example:8443/one?q", "rewrite.example:8443");
        assert_eq!(parts.uri, "https://one.example.org/one?q");
        assert_eq!(parts.headers["host"], "one.example.org");
    }

    // FRW-08
    #[test]
    fn without_a_hostname_the_host_stays_with_its_port() {
        let parts = rewritten(&full("/x"), 0, "/", "Very.Specific.com:1234");
        assert_eq!(parts.headers["host"], "Very.Specific.com:1234");
    }

    // FRW-07
    #[test]
    fn no_header_tells_what_was_rewritten() {
        let rewrite = UrlRewrite { hostname: Some("b.example".parse().unwrap()), ..full("/x") };
        assert_eq!(rewritten(&rewrite, 0, "/", "a.example").headers.len(), 1);
    }

    #[test]
    fn the_target_of_a_connect_stays() {
        assert_eq!(rewritten(&full("/x"), 0, "a.example:443", "a.example:443").uri, "a.example:443");
    }

    // FRW-04, FLT-05
    #[test]
    fn a_prefix_that_did_not_match_fails_the_request() {
        let (mut parts, ()) = http::Request::get("/a").body(()).unwrap().into_parts();
        let context = FilterContext { scheme: Scheme::Http, port: 80, path: MatchedPath::Regex };
        let mut edits = RequestEdits::default();
        let verdict = prefix("/x").apply(&context, edits.keep_original(&parts), &mut parts);
        assert!(matches!(verdict, Verdict::Fail));
    }
}
