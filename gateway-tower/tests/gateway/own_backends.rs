//! Backends of the embedder's own kinds, for which the client answers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use gateway_core::filter::{HttpFilter, RequestMirror, Share};
use gateway_core::name::OwnKind;
use gateway_core::rule::{BackendKind, BackendTarget, Retry};
use gateway_tower::upstream::Upstream;
use gateway_tower::{BoxError, RequestBody, Routed};
use http::Request;
use http_body_util::{BodyExt, Full};
use tower::service_fn;

use crate::scene::{Scene, answer, get, post, send};

const BUCKET: &OwnKind = &OwnKind::new("example.com", "Bucket", "buckets", &["v1"]);

/// A rule that sends everything to a Bucket.
fn scene() -> Scene {
    let mut scene = Scene::new();
    let bucket = scene.own_backend(BUCKET, "photos");
    scene.target(BackendTarget::Backend(bucket), 1);
    scene
}

#[tokio::test]
async fn a_request_comes_to_the_client_as_it_is_with_the_object_that_is_meant_each_attempt_too() {
    let mut scene = scene();
    scene.retry = Some(Retry {
        codes: [http::StatusCode::SERVICE_UNAVAILABLE].into(),
        attempts: 1,
        backoff: Duration::ZERO,
    });
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    let client = service_fn(move |request: Request<RequestBody<Full<Bytes>>>| {
        let routed: &Routed = request.extensions().get().unwrap();
        let backend = routed.backend().unwrap();
        let of = (backend.kind, backend.service.to_string(), request.uri().path().to_owned());
        let first = keep.lock().unwrap().is_empty();
        keep.lock().unwrap().push(of);
        async move { Ok::<_, BoxError>(answer(if first { 503 } else { 200 }, "from the bucket")) }
    });
    let answer = send(&scene.gateway(client), get("/a")).await;
    assert_eq!((answer.status, &*answer.body), (200, &b"from the bucket"[..]));
    assert_eq!(answer.outcome.endpoint(), None);
    let expected = (BackendKind::Own(BUCKET), "default/photos".to_owned(), "/a".to_owned());
    assert_eq!(*seen.lock().unwrap(), [expected.clone(), expected]);
}

// FMR-01
#[tokio::test]
async fn a_copy_for_a_mirror_comes_to_the_client_too() {
    let mut scene = Scene::with_backend();
    let bucket = scene.own_backend(BUCKET, "photos");
    scene.filters = vec![HttpFilter::RequestMirror(RequestMirror { backend: bucket, share: Share::all() })];
    let (log, mut copies) = tokio::sync::mpsc::unbounded_channel();
    let client = service_fn(move |request: Request<RequestBody<Full<Bytes>>>| {
        let log = log.clone();
        async move {
            let routed: &Routed = request.extensions().get().unwrap();
            let (backend, is_copy) = (routed.backend().unwrap().to_string(), routed.endpoint().is_none());
            let body = request.into_body().collect().await?.to_bytes();
            if is_copy {
                let _test_is_over = log.send((backend, body));
            }
            Ok::<_, BoxError>(answer(200, ""))
        }
    });
    send(&scene.gateway(client), post("/a", "copied")).await;
    assert_eq!(copies.recv().await.unwrap(), ("Bucket default/photos".to_owned(), Bytes::from("copied")));
}

#[tokio::test]
async fn a_client_that_knows_no_such_kind_refuses() {
    let answer = send(&scene().gateway(Upstream::default()), get("/a")).await;
    assert_eq!(answer.status, 502);
}
