//! Replaced paths, with any text as path, prefix and replacement.

use gateway_core::api::{
    HttpPathMatch, HttpPathModifier, HttpPathModifierType, HttpRouteMatch, PathMatchType,
};
use gateway_core::filter::{
    FilterContext, HttpFilter, PathModifier, PathModifierError, RequestEdits, RequestRedirect, Scheme,
    UrlRewrite, Verdict, on_request,
};
use gateway_core::matching::normalize_path;
use gateway_core::matching::{MatchedPath, PathMatch};
use http::uri::PathAndQuery;
use http::{Request, header, request};

use super::text;
use crate::decision::reference::{normal_form, reference, replaced_path};

/// Three lines: a request target, a prefix, a replacement. Core and reference have the same normal form of the path, and
/// the same target when the prefix, or the whole path, is replaced: by a rewrite and in the location of a redirect.
///
/// # Panics
/// When that does not hold.
pub fn rewrite(bytes: &[u8]) {
    let text = text(bytes);
    let mut lines = text.splitn(3, '\n');
    let Ok(target) = lines.next().unwrap_or_default().parse::<PathAndQuery>() else { return };
    let prefix = lines.next().unwrap_or_default();
    let replacement = lines.next().unwrap_or_default();

    let path = normalize_path(target.path());
    assert_eq!(path, normal_form(target.path()));
    assert_eq!(normalize_path(&path), path, "the normal form is stable");
    let condition = PathMatch::prefix(prefix);
    let path_match = HttpPathMatch { r#type: PathMatchType::PathPrefix, value: prefix.into() };
    let request = Matched {
        path: &path,
        query: target.query(),
        entry: HttpRouteMatch { path: path_match, ..HttpRouteMatch::default() },
        matched: condition.matched(),
    };
    let full = PathModifier::replace_full_path(replacement);
    request.replace(&written(HttpPathModifierType::ReplaceFullPath, replacement), full);
    // A configured prefix starts with a slash; and only prefixes that match are replaced.
    if prefix.starts_with('/') && condition.matches(&path) {
        let part = PathModifier::replace_prefix_match(replacement);
        request.replace(&written(HttpPathModifierType::ReplacePrefixMatch, replacement), part);
    }
}

/// A request that was matched by a prefix.
struct Matched<'t> {
    path: &'t str,
    query: Option<&'t str>,
    entry: HttpRouteMatch,
    matched: MatchedPath,
}

fn written(r#type: HttpPathModifierType, replacement: &str) -> HttpPathModifier {
    let replacement = Some(replacement.to_owned());
    let (replace_full_path, replace_prefix_match) = match r#type {
        HttpPathModifierType::ReplaceFullPath => (replacement, None),
        HttpPathModifierType::ReplacePrefixMatch | HttpPathModifierType::Unknown(_) => (None, replacement),
    };
    HttpPathModifier { r#type, replace_full_path, replace_prefix_match }
}

impl Matched<'_> {
    fn replace(&self, written: &HttpPathModifier, compiled: Result<PathModifier, PathModifierError>) {
        let replacement = written.replace_full_path.as_ref().or(written.replace_prefix_match.as_ref());
        let characters = replacement.map_or(0, |text| text.chars().count());
        assert_eq!(compiled.is_err(), characters > 1024, "only a long replacement is refused: {compiled:?}");
        let Ok(compiled) = compiled else { return };
        let expected = replaced_path(written, &self.entry, self.path, self.query);

        let rewrite = UrlRewrite { hostname: None, path: Some(compiled.clone()) };
        let (verdict, rewritten) = self.run(HttpFilter::UrlRewrite(Box::new(rewrite)));
        match verdict {
            Verdict::Continue => assert_eq!(rewritten.uri, *expected),
            // A URI has at most 65,534 bytes.
            Verdict::Fail => assert!(expected.len() > 65_534, "{expected}"),
            other @ (Verdict::Respond(_) | Verdict::Ask(_)) => {
                panic!("a rewrite does not answer and asks nobody: {other:?}")
            }
        }
        let redirect = RequestRedirect { path: Some(compiled), ..RequestRedirect::default() };
        match self.run(HttpFilter::RequestRedirect(Box::new(redirect))).0 {
            Verdict::Respond(answer) => {
                let location = reference(&format!("http://a.example.com{expected}"));
                assert_eq!(answer.headers()[header::LOCATION], location);
            }
            verdict @ (Verdict::Continue | Verdict::Fail | Verdict::Ask(_)) => {
                panic!("a redirect answers: {verdict:?}")
            }
        }
    }

    fn run(&self, filter: HttpFilter) -> (Verdict, request::Parts) {
        let query = self.query.map(|query| format!("?{query}")).unwrap_or_default();
        let request = Request::get(format!("{}{query}", self.path)).header(header::HOST, "a.example.com");
        let (mut parts, ()) = request.body(()).expect("a request in its normal form").into_parts();
        let context = FilterContext { scheme: Scheme::Http, port: 80, path: self.matched };
        let edits = &mut RequestEdits::default();
        (on_request(&[filter], &context, &mut parts, edits, &mut || 0), parts)
    }
}
