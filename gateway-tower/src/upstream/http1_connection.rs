//! One connection of HTTP/1.1 to an endpoint.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::task::AbortHandle;

use super::UpstreamOptions;
use super::pace::{Pace, Paced, Pieces, Sending};
use super::stream::BackendStream;
use crate::body::BoxError;
use crate::client::ConnectError;
use crate::connect::{Application, Connector, Peer};

/// The smallest buffer of a connection that hyper takes.
const SMALLEST_BUFFER: usize = 8 * 1024;

/// The most header lines that there is room for in a map of them.
const MOST_HEADER_LINES: usize = 16 * 1024;

/// A connection, which carries one request at a time.
///
/// It is closed when this is dropped, whatever it is at: a request that is still being sent would keep it open until the
/// client has sent the rest.
pub(super) struct Http1Connection<B> {
    sender: SendRequest<Sending<B>>,
    pace: Arc<Pace>,
    task: AbortHandle,
}

// === impl Http1Connection ===

impl<B> Http1Connection<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    pub(super) async fn open(
        peer: &Peer,
        connector: &Connector,
        options: &UpstreamOptions,
    ) -> Result<Self, ConnectError> {
        let endpoint = peer.address;
        let stream = connector.connect(peer, Application::Http1, options.connect_timeout).await?;
        let buffer = options.buffer_bytes.max(SMALLEST_BUFFER);
        let pace = Arc::new(Pace::new(buffer));
        let mut builder = Builder::new();
        builder
            .max_buf_size(buffer)
            .max_headers(options.max_header_lines.min(MOST_HEADER_LINES))
            // RFC 9112 section 5.1: taken out of answers, where requests with it are refused.
            .allow_spaces_after_header_name_in_responses(true);
        let handshake = builder.handshake(TokioIo::new(BackendStream::new(stream, Arc::clone(&pace)))).await;
        let (sender, connection) =
            handshake.map_err(|error| ConnectError { endpoint, cause: error.into() })?;
        let connection = Paced::new(connection.with_upgrades(), Arc::clone(&pace));
        let task = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%endpoint, %error, "a connection to a backend failed");
            }
        });
        Ok(Self { sender, pace, task: task.abort_handle() })
    }

    pub(super) fn send(
        &mut self,
        request: Request<B>,
        pieces: Pieces,
    ) -> impl Future<Output = Result<Response<Incoming>, TrySendError<Request<Sending<B>>>>> + Send + use<B>
    {
        self.sender.try_send_request(self.pace.begin(request, pieces))
    }
}

impl<B> Http1Connection<B> {
    /// Whether it can carry a request now.
    pub(super) fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// When the pieces of an answer are read.
    pub(super) fn pace(&self) -> &Pace {
        &self.pace
    }
}

impl<B> Drop for Http1Connection<B> {
    fn drop(&mut self) {
        self.task.abort();
    }
}
