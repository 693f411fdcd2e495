//! Running the filters of one list, on a request and on its answer.

use http::{header, request, response};

use super::cors::{self, Cors};
use super::filter_context::FilterContext;
use super::http_filter::HttpFilter;
use super::request_edits::RequestEdits;
use super::verdict::Verdict;

/// Runs the filters of one list, in list order, until one answers or another service is to be asked.
///
/// The path in `parts` must be the normalised one that was matched. `random` gives one number for each mirror, uniform
/// over all of `u64`. Run the rule's list first, then that of the chosen backend, with the same `edits`.
///
/// A CORS preflight is answered by the list's CORS filter, even where a redirect stands before it, because browsers
/// refuse to follow a redirected preflight, or one that asks another service, because browsers send no credentials with it.
/// A list with a filter that cannot be carried out fails every request, also
/// where a filter before it would answer: that answer might be what the other one was to change.
///
/// # Spec
/// [FLT-01](crate::spec#FLT-01), [FLT-05](crate::spec#FLT-05), [FLT-10](crate::spec#FLT-10), [FLT-11](crate::spec#FLT-11);
/// [FEA-01](crate::spec#FEA-01); the choices are [AMB-51](crate::choices#AMB-51), [AMB-61](crate::choices#AMB-61) and
/// [AMB-65](crate::choices#AMB-65).
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
    if filters.iter().any(|filter| matches!(filter, HttpFilter::Unresolved)) {
        edits.mirrors.clear();
        return Verdict::Fail;
    }
    run(filters, 0, preflight, context, parts, edits, random)
}

/// Goes on with a list behind the filter at the position `asked`, whose service has let the request pass; otherwise as
/// [`on_request`] does.
pub fn resume(
    filters: &[HttpFilter],
    asked: usize,
    context: &FilterContext,
    parts: &mut request::Parts,
    edits: &mut RequestEdits,
    random: &mut dyn FnMut() -> u64,
) -> Verdict {
    // A preflight is answered before any service is asked.
    run(filters, asked + 1, None, context, parts, edits, random)
}

fn run(
    filters: &[HttpFilter],
    from: usize,
    preflight: Option<&Cors>,
    context: &FilterContext,
    parts: &mut request::Parts,
    edits: &mut RequestEdits,
    random: &mut dyn FnMut() -> u64,
) -> Verdict {
    for (position, filter) in filters.iter().enumerate().skip(from) {
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
            HttpFilter::ExternalAuth(_) => match preflight {
                Some(cors) => answer_preflight(cors, parts, edits),
                None => {
                    edits.keep_original(parts);
                    Verdict::Ask(position)
                }
            },
            HttpFilter::Extension(extension) => {
                edits.keep_original(parts);
                match extension.on_request(parts) {
                    // Whom an extension would have asked, its author knows alone.
                    Verdict::Ask(_) => Verdict::Fail,
                    verdict => verdict,
                }
            }
            // It acts on the answer.
            HttpFilter::ResponseHeaderModifier(_) => Verdict::Continue,
            // Seen above.
            HttpFilter::Unresolved => Verdict::Fail,
        };
        match verdict {
            Verdict::Continue => {}
            // What is copied may still be attempted.
            Verdict::Ask(_) => return verdict,
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
/// [FHM-08](crate::spec#FHM-08), [FHM-11](crate::spec#FHM-11), [FCO-02](crate::spec#FCO-02), [FCO-19](crate::spec#FCO-19),
/// [FRD-11](crate::spec#FRD-11).
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
            | HttpFilter::ExternalAuth(_)
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
/// [FHM-11](crate::spec#FHM-11), [FCO-02](crate::spec#FCO-02).
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
        | HttpFilter::ExternalAuth(_)
        | HttpFilter::Extension(_)
        | HttpFilter::Unresolved => None,
    })
}

fn answer_preflight(cors: &Cors, parts: &request::Parts, edits: &mut RequestEdits) -> Verdict {
    edits.preflight = true;
    Verdict::Respond(Box::new(cors.answer_preflight(edits.origin.as_ref(), parts)))
}

/// Requests without an origin are not CORS requests; their answers only say that others would be answered in another way.
fn share_with_origin(cors: &Cors, edits: &RequestEdits, response: &mut response::Parts) {
    match &edits.origin {
        Some(origin) => cors.share_with(origin, &mut response.headers),
        None => cors.vary(&mut response.headers),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use http::{Request, Response, StatusCode};
    use proptest::prelude::*;

    use super::*;
    use crate::filter::{
        AuthProtocol, AuthTerms, CorsPolicy, Extension, ExternalAuth, GrpcAuth, HeaderModifier, PathModifier,
        RequestMirror, RequestRedirect, Scheme, Share, UrlRewrite,
    };
    use crate::matching::MatchedPath;
    use crate::name::BackendId;

    const CONTEXT: FilterContext =
        FilterContext { scheme: Scheme::Http, port: 80, path: MatchedPath::Prefix("/old".len()) };

    fn request(method: &str, uri: &str, lines: &[(&str, &str)]) -> request::Parts {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn get(uri: &str) -> request::Parts {
        request("GET", uri, &[("host", "a.example")])
    }

    fn run(filters: &[HttpFilter], parts: &mut request::Parts, edits: &mut RequestEdits) -> Verdict {
        on_request(filters, &CONTEXT, parts, edits, &mut || 0)
    }

    fn set(name: &str, value: &str) -> HeaderModifier {
        HeaderModifier::new([(name, value)], [], []).unwrap()
    }

    fn rewrite(path: PathModifier) -> HttpFilter {
        HttpFilter::UrlRewrite(Box::new(UrlRewrite { hostname: None, path: Some(path) }))
    }

    fn prefix(text: &str) -> HttpFilter {
        rewrite(PathModifier::replace_prefix_match(text).unwrap())
    }

    fn mirror(backend: u32) -> HttpFilter {
        HttpFilter::RequestMirror(RequestMirror { backend: BackendId(backend), share: Share::all() })
    }

    fn redirect() -> HttpFilter {
        HttpFilter::RequestRedirect(Box::default())
    }

    fn cors() -> HttpFilter {
        let policy = CorsPolicy { allow_origins: vec!["https://ok.example"], ..Default::default() };
        HttpFilter::Cors(Box::new(Cors::new(&policy).unwrap()))
    }

    fn auth() -> HttpFilter {
        let terms = AuthTerms { protocol: AuthProtocol::Grpc(GrpcAuth::default()), max_body: 0 };
        HttpFilter::ExternalAuth(Arc::new(ExternalAuth { backend: BackendId(9), terms }))
    }

    /// The answer of the filters, after the response filters have run on it.
    fn answered(filters: &[HttpFilter], parts: &mut request::Parts) -> response::Parts {
        let mut edits = RequestEdits::default();
        let Verdict::Respond(response) = run(filters, parts, &mut edits) else { panic!("no answer") };
        assert!(edits.mirrors.is_empty());
        let (mut response, _) = response.into_parts();
        on_response(filters, &edits, &mut response);
        response
    }

    /// What becomes of a backend's 200 for a request with these headers.
    fn of_backend(filters: &[HttpFilter], lines: &[(&str, &str)]) -> response::Parts {
        let mut edits = RequestEdits::default();
        let mut parts = request("GET", "/old", lines);
        assert!(matches!(run(filters, &mut parts, &mut edits), Verdict::Continue));
        let (mut response, ()) = Response::new(()).into_parts();
        on_response(filters, &edits, &mut response);
        response
    }

    // FLT-01, FMR-03, FMR-05, AMB-65, AMB-50
    #[test]
    fn a_mirror_copies_the_request_as_the_filters_before_it_left_it() {
        let filters = [
            mirror(1),
            HttpFilter::RequestHeaderModifier(set("x-set", "1")),
            mirror(2),
            prefix("/new"),
            mirror(3),
            HttpFilter::RequestHeaderModifier(set("x-set", "2")),
        ];
        let mut edits = RequestEdits::default();
        let mut parts = get("/old/a");
        parts.extensions.insert("of the connection");
        assert!(matches!(run(&filters, &mut parts, &mut edits), Verdict::Continue));
        let seen: Vec<_> = edits
            .mirrors
            .iter()
            .map(|copy| {
                let value = copy.parts.headers.get("x-set").map(|v| v.to_str().unwrap());
                assert_eq!(copy.parts.headers["host"], "a.example");
                assert!(copy.parts.extensions.is_empty());
                (copy.backend.0, copy.parts.uri.path(), value)
            })
            .collect();
        assert_eq!(seen, [(1, "/old/a", None), (2, "/old/a", Some("1")), (3, "/new/a", Some("1"))]);
        assert_eq!(parts.headers["x-set"], "2");
    }

    // FMR-04, AMB-52
    #[test]
    fn every_mirror_draws_one_number() {
        let share = Share::percent(20).unwrap();
        let mirror = HttpFilter::RequestMirror(RequestMirror { backend: BackendId(0), share });
        let mut edits = RequestEdits::default();
        let mut numbers = [19, 20, 119].into_iter();
        let filters = [mirror.clone(), mirror.clone(), mirror];
        on_request(&filters, &CONTEXT, &mut get("/old"), &mut edits, &mut || numbers.next().unwrap());
        assert_eq!((edits.mirrors.len(), numbers.next()), (2, None));
    }

    // FLT-05, FEX-02, AMB-51
    #[test]
    fn an_unresolved_filter_fails_the_request_and_nothing_is_mirrored() {
        let mut edits = RequestEdits::default();
        let filters = [mirror(1), HttpFilter::Unresolved, redirect()];
        assert!(matches!(run(&filters, &mut get("/old"), &mut edits), Verdict::Fail));
        assert!(edits.mirrors.is_empty());
        let filters = [redirect(), HttpFilter::Unresolved];
        let verdict = run(&filters, &mut get("/old"), &mut edits);
        assert!(matches!(verdict, Verdict::Fail), "the redirect might be what the filter was to change");
    }

    // FEA-01, FLT-01, AMB-51
    #[test]
    fn a_list_stops_where_a_service_is_to_be_asked_and_goes_on_behind_it() {
        let filters = [
            mirror(1),
            HttpFilter::RequestHeaderModifier(set("x-before", "1")),
            auth(),
            HttpFilter::RequestHeaderModifier(set("x-between", "1")),
            auth(),
            redirect(),
        ];
        let mut edits = RequestEdits::default();
        let mut parts = get("/old");
        assert!(matches!(run(&filters, &mut parts, &mut edits), Verdict::Ask(2)));
        assert!(parts.headers.contains_key("x-before") && !parts.headers.contains_key("x-between"));
        assert_eq!(edits.mirrors.len(), 1, "it may yet be attempted");
        let mut on = |asked| resume(&filters, asked, &CONTEXT, &mut parts, &mut edits, &mut || 0);
        assert!(matches!(on(2), Verdict::Ask(4)));
        assert!(matches!(on(4), Verdict::Respond(_)));
        assert!(parts.headers.contains_key("x-between") && edits.mirrors.is_empty());
    }

    // FEA-01, FCO-20
    #[test]
    fn a_preflight_is_answered_before_a_service_is_asked() {
        let lines =
            [("host", "a"), ("origin", "https://ok.example"), ("access-control-request-method", "PUT")];
        let response = answered(&[auth(), cors()], &mut request("OPTIONS", "/old", &lines));
        assert_eq!(response.headers["access-control-allow-origin"], "https://ok.example");
        let verdict = run(&[auth(), cors()], &mut get("/old"), &mut RequestEdits::default());
        assert!(matches!(verdict, Verdict::Ask(0)), "{verdict:?}");
    }

    // FRD-11, AMB-51
    #[test]
    fn a_redirected_request_is_not_mirrored() {
        let response = answered(&[mirror(1), redirect(), mirror(2)], &mut get("/old"));
        assert_eq!(response.status, StatusCode::FOUND);
    }

    // FLT-10, FLT-11
    #[test]
    fn a_backends_rewrite_starts_from_the_path_that_matched() {
        let mut edits = RequestEdits::default();
        let mut parts = get("/old/a?q");
        for filters in [[prefix("/longer/than/before")], [prefix("/new")]] {
            assert!(matches!(run(&filters, &mut parts, &mut edits), Verdict::Continue));
        }
        assert_eq!(parts.uri, "/new/a?q");
    }

    // FLT-10
    #[test]
    fn a_redirect_is_about_what_the_client_asked_for() {
        let mut edits = RequestEdits::default();
        let mut parts = get("/old/a?q");
        let before = [prefix("/new"), HttpFilter::RequestHeaderModifier(set("host", "b.example"))];
        assert!(matches!(run(&before, &mut parts, &mut edits), Verdict::Continue));
        assert_eq!((parts.uri.path(), &parts.headers["host"]), ("/new/a", &"b.example".parse().unwrap()));
        let Verdict::Respond(response) = run(&[redirect()], &mut parts, &mut edits) else { panic!() };
        assert_eq!(response.headers()["location"], "http://a.example/old/a?q");
    }

    // FLT-04, FRW-06, FHM-08
    #[test]
    fn a_rewrite_and_header_modifiers_take_effect_together() {
        let request_headers = HeaderModifier::new(
            [("X-Header-Set", "set-overwrites-values")],
            [("X-Header-Add-Append", "header-val-2")],
            ["X-Header-Remove"],
        );
        let filters = [
            HttpFilter::RequestHeaderModifier(request_headers.unwrap()),
            HttpFilter::ResponseHeaderModifier(set("x-answer", "1")),
            prefix("/prefix"),
        ];
        let mut edits = RequestEdits::default();
        let mut parts = request(
            "GET",
            "/old/one",
            &[("host", "a"), ("x-header-add-append", "append-val-1"), ("x-header-remove", "remove-val")],
        );
        assert!(matches!(run(&filters, &mut parts, &mut edits), Verdict::Continue));
        assert_eq!(parts.uri, "/prefix/one");
        assert_eq!(parts.headers["x-header-set"], "set-overwrites-values");
        let appended: Vec<_> = parts.headers.get_all("x-header-add-append").iter().collect();
        assert_eq!(appended, ["append-val-1", "header-val-2"]);
        assert_eq!(parts.headers.get("x-header-remove"), None);
        assert_eq!(parts.headers.get("x-answer"), None);

        let response = of_backend(&filters, &[("host", "a")]);
        assert_eq!(response.headers["x-answer"], "1");
        assert_eq!(response.headers.len(), 1);
    }

    // FHM-11, FRD-11
    #[test]
    fn response_headers_are_modified_on_redirects_but_not_on_preflights_and_errors() {
        let filters = [HttpFilter::ResponseHeaderModifier(set("x-answer", "1")), redirect(), cors()];
        let response = answered(&filters, &mut get("/old"));
        assert_eq!(
            (response.status, &response.headers["x-answer"]),
            (StatusCode::FOUND, &"1".parse().unwrap())
        );

        let lines =
            [("host", "a"), ("origin", "https://ok.example"), ("access-control-request-method", "PUT")];
        let response = answered(&filters, &mut request("OPTIONS", "/old", &lines));
        assert_eq!(response.status, StatusCode::NO_CONTENT);
        assert!(!response.headers.contains_key("x-answer"));

        let (mut error, ()) = Response::new(()).into_parts();
        on_local_response(&filters, &RequestEdits::default(), &mut error);
        assert!(!error.headers.contains_key("x-answer"));
    }

    // AMB-61, FRD-11, FCO-01
    #[test]
    fn cors_answers_preflights_and_lets_the_redirect_be_read_wherever_it_stands() {
        let lines =
            [("host", "a"), ("origin", "https://ok.example"), ("access-control-request-method", "PUT")];
        for filters in [[redirect(), cors()], [cors(), redirect()]] {
            let response = answered(&filters, &mut request("OPTIONS", "/old", &lines));
            assert_eq!(response.status, StatusCode::NO_CONTENT);
            assert_eq!(response.headers["access-control-allow-origin"], "https://ok.example");

            let response = answered(&filters, &mut request("PUT", "/old", &lines));
            assert_eq!(response.status, StatusCode::FOUND);
            assert_eq!(response.headers["access-control-allow-origin"], "https://ok.example");
        }
    }

    // FCO-01, FCO-03
    #[test]
    fn a_preflight_of_another_origin_is_not_forwarded_either() {
        let lines = [("origin", "https://no.example"), ("access-control-request-method", "PUT")];
        let response = answered(&[cors()], &mut request("OPTIONS", "/old", &lines));
        assert_eq!(response.status, StatusCode::NO_CONTENT);
        assert_eq!((&response.headers["vary"], response.headers.len()), (&"origin".parse().unwrap(), 1));
    }

    // FCO-04, FCO-18, AMB-24
    #[test]
    fn other_requests_are_forwarded() {
        let header = "access-control-allow-origin";
        let response = of_backend(&[cors()], &[("origin", "https://ok.example")]);
        assert_eq!(response.headers[header], "https://ok.example");
        let response = of_backend(&[cors()], &[("origin", "https://no.example")]);
        assert!(!response.headers.contains_key(header));
        let response = of_backend(&[cors()], &[]);
        assert_eq!(
            (&response.headers["vary"], response.headers.len()),
            (&"origin".parse().unwrap(), 1),
            "no origin, and nothing to say but that it would matter"
        );
        let mut options = request("OPTIONS", "/old", &[("origin", "https://ok.example")]);
        assert!(matches!(run(&[cors()], &mut options, &mut RequestEdits::default()), Verdict::Continue));
    }

    // FCO-20, AMB-23
    #[test]
    fn a_list_without_cors_leaves_preflights_to_the_backend() {
        let lines = [("origin", "https://ok.example"), ("access-control-request-method", "PUT")];
        let mut preflight = request("OPTIONS", "/old", &lines);
        let filters = [HttpFilter::ResponseHeaderModifier(set("x", "1"))];
        assert!(matches!(run(&filters, &mut preflight, &mut RequestEdits::default()), Verdict::Continue));
    }

    // FCO-02
    #[test]
    fn the_origin_is_the_one_that_came_whatever_the_backend_gets() {
        let drop_origin = HeaderModifier::new([], [], ["origin"]).unwrap();
        let filters = [HttpFilter::RequestHeaderModifier(drop_origin), cors()];
        let response = of_backend(&filters, &[("origin", "https://ok.example")]);
        assert_eq!(response.headers["access-control-allow-origin"], "https://ok.example");
    }

    // FCO-02
    #[test]
    fn a_script_may_read_the_errors_of_the_gateway() {
        let filters = [cors(), HttpFilter::Unresolved];
        let mut edits = RequestEdits::default();
        let mut parts = request("GET", "/old", &[("origin", "https://ok.example")]);
        assert!(matches!(run(&filters, &mut parts, &mut edits), Verdict::Fail));
        let (mut error, ()) = Response::new(()).into_parts();
        on_local_response(&filters, &edits, &mut error);
        assert_eq!(error.headers["access-control-allow-origin"], "https://ok.example");

        let (mut error, ()) = Response::new(()).into_parts();
        on_local_response(&filters, &RequestEdits::default(), &mut error);
        assert_eq!((&error.headers["vary"], error.headers.len()), (&"origin".parse().unwrap(), 1));
    }

    /// Turns requests with `x-stop` away; marks everything else, and moves it elsewhere.
    #[derive(Debug)]
    struct Mark;

    impl Extension for Mark {
        fn on_request(&self, parts: &mut request::Parts) -> Verdict {
            if parts.headers.contains_key("x-stop") {
                return Verdict::Respond(Box::new(Response::new(Bytes::from_static(b"stopped"))));
            }
            parts.uri = "/elsewhere".parse().unwrap();
            parts.headers.insert("x-mark", "request".parse().unwrap());
            Verdict::Continue
        }

        fn on_response(&self, parts: &mut response::Parts) {
            parts.headers.append("x-mark", "response".parse().unwrap());
        }
    }

    // FEX-01, FLT-10
    #[test]
    fn an_extension_runs_in_its_place_and_may_answer() {
        let extension = HttpFilter::Extension(Arc::new(Mark));
        let filters = [extension.clone(), mirror(1), prefix("/new")];
        let mut parts = get("/old/a");
        let mut edits = RequestEdits::default();
        assert!(matches!(run(&filters, &mut parts, &mut edits), Verdict::Continue));
        assert_eq!(edits.mirrors[0].parts.uri, "/elsewhere");
        assert_eq!(parts.uri, "/new/a", "a path modifier starts from the path that matched");
        assert_eq!(parts.headers["x-mark"], "request");

        let mut stopped = request("GET", "/old", &[("x-stop", "1")]);
        assert_eq!(answered(&filters, &mut stopped).headers["x-mark"], "response");

        assert_eq!(extension, extension.clone());
        assert_ne!(extension, HttpFilter::Extension(Arc::new(Mark)));
    }

    // FLT-08
    #[test]
    fn a_backends_own_header_modifier_runs_after_the_rules() {
        let mut edits = RequestEdits::default();
        let mut parts = get("/old");
        for value in ["rule", "backend"] {
            let filters = [HttpFilter::RequestHeaderModifier(set("backend", value))];
            assert!(matches!(run(&filters, &mut parts, &mut edits), Verdict::Continue));
        }
        assert_eq!(parts.headers["backend"], "backend");
    }

    fn any_filter() -> impl Strategy<Value = HttpFilter> {
        let modifier = prop_oneof![
            "\\PC{0,8}".prop_map(|text| PathModifier::replace_full_path(&text).unwrap()),
            "[a/?#%]{0,6}".prop_map(|text| PathModifier::replace_prefix_match(&text).unwrap()),
        ];
        let path = proptest::option::of(modifier);
        let hostname = proptest::option::of(Just("b.example".parse().unwrap()));
        prop_oneof![
            (path.clone(), hostname.clone())
                .prop_map(|(path, hostname)| HttpFilter::UrlRewrite(Box::new(UrlRewrite { hostname, path }))),
            (path, hostname).prop_map(|(path, hostname)| {
                HttpFilter::RequestRedirect(Box::new(RequestRedirect {
                    hostname,
                    path,
                    ..Default::default()
                }))
            }),
            Just(HttpFilter::RequestHeaderModifier(set("host", "c.example:81"))),
            Just(HttpFilter::RequestHeaderModifier(set("origin", "https://ok.example"))),
            Just(mirror(1)),
            Just(cors()),
        ]
    }

    proptest! {
        // FPR-03
        #[test]
        fn no_request_makes_the_filters_panic(
            filters in proptest::collection::vec(any_filter(), 0..5),
            target in prop_oneof![
                "/[a-c/%.\u{e9}\"]{0,8}(\\?[a-c/?=]{0,4})?",
                "https?://[a-c@:.]{1,8}(/[a-c]{0,3})?",
                "[a-c]{1,3}:[0-9]{1,3}",
                Just("*".to_owned()),
            ],
            method in prop_oneof![Just("GET"), Just("OPTIONS"), Just("CONNECT")],
            host in proptest::option::of("[a-c.:@/\u{e9}\\[\\]]{0,6}"),
            preflight in any::<bool>(),
            matched in prop_oneof![
                Just(MatchedPath::Exact),
                Just(MatchedPath::Regex),
                (0_usize..12).prop_map(MatchedPath::Prefix),
            ],
        ) {
            let Ok(uri) = target.parse::<http::Uri>() else { return Ok(()) };
            let mut parts = request(method, "/", &[]);
            parts.uri = uri;
            if let Some(host) = &host {
                parts.headers.insert("host", host.as_str().parse().unwrap());
            }
            if preflight {
                parts.headers.insert("origin", "https://ok.example".parse().unwrap());
                parts.headers.insert("access-control-request-method", "PUT".parse().unwrap());
            }
            let context = FilterContext { path: matched, ..CONTEXT };
            let mut edits = RequestEdits::default();
            match on_request(&filters, &context, &mut parts, &mut edits, &mut || 0) {
                Verdict::Continue => prop_assert!(
                    matches!(parts.uri.path().bytes().next(), Some(b'/' | b'*') | None),
                    "{}", parts.uri
                ),
                Verdict::Respond(response) => {
                    let (mut response, _) = response.into_parts();
                    prop_assert_eq!(
                        response.status == StatusCode::FOUND,
                        response.headers.contains_key("location")
                    );
                    on_response(&filters, &edits, &mut response);
                }
                Verdict::Fail => prop_assert!(edits.mirrors.is_empty()),
                Verdict::Ask(_) => prop_assert!(false, "nobody is asked"),
            }
        }
    }
}
