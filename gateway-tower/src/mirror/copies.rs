//! Sending one copy.

use std::future::poll_fn;
use std::pin::pin;

use bytes::{Buf, Bytes};
use http::{Request, Response};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::runtime::Handle;
use tokio::time;
use tower_service::Service;

use super::TIME_LIMIT;
use super::room::Permit;
use crate::body::copy::{self, CopySender};
use crate::body::{BoxError, RequestBody};
use crate::observe::Copied;

/// The most that is read of an answer, in order to use the connection again; a longer one is broken off.
const ANSWER_LIMIT: usize = 1 << 20;

/// The body of a copy; `senders` gets what must be given the frames of the original.
pub(super) fn body<B>(original: &RequestBody<B>, senders: &mut Vec<CopySender>) -> RequestBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    if original.is_end_stream() {
        return RequestBody::empty();
    }
    let (sender, copy) = copy::copy(original.size_hint());
    senders.push(sender);
    RequestBody::copy(copy)
}

/// Sends a copy in a task of its own; `room` is held until it is done.
pub(super) fn send<M, B, MB>(mut mirror: M, copy: Request<RequestBody<B>>, room: Permit) -> Copied
where
    M: Service<Request<RequestBody<B>>, Response = Response<MB>> + Send + 'static,
    M::Error: Into<BoxError>,
    M::Future: Send,
    B: Send + 'static,
    MB: Body + Send,
    MB::Error: Into<BoxError>,
{
    let Ok(runtime) = Handle::try_current() else {
        tracing::debug!("there is no runtime to send mirrors in; a copy is not sent");
        return Copied::Dropped;
    };
    runtime.spawn(async move {
        let exchange = async {
            poll_fn(|cx| mirror.poll_ready(cx)).await.map_err(Into::into)?;
            let response = mirror.call(copy).await.map_err(Into::into)?;
            drain(response.into_body()).await
        };
        match time::timeout(TIME_LIMIT, exchange).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(error = &*error as &dyn std::error::Error, "a mirror failed"),
            Err(_) => tracing::debug!("a mirror took too long"),
        }
        drop(room);
    });
    Copied::Sent
}

async fn drain<MB>(body: MB) -> Result<(), BoxError>
where
    MB: Body,
    MB::Error: Into<BoxError>,
{
    let mut body = pin!(body);
    let mut read = 0;
    while let Some(frame) = body.frame().await {
        read += frame.map_err(Into::into)?.data_ref().map_or(0, Buf::remaining);
        if read > ANSWER_LIMIT {
            break;
        }
    }
    Ok(())
}
