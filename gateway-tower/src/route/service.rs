//! The service that routes.

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use gateway_core::exchange::forwarded::Trust;
use gateway_core::exchange::hop_by_hop::Upgrades;
use gateway_core::exchange::{Arrival, Sought, Stopped};
use http::{Request, Response};
use tower_service::Service;

use super::RouteFuture;
use super::frontend::LastFrontend;
use super::search::{Asking, Start, search};
use crate::authorize::{AskNobody, Authorize};
use crate::connection::Connection;
use crate::handle::TableHandle;
use crate::outcome::{IntoRefused, Refusal, Refused};

/// Finds the rule that serves a request.
///
/// `poll_ready` is that of the service within. A request that waits for an authorization service has the service within for
/// itself, and leaves a clone behind.
#[derive(Clone, Debug)]
pub struct Route<S, A = AskNobody> {
    pub(super) inner: S,
    pub(super) tables: TableHandle,
    pub(super) connection: Option<Arc<Connection>>,
    pub(super) trust: Trust,
    pub(super) upgrades: Upgrades,
    pub(super) authorizer: A,
    pub(super) frontend: LastFrontend,
}

// === impl Route ===

impl<S, A> Route<S, A> {
    /// The same, for requests that come in on `connection`.
    pub(crate) fn on(self, connection: Arc<Connection>) -> Self {
        Self { connection: Some(connection), ..self }
    }
}

impl<S, A, B, RB> Service<Request<B>> for Route<S, A>
where
    S: Service<Request<B>, Response = Response<RB>> + Clone,
    S::Error: IntoRefused,
    A: Authorize<B>,
    B: Send + 'static,
    RB: From<Bytes>,
{
    type Response = Response<RB>;
    type Error = Refused;
    type Future = RouteFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        S::Error::refuse(self.inner.poll_ready(cx))
    }

    #[inline]
    fn call(&mut self, mut request: Request<B>) -> RouteFuture<S, B> {
        let connection = request.extensions().get().or(self.connection.as_ref()).cloned();
        let Some(connection) = connection else { return RouteFuture::refused(Refusal::NoConnection, None) };
        let snapshot = self.tables.snapshot(connection.shard);
        let arrival = Arrival {
            frontend: self.frontend.of(&connection, &snapshot),
            server_name: connection.server_name.as_deref(),
            trust: self.trust,
            upgrades: self.upgrades,
            ..Arrival::at(connection.owner.as_ref(), connection.port)
        };
        let found = match Sought::begin(&snapshot, &arrival, &mut request) {
            Ok(Sought::Found(matched)) => Ok(matched),
            Ok(Sought::Filters(mut sought)) => match sought.run(&snapshot, &mut request) {
                Err(Stopped::Asks(auth)) => {
                    let searching =
                        search(self.authorizer.clone(), snapshot.clone(), connection, sought, auth, request);
                    // The service that was found ready goes with the request.
                    let inner = self.inner.clone();
                    let inner = mem::replace(&mut self.inner, inner);
                    return RouteFuture::asking(Asking::new(searching, inner), snapshot);
                }
                found => found,
            },
            Err(stopped) => Err(stopped),
        };
        match found {
            Ok(matched) => {
                let start = Start { snapshot, connection, matched };
                request.extensions_mut().insert(start.clone().routed(None));
                RouteFuture::forwarded(self.inner.call(request), start)
            }
            Err(Stopped::Answered(response)) => RouteFuture::answered(response, snapshot),
            Err(Stopped::Refused(refusal)) => RouteFuture::refused(refusal, Some(snapshot)),
            // Without filters no service is asked.
            Err(Stopped::Asks(_)) => {
                RouteFuture::refused(gateway_core::exchange::Refusal::NotAuthorized, Some(snapshot))
            }
        }
    }
}
