//! Requests that want to turn their connection into something else.

use http::{HeaderMap, Method, header};

/// Whether the answer may end HTTP on this connection or stream, as for a WebSocket.
///
/// What follows cannot be copied or repeated.
pub(crate) fn is_requested(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::CONNECT || headers.contains_key(header::UPGRADE)
}
