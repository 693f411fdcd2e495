//! What a backend is told about the client: `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host`.
//!
//! The gateway is taken for the edge. `X-Forwarded-For` gets the address of the client appended, whatever it held; the
//! rightmost address is therefore the one to rely on. `X-Forwarded-Proto` and `X-Forwarded-Host` are what the gateway saw
//! itself, whatever the client wrote. Behind another proxy that ends TLS, that would hide the scheme that the client used:
//! with [`Trust::Chained`] those two stay where they came with the request. The specification leaves all of this open
//! (FRW-07). There is no `X-Forwarded-Port`, no `Forwarded` and no `Via`; a header filter can add what is missing.
//!
//! [`ForwardedLayer`] stands between the route layer and the filters: matches see the headers that the client sent,
//! filters can change or remove what is added here, and the host is the one before any rewrite. It also takes out the
//! [headers that are for one hop only](crate::hop_by_hop), before it adds its own.
//!
//! ```
//! use gateway_core::name::ObjectName;
//! use gateway_tower::Connection;
//! use gateway_tower::forwarded::{Trust, add};
//!
//! let mut connection = Connection::new(ObjectName::new("default", "gateway"), 80);
//! connection.peer = Some(([192, 0, 2, 7], 50_000).into());
//! let request = http::Request::get("/").header("host", "example.com").header("x-forwarded-for", "10.0.0.1");
//! let mut request = request.body(())?;
//! add(&mut request, &connection, Trust::Edge);
//! assert_eq!(request.headers()["x-forwarded-for"], "10.0.0.1, 192.0.2.7");
//! assert_eq!(request.headers()["x-forwarded-proto"], "http");
//! assert_eq!(request.headers()["x-forwarded-host"], "example.com");
//! # Ok::<(), http::Error>(())
//! ```

use std::sync::Arc;
use std::task::{Context, Poll};

use http::Request;
use http::header::{self, Entry, HeaderMap, HeaderName, HeaderValue};
use tower_layer::Layer;
use tower_service::Service;

use crate::connection::Connection;
use crate::hop_by_hop;
use crate::routed::Routed;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Whose word about the client's scheme and host counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Trust {
    /// Nobody stands before this gateway: what a request says of itself is overwritten.
    #[default]
    Edge,
    /// Another proxy stands before it, and clients cannot get around that: what it says stays.
    Chained,
}

/// Adds the headers, and takes out what is for one hop only. Finds the connection in the [`Routed`] of the request, or
/// else as `Arc<Connection>` in its extensions.
#[derive(Clone, Copy, Debug, Default)]
pub struct ForwardedLayer {
    trust: Trust,
}

/// The service of [`ForwardedLayer`]; ready when the inner one is.
#[derive(Clone, Debug)]
pub struct Forwarded<S> {
    trust: Trust,
    inner: S,
}

/// Tells the backend about the client on `connection`.
pub fn add<B>(request: &mut Request<B>, connection: &Connection, trust: Trust) {
    let host = match request.uri().authority() {
        Some(authority) => HeaderValue::from_str(authority.as_str()).ok(),
        None => request.headers().get(header::HOST).cloned(),
    };
    let proto = HeaderValue::from_static(if connection.secure { "https" } else { "http" });
    let headers = request.headers_mut();
    if let Some(address) = connection.forwarded_for() {
        append(headers, address);
    }
    match trust {
        Trust::Edge => {
            headers.insert(PROTO, proto);
            match host {
                Some(host) => headers.insert(HOST, host),
                None => headers.remove(HOST),
            };
        }
        Trust::Chained => {
            headers.entry(PROTO).or_insert(proto);
            if let Some(host) = host {
                headers.entry(HOST).or_insert(host);
            }
        }
    }
}

/// Makes one line of all that there are, with the address at the end.
fn append(headers: &mut HeaderMap, address: &HeaderValue) {
    match headers.entry(FOR) {
        Entry::Vacant(entry) => {
            entry.insert(address.clone());
        }
        Entry::Occupied(mut entry) => {
            let mut joined = Vec::new();
            for line in entry.iter().filter(|line| !line.is_empty()) {
                joined.extend_from_slice(line.as_bytes());
                joined.extend_from_slice(b", ");
            }
            joined.extend_from_slice(address.as_bytes());
            let joined =
                HeaderValue::try_from(joined).expect("header values joined by a comma are a header value");
            entry.insert(joined);
        }
    }
}

// === impl ForwardedLayer ===

impl ForwardedLayer {
    /// The layer for a gateway that stands there.
    pub fn new(trust: Trust) -> Self {
        Self { trust }
    }
}

impl<S> Layer<S> for ForwardedLayer {
    type Service = Forwarded<S>;

    fn layer(&self, inner: S) -> Forwarded<S> {
        Forwarded { trust: self.trust, inner }
    }
}

// === impl Forwarded ===

impl<S, B> Service<Request<B>> for Forwarded<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        hop_by_hop::remove_from_request(request.headers_mut());
        let connection = match request.extensions().get::<Routed>() {
            Some(routed) => Some(Arc::clone(routed.connection())),
            None => request.extensions().get::<Arc<Connection>>().cloned(),
        };
        if let Some(connection) = connection {
            add(&mut request, &connection, self.trust);
        }
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway_core::name::ObjectName;

    fn connection(peer: &str, secure: bool) -> Connection {
        let mut connection = Connection::new(ObjectName::new("ns", "gateway"), 80);
        connection.peer = Some(peer.parse().unwrap());
        connection.secure = secure;
        connection
    }

    fn forwarded(
        target: &str,
        lines: &[(&str, &str)],
        connection: &Connection,
        trust: Trust,
    ) -> Vec<(String, String)> {
        let mut request = Request::builder().uri(target);
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        let mut request = request.body(()).unwrap();
        add(&mut request, connection, trust);
        let text =
            |name: &HeaderName, value: &HeaderValue| (name.to_string(), value.to_str().unwrap().to_owned());
        let mut lines: Vec<_> = request.headers().iter().map(|(name, value)| text(name, value)).collect();
        lines.retain(|(name, _)| name.starts_with("x-forwarded-"));
        lines.sort();
        lines
    }

    fn lines(lines: [(&str, &str); 3]) -> Vec<(String, String)> {
        lines.map(|(name, value)| (format!("x-forwarded-{name}"), value.to_owned())).into()
    }

    // FRW-07
    #[test]
    fn the_backend_is_told_what_the_gateway_saw() {
        let told =
            forwarded("/", &[("host", "a.example:8080")], &connection("192.0.2.7:1", true), Trust::Edge);
        assert_eq!(told, lines([("for", "192.0.2.7"), ("host", "a.example:8080"), ("proto", "https")]));

        let mapped = connection("[::ffff:192.0.2.7]:1", false);
        let told = forwarded("http://a.example/", &[], &mapped, Trust::Edge);
        assert_eq!(told, lines([("for", "192.0.2.7"), ("host", "a.example"), ("proto", "http")]));
    }

    // FRW-07
    #[test]
    fn a_client_can_add_to_the_addresses_but_not_say_how_it_came() {
        let claims = [
            ("host", "a.example"),
            ("x-forwarded-for", "10.0.0.1, 10.0.0.2"),
            ("x-forwarded-for", ""),
            ("x-forwarded-for", "10.0.0.3"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-proto", "wss"),
            ("x-forwarded-host", "admin.example"),
        ];
        let told = forwarded("/", &claims, &connection("[2001:db8::1]:1", false), Trust::Edge);
        let all = "10.0.0.1, 10.0.0.2, 10.0.0.3, 2001:db8::1";
        assert_eq!(told, lines([("for", all), ("host", "a.example"), ("proto", "http")]));
    }

    // FRW-07
    #[test]
    fn behind_another_proxy_its_word_counts() {
        let claims =
            [("host", "a.example"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "www.example")];
        let told = forwarded("/", &claims, &connection("10.0.0.9:1", false), Trust::Chained);
        assert_eq!(told, lines([("for", "10.0.0.9"), ("host", "www.example"), ("proto", "https")]));
        let told = forwarded("/", &claims[..1], &connection("10.0.0.9:1", false), Trust::Chained);
        assert_eq!(told, lines([("for", "10.0.0.9"), ("host", "a.example"), ("proto", "http")]));
    }

    #[tokio::test]
    async fn a_client_cannot_have_the_gateways_headers_removed() {
        let service = ForwardedLayer::default().layer(tower::service_fn(|request: Request<()>| async move {
            Ok::<_, std::convert::Infallible>(request.headers().get("x-forwarded-for").cloned())
        }));
        let request = Request::get("/")
            .extension(Arc::new(connection("192.0.2.7:1", false)))
            .header("connection", "close, x-forwarded-for")
            .header("x-forwarded-for", "10.0.0.1")
            .body(())
            .unwrap();
        let told = tower::ServiceExt::oneshot(service, request).await.unwrap();
        assert_eq!(told.unwrap(), "192.0.2.7");
    }
}
