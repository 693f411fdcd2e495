//! Filters of the rule and of the backend, on the way in and on the way out.

use gateway_core::filter::{Cors, CorsPolicy, Extension, HeaderModifier, HttpFilter, Verdict};
use gateway_tower::outcome::AnsweredBy;
use http::{HeaderValue, Method, Request, request, response};
use http_body_util::Full;

use crate::scene::{Scene, capture, endpoint, get};

/// Adds its name to a header of the request and of the answer.
#[derive(Debug)]
struct Sign(&'static str);

impl Extension for Sign {
    fn on_request(&self, parts: &mut request::Parts) -> Verdict {
        parts.headers.append("signed", HeaderValue::from_static(self.0));
        Verdict::Continue
    }

    fn on_response(&self, parts: &mut response::Parts) {
        parts.headers.append("signed", HeaderValue::from_static(self.0));
    }
}

fn sign(name: &'static str) -> HttpFilter {
    HttpFilter::Extension(std::sync::Arc::new(Sign(name)))
}

fn signatures(headers: &http::HeaderMap) -> Vec<&str> {
    headers.get_all("signed").iter().map(|name| name.to_str().unwrap()).collect()
}

fn cors() -> HttpFilter {
    let policy = CorsPolicy { allow_origins: vec!["https://shop.example"], ..CorsPolicy::default() };
    HttpFilter::Cors(Box::new(Cors::new(&policy).unwrap()))
}

// FLT-11, FHM-08
#[tokio::test]
async fn the_filters_of_the_rule_are_outside_of_those_of_the_backend() {
    let mut scene = Scene::new();
    scene.filters.push(sign("rule"));
    scene.backend("backend", 1, [endpoint(1)]).filters = [sign("backend")].into();
    let captured = capture(scene, get("/")).await;
    assert_eq!(signatures(&captured.request.unwrap().headers), ["rule", "backend"]);
    assert_eq!(signatures(&captured.answer.headers), ["backend", "rule"]);
}

// HRB-18
#[tokio::test]
async fn the_filters_of_a_backend_run_only_for_its_requests() {
    for _ in 0..50 {
        let mut scene = Scene::new();
        scene.backend("a", 1, [endpoint(1)]).filters = [sign("a")].into();
        scene.backend("b", 1, [endpoint(2)]).filters = [sign("b")].into();
        let request = capture(scene, get("/")).await.request.unwrap();
        let expected = if request.uri.host() == Some("10.0.0.1") { "a" } else { "b" };
        assert_eq!(signatures(&request.headers), [expected]);
    }
}

// FRD-01, FRD-11, HRB-14
#[tokio::test]
async fn a_redirect_is_answered_without_a_backend() {
    let mut rule = Scene::with_backend();
    rule.filters = vec![HttpFilter::RequestRedirect(Box::default()), sign("rule")];
    let mut backend = Scene::new();
    backend.filters.push(sign("rule"));
    backend.backend("backend", 1, [endpoint(1)]).filters =
        [HttpFilter::RequestRedirect(Box::default())].into();
    for scene in [rule, backend] {
        let captured = capture(scene, get("/x")).await;
        assert!(captured.request.is_none());
        assert_eq!(captured.answer.status, 302);
        assert_eq!(captured.answer.headers["location"], "http://example.com/x");
        assert_eq!(signatures(&captured.answer.headers), ["rule"]);
        assert!(matches!(captured.answer.outcome.answered_by, AnsweredBy::Filter));
    }
}

// FHM-11, FCO-02
#[tokio::test]
async fn an_answer_of_the_gateway_passes_cors_but_not_the_header_modifiers() {
    let set = HeaderModifier::new([("server", "gateway")], [], []).unwrap();
    let mut scene = Scene::new();
    scene.filters = vec![HttpFilter::ResponseHeaderModifier(set), cors()];
    let mut request = get("/");
    request.headers_mut().insert("origin", HeaderValue::from_static("https://shop.example"));
    let answer = capture(scene, request).await.answer;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.headers["access-control-allow-origin"], "https://shop.example");
    assert!(!answer.headers.contains_key("server"));
}

// FCO-02
#[tokio::test]
async fn a_refusal_passes_cors_of_the_backend_and_of_the_rule() {
    for (rule, backend) in [
        (vec![], vec![cors(), HttpFilter::Unresolved]),
        (vec![cors()], vec![HttpFilter::Unresolved]),
        (vec![cors(), HttpFilter::Unresolved], vec![]),
    ] {
        let mut scene = Scene::new();
        scene.filters = rule;
        scene.backend("backend", 1, [endpoint(1)]).filters = backend.into();
        let mut request = get("/");
        request.headers_mut().insert("origin", HeaderValue::from_static("https://shop.example"));
        let answer = capture(scene, request).await.answer;
        assert_eq!(answer.status, 500);
        assert_eq!(answer.headers["access-control-allow-origin"], "https://shop.example");
    }
}

// FCO-01, FHM-11
#[tokio::test]
async fn a_preflight_is_answered_here() {
    let mut scene = Scene::with_backend();
    scene.filters.push(cors());
    let preflight = Request::builder()
        .method(Method::OPTIONS)
        .uri("/")
        .header("host", "example.com")
        .header("origin", "https://shop.example")
        .header("access-control-request-method", "PUT")
        .body(Full::default())
        .unwrap();
    let captured = capture(scene, preflight).await;
    assert!(captured.request.is_none());
    assert_eq!(captured.answer.status, 204);
    assert_eq!(captured.answer.headers["access-control-allow-origin"], "https://shop.example");
}

// FCO-02
#[tokio::test]
async fn cors_of_a_backend_sees_the_origin_that_the_rule_removes() {
    let remove = HeaderModifier::new([], [], ["origin"]).unwrap();
    let mut scene = Scene::new();
    scene.filters = vec![cors(), HttpFilter::RequestHeaderModifier(remove)];
    scene.backend("backend", 1, [endpoint(1)]).filters = [cors()].into();
    let mut request = get("/");
    request.headers_mut().insert("origin", HeaderValue::from_static("https://shop.example"));
    let answer = capture(scene, request).await.answer;
    assert_eq!(answer.headers["access-control-allow-origin"], "https://shop.example");
}
