//! A filter of one's own: an `ExtensionRef` to a kind that the Gateway API does not know, here an API key.
//!
//! `cargo run -p gateway-examples --bin custom_filter -- 8080`, then `curl -i -H 'x-api-key: secret' localhost:8080`

use std::error::Error;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gateway_core::apply::Applied;
use gateway_core::filter::{Extension, ExtensionError, Extensions, Verdict};
use gateway_core::options::Options;
use gateway_tower::serve::{Addresses, ServeOptions, Server};
use gateway_tower::upstream::Upstream;
use gateway_tower::{Gateway, TableHandle};
use http::{Response, StatusCode, request, response};

/// Turns away requests without the key, and tells those who have it that it was right.
#[derive(Debug)]
struct ApiKey(&'static str);

impl Extension for ApiKey {
    fn on_request(&self, parts: &mut request::Parts) -> Verdict {
        // The backend does not get to see the key.
        if parts.headers.remove("x-api-key").is_some_and(|key| key == self.0) {
            return Verdict::Continue;
        }
        let mut response = Response::new(Bytes::from_static(b"the key is wrong\n"));
        *response.status_mut() = StatusCode::FORBIDDEN;
        Verdict::Respond(Box::new(response))
    }

    fn on_response(&self, parts: &mut response::Parts) {
        // It is asked about its own answers, too.
        if parts.status == StatusCode::FORBIDDEN {
            return;
        }
        parts.headers.insert("x-api-key", http::HeaderValue::from_static("accepted"));
    }
}

/// Finds the filter that a route means. A real one would read objects of its kind.
#[derive(Debug)]
struct ApiKeys;

impl Extensions for ApiKeys {
    fn resolve(
        &self,
        namespace: &str,
        group: &str,
        kind: &str,
        name: &str,
    ) -> Result<Arc<dyn Extension>, ExtensionError> {
        match (group, kind, namespace, name) {
            ("example.com", "ApiKey", "default", "shop") => Ok(Arc::new(ApiKey("secret"))),
            ("example.com", "ApiKey", _, _) => Err(ExtensionError::NotFound),
            _ => Err(ExtensionError::UnknownKind),
        }
    }
}

fn resources(port: u16) -> String {
    format!(
        "
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: example}}
spec: {{controllerName: gateway-api.rs/controller}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: web}}
spec: {{gatewayClassName: example, listeners: [{{name: http, port: {port}, protocol: HTTP}}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: shop}}
spec:
  parentRefs: [{{name: web}}]
  rules:
  - filters:
    - {{type: ExtensionRef, extensionRef: {{group: example.com, kind: ApiKey, name: shop}}}}
    - {{type: RequestRedirect, requestRedirect: {{hostname: shop.example.com, port: 80}}}}
  - matches: [{{path: {{value: /other}}}}]
    filters:
    - {{type: ExtensionRef, extensionRef: {{group: example.com, kind: ApiKey, name: other}}}}
"
    )
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).ok_or("name a port")?.parse()?;
    let options = Options { extensions: Some(Arc::new(ApiKeys)), ..Options::default() };
    let applied = Applied::from_text(&resources(port), "example", options);
    applied.problems.iter().for_each(|problem| eprintln!("{problem}"));
    let tables = TableHandle::new(applied.table);

    let gateway = Gateway::new(tables.clone(), Upstream::default());
    let service = move |connection| gateway.clone().on(connection);
    let addresses = Addresses::all_on(Ipv4Addr::LOCALHOST.into());
    let server = Server::start(&tables, addresses, ServeOptions::default(), service).await?;

    tokio::signal::ctrl_c().await?;
    server.drain(Duration::from_secs(10)).await;
    Ok(())
}
