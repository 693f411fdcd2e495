//! Requests of a session, which stay with one endpoint.

use std::time::Duration;

use bytes::Bytes;
use gateway_core::filter::{HeaderModifier, HttpFilter};
use gateway_core::rule::{Retry, SessionCarrier, SessionCookie, SessionKey, SessionPersistence};
use gateway_tower::balance::LeastRequests;
use gateway_tower::client::ConnectError;
use gateway_tower::outcome::Outcome;
use gateway_tower::{BoxError, Gateway, RequestBody, ResponseBody, TableHandle};
use http::{HeaderName, HeaderValue, Request, Response, header};
use http_body_util::Full;
use tower::{ServiceExt, service_fn};

use crate::scene::{Answer, Scene, answer, connection, endpoint, get, send};

const KEY: SessionKey = SessionKey::new([7; 16]);

fn cookie() -> SessionPersistence {
    let cookie = SessionCookie::new("session", "/", false).unwrap();
    SessionPersistence {
        carrier: SessionCarrier::Cookie(cookie),
        absolute_timeout: None,
        scope: "shop".into(),
    }
}

/// A rule with sessions whose backend has these endpoints.
fn scene(session: SessionPersistence, endpoints: &[u8]) -> Scene {
    let mut scene = Scene::new();
    scene.backend("backend", 1, endpoints.iter().map(|last| endpoint(*last)));
    scene.session = Some(session);
    scene
}

/// Sends a request with these cookies through a gateway with this key. The endpoints in `down` refuse connections.
async fn asked(scene: Scene, key: SessionKey, cookies: Option<&str>, down: &'static [u8]) -> Answer {
    let client = service_fn(move |request: Request<RequestBody<Full<Bytes>>>| {
        let endpoint: std::net::SocketAddr = request.uri().authority().unwrap().as_str().parse().unwrap();
        let is_down = down.iter().any(|last| crate::scene::endpoint(*last) == endpoint);
        let refused = || ConnectError { endpoint, cause: "refused".into() };
        let mut response = answer(200, "");
        response.headers_mut().insert(header::SET_COOKIE, HeaderValue::from_static("of=the-backend"));
        std::future::ready(if is_down { Err(BoxError::from(refused())) } else { Ok(response) })
    });
    let gateway = Gateway::builder(TableHandle::new(scene.table())).sessions(key).client(client);
    let mut request = get("/");
    if let Some(cookies) = cookies {
        request.headers_mut().insert(header::COOKIE, HeaderValue::from_bytes(cookies.as_bytes()).unwrap());
    }
    send(&gateway.on(connection()), request).await
}

/// The cookie that an answer sets, besides that of the backend.
fn set(answer: &Answer) -> Option<String> {
    let mut cookies = answer.headers.get_all(header::SET_COOKIE).iter().map(|it| it.to_str().unwrap());
    assert_eq!(cookies.next(), Some("of=the-backend"));
    let own = cookies.next().map(|cookie| cookie.split(';').next().unwrap().to_owned());
    assert!(cookies.next().is_none());
    own
}

// SES-05, SES-12, SES-13, SES-15
#[tokio::test]
async fn a_client_stays_with_its_endpoint_as_long_as_that_is_there() {
    let first = asked(scene(cookie(), &[1, 2, 3, 4]), KEY, None, &[]).await;
    let (session, own) = (set(&first).expect("a session begins"), first.outcome.endpoint().unwrap());
    for endpoints in [&[1, 2, 3, 4][..], &[9, 8, 4, 3, 2, 1]] {
        for _ in 0..20 {
            let next = asked(scene(cookie(), endpoints), KEY, Some(&session), &[]).await;
            assert_eq!((next.outcome.endpoint(), set(&next)), (Some(own), None), "whatever gateway it is");
        }
    }
    let others: Vec<u8> = (1..5).filter(|last| endpoint(*last) != own).collect();
    let gone = asked(scene(cookie(), &others), KEY, Some(&session), &[]).await;
    assert_ne!(gone.outcome.endpoint(), Some(own));
    assert!(set(&gone).is_some_and(|other| other != session), "another session begins");
    let unknown = asked(scene(cookie(), &[1, 2, 3, 4]), SessionKey::new([8; 16]), Some(&session), &[]).await;
    assert!(set(&unknown).is_some(), "a gateway with another key does not understand it");
}

// SES-04, SES-05, SES-12: whatever a client says, it is answered, and has a session then.
#[tokio::test]
async fn what_is_wrong_about_a_cookie_is_no_error() {
    let own = set(&asked(scene(cookie(), &[1, 2, 3, 4]), KEY, None, &[]).await).expect("a session begins");
    let text = own.strip_prefix("session=").unwrap();
    let of_another_route = SessionPersistence { scope: "cart".into(), ..cookie() };
    let other = set(&asked(scene(of_another_route, &[1, 2, 3, 4]), KEY, None, &[]).await).unwrap();
    let mut of_another_backend = Scene::new();
    of_another_backend.backend("other", 1, [1, 2, 3, 4].map(endpoint));
    of_another_backend.session = Some(cookie());
    let of_another_backend = set(&asked(of_another_backend, KEY, None, &[]).await).unwrap();
    let swapped = format!("{}{}", &text[..text.len() / 2], &other["session=".len()..][text.len() / 2..]);
    for said in [
        "",
        ";",
        "=",
        "session",
        "session=",
        "session=;session=;session=",
        "session=\u{fc}\u{1f36a}",
        "session=\"\t\"",
        &format!("session={}", &text[..text.len() - 1]),
        &format!("session={text}0"),
        &format!("session={}", text.to_uppercase().replace(|digit: char| digit.is_ascii_digit(), "F")),
        &format!("session=\"{text}\""),
        &format!("session ={text}"),
        &format!("SESSION={text}"),
        &format!("session={}", "0".repeat(text.len())),
        &format!("session={}", "f".repeat(text.len())),
        &format!("session={}", "a".repeat(60_000)),
        &format!("session={}", ".".repeat(60_000)),
        &format!("session={}", vec!["0".repeat(text.len()); 500].join(".")),
        &"session=x; ".repeat(5_000),
        &other,
        &of_another_backend,
        &format!("session={swapped}"),
    ] {
        let answer = asked(scene(cookie(), &[1, 2, 3, 4]), KEY, Some(said), &[]).await;
        assert_eq!(answer.status, 200, "{said:.80}");
        let begun = set(&answer).unwrap_or_else(|| panic!("none begins: {said:.80}"));
        let again = asked(scene(cookie(), &[1, 2, 3, 4]), KEY, Some(&begun), &[]).await;
        assert_eq!((again.outcome.endpoint(), set(&again)), (answer.outcome.endpoint(), None));
    }
}

// SES-13, RTY-08, RTY-09
#[tokio::test]
async fn a_session_moves_to_the_endpoint_that_answers() {
    let with_retry = |session: Option<&str>, down| {
        let mut scene = scene(cookie(), &[1, 2]);
        scene.retry = Some(Retry { codes: Box::default(), attempts: 1, backoff: Duration::ZERO });
        let session = session.map(str::to_owned);
        async move { asked(scene, KEY, session.as_deref(), down).await }
    };
    let first = with_retry(None, &[2]).await;
    let session = set(&first).expect("a session begins");
    assert_eq!(first.outcome.endpoint(), Some(endpoint(1)));
    let moved = with_retry(Some(&session), &[1]).await;
    assert_eq!((moved.outcome.endpoint(), moved.outcome.retries), (Some(endpoint(2)), 1));
    let session = set(&moved).expect("it moves");
    assert_eq!(with_retry(Some(&session), &[]).await.outcome.endpoint(), Some(endpoint(2)));
}

// SES-02: with a header.
#[tokio::test]
async fn a_session_is_kept_in_a_header() {
    let name = HeaderName::from_static("x-session");
    let sessions = SessionPersistence {
        carrier: SessionCarrier::Header(name.clone()),
        absolute_timeout: Some(Duration::from_secs(3_600)),
        scope: "shop".into(),
    };
    let gateway = || {
        let client =
            service_fn(async |_: Request<RequestBody<Full<Bytes>>>| Ok::<_, BoxError>(answer(200, "")));
        let tables = TableHandle::new(scene(sessions.clone(), &[1, 2, 3, 4]).table());
        Gateway::builder(tables).sessions(KEY).client(client).on(connection())
    };
    let first = send(&gateway(), get("/")).await;
    for _ in 0..20 {
        let mut request = get("/");
        request.headers_mut().insert(name.clone(), first.headers[&name].clone());
        let next = send(&gateway(), request).await;
        assert_eq!(next.outcome.endpoint(), first.outcome.endpoint());
        assert!(!next.headers.contains_key(&name));
    }
}

// SES-05, SES-14: the weights of a split hold, and the client has a session with each backend.
#[tokio::test]
async fn a_session_overrides_no_split() {
    let split = || {
        let mut scene = Scene::new();
        scene.backend("one", 1, [endpoint(1), endpoint(2), endpoint(3)]);
        scene.backend("two", 1, [endpoint(11), endpoint(12), endpoint(13)]);
        scene.session = Some(cookie());
        scene
    };
    let (mut session, mut seen) = (None, Vec::new());
    for _ in 0..60 {
        let next = asked(split(), KEY, session.as_deref(), &[]).await;
        seen.push(next.outcome.endpoint().unwrap());
        session = set(&next).or(session);
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 2, "one endpoint of each: {seen:?}");
}

// SES-05, SES-15: it is what the client says that counts, and not what a filter leaves of it.
#[tokio::test]
async fn a_filter_that_takes_the_cookie_out_ends_no_session() {
    let without_cookie = || {
        let mut scene = scene(cookie(), &[1, 2, 3, 4]);
        let remove = HeaderModifier::new(None::<(&str, &str)>, None::<(&str, &str)>, ["cookie"]).unwrap();
        scene.filters.push(HttpFilter::RequestHeaderModifier(remove));
        scene
    };
    let first = asked(without_cookie(), KEY, None, &[]).await;
    let session = set(&first).expect("a session begins");
    for _ in 0..20 {
        let next = asked(without_cookie(), KEY, Some(&session), &[]).await;
        assert_eq!((next.outcome.endpoint(), set(&next)), (first.outcome.endpoint(), None));
    }
}

// SES-05: what sessions bring to an endpoint counts for those who have none.
#[tokio::test]
async fn requests_of_sessions_count_as_under_way() {
    let tables = TableHandle::new(scene(cookie(), &[1, 2]).table());
    let client = service_fn(async |_: Request<RequestBody<Full<Bytes>>>| Ok::<_, BoxError>(answer(200, "a")));
    let gateway =
        Gateway::builder(tables).sessions(KEY).picker(LeastRequests::new()).client(client).on(connection());
    let mut under_way = vec![gateway.clone().oneshot(get("/")).await.unwrap()];
    let outcome = |response: &Response<ResponseBody<Full<Bytes>>>| {
        response.extensions().get::<Outcome>().unwrap().endpoint()
    };
    let own = outcome(&under_way[0]);
    let session = under_way[0].headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap();
    let session = HeaderValue::try_from(session).unwrap();
    for _ in 0..10 {
        let mut request = get("/");
        request.headers_mut().insert(header::COOKIE, session.clone());
        under_way.push(gateway.clone().oneshot(request).await.unwrap());
        assert_eq!(outcome(under_way.last().unwrap()), own);
    }
    for _ in 0..10 {
        under_way.push(gateway.clone().oneshot(get("/")).await.unwrap());
        assert_ne!(outcome(under_way.last().unwrap()), own, "the other has fewer");
    }
}
