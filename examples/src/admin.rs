//! The port for those who run the gateway: is it alive, is it ready, how does it stand.
//!
//! | path | answer |
//! | --- | --- |
//! | `/healthz`, `/livez` | 200 while the process runs |
//! | `/readyz` | 200 once there is a table, every socket is bound, and the names of XBackends were looked up for the first time, or the time for that is over; else 503 with what is missing |
//! | `/status` | listeners, routes, problems and the names of XBackends as text |
//! | `/metrics` | everything that is counted, in the text of OpenMetrics |

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use gateway_tower::metrics::prometheus_client::encoding::text;
use gateway_tower::metrics::prometheus_client::registry::Registry;
use http::{StatusCode, header};
use tokio::net::TcpListener;

/// The content type of what is counted.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the admin port tells. Clones are the same, for every part of the program that has something to say.
#[derive(Clone)]
pub struct Health(Arc<Mutex<Report>>);

struct Report {
    /// Why it is not ready.
    missing: Option<String>,
    status: Arc<dyn Fn() -> String + Send + Sync>,
    metrics: Vec<Arc<Registry>>,
}

// === impl Health ===

impl Health {
    /// Not ready, because nothing has happened yet.
    pub fn starting() -> Self {
        Self(Arc::new(Mutex::new(Report {
            missing: Some("starting".to_owned()),
            status: Arc::new(String::new),
            metrics: Vec::new(),
        })))
    }

    /// Not ready from now on, for this reason.
    pub fn not_ready(&self, reason: impl Into<String>) {
        self.report().missing = Some(reason.into());
    }

    /// Ready from now on.
    pub fn ready(&self) {
        self.report().missing = None;
    }

    /// What `/status` shows, found out when a client asks.
    pub fn set_status(&self, status: impl Fn() -> String + Send + Sync + 'static) {
        self.report().status = Arc::new(status);
    }

    /// Has `/metrics` show these, too.
    pub fn add_metrics(&self, metrics: Registry) {
        self.report().metrics.push(Arc::new(metrics));
    }

    fn report(&self) -> std::sync::MutexGuard<'_, Report> {
        // A report is replaced as a whole, so a thread that panicked with the lock left a whole one behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The admin port, bound and not yet served.
pub struct Admin {
    listener: TcpListener,
    health: Health,
}

// === impl Admin ===

impl Admin {
    /// Binds the port.
    ///
    /// # Errors
    /// When it cannot be bound.
    pub async fn bind(address: SocketAddr, health: Health) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(address).await?, health })
    }

    /// Where it is bound.
    ///
    /// # Errors
    /// When the operating system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves for as long as the future is polled.
    pub async fn serve(self) {
        let app = Router::new()
            .route("/healthz", get(alive))
            .route("/livez", get(alive))
            .route("/readyz", get(ready))
            .route("/status", get(status))
            .route("/metrics", get(metrics))
            .fallback(nothing)
            .with_state(self.health);
        // Only a listener that cannot be polled ends this, and then there is nothing left to do.
        let _ = axum::serve(self.listener, app).await;
    }
}

async fn nothing() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "there are /livez, /readyz, /status and /metrics\n")
}

async fn alive() -> &'static str {
    "alive\n"
}

async fn ready(State(health): State<Health>) -> Response {
    match &health.report().missing {
        None => "ready\n".into_response(),
        Some(missing) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {missing}\n")).into_response(),
    }
}

async fn status(State(health): State<Health>) -> String {
    let status = health.report().status.clone();
    // Ten thousand routes take a moment, and requests are not to wait for it.
    tokio::task::spawn_blocking(move || status()).await.unwrap_or_default()
}

async fn metrics(State(health): State<Health>) -> Response {
    let registries = health.report().metrics.clone();
    let encode = move || {
        let mut text = String::new();
        for registry in registries {
            text::encode_registry(&mut text, &registry)?;
        }
        text::encode_eof(&mut text).map(|()| text)
    };
    // Ten thousand rules take a moment, and requests are not to wait for it.
    match tokio::task::spawn_blocking(encode).await {
        Ok(Ok(text)) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Ok(Err(_)) | Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").field("missing", &self.report().missing).finish_non_exhaustive()
    }
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin").field("address", &self.address().ok()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use gateway_tower::metrics::prometheus_client::metrics::gauge::Gauge;

    use super::*;
    use crate::test_client::get_text;

    #[tokio::test]
    async fn alive_at_once_and_ready_when_said() {
        let health = Health::starting();
        let admin = Admin::bind(([127, 0, 0, 1], 0).into(), health.clone()).await.unwrap();
        let address = admin.address().unwrap();
        tokio::spawn(admin.serve());
        for path in ["/healthz", "/livez"] {
            assert_eq!(get_text(address, path).await, (200, "alive\n".into()));
        }
        let paths = "there are /livez, /readyz, /status and /metrics\n";
        assert_eq!(get_text(address, "/").await, (404, paths.into()));
        assert_eq!(get_text(address, "/readyz").await, (503, "not ready: starting\n".into()));
        health.ready();
        health.set_status(|| "all is well\n".to_owned());
        assert_eq!(get_text(address, "/readyz").await, (200, "ready\n".into()));
        assert_eq!(get_text(address, "/status").await, (200, "all is well\n".into()));
        assert_eq!(get_text(address, "/metrics").await, (200, "# EOF\n".into()));
        for name in ["one", "two"] {
            let mut registry = Registry::default();
            registry.register(name, "Counted here", Gauge::<i64>::default());
            health.add_metrics(registry);
        }
        let expected = ["one", "two"]
            .map(|name| format!("# HELP {name} Counted here.\n# TYPE {name} gauge\n{name} 0\n"));
        assert_eq!(get_text(address, "/metrics").await, (200, expected.concat() + "# EOF\n"));
        health.not_ready("port 80 is not bound");
        assert_eq!(get_text(address, "/readyz").await, (503, "not ready: port 80 is not bound\n".into()));
    }
}
