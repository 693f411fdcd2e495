//! A backend of a kind of one's own, from the same manifest as its Route, answered by a service of one's own.
//!
//! `cargo run -p gateway-examples --bin own_backend -- shop.yaml`, where `shop.yaml` also has
//! `{apiVersion: example.com/v1, kind: Bucket, metadata: {name: texts}, spec: {objects: {hello: "Hello!"}}}` and a Route with
//! `backendRefs: [{group: example.com, kind: Bucket, name: texts}]`. Filters, timeouts, retries and mirrors work as with a Service.

use std::collections::BTreeMap;
use std::error::Error;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use gateway_core::api::{OwnSpec, Resources};
use gateway_core::apply::Applied;
use gateway_core::name::OwnKind;
use gateway_core::options::Options;
use gateway_core::own_kinds::OwnKinds;
use gateway_core::rule::BackendKind;
use gateway_tower::serve::{Addresses, ServeOptions, Server};
use gateway_tower::upstream::Upstream;
use gateway_tower::{BoxError, Gateway, Routed, TableHandle};
use http::{Extensions, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use serde::{Deserialize, Serialize};
use tower::Service;

/// Texts by their names.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Bucket {
    objects: BTreeMap<String, String>,
}

impl OwnSpec for Bucket {
    const KIND: &'static OwnKind = &OwnKind::new("example.com", "Bucket", "buckets", &["v1"]);
}

/// Answers for Buckets, and leaves the rest to the client.
#[derive(Clone)]
struct Buckets<C> {
    client: C,
    resources: Arc<Resources>,
}

type Answer = Response<UnsyncBoxBody<Bytes, BoxError>>;

// === impl Bucket ===

impl Bucket {
    fn answer(&self, path: &str) -> Answer {
        let name = path.rsplit('/').next().unwrap_or_default();
        let (status, text) = match self.objects.get(name) {
            Some(text) => (StatusCode::OK, text.clone()),
            None => (StatusCode::NOT_FOUND, "404: there is no such object\n".to_owned()),
        };
        let mut answer = Response::new(Full::from(text).map_err(Into::into).boxed_unsync());
        *answer.status_mut() = status;
        answer
    }
}

// === impl Buckets ===

impl<C> Buckets<C> {
    /// The Bucket that was chosen for a request, if it is one.
    fn chosen(&self, extensions: &Extensions) -> Option<&Bucket> {
        let backend = extensions.get::<Routed>()?.backend()?;
        let BackendKind::Own(kind) = backend.kind else { return None };
        self.resources.own.get(kind)?.get(&backend.service)?.spec()
    }
}

impl<C, B, RB> Service<Request<B>> for Buckets<C>
where
    C: Service<Request<B>, Response = Response<RB>>,
    C::Error: Into<BoxError>,
    C::Future: Send + 'static,
    RB: Body<Data = Bytes> + Send + 'static,
    RB::Error: Into<BoxError>,
{
    type Response = Answer;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.client.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if let Some(bucket) = self.chosen(request.extensions()) {
            return Box::pin(ready(Ok(bucket.answer(request.uri().path()))));
        }
        let answered = self.client.call(request);
        Box::pin(async move {
            let answer = answered.await.map_err(Into::into)?;
            Ok(answer.map(|body| body.map_err(Into::into).boxed_unsync()))
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("name a file")?;
    // What reads the manifest knows the kind, and so does what follows references.
    let own_kinds = OwnKinds::default().backend::<Bucket>();
    let options = Options { any_class: true, own_kinds, ..Options::default() };
    let applied = Applied::from_text(&std::fs::read_to_string(&path)?, &path, options);
    applied.problems.iter().for_each(|problem| eprintln!("{problem}"));

    let tables = TableHandle::new(applied.table);
    let client = Buckets { client: Upstream::default(), resources: applied.resources };
    let gateway = Gateway::new(tables.clone(), client);
    let service = move |connection| gateway.clone().on(connection);
    let server = Server::start(&tables, Addresses::default(), ServeOptions::default(), service).await?;

    tokio::signal::ctrl_c().await?;
    server.drain(Duration::from_secs(10)).await;
    Ok(())
}
