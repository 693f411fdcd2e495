//! The filters of a request, and what comes of them.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use gateway_core::exchange::{Exchange, Form, Stopped};
use gateway_core::filter::ExternalAuth;
use http::{Request, Response};
use tokio::time::{self, Instant};

use super::on_answer::OnAnswer;
use crate::authorize::{Authorize, Began, Question};
use crate::body::Limit;
use crate::handle::Snapshot;
use crate::outcome::{Refusal, Refused};
use crate::routed::Routed;
use crate::span::FOREVER;

/// What comes of the filters.
pub(super) enum Filtered<B> {
    /// The request goes on.
    Passed(Request<B>, OnAnswer),
    /// A filter answers, and the others have seen it.
    Answered(Response<Bytes>),
    /// It does not go on, and the filters for such answers have seen it.
    Refused(Refused),
    /// A service is asked first.
    Asks(Box<Waiting<B>>),
}

/// A request that an authorization service is asked about.
pub(super) struct Waiting<B> {
    auth: Arc<ExternalAuth>,
    exchange: Exchange<Snapshot>,
    form: Form,
    request: Request<B>,
}

/// A request on its way through the filters, and the service that gets it then.
pub(super) struct Asking<S, B> {
    filtering: Filtering<B>,
    pub(super) inner: S,
}

type Filtering<B> = Pin<Box<dyn Future<Output = Filtered<B>> + Send>>;

/// Runs the filters, with the choice of the backend between those of the rule and its own.
pub(super) fn filter<B>(request: Request<B>) -> Filtered<B> {
    let Some(routed) = request.extensions().get::<Routed>() else {
        return Filtered::Refused(Refusal::NotRouted.into());
    };
    let exchange = routed.exchange().clone();
    // Before a filter changes what the client has sent.
    let form = match exchange.rule().asks() {
        true => Form::from_request(request.method(), request.headers()),
        false => Form::default(),
    };
    run(exchange, form, request)
}

fn run<B>(mut exchange: Exchange<Snapshot>, form: Form, request: Request<B>) -> Filtered<B> {
    let (mut parts, body) = request.into_parts();
    match exchange.run(&mut parts, &mut || fastrand::u64(..)) {
        Ok(_) => {
            // Without the copies for mirrors, which are to be sent once.
            let on_answer = OnAnswer::new(exchange.clone());
            if let Some(routed) = parts.extensions.get_mut::<Routed>() {
                routed.set_exchange(exchange);
            }
            Filtered::Passed(Request::from_parts(parts, body), on_answer)
        }
        Err(Stopped::Asks(auth)) => {
            let request = Request::from_parts(parts, body);
            Filtered::Asks(Box::new(Waiting { auth, exchange, form, request }))
        }
        Err(stopped) => stop(&exchange, stopped),
    }
}

/// What the client gets of a request that is stopped.
fn stop<B>(exchange: &Exchange<Snapshot>, stopped: Stopped) -> Filtered<B> {
    match stopped {
        // A filter says by itself in which form.
        Stopped::Answered(_) => Filtered::Answered(exchange.answer(stopped, Form::default())),
        Stopped::Refused(refusal) => refuse(exchange, Refused::from(refusal)),
        Stopped::Asks(_) => refuse(exchange, gateway_core::exchange::Refusal::NotAuthorized.into()),
    }
}

fn refuse<B>(exchange: &Exchange<Snapshot>, refused: Refused) -> Filtered<B> {
    let mut refused = refused.with_reached(exchange.backend_id().map(Into::into));
    refused.edit_head(|head| exchange.finish_local(head));
    Filtered::Refused(refused)
}

// === impl Waiting ===

impl<B: Send + 'static> Waiting<B> {
    /// Asks the service, and goes on with what it says, as long as the rule has time for the request.
    pub(super) fn ask<S>(self, authorizer: impl Authorize<B>, inner: S) -> Asking<S, B> {
        let Self { auth, exchange, form, mut request } = self;
        let filtering = Box::pin(async move {
            let began = request.extensions_mut().get_or_insert_with(|| Began(Instant::now())).0;
            let late = exchange.clone();
            let asking = ask(authorizer, auth, exchange, form, request);
            match late.rule().timeouts.request() {
                None => asking.await,
                Some(limit) => match time::timeout_at(began + limit.min(FOREVER), asking).await {
                    Ok(filtered) => filtered,
                    Err(_) => refuse(&late, Refusal::TimedOut(Limit::Request).into()),
                },
            }
        });
        Asking { filtering, inner }
    }
}

/// Asks one service after the other.
async fn ask<B>(
    authorizer: impl Authorize<B>,
    mut auth: Arc<ExternalAuth>,
    mut exchange: Exchange<Snapshot>,
    form: Form,
    mut request: Request<B>,
) -> Filtered<B> {
    loop {
        let Some(routed) = request.extensions().get::<Routed>() else {
            return Filtered::Refused(Refusal::NotRouted.into());
        };
        let question = Question::new(exchange.table_keeper().clone(), auth, Arc::clone(routed.connection()));
        let answer;
        (request, answer) = authorizer.ask(question, request).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(refused) => return refuse(&exchange, refused),
        };
        if let Err(stopped) = exchange.on_auth_answer(answer, request.headers_mut(), form.clone()) {
            return stop(&exchange, stopped);
        }
        match run(exchange, form.clone(), request) {
            Filtered::Asks(waiting) => Waiting { auth, exchange, request, .. } = *waiting,
            filtered => return filtered,
        }
    }
}

// === impl Asking ===

impl<S, B> Asking<S, B> {
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Filtered<B>> {
        self.filtering.as_mut().poll(cx)
    }
}

impl<S, B> fmt::Debug for Asking<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking").finish_non_exhaustive()
    }
}
