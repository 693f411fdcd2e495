//! A filter that has to wait: an `ExtensionRef` names whose keys count, and a layer looks the key of each request up.
//!
//! `cargo run -p gateway-examples --bin async_filter -- shop.yaml keys.txt`, where `keys.txt` has a client and its key in each line:
//! `alice secret`. The file is read for every request; a database or a service would be asked in the same place.
//!
//! A filter of the core cannot wait. It leaves a value with the request, [`Wanted`], where the layer finds it; and the layer leaves
//! one for the answer.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use gateway_core::filter::{Extension, ExtensionError, Extensions, Verdict};
use gateway_core::manifest::{self, Collection};
use gateway_core::options::Options;
use gateway_core::translate::translate;
use gateway_tower::outcome::IntoRefused;
use gateway_tower::serve::{Addresses, ServeOptions, Server};
use gateway_tower::upstream::Upstream;
use gateway_tower::{CustomRefusal, Gateway, Refused, TableHandle};
use http::{HeaderValue, Request, Response, StatusCode, request};
use tower::Service;
use tower::layer::layer_fn;

/// What the filter leaves with a request of a rule that names it.
#[derive(Clone, Copy, Debug)]
struct Wanted;

/// Says that the rule wants a key.
#[derive(Debug)]
struct WantsKey;

impl Extension for WantsKey {
    fn on_request(&self, parts: &mut request::Parts) -> Verdict {
        parts.extensions.insert(Wanted);
        Verdict::Continue
    }
}

/// Knows the one filter that this program has.
#[derive(Debug)]
struct Filters;

impl Extensions for Filters {
    fn resolve(
        &self,
        _namespace: &str,
        group: &str,
        kind: &str,
        name: &str,
    ) -> Result<Arc<dyn Extension>, ExtensionError> {
        match (group, kind, name) {
            ("example.com", "Keys", "file") => Ok(Arc::new(WantsKey)),
            ("example.com", "Keys", _) => Err(ExtensionError::NotFound),
            _ => Err(ExtensionError::UnknownKind),
        }
    }
}

/// Looks up the keys of requests that are to have one.
#[derive(Clone)]
struct Keys<S> {
    inner: S,
    path: Arc<str>,
}

impl<S, B, R> Service<Request<B>> for Keys<S>
where
    S: Service<Request<B>, Response = Response<R>, Error: IntoRefused, Future: Send> + Clone + Send + 'static,
    B: Send + 'static,
{
    type Response = Response<R>;
    type Error = Refused;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, Refused>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        S::Error::refuse(self.inner.poll_ready(cx))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let next = self.inner.clone();
        // The one that is ready, not its clone.
        let mut inner = std::mem::replace(&mut self.inner, next);
        let is_wanted = request.extensions_mut().remove::<Wanted>().is_some();
        let key = request.headers_mut().remove("x-api-key").filter(|_| is_wanted);
        let path = self.path.clone();
        Box::pin(async move {
            let client = if is_wanted { Some(client(path, key).await?) } else { None };
            let mut response = inner.call(request).await.map_err(IntoRefused::into_refused)?;
            if let Some(client) = client {
                response.headers_mut().insert("x-client", client);
            }
            Ok(response)
        })
    }
}

/// Whose key it is.
async fn client(path: Arc<str>, key: Option<HeaderValue>) -> Result<HeaderValue, Refused> {
    let refused = |status, text| Refused::from(CustomRefusal::new("keys", status).text(text));
    let unknown = || refused(StatusCode::FORBIDDEN, "403: the key is wrong\n");
    let failed = || refused(StatusCode::SERVICE_UNAVAILABLE, "503: the keys cannot be read\n");
    let key = key.ok_or_else(unknown)?;
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(&*path)).await;
    let text = read.map_err(|_| failed())?.map_err(|_| failed())?;
    let mut clients = text.lines().filter_map(|line| line.split_once(' '));
    let (client, _) = clients.find(|(_, known)| key == *known).ok_or_else(unknown)?;
    HeaderValue::from_str(client).map_err(|_| failed())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(path), Some(keys)) = (args.next(), args.next()) else {
        return Err("name a manifest and a file with keys".into());
    };
    let manifest = manifest::read(&std::fs::read_to_string(&path)?, &path);
    let Collection { resources, problems, .. } = [manifest].into_iter().collect();
    problems.iter().for_each(|problem| eprintln!("{problem}"));
    let options = Options { any_class: true, extensions: Some(Arc::new(Filters)), ..Options::default() };
    let translation = translate(&resources, &options);
    translation.diagnostics.iter().for_each(|diagnostic| eprintln!("{diagnostic}"));
    let tables = TableHandle::new(translation.table);

    let path: Arc<str> = keys.into();
    let keys = layer_fn(move |inner| Keys { inner, path: path.clone() });
    // Behind the filters, so that theirs is the request, and before it is attempted or copied.
    let gateway = Gateway::builder(tables.clone()).after_filters(keys).client(Upstream::default());
    let service = move |connection| gateway.clone().on(connection);
    let server = Server::start(&tables, Addresses::default(), ServeOptions::default(), service).await?;

    tokio::signal::ctrl_c().await?;
    server.drain(Duration::from_secs(10)).await;
    Ok(())
}
