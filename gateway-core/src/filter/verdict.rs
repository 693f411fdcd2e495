//! The verdict of a filter about a request.

use bytes::Bytes;
use http::Response;

/// What is to happen with a request after its filters have run.
#[derive(Debug)]
pub enum Verdict {
    /// Go on: run the next list, forward the request.
    Continue,
    /// Another service is to be asked first, by the [filter](super::ExternalAuth) at this position of the list. Where it lets
    /// the request pass, [go on behind it](super::resume); where it does not, or does not answer, do not forward.
    Ask(usize),
    /// Do not forward: this is the answer. [`on_response`](super::on_response) is still to be run on it.
    Respond(Box<Response<Bytes>>),
    /// Do not forward: a filter cannot be carried out. Answer 500, in the protocol's own way (gRPC has no such status).
    Fail,
}
