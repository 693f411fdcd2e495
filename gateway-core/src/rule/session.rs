//! Sessions: the requests of a client that stay with one endpoint.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use smallvec::SmallVec;

use super::backend::Backend;
use super::session_key::{Part, SessionKey, ShownSessions};

/// How the requests of a session stay with one endpoint.
///
/// A session is kept by the client alone, as a text in a cookie or a header that the gateway has given it. The text says which
/// endpoint the session is with and when it began, in a way that only those read and make who have the [key](SessionKey), so that
/// no client chooses an endpoint, or learns where one is. Every gateway with the same key and the same endpoints understands it,
/// and none has to remember anything.
///
/// The backend is chosen by weight first, on every request, and a session is with an endpoint of one backend. The text has
/// a part for each backend of the rule that the client has come to. Whatever a text says, it leads to an endpoint that the chosen
/// backend has, or nowhere.
///
/// There is no clock here: the time is an argument.
///
/// The surprising case: what is wrong about a text is no error. A session that is over, of another key, or with an endpoint that
/// is gone is none, and the request begins another.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use gateway_core::rule::{Backend, BackendProtocol, NewSession, SessionCarrier, SessionKey, SessionPersistence};
/// # use gateway_core::name::ObjectName;
/// use http::{HeaderMap, HeaderName};
///
/// # let address = |last| std::net::SocketAddr::from(([10, 0, 0, last], 80));
/// let backend = |endpoints: &[u8]| Backend {
///     service: ObjectName::new("default", "shop"),
///     port: 80,
///     protocol: BackendProtocol::Http1,
///     endpoints: endpoints.iter().map(|last| address(*last).into()).collect(),
///     ..Backend::default()
/// };
/// let sessions = SessionPersistence {
///     carrier: SessionCarrier::Header(HeaderName::from_static("x-session")),
///     absolute_timeout: Some(Duration::from_secs(60)),
///     scope: "HTTPRoute default/shop".into(),
/// };
/// let (key, now) = (SessionKey::new([7; 16]), SystemTime::UNIX_EPOCH + Duration::from_secs(1_000));
/// let mut client = HeaderMap::new();
/// assert_eq!(sessions.shown(&client), None);
///
/// let new = NewSession { backend: &backend(&[1, 2]), position: 1, others: &[], now, secure: false };
/// sessions.begin(&key, None, new).unwrap().put(&mut client);
/// let shown = sessions.shown(&client).unwrap();
/// let endpoint = |key, endpoints, now| sessions.endpoint(key, &shown, &backend(endpoints), now);
/// assert_eq!(endpoint(&key, &[1, 2], now), Some(1));
/// assert_eq!(endpoint(&key, &[0, 1, 2, 3], now), Some(2), "the same endpoint");
/// assert_eq!(endpoint(&key, &[1, 3], now), None, "it is gone");
/// assert_eq!(endpoint(&key, &[1, 2], now + Duration::from_secs(60)), None, "it is over");
/// assert_eq!(endpoint(&SessionKey::new([8; 16]), &[1, 2], now), None);
/// ```
///
/// # Spec
/// `SessionPersistence`, GEP-1619, [SES-01](crate::spec#SES-01) to [SES-15](crate::spec#SES-15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionPersistence {
    /// What carries the session between the client and the gateway.
    pub carrier: SessionCarrier,
    /// After this time, from its beginning, a session is over.
    pub absolute_timeout: Option<Duration>,
    /// Whose sessions these are: those of one scope are none of another's.
    pub scope: Box<str>,
}

/// The sessions of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sessions {
    /// Those that the rule asks for, with whatever backend is chosen.
    OfRule(SessionPersistence),
    /// Those that its backends ask for, by their positions in the rule.
    OfBackends(Box<[Option<Arc<SessionPersistence>>]>),
}

/// What carries a session.
///
/// # Spec
/// `SessionPersistenceType`, [SES-02](crate::spec#SES-02).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionCarrier {
    /// A cookie.
    Cookie(SessionCookie),
    /// A header of the answer, which the client sends again with each request.
    Header(HeaderName),
}

/// The cookie of a session.
///
/// # Spec
/// `CookieConfig`, [SES-03](crate::spec#SES-03), [SES-08](crate::spec#SES-08), [SES-10](crate::spec#SES-10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionCookie {
    name: Box<str>,
    path: Box<str>,
    permanent: bool,
}

/// A session that begins with an answer.
#[derive(Clone, Copy, Debug)]
pub struct NewSession<'a> {
    /// The backend that was chosen.
    pub backend: &'a Backend,
    /// The position of the endpoint that answers, among those of the backend.
    pub position: usize,
    /// The other backends that have a part in the same text: the sessions with them go on.
    pub others: &'a [&'a Backend],
    /// The time.
    pub now: SystemTime,
    /// Whether the client is connected within TLS.
    pub secure: bool,
}

/// The header of an answer by which a session begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionHeader {
    /// `Set-Cookie`, or the name that the rule says.
    pub name: HeaderName,
    /// The value.
    pub value: HeaderValue,
}

/// How a path or a name cannot be that of a cookie.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionCookieError {
    /// Not a token.
    #[error("{0:?} is no name of a cookie; write a token, such as `session`")]
    Name(String),
    /// It would end the attribute.
    #[error("{0:?} is no path of a cookie; write one in ASCII that begins with a slash and has no semicolon")]
    Path(String),
}

/// The most texts of one name that are looked at: a client may have cookies for several paths.
const MAX_TEXTS: usize = 4;

// === impl Sessions ===

impl Sessions {
    /// The sessions that a request with these headers shows; none without any. Read them before filters change the headers.
    ///
    /// # Spec
    /// [SES-12](crate::spec#SES-12): among other cookies, and several of the same name.
    pub fn shown(&self, headers: &HeaderMap) -> Option<ShownSessions> {
        match self {
            Self::OfRule(session) => session.shown(headers),
            Self::OfBackends(sessions) => {
                let mut looked_at: SmallVec<[&SessionPersistence; 4]> = SmallVec::new();
                for session in sessions.iter().flatten() {
                    if looked_at.iter().all(|known| known.carrier != session.carrier) {
                        looked_at.push(session);
                    }
                }
                ShownSessions::of_texts(looked_at.iter().flat_map(|session| session.texts(headers)))
            }
        }
    }

    /// How a session is kept with the backend at this position in the rule.
    pub fn of_backend(&self, position: usize) -> Option<&SessionPersistence> {
        match self {
            Self::OfRule(session) => Some(session),
            Self::OfBackends(sessions) => sessions.get(position)?.as_deref(),
        }
    }
}

// === impl SessionPersistence ===

impl SessionPersistence {
    /// The sessions that a request with these headers shows; none without any. Read them before filters change the headers.
    ///
    /// # Spec
    /// [SES-12](crate::spec#SES-12): among other cookies, and several of the same name.
    pub fn shown(&self, headers: &HeaderMap) -> Option<ShownSessions> {
        ShownSessions::of_texts(self.texts(headers))
    }

    fn texts<'h>(&'h self, headers: &'h HeaderMap) -> impl Iterator<Item = &'h [u8]> {
        let (name, separator) = match &self.carrier {
            SessionCarrier::Cookie(_) => (&header::COOKIE, b';'),
            SessionCarrier::Header(name) => (name, b','),
        };
        let lines = headers.get_all(name).into_iter().map(HeaderValue::as_bytes);
        let texts =
            lines.flat_map(move |line| line.split(move |byte| *byte == separator)).map(<[u8]>::trim_ascii);
        let own = texts.filter_map(move |text| match &self.carrier {
            SessionCarrier::Cookie(cookie) => cookie.value(text),
            SessionCarrier::Header(_) => Some(text),
        });
        own.take(MAX_TEXTS)
    }

    /// The endpoint of `backend` that the session with it is with, by its position; none when there is no such session, it is over
    /// at `now`, or its endpoint is gone.
    ///
    /// # Spec
    /// [SES-04](crate::spec#SES-04), [SES-05](crate::spec#SES-05), [SES-13](crate::spec#SES-13).
    pub fn endpoint(
        &self,
        key: &SessionKey,
        shown: &ShownSessions,
        backend: &Backend,
        now: SystemTime,
    ) -> Option<usize> {
        let sealing = key.sealing(&self.scope, backend);
        let of_backend = sealing.backend();
        let is_on = |part: &Part| self.absolute_timeout.is_none_or(|timeout| part.age(now) < timeout);
        let parts = shown.parts().filter(|part| part.backend == of_backend).filter(is_on);
        // A client has few with one backend.
        parts.take(MAX_TEXTS).find_map(|part| sealing.endpoint(part))
    }

    /// What the answer says so that a session begins. The sessions that the request has shown with other backends of the
    /// rule go on.
    ///
    /// None when there is no such endpoint.
    ///
    /// # Spec
    /// [SES-03](crate::spec#SES-03), [SES-08](crate::spec#SES-08), [SES-09](crate::spec#SES-09), [SES-14](crate::spec#SES-14).
    pub fn begin(
        &self,
        key: &SessionKey,
        shown: Option<&ShownSessions>,
        new: NewSession<'_>,
    ) -> Option<SessionHeader> {
        let part = key.sealing(&self.scope, new.backend).begin(new.position, new.now)?;
        let others = new.others.iter().filter_map(|other| {
            let other = key.sealing(&self.scope, other).backend();
            shown?.parts().find(|shown| shown.backend == other && other != part.backend)
        });
        let text = Part::text([part].into_iter().chain(others));
        let (name, value) = match &self.carrier {
            SessionCarrier::Header(name) => (name.clone(), text),
            SessionCarrier::Cookie(cookie) => {
                (header::SET_COOKIE, cookie.set(&text, self.absolute_timeout, new.secure))
            }
        };
        Some(SessionHeader { name, value: HeaderValue::try_from(value).ok()? })
    }
}

// === impl SessionHeader ===

impl SessionHeader {
    /// Puts it into an answer: a cookie beside those of the backend, a header of its own in the place of another. An answer that has
    /// no room for one more begins no session.
    ///
    /// # Spec
    /// [SES-12](crate::spec#SES-12).
    pub fn put(self, headers: &mut HeaderMap) {
        let Self { name, value } = self;
        let _full = match name == header::SET_COOKIE {
            true => headers.try_append(name, value).map(|_| ()),
            false => headers.try_insert(name, value).map(|_| ()),
        };
    }
}

// === impl SessionCookie ===

impl SessionCookie {
    /// A cookie of this name, for this path. A permanent one outlives the browser session, until the absolute timeout.
    ///
    /// # Errors
    /// When there can be none such.
    pub fn new(name: &str, path: &str, permanent: bool) -> Result<Self, SessionCookieError> {
        // A name of a header is a token, too.
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(SessionCookieError::Name(name.to_owned()));
        }
        let is_fit = |byte: u8| matches!(byte, b' '..=b'~') && byte != b';';
        if !path.starts_with('/') || !path.bytes().all(is_fit) {
            return Err(SessionCookieError::Path(path.to_owned()));
        }
        Ok(Self { name: name.into(), path: path.into(), permanent })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The path that it is sent for.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The value of a pair of name and value, if it is this cookie.
    fn value<'p>(&self, pair: &'p [u8]) -> Option<&'p [u8]> {
        pair.strip_prefix(self.name.as_bytes())?.strip_prefix(b"=")
    }

    fn set(&self, text: &str, lifetime: Option<Duration>, secure: bool) -> String {
        let Self { name, path, permanent } = self;
        let mut set = format!("{name}={text}; Path={path}; HttpOnly; SameSite=Strict");
        if secure {
            set.push_str("; Secure");
        }
        if let (true, Some(lifetime)) = (permanent, lifetime) {
            // Whole seconds, and the gateway itself sees to the rest.
            set.push_str(&format!("; Max-Age={}", lifetime.as_millis().div_ceil(1_000)));
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use proptest::prelude::*;

    use super::*;
    use crate::name::ObjectName;
    use crate::rule::BackendProtocol;

    const KEY: SessionKey = SessionKey::new([7; 16]);

    fn address(last: u8) -> SocketAddr {
        ([10, 0, 0, last], 80).into()
    }

    fn backend(name: &str, endpoints: &[u8]) -> Backend {
        Backend {
            service: ObjectName::new("default", name),
            port: 80,
            protocol: BackendProtocol::Http1,
            endpoints: endpoints.iter().map(|last| address(*last).into()).collect(),
            ..Backend::default()
        }
    }

    fn cookie(permanent: bool, absolute_timeout: Option<u64>) -> SessionPersistence {
        let cookie = SessionCookie::new("session", "/", permanent).unwrap();
        let absolute_timeout = absolute_timeout.map(Duration::from_millis);
        SessionPersistence { carrier: SessionCarrier::Cookie(cookie), absolute_timeout, scope: "one".into() }
    }

    fn at(milliseconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds)
    }

    /// The cookie with which a client gets a session, beside those with the other backends.
    fn set(
        sessions: &SessionPersistence,
        headers: &HeaderMap,
        backend: &Backend,
        position: usize,
        others: &[&Backend],
    ) -> String {
        let new = NewSession { backend, position, others, now: at(1_000), secure: true };
        let SessionHeader { name, value } =
            sessions.begin(&KEY, sessions.shown(headers).as_ref(), new).unwrap();
        assert_eq!(name, header::SET_COOKIE);
        value.to_str().unwrap().to_owned()
    }

    fn line(line: impl AsRef<str>) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::try_from(line.as_ref()).unwrap())])
    }

    /// The headers of a client that sends this cookie again, among others.
    fn again(set_cookie: &str) -> HeaderMap {
        line(format!("other=1; {}; more=2", set_cookie.split(';').next().unwrap()))
    }

    fn found(
        sessions: &SessionPersistence,
        headers: &HeaderMap,
        backend: &Backend,
        now: SystemTime,
    ) -> Option<usize> {
        sessions.endpoint(&KEY, &sessions.shown(headers)?, backend, now)
    }

    // SES-03, SES-08, SES-09
    #[test]
    fn a_cookie_says_how_long_it_lives_and_where_it_is_sent() {
        let shop = backend("shop", &[1]);
        let attributes = |permanent, timeout, secure| {
            let new = NewSession { backend: &shop, position: 0, others: &[], now: at(0), secure };
            let set = cookie(permanent, timeout).begin(&KEY, None, new).unwrap().value;
            set.to_str().unwrap().split_once("; ").unwrap().1.to_owned()
        };
        assert_eq!(attributes(false, None, true), "Path=/; HttpOnly; SameSite=Strict; Secure");
        assert_eq!(attributes(false, Some(60_000), true), "Path=/; HttpOnly; SameSite=Strict; Secure");
        assert_eq!(attributes(true, Some(59_001), false), "Path=/; HttpOnly; SameSite=Strict; Max-Age=60");
    }

    // SES-04, SES-05, SES-13
    #[test]
    fn a_session_is_with_its_endpoint_wherever_that_stands_until_it_is_over() {
        let sessions = cookie(false, Some(500));
        let client = again(&set(&sessions, &HeaderMap::new(), &backend("shop", &[1, 2, 3]), 1, &[]));
        let found_in =
            |endpoints: &[u8], now| found(&sessions, &client, &backend("shop", endpoints), at(now));
        assert_eq!(found_in(&[1, 2, 3], 1_000), Some(1));
        assert_eq!(found_in(&[3, 1, 0, 2], 1_499), Some(3));
        assert_eq!(found_in(&[1, 2, 3], 1_500), None);
        assert_eq!(found_in(&[1, 3], 1_000), None);
        assert_eq!(found_in(&[], 1_000), None);
        assert_eq!(found_in(&[1, 2, 3], 900), Some(1), "clocks of replicas differ");
        assert_eq!(found(&sessions, &client, &backend("other", &[1, 2, 3]), at(1_000)), None);
        let over_at_once = cookie(false, Some(0));
        assert_eq!(found(&over_at_once, &client, &backend("shop", &[1, 2, 3]), at(1_000)), None);
        let of_another = SessionPersistence { scope: "another".into(), ..sessions.clone() };
        assert_eq!(found(&of_another, &client, &backend("shop", &[1, 2, 3]), at(1_000)), None);
    }

    // SES-05, SES-14: a client goes back and forth between the backends of a split.
    #[test]
    fn a_session_with_another_backend_of_the_rule_goes_on() {
        let sessions = cookie(false, None);
        let (shop, cart) = (backend("shop", &[1, 2]), backend("cart", &[3, 4]));
        let mut client = again(&set(&sessions, &HeaderMap::new(), &shop, 1, &[&cart]));
        client = again(&set(&sessions, &client, &cart, 1, &[&shop]));
        assert_eq!(found(&sessions, &client, &shop, at(1_000)), Some(1));
        assert_eq!(found(&sessions, &client, &cart, at(1_000)), Some(1));
        client = again(&set(&sessions, &client, &shop, 0, &[&cart]));
        assert_eq!(found(&sessions, &client, &shop, at(1_000)), Some(0));
        assert_eq!(found(&sessions, &client, &cart, at(1_000)), Some(1));
        let alone = again(&set(&sessions, &client, &shop, 0, &[]));
        assert_eq!(found(&sessions, &alone, &cart, at(1_000)), None, "the text does not grow");
    }

    // SES-12: with cookies of the same name for other paths, and of others.
    #[test]
    fn a_session_is_found_among_other_cookies() {
        let sessions = cookie(false, None);
        let shop = backend("shop", &[1, 2]);
        let own = set(&sessions, &HeaderMap::new(), &shop, 1, &[]);
        let own = own.split(';').next().unwrap();
        for (cookies, expected) in [
            (format!("session=of-the-backend; {own}"), Some(1)),
            (format!("sessions=1;{own} "), Some(1)),
            (format!("my{own}"), None),
            (own.to_uppercase(), None),
            ("session".to_owned(), None),
        ] {
            assert_eq!(found(&sessions, &line(&cookies), &shop, at(1_000)), expected, "{cookies}");
        }
        let too_many = format!("{}{own}", "session=x; ".repeat(MAX_TEXTS));
        assert_eq!(found(&sessions, &line(too_many), &shop, at(1_000)), None, "a client has no work done");
    }

    // SES-08, SES-10
    #[test]
    fn a_cookie_cannot_say_more_than_its_name_and_its_path() {
        for (name, path) in
            [("", "/"), ("a b", "/"), ("a=b", "/"), ("a", "shop"), ("a", "/; Domain=x"), ("a", "/\r\nb")]
        {
            SessionCookie::new(name, path, false).unwrap_err();
        }
        SessionCookie::new("__Host-session", "/shop/", false).unwrap();
    }

    proptest! {
        // SES-05: no client chooses its endpoint.
        #[test]
        fn what_a_client_makes_up_is_no_session(
            text in "[0-9a-f.;= ,]{0,200}",
            changed in 0_usize..76,
            by in 1_u8..9,
        ) {
            let sessions = cookie(false, None);
            let shop = backend("shop", &[1, 2]);
            let found = |text: &str| found(&sessions, &line(format!("session={text}")), &shop, at(1_000));
            prop_assert_eq!(found(&text), None);
            let own = set(&sessions, &HeaderMap::new(), &shop, 1, &[]);
            let own = own.split([';', '=']).nth(1).unwrap();
            prop_assert_eq!(found(own), Some(1));
            let mut forged = own.to_owned().into_bytes();
            let digit = (forged[changed] as char).to_digit(16).unwrap();
            forged[changed] = char::from_digit((digit + u32::from(by)) % 16, 16).unwrap() as u8;
            let forged = String::from_utf8(forged).unwrap();
            prop_assert_eq!(found(&forged), None, "{}", forged);
        }
    }
}
