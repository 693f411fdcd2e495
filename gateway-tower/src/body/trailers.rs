//! Trailers on their way through: without the fields that no trailer may be.
//!
//! Backends exist that put trailers among the headers. A client must not be able to say there what it may not say in a
//! header, and nobody may say anything about a connection or the frame of a message that has begun: over HTTP/2, such a
//! trailer breaks the stream.
//!
//! # Spec
//! RFC 9110 section 6.5.1, RFC 9113 section 8.2.2.

use http::HeaderMap;
use http_body::Frame;

/// About the connection, about where the message ends, or about where it goes.
const FORBIDDEN: [&str; 13] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
    "content-length",
    "host",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
];

/// Takes out of a frame of trailers what must not be there.
pub(super) fn clean<D>(mut frame: Frame<D>) -> Frame<D> {
    if let Some(trailers) = frame.trailers_mut() {
        remove_forbidden(trailers);
    }
    frame
}

fn remove_forbidden(trailers: &mut HeaderMap) {
    for name in FORBIDDEN {
        trailers.remove(name);
    }
}
