//! A filter that has to wait: an `ExtensionRef` names whose keys count, and an `AsyncFilter` looks the key of each request up.
//!
//! `cargo run -p gateway-examples --bin async_filter -- shop.yaml keys.txt`, where `keys.txt` has a client and its key in each line:
//! `alice secret`. The file is read for every request; a database or a service would be asked in the same place.
//!
//! A filter of the core cannot wait. It leaves a mark with the request, [`Wanted`], where the other finds it; whose key it was travels to
//! the answer.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use gateway_core::apply::Applied;
use gateway_core::filter::{Extension, ExtensionError, Extensions, Verdict};
use gateway_core::options::Options;
use gateway_tower::filter::{AsyncFilter, FilterLayer};
use gateway_tower::outcome::{CustomRefusal, Refused};
use gateway_tower::serve::{Addresses, ServeOptions, Server};
use gateway_tower::upstream::Upstream;
use gateway_tower::{Gateway, Routed, TableHandle};
use http::{HeaderValue, StatusCode, request, response};

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

/// Looks up the keys of requests that are to have one, in this file.
#[derive(Clone)]
struct Keys(Arc<str>);

impl AsyncFilter for Keys {
    type Value = Option<HeaderValue>;

    async fn on_request(&self, _: &Routed, parts: &mut request::Parts) -> Result<Self::Value, Refused> {
        let is_wanted = parts.extensions.remove::<Wanted>().is_some();
        let key = parts.headers.remove("x-api-key");
        if is_wanted { client(self.0.clone(), key).await.map(Some) } else { Ok(None) }
    }

    fn on_response(&self, client: Self::Value, parts: &mut response::Parts) {
        if let Some(client) = client {
            parts.headers.insert("x-client", client);
        }
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
    let text = std::fs::read_to_string(&path)?;
    let options = Options { any_class: true, extensions: Some(Arc::new(Filters)), ..Options::default() };
    let applied = Applied::from_text(&text, &path, options);
    applied.problems.iter().for_each(|problem| eprintln!("{problem}"));
    let tables = TableHandle::new(applied.table);

    let keys = FilterLayer::new(Keys(keys.into()));
    // Behind the filters, so that theirs is the request, and before it is attempted or copied.
    let gateway = Gateway::builder(tables.clone()).after_filters(keys).client(Upstream::default());
    let service = move |connection| gateway.clone().on(connection);
    let server = Server::start(&tables, Addresses::default(), ServeOptions::default(), service).await?;

    tokio::signal::ctrl_c().await?;
    server.drain(Duration::from_secs(10)).await;
    Ok(())
}
