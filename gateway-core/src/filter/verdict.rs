//! What a filter decides about a request.

use bytes::Bytes;
use http::Response;

/// What is to happen with a request after its filters have run.
#[derive(Debug)]
pub enum Verdict {
    /// Go on: run the next list, forward the request.
    Continue,
    /// Do not forward: this is the answer. [`on_response`](super::on_response) is still to be run on it.
    Respond(Box<Response<Bytes>>),
    /// Do not forward: a filter cannot be carried out. Answer 500, in the protocol's own way (gRPC has no such status).
    Fail,
}
