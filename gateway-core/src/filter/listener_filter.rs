//! The filters of a listener, which run before a rule is looked for.

use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderValue};
use http::uri::{Authority, Scheme, Uri};
use http::{Request, request};

use super::extension::Extension;
use super::external_auth::ExternalAuth;
use super::verdict::Verdict;

/// One filter of a listener.
///
/// # Spec
/// `ListenerFilter`, GEP-5224.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenerFilter {
    /// Does what its author likes with requests. Answers do not come by here: [`Extension::on_response`] is not called.
    Extension(Arc<dyn Extension>),
    /// Asks another service whether the request may pass.
    ExternalAuth(Arc<ExternalAuth>),
    /// Leads nowhere: fails every request.
    ///
    /// # Spec
    /// [PRF-07](crate::spec#PRF-07)
    Unresolved,
}

/// The host of a request as the client named it.
struct NamedHost {
    /// Of the target.
    scheme: Option<Scheme>,
    /// Of the target.
    authority: Option<Authority>,
    /// The Host header, of which there is one at most.
    header: Option<HeaderValue>,
}

/// Runs the filters of a listener, in list order, until one answers or another service is to be asked.
///
/// Whatever a filter makes of the host, the filters after it and the search see the one that the client named. A list with
/// a filter that leads nowhere fails every request, also where a filter before it would answer.
///
/// # Spec
/// [PRF-01](crate::spec#PRF-01), [PRF-03](crate::spec#PRF-03), [PRF-05](crate::spec#PRF-05), [PRF-07](crate::spec#PRF-07).
pub fn before_routing<B>(filters: &[ListenerFilter], request: &mut Request<B>) -> Verdict {
    if filters.contains(&ListenerFilter::Unresolved) {
        return Verdict::Fail;
    }
    run(filters, 0, request)
}

/// Goes on with the filters of a listener behind the one at the position `asked`, whose service has let the request pass;
/// otherwise as [`before_routing`] does.
pub fn resume_before_routing<B>(
    filters: &[ListenerFilter],
    asked: usize,
    request: &mut Request<B>,
) -> Verdict {
    run(filters, asked + 1, request)
}

fn run<B>(filters: &[ListenerFilter], from: usize, request: &mut Request<B>) -> Verdict {
    let named = NamedHost::of(request.uri(), request.headers());
    let (mut parts, ()) = Request::new(()).into_parts();
    swap(request, &mut parts);
    let verdicts = filters.iter().enumerate().skip(from).map(|(position, filter)| match filter {
        ListenerFilter::Extension(extension) => match extension.on_request(&mut parts) {
            Verdict::Continue => named.restore(&mut parts),
            ends @ (Verdict::Respond(_) | Verdict::Fail) => ends,
            // Whom an extension would have asked, its author knows alone.
            Verdict::Ask(_) => Verdict::Fail,
        },
        ListenerFilter::ExternalAuth(_) => Verdict::Ask(position),
        ListenerFilter::Unresolved => Verdict::Fail,
    });
    let verdict = verdicts.into_iter().find(|verdict| !matches!(verdict, Verdict::Continue));
    swap(request, &mut parts);
    verdict.unwrap_or(Verdict::Continue)
}

/// Exchanges the head of a request for another.
fn swap<B>(request: &mut Request<B>, parts: &mut request::Parts) {
    std::mem::swap(request.method_mut(), &mut parts.method);
    std::mem::swap(request.uri_mut(), &mut parts.uri);
    std::mem::swap(request.version_mut(), &mut parts.version);
    std::mem::swap(request.headers_mut(), &mut parts.headers);
    std::mem::swap(request.extensions_mut(), &mut parts.extensions);
}

// === impl NamedHost ===

impl NamedHost {
    fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        Self {
            scheme: uri.scheme().cloned(),
            authority: uri.authority().cloned(),
            header: headers.get(header::HOST).cloned(),
        }
    }

    /// Gives the host back to a request. One that has no valid target any more fails.
    fn restore(&self, parts: &mut request::Parts) -> Verdict {
        if !parts.headers.get_all(header::HOST).iter().eq(&self.header) {
            match &self.header {
                Some(host) => _ = parts.headers.insert(header::HOST, host.clone()),
                None => _ = parts.headers.remove(header::HOST),
            }
        }
        let uri = &mut parts.uri;
        if (uri.scheme(), uri.authority()) != (self.scheme.as_ref(), self.authority.as_ref()) {
            let mut target = std::mem::take(uri).into_parts();
            (target.scheme, target.authority) = (self.scheme.clone(), self.authority.clone());
            match Uri::from_parts(target) {
                Ok(restored) => *uri = restored,
                Err(_) => return Verdict::Fail,
            }
        }
        Verdict::Continue
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{Method, Response};

    use super::*;

    /// Notes its name, and then does something.
    #[derive(Debug)]
    struct Step(&'static str, fn(&mut request::Parts));

    impl Extension for Step {
        fn on_request(&self, parts: &mut request::Parts) -> Verdict {
            parts.headers.append("x-ran", HeaderValue::from_static(self.0));
            (self.1)(parts);
            match self.0 {
                "answers" => Verdict::Respond(Box::new(Response::new(Bytes::from_static(b"no")))),
                _ => Verdict::Continue,
            }
        }
    }

    fn step(name: &'static str, edit: fn(&mut request::Parts)) -> ListenerFilter {
        ListenerFilter::Extension(Arc::new(Step(name, edit)))
    }

    fn ran<B>(request: &Request<B>) -> Vec<&str> {
        request.headers().get_all("x-ran").iter().map(|name| name.to_str().unwrap()).collect()
    }

    // PRF-01, PRF-05
    #[test]
    fn filters_run_in_their_order_until_one_answers() {
        let filters = [step("b", |_| {}), step("a", |_| {}), step("answers", |_| {}), step("c", |_| {})];
        let mut request = Request::get("/").header("host", "a.example").body(7).unwrap();
        assert!(matches!(before_routing(&filters, &mut request), Verdict::Respond(_)));
        assert_eq!((ran(&request), request.body()), (vec!["b", "a", "answers"], &7));
    }

    // PRF-03
    #[test]
    fn the_host_stays_whatever_a_filter_makes_of_it() {
        let edits: [fn(&mut request::Parts); 6] = [
            |parts| _ = parts.headers.insert("host", HeaderValue::from_static("b.example")),
            |parts| _ = parts.headers.append("host", HeaderValue::from_static("b.example")),
            |parts| _ = parts.headers.remove("host"),
            |parts| parts.uri = Uri::from_static("https://b.example/new?x"),
            |parts| parts.uri = Uri::from_static("/new?x"),
            |parts| parts.uri = Uri::from_static("b.example:80"),
        ];
        for (number, edit) in edits.into_iter().enumerate() {
            for target in ["/old?x", "http://a.example:81/old?x"] {
                let mut request = Request::get(target).header("host", "a.example:81").body(()).unwrap();
                let filters = [
                    step("edit", edit),
                    step("after", |parts| {
                        assert_eq!(parts.headers["host"], "a.example:81");
                        parts.method = Method::PUT;
                    }),
                ];
                let verdict = before_routing(&filters, &mut request);
                // A target that is nothing but another's authority has no path to go on with.
                if number == 5 && target.starts_with("http:") {
                    assert!(matches!(verdict, Verdict::Fail), "{verdict:?}");
                    continue;
                }
                assert!(matches!(verdict, Verdict::Continue), "{number} {target}: {verdict:?}");
                assert_eq!(request.method(), Method::PUT);
                assert!(request.headers().get_all("host").iter().eq(["a.example:81"]));
                let authority = target.starts_with("http:").then_some("a.example:81");
                assert_eq!(request.uri().authority().map(Authority::as_str), authority, "{number} {target}");
                let path = if matches!(number, 3 | 4) { "/new?x" } else { "/old?x" };
                if number != 5 {
                    assert_eq!(request.uri().path_and_query().unwrap(), path);
                }
            }
        }
    }

    // PRF-07
    #[test]
    fn a_filter_that_leads_nowhere_fails_the_request_before_any_has_run() {
        let mut request = Request::get("/").header("host", "a.example").body(()).unwrap();
        let filters = [step("answers", |_| {}), ListenerFilter::Unresolved];
        assert!(matches!(before_routing(&filters, &mut request), Verdict::Fail));
        assert!(ran(&request).is_empty());
    }
}
