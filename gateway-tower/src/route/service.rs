//! The service that routes.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use gateway_core::exchange::forwarded::Trust;
use gateway_core::exchange::hop_by_hop::Upgrades;
use gateway_core::exchange::{self, Arrival, Stopped};
use http::{Request, Response};
use tower_service::Service;

use super::RouteFuture;
use super::future::Start;
use crate::connection::Connection;
use crate::handle::TableHandle;
use crate::outcome::{IntoRefused, Refusal, Refused};

/// Finds the rule that serves a request.
///
/// `poll_ready` is that of the service within.
#[derive(Clone, Debug)]
pub struct Route<S> {
    inner: S,
    tables: TableHandle,
    connection: Option<Arc<Connection>>,
    trust: Trust,
    upgrades: Upgrades,
}

// === impl Route ===

impl<S> Route<S> {
    pub(super) fn new(
        inner: S,
        tables: TableHandle,
        connection: Option<Arc<Connection>>,
        (trust, upgrades): (Trust, Upgrades),
    ) -> Self {
        Self { inner, tables, connection, trust, upgrades }
    }

    /// The same, for requests that come in on `connection`.
    pub(crate) fn on(self, connection: Arc<Connection>) -> Self {
        Self { connection: Some(connection), ..self }
    }
}

impl<S, B, RB> Service<Request<B>> for Route<S>
where
    S: Service<Request<B>, Response = Response<RB>>,
    S::Error: IntoRefused,
    RB: From<Bytes>,
{
    type Response = Response<RB>;
    type Error = Refused;
    type Future = RouteFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        S::Error::refuse(self.inner.poll_ready(cx))
    }

    #[inline]
    fn call(&mut self, mut request: Request<B>) -> RouteFuture<S::Future> {
        let connection = request.extensions().get().or(self.connection.as_ref()).cloned();
        let Some(connection) = connection else { return RouteFuture::refused(Refusal::NoConnection, None) };
        let snapshot = self.tables.snapshot(connection.shard);
        let arrival = Arrival {
            server_name: connection.server_name.as_deref(),
            trust: self.trust,
            upgrades: self.upgrades,
            ..Arrival::new(&connection.gateway, connection.port)
        };
        match exchange::find(&snapshot, &arrival, &mut request) {
            Ok(matched) => {
                let start = Start { snapshot, connection, matched };
                request.extensions_mut().insert(start.clone().routed(None));
                RouteFuture::forwarded(self.inner.call(request), start)
            }
            Err(Stopped::Answered(response)) => RouteFuture::answered(response, snapshot),
            Err(Stopped::Refused(refusal)) => RouteFuture::refused(refusal, Some(snapshot)),
        }
    }
}
