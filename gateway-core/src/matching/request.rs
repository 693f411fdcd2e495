//! What matching sees of a request.

use std::borrow::Cow;

use http::{HeaderMap, Method, Uri, header};

use super::path;
use crate::hostname::{Host, HostError};

/// The part of a request that matching looks at, in the form that is compared.
///
/// Making one allocates only when the path is not in its normal form.
#[derive(Clone, Debug)]
pub struct RequestHead<'a> {
    /// The method; case counts.
    pub method: &'a Method,
    /// The host that the request names.
    pub host: Host<'a>,
    /// The path in its normal form.
    pub path: Cow<'a, str>,
    /// The query string, without `?`, as received.
    pub query: Option<&'a str>,
    /// The headers.
    pub headers: &'a HeaderMap,
}

/// A request that cannot be matched because it does not name one host: the answer is 400.
///
/// # Spec
/// AMB-16, RFC 9112 section 3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Neither an authority nor a Host header.
    #[error("the request names no host")]
    NoHost,
    /// More than one Host header.
    #[error("the request has more than one Host header")]
    SeveralHosts,
    /// A host with characters that a host cannot have.
    #[error("the request's host is not valid: {0}")]
    Host(#[from] HostError),
}

// === impl RequestHead ===

impl<'a> RequestHead<'a> {
    /// Reads the head of a request. The authority of the target, where there is one, goes before the Host header.
    ///
    /// # Errors
    /// When the request does not name exactly one valid host.
    ///
    /// # Spec
    /// AMB-16, AMB-43.
    pub fn new(method: &'a Method, uri: &'a Uri, headers: &'a HeaderMap) -> Result<Self, RequestError> {
        let mut lines = headers.get_all(header::HOST).iter();
        let line = lines.next();
        if lines.next().is_some() {
            return Err(RequestError::SeveralHosts);
        }
        let authority = match uri.authority() {
            Some(authority) => authority.as_str(),
            None => line.ok_or(RequestError::NoHost)?.to_str().map_err(|_| HostError::Syntax)?,
        };
        let host = Host::of_authority(authority)?;
        Ok(Self { method, host, path: path::normalize(uri.path()), query: uri.query(), headers })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host_of(target: &str, hosts: &[&'static str]) -> Result<String, RequestError> {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, host.parse().unwrap());
        }
        let uri: Uri = target.parse().unwrap();
        RequestHead::new(&Method::GET, &uri, &headers).map(|head| head.host.as_str().to_owned())
    }

    // AMB-16, AMB-43
    #[test]
    fn a_request_names_exactly_one_host_and_the_authority_goes_first() {
        assert_eq!(host_of("/", &["a.example"]).as_deref(), Ok("a.example"));
        assert_eq!(host_of("http://b.example/", &["a.example"]).as_deref(), Ok("b.example"));
        assert_eq!(host_of("/", &[]), Err(RequestError::NoHost));
        assert_eq!(host_of("/", &["a.example", "a.example"]), Err(RequestError::SeveralHosts));
        assert_eq!(
            host_of("http://b.example/", &["a.example", "b.example"]),
            Err(RequestError::SeveralHosts)
        );
        assert_eq!(host_of("/", &[""]), Err(RequestError::Host(HostError::Empty)));
        assert_eq!(host_of("/", &["a b"]), Err(RequestError::Host(HostError::Syntax)));
    }

    // AMB-05
    #[test]
    fn an_authority_form_target_has_the_root_as_its_path() {
        let headers = HeaderMap::new();
        let uri: Uri = "example.com:443".parse().unwrap();
        assert_eq!(RequestHead::new(&Method::CONNECT, &uri, &headers).unwrap().path, "/");
    }
}
