//! Headers set, added and removed, of a request or of a response.
//!
//! Names and values are parsed when the modifier is made; carrying it out only inserts and removes.

use http::header::{self, HeaderMap, HeaderName, HeaderValue, MaxSizeReached};
use http::request;

use super::forwarded_host::ForwardedHost;
use crate::hostname::HostError;

/// Sets, adds and removes headers; each header is acted on at most once.
///
/// Setting `Host` is a rewrite of the request's host: it changes the authority of the target too, and may give a port.
///
/// # Spec
/// `HTTPHeaderFilter`, FHM-01 to FHM-10; AMB-60.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct HeaderModifier {
    set: Box<[(HeaderName, HeaderValue)]>,
    add: Box<[(HeaderName, HeaderValue)]>,
    remove: Box<[HeaderName]>,
    host: Option<Box<ForwardedHost>>,
}

/// A header modifier that cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderModifierError {
    /// Not the name of a header.
    #[error("{0:?} is not a header name")]
    Name(String),
    /// A value with characters that a header value cannot hold.
    #[error("the value of header {0} holds a control character")]
    Value(HeaderName),
    /// A header with more than one action.
    #[error("header {0} is named in more than one of set, add and remove; name it once")]
    SeveralActions(HeaderName),
    /// A header that belongs to the connection or frames the message.
    #[error("header {0} belongs to the connection, not to the message; the gateway sets it itself")]
    Framing(HeaderName),
    /// `Host` added or removed.
    #[error("a request has exactly one Host header; set it, or rewrite the hostname")]
    HostAction,
    /// `Host` set to what is not a host.
    #[error("the value of header host is not a host: {0}")]
    Host(#[source] HostError),
}

// === impl HeaderModifier ===

impl HeaderModifier {
    /// Sets the headers of `set`, adds those of `add` and removes those of `remove`.
    ///
    /// Of equivalent names within one list the first counts.
    ///
    /// # Errors
    /// When a name or a value is not valid, a header is in more than one list, or a header may not be modified.
    pub fn new<'a>(
        set: impl IntoIterator<Item = (&'a str, &'a str)>,
        add: impl IntoIterator<Item = (&'a str, &'a str)>,
        remove: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, HeaderModifierError> {
        let mut set = first_of_each(set)?;
        let add = first_of_each(add)?;
        let mut removed: Vec<HeaderName> = Vec::new();
        for name in remove {
            let name = modifiable(name)?;
            if !removed.contains(&name) {
                removed.push(name);
            }
        }
        let names =
            |list: &[(HeaderName, HeaderValue)]| list.iter().map(|(n, _)| n.clone()).collect::<Vec<_>>();
        let (set_names, add_names) = (names(&set), names(&add));
        let twice = set_names.iter().find(|name| add_names.contains(name) || removed.contains(name));
        if let Some(name) = twice.or_else(|| add_names.iter().find(|name| removed.contains(name))) {
            return Err(HeaderModifierError::SeveralActions(name.clone()));
        }
        if add_names.contains(&header::HOST) || removed.contains(&header::HOST) {
            return Err(HeaderModifierError::HostAction);
        }
        let host = match set.iter().position(|(name, _)| *name == header::HOST) {
            None => None,
            Some(at) => {
                let (_, value) = set.remove(at);
                let text = value.to_str().map_err(|_| HeaderModifierError::Host(HostError::Syntax))?;
                Some(Box::new(ForwardedHost::new(text).map_err(HeaderModifierError::Host)?))
            }
        };
        Ok(Self { set: set.into(), add: add.into(), remove: removed.into(), host })
    }

    /// Modifies the headers of a request, and its host where `Host` is set.
    ///
    /// # Errors
    /// When the request has so many headers that there is no room for another.
    pub fn apply_to_request(&self, parts: &mut request::Parts) -> Result<(), MaxSizeReached> {
        if let Some(host) = &self.host {
            host.apply(parts)?;
        }
        self.apply(&mut parts.headers)
    }

    /// Modifies the headers of a response; `Host` means nothing there.
    ///
    /// # Errors
    /// When there are so many headers that there is no room for another.
    pub fn apply(&self, headers: &mut HeaderMap) -> Result<(), MaxSizeReached> {
        for (name, value) in &self.set {
            headers.try_insert(name, value.clone())?;
        }
        for (name, value) in &self.add {
            headers.try_append(name, value.clone())?;
        }
        for name in &self.remove {
            headers.remove(name);
        }
        Ok(())
    }

    /// Whether the host of a request is set.
    pub(super) fn sets_host(&self) -> bool {
        self.host.is_some()
    }
}

/// The headers of one list, each name once.
fn first_of_each<'a>(
    entries: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Vec<(HeaderName, HeaderValue)>, HeaderModifierError> {
    let mut first: Vec<(HeaderName, HeaderValue)> = Vec::new();
    for (name, value) in entries {
        let name = modifiable(name)?;
        let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) else {
            return Err(HeaderModifierError::Value(name));
        };
        if !first.iter().any(|(other, _)| *other == name) {
            first.push((name, value));
        }
    }
    Ok(first)
}

/// The name of a header that may be modified.
fn modifiable(text: &str) -> Result<HeaderName, HeaderModifierError> {
    let name =
        HeaderName::from_bytes(text.as_bytes()).map_err(|_| HeaderModifierError::Name(text.to_owned()))?;
    if is_framing(&name) { Err(HeaderModifierError::Framing(name)) } else { Ok(name) }
}

/// Headers that say where a message ends or concern one connection only: changing them desynchronises the two sides.
fn is_framing(name: &HeaderName) -> bool {
    [
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::CONNECTION,
        header::UPGRADE,
        header::TE,
        header::TRAILER,
    ]
    .contains(name)
        || ["keep-alive", "proxy-connection"].contains(&name.as_str())
}
