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
        Host::from_authority(text)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(uri: &str, host: Option<&str>) -> request::Parts {
        let mut request = http::Request::builder().uri(uri);
        if let Some(host) = host {
            request = request.header("host", host);
        }
        request.body(()).unwrap().into_parts().0
    }

    // FRW-01, FHM-09
    #[test]
    fn the_host_goes_wherever_the_request_names_one() {
        let host = ForwardedHost::new("new.example:81").unwrap();
        for (uri, header, expected) in [
            ("/a?b", Some("old.example:8080"), "/a?b"),
            ("http://old.example:8080/a?b", Some("old.example:8080"), "http://new.example:81/a?b"),
            ("https://old.example", None, "https://new.example:81/"),
            ("old.example:443", Some("old.example:443"), "new.example:81"),
            ("*", Some("old.example"), "*"),
        ] {
            let mut parts = parts(uri, header);
            host.apply(&mut parts).unwrap();
            assert_eq!(parts.uri.to_string(), expected);
            assert_eq!(parts.headers.get_all("host").iter().collect::<Vec<_>>(), ["new.example:81"], "{uri}");
        }
    }

    #[test]
    fn user_information_and_paths_are_not_part_of_a_host() {
        for bad in ["", "a@b", "a/b", "a b", "a:b", "é"] {
            assert!(ForwardedHost::new(bad).is_err(), "{bad}");
        }
    }
}
