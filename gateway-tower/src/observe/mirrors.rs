//! Copies of requests, for mirrors.

use std::fmt;

use crate::routed::Routed;

/// Is told what becomes of copies of requests.
pub trait ObserveMirrors: fmt::Debug + Send + Sync + 'static {
    /// A copy is sent to its backend, which [`Routed::backend`] is here, or is given up.
    fn copied(&self, routed: &Routed, copy: Copied);
}

/// What becomes of a copy of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Copied {
    /// It is sent.
    Sent,
    /// It is not: too many are under way, or there is no runtime to send it in.
    Dropped,
}
