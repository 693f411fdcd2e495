//! Trailers on their way through: without the fields that no trailer may be.
//!
//! Backends exist that put trailers among the headers. A client must not be able to say there what it may not say in a
//! header, whichever proxies are trusted, and no party may say anything about a connection or the frame of a message that has begun: over HTTP/2, such a
//! trailer breaks the stream.
//!
//! # Spec
//! RFC 9110 section 6.5.1, RFC 9113 section 8.2.2.

use gateway_core::exchange::forwarded;
use http::{HeaderMap, HeaderName};
use http_body::Frame;

/// About the connection, about where the message ends, or about where it goes.
const FORBIDDEN: [&str; 10] = [
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
];

/// Takes out of a frame of trailers what must not be there.
pub(super) fn clean<D>(frame: &mut Frame<D>) {
    if let Some(trailers) = frame.trailers_mut() {
        remove_forbidden(trailers);
    }
}

fn remove_forbidden(trailers: &mut HeaderMap) {
    let is_forbidden = |name: &&HeaderName| FORBIDDEN.contains(&name.as_str()) || forwarded::is_told(name);
    let forbidden: Vec<HeaderName> = trailers.keys().filter(is_forbidden).cloned().collect();
    for name in forbidden {
        trailers.remove(name);
    }
}
