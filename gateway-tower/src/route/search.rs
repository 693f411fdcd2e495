//! The search for the rule of a request that authorization services of the listener are asked about.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use gateway_core::exchange::{Exchange, Search, Stopped};
use gateway_core::filter::ExternalAuth;
use gateway_core::table::Matched;
use http::{Request, Response};
use tokio::time::Instant;

use crate::authorize::{Authorize, Began, Question};
use crate::connection::Connection;
use crate::handle::Snapshot;
use crate::outcome::Refused;
use crate::routed::{Reached, Routed};

/// Where the way of a request begins: what makes a [`Routed`], and is smaller.
#[derive(Clone, Debug)]
pub(super) struct Start {
    pub(super) snapshot: Snapshot,
    pub(super) connection: Arc<Connection>,
    pub(super) matched: Matched,
}

/// Why a rule was not found, or not looked for.
pub(super) enum NotFound {
    /// A filter answers.
    Answered(Box<Response<Bytes>>),
    Refused(Refused),
}

/// A request on its way to its rule, and the service that gets it then.
pub(super) struct Asking<S, B> {
    searching: Searching<B>,
    pub(super) inner: S,
}

type Searching<B> = Pin<Box<dyn Future<Output = Result<(Request<B>, Start), NotFound>> + Send>>;

/// Asks the service that the search has come to, and goes on with what it says.
pub(super) fn search<A, B>(
    authorizer: A,
    snapshot: Snapshot,
    connection: Arc<Connection>,
    mut search: Search,
    mut auth: Arc<ExternalAuth>,
    mut request: Request<B>,
) -> Searching<B>
where
    A: Authorize<B>,
    B: Send + 'static,
{
    Box::pin(async move {
        request.extensions_mut().insert(Began(Instant::now()));
        let matched = loop {
            let question = Question::new(snapshot.clone(), auth, connection.clone());
            let answer;
            (request, answer) = authorizer.ask(question, request).await;
            search.on_auth_answer(answer?, request.headers_mut())?;
            match search.run(&snapshot, &mut request) {
                Err(Stopped::Asks(next)) => auth = next,
                found => break found?,
            }
        };
        let start = Start { snapshot, connection, matched };
        request.extensions_mut().insert(start.clone().routed(None).after(search));
        Ok((request, start))
    })
}

// === impl Start ===

impl Start {
    pub(super) fn routed(self, reached: Option<Reached>) -> Routed {
        let Self { snapshot, connection, matched } = self;
        Routed::new(Exchange::new(snapshot, matched), connection, reached)
    }
}

// === impl Asking ===

impl<S, B> Asking<S, B> {
    pub(super) fn new(searching: Searching<B>, inner: S) -> Self {
        Self { searching, inner }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(Request<B>, Start), NotFound>> {
        self.searching.as_mut().poll(cx)
    }
}

impl<S, B> fmt::Debug for Asking<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking").finish_non_exhaustive()
    }
}

// === impl NotFound ===

impl From<Refused> for NotFound {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Stopped> for NotFound {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Answered(response) => Self::Answered(response),
            Stopped::Refused(refusal) => Self::Refused(refusal.into()),
            Stopped::Asks(_) => Self::Refused(gateway_core::exchange::Refusal::NotAuthorized.into()),
        }
    }
}
