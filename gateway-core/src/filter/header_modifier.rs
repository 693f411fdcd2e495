//! Headers set, added and removed, of a request or of a response.

use http::header::{self, HeaderMap, HeaderName, HeaderValue, MaxSizeReached};
use http::request;

use super::forwarded_host::ForwardedHost;
use crate::hostname::HostError;

/// Sets, adds and removes headers; each header is acted on at most once.
///
/// Names and values are parsed when the modifier is made; carrying it out only inserts and removes.
///
/// Setting `Host` is a rewrite of the request's host: it changes the authority of the target too, and may give a port.
///
/// # Spec
/// `HTTPHeaderFilter`, [FHM-01](crate::spec#FHM-01) to [FHM-10](crate::spec#FHM-10); [AMB-60](crate::choices#AMB-60).
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
pub(crate) fn is_framing(name: &HeaderName) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    /// The values of `name` as an observer joins them.
    fn joined(headers: &HeaderMap, name: &str) -> String {
        headers.get_all(name).iter().map(|v| v.to_str().unwrap()).collect::<Vec<_>>().join(",")
    }

    // FHM-01, FHM-02, FHM-03, FHM-04, FHM-06
    #[test]
    fn set_replaces_add_appends_and_remove_deletes_whatever_the_case() {
        let modifier = HeaderModifier::new(
            [("X-Set-New", "new"), ("x-header-SET", "set-overwrites")],
            [("X-Add-New", "new"), ("X-Header-ADD-append", "header-val-2,header-val-3")],
            ["X-HEADER-Remove", "x-absent"],
        )
        .unwrap();
        let mut headers = headers(&[
            ("x-header-set", "some-other-value"),
            ("x-header-set", "and-one-more"),
            ("x-header-add-append", "append-val-1"),
            ("x-header-remove", "val"),
            ("x-header-remove", "again"),
            ("x-other", "stays"),
        ]);
        modifier.apply(&mut headers).unwrap();
        assert_eq!(joined(&headers, "x-set-new"), "new");
        assert_eq!(joined(&headers, "x-header-set"), "set-overwrites");
        assert_eq!(joined(&headers, "x-add-new"), "new");
        assert_eq!(joined(&headers, "x-header-add-append"), "append-val-1,header-val-2,header-val-3");
        assert_eq!(joined(&headers, "x-header-remove"), "");
        assert_eq!(joined(&headers, "x-other"), "stays");
        assert_eq!(headers.keys_len(), 5);
    }

    // FHM-05
    #[test]
    fn of_equivalent_names_in_one_list_the_first_counts() {
        let modifier =
            HeaderModifier::new([("A", "1"), ("a", "2")], [("B", "3"), ("b", "4")], ["c", "C"]).unwrap();
        let mut map = headers(&[("c", "x")]);
        modifier.apply(&mut map).unwrap();
        assert_eq!(map, headers(&[("a", "1"), ("b", "3")]));
    }

    // FHM-05, AMB-60
    #[test]
    fn a_header_has_one_action() {
        let one = |name: &'static str| [(name, "v")];
        let twice = Err(HeaderModifierError::SeveralActions(HeaderName::from_static("x")));
        assert_eq!(HeaderModifier::new(one("x"), one("X"), []), twice);
        assert_eq!(HeaderModifier::new(one("x"), [], ["X"]), twice);
        assert_eq!(HeaderModifier::new([], one("X"), ["x"]), twice);
        assert!(HeaderModifier::new(one("x"), one("y"), ["z"]).is_ok());
    }

    // FHM-09
    #[test]
    fn headers_of_the_connection_and_the_framing_are_refused_in_every_list() {
        for name in [
            "Content-Length",
            "Transfer-Encoding",
            "Connection",
            "Upgrade",
            "TE",
            "Trailer",
            "Keep-Alive",
            "Proxy-Connection",
        ] {
            let refused = Err(HeaderModifierError::Framing(HeaderName::from_bytes(name.as_bytes()).unwrap()));
            assert_eq!(HeaderModifier::new([(name, "1")], [], []), refused);
            assert_eq!(HeaderModifier::new([], [(name, "1")], []), refused);
            assert_eq!(HeaderModifier::new([], [], [name]), refused);
        }
    }

    // FHM-09
    #[test]
    fn host_is_rewritten_by_set_and_refused_otherwise() {
        let modifier = HeaderModifier::new([("HOST", "b.example:81")], [], []).unwrap();
        let (mut parts, ()) = http::Request::get("http://a.example/x").body(()).unwrap().into_parts();
        modifier.apply_to_request(&mut parts).unwrap();
        assert_eq!(parts.uri, "http://b.example:81/x");
        assert_eq!(joined(&parts.headers, "host"), "b.example:81");

        assert_eq!(HeaderModifier::new([], [("Host", "a")], []), Err(HeaderModifierError::HostAction));
        assert_eq!(HeaderModifier::new([], [], ["host"]), Err(HeaderModifierError::HostAction));
        for bad in ["a b", "a/b", "user@a", "a:port"] {
            assert!(
                matches!(HeaderModifier::new([("host", bad)], [], []), Err(HeaderModifierError::Host(_))),
                "{bad}"
            );
        }
    }

    // FHM-07, FHM-09
    #[test]
    fn names_and_values_that_no_header_has_are_refused() {
        for name in ["", ":authority", "a b", "a:", "\u{e9}"] {
            assert_eq!(
                HeaderModifier::new([(name, "v")], [], []),
                Err(HeaderModifierError::Name(name.to_owned()))
            );
            assert_eq!(HeaderModifier::new([], [], [name]), Err(HeaderModifierError::Name(name.to_owned())));
        }
        assert_eq!(
            HeaderModifier::new([], [("x", "a\r\nb: c")], []),
            Err(HeaderModifierError::Value(HeaderName::from_static("x")))
        );
    }
}
