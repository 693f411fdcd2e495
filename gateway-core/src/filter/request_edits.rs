//! Edits that filters leave behind for those who forward the request and handle its answer.

use http::header::{self, HeaderValue};
use http::{HeaderMap, Request, Uri, request, response};

use super::header_edits::HeaderEdits;
use crate::name::BackendId;

/// What the filters of one request have decided so far: one value for all lists that the request runs through.
///
/// Making one allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct RequestEdits {
    /// The copies to send, in list order. Send them once the request itself is attempted; empty when a filter answered.
    pub mirrors: Vec<MirrorCopy>,
    /// The origin that the request came from, when a CORS filter will want to know.
    pub(super) origin: Option<HeaderValue>,
    /// Whether the answer is that to a CORS preflight.
    pub(super) preflight: bool,
    /// What the client asked for, when a filter has changed it or may have.
    pub(super) original: Option<Original>,
    /// What authorization services have said of the headers of the answer.
    answer: HeaderEdits,
}

/// A copy of a request for a mirror.
#[derive(Clone, Debug)]
pub struct MirrorCopy {
    /// Where the copy goes.
    pub backend: BackendId,
    /// The head of the request as the filters before the mirror left it. It has no extensions: those may hold the
    /// client's connection, which a copy must not touch.
    pub parts: request::Parts,
}

/// Target and host of the request as it was matched.
#[derive(Clone, Debug)]
pub(super) struct Original {
    pub(super) uri: Uri,
    host: Option<HeaderValue>,
}

/// What a client asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    uri: &'a Uri,
    /// The authority that the request names, perhaps with port.
    pub(super) host: Option<&'a str>,
}

// === impl RequestEdits ===

impl RequestEdits {
    /// Whether the filters left nothing behind: another value that allocates nothing may take its place.
    pub fn is_empty(&self) -> bool {
        let Self { mirrors, origin, preflight, original, answer } = self;
        mirrors.is_empty() && origin.is_none() && !preflight && original.is_none() && answer.is_empty()
    }

    /// Notes what is to be done to the headers of the answer, after what was noted before.
    pub(crate) fn edit_answer(&mut self, edits: &HeaderEdits) {
        self.answer.extend(edits);
    }

    /// Does to the headers of an answer what was noted.
    pub(crate) fn finish_answer(&self, response: &mut response::Parts) {
        // Where there is no room for another, it is left out.
        let _full = self.answer.apply(&mut response.headers);
    }

    /// The same without the copies, for those who are not to send them.
    pub(crate) fn without_mirrors(&self) -> Self {
        let Self { mirrors: _, origin, preflight, original, answer } = self;
        Self {
            mirrors: Vec::new(),
            origin: origin.clone(),
            preflight: *preflight,
            original: original.clone(),
            answer: answer.clone(),
        }
    }

    /// Remembers what the client asked for; the first call counts.
    pub(super) fn keep_original(&mut self, parts: &request::Parts) -> &Original {
        self.original.get_or_insert_with(|| Original {
            uri: parts.uri.clone(),
            host: parts.headers.get(header::HOST).cloned(),
        })
    }

    /// What the client asked for.
    pub(super) fn target<'a>(&'a self, parts: &'a request::Parts) -> Target<'a> {
        match &self.original {
            Some(original) => Target::new(&original.uri, original.host.as_ref()),
            None => Target::new(&parts.uri, parts.headers.get(header::HOST)),
        }
    }

    /// Keeps a copy of the request as it is now.
    pub(super) fn mirror(&mut self, backend: BackendId, request: &request::Parts) {
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.method = request.method.clone();
        parts.uri = request.uri.clone();
        parts.version = request.version;
        parts.headers = HeaderMap::clone(&request.headers);
        self.mirrors.push(MirrorCopy { backend, parts });
    }
}

// === impl Target ===

impl<'a> Target<'a> {
    pub(super) fn new(uri: &'a Uri, host: Option<&'a HeaderValue>) -> Self {
        let host = match uri.authority() {
            Some(authority) => Some(authority.as_str()),
            None => host.and_then(|value| value.to_str().ok()),
        };
        Self { uri, host }
    }

    /// The path; that of a CONNECT, whose target has none, is the root: AMB-05.
    pub(super) fn path(&self) -> &'a str {
        match self.uri.path() {
            "" => "/",
            path => path,
        }
    }

    pub(super) fn query(&self) -> Option<&'a str> {
        self.uri.query()
    }
}
