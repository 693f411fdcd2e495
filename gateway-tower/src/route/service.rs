//! The service that routes.

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use gateway_core::hostname::Host;
use gateway_core::matching::RequestHead;
use gateway_core::table::{Matched, NoMatch};
use http::uri::PathAndQuery;
use http::{Request, Response, Uri};
use tower_service::Service;

use super::RouteFuture;
use crate::connection::Connection;
use crate::handle::TableHandle;
use crate::refusal::Refusal;
use crate::refused::Refused;
use crate::routed::Routed;
use crate::snapshot::Snapshot;

/// Finds the rule that serves a request.
///
/// `poll_ready` is that of the service within.
#[derive(Clone, Debug)]
pub struct Route<S> {
    inner: S,
    tables: TableHandle,
    connection: Option<Arc<Connection>>,
}

// === impl Route ===

impl<S> Route<S> {
    pub(super) fn new(inner: S, tables: TableHandle, connection: Option<Arc<Connection>>) -> Self {
        Self { inner, tables, connection }
    }

    /// The same, for requests that come in on `connection`.
    pub(crate) fn on(self, connection: Arc<Connection>) -> Self {
        Self { connection: Some(connection), ..self }
    }
}

impl<S, B, RB> Service<Request<B>> for Route<S>
where
    S: Service<Request<B>, Response = Response<RB>>,
    S::Error: Into<Refused>,
{
    type Response = Response<RB>;
    type Error = Refused;
    type Future = RouteFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request<B>) -> RouteFuture<S::Future> {
        let connection = request.extensions().get().or(self.connection.as_ref()).cloned();
        let Some(connection) = connection else { return RouteFuture::refused(Refusal::NoConnection, None) };
        let snapshot = self.tables.snapshot(&connection);
        match find(&snapshot, &connection, &mut request) {
            Ok(matched) => {
                let routed = Routed::new(snapshot, connection, matched);
                request.extensions_mut().insert(routed.clone());
                RouteFuture::forwarded(self.inner.call(request), routed)
            }
            Err(refused) => RouteFuture::refused(refused, Some(snapshot)),
        }
    }
}

/// Finds the rule, and puts the path into its normal form.
fn find<B>(
    snapshot: &Snapshot,
    connection: &Connection,
    request: &mut Request<B>,
) -> Result<Matched, Refused> {
    let head = RequestHead::new(request.method(), request.uri(), request.headers())?;
    let server_name = connection.server_name.as_deref().and_then(|name| Host::of_name(name).ok());
    let table = &snapshot.table;
    let port = table.port(&connection.gateway, connection.port).ok_or(NoMatch::NoListener)?;
    let matched = table.find(port, server_name.as_ref(), &head)?;
    if let Cow::Owned(normal) = head.path {
        let uri = mem::take(request.uri_mut());
        *request.uri_mut() = with_path(uri, normal);
    }
    Ok(matched)
}

/// AMB-01: the backend gets the path that was matched.
fn with_path(uri: Uri, path: String) -> Uri {
    let mut parts = uri.into_parts();
    let query = parts.path_and_query.as_ref().and_then(PathAndQuery::query);
    let target = match query {
        Some(query) => path + "?" + query,
        None => path,
    };
    // Normal form has no character that the path did not have, and still starts with a slash.
    parts.path_and_query =
        Some(PathAndQuery::from_maybe_shared(Bytes::from(target)).expect("a normalised path is a path"));
    Uri::from_parts(parts).expect("the components that made a URI before still make one")
}
