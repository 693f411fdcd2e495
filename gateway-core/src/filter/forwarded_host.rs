//! The host that a filter gives to a request, ready to be put in.

use std::mem;

use http::header::{self, HeaderValue, MaxSizeReached};
use http::request;
use http::uri::{Authority, Uri};

use crate::hostname::{Host, HostError};

/// A host, with or without port, in the two forms that a request may carry it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ForwardedHost {
    header: HeaderValue,
    authority: Authority,
}

// === impl ForwardedHost ===

impl ForwardedHost {
    /// The host that the authority `text` names: a host and perhaps a port, without user information.
    pub(super) fn new(text: &str) -> Result<Self, HostError> {
        Host::of_authority(text)?;
        let authority = Authority::try_from(text).map_err(|_| HostError::Syntax)?;
        let header = HeaderValue::from_str(text).map_err(|_| HostError::Syntax)?;
        Ok(Self { header, authority })
    }

    /// The host as written.
    pub(super) fn as_str(&self) -> &str {
        self.authority.as_str()
    }

    /// Makes this the host of the request: in the Host header and, where the target has one, in its authority.
    ///
    /// A request of HTTP/2 names its host in the authority, one of HTTP/1.1 in the header.
    ///
    /// # Errors
    /// When the request has so many headers that there is no room for another.
    pub(super) fn apply(&self, parts: &mut request::Parts) -> Result<(), MaxSizeReached> {
        parts.headers.try_insert(header::HOST, self.header.clone())?;
        if parts.uri.authority().is_some() {
            let mut uri = mem::take(&mut parts.uri).into_parts();
            uri.authority = Some(self.authority.clone());
            parts.uri = Uri::from_parts(uri).expect("the components that made a URI before still make one");
        }
        Ok(())
    }
}
