//! The head of a request, as matching sees it.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use http::header::{self, HeaderName, HeaderValue};
use http::uri::Scheme;
use http::{HeaderMap, Method, Request, Uri, Version};
use smallvec::SmallVec;

use super::call::is_call;
use super::path::normalize_path;
use super::pattern::Pattern;
use super::query::{Value, first_value};
use super::query_index::QueryIndex;
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
    memo: Memo,
}

/// What is found out about a request once, however many entries ask, and how much they asked.
#[derive(Debug, Default)]
struct Memo {
    params: OnceLock<QueryIndex>,
    cookies: OnceLock<Option<Box<[u8]>>>,
    /// How many bytes of the target, and of the headers, regular expressions were asked about.
    target: AtomicU32,
    headers: AtomicU32,
    /// Whether that is not counted.
    unbounded: AtomicBool,
    /// What sets of expressions have said in this search: in a box, as hardly any request asks them.
    sets: OnceLock<Box<Mutex<Vec<OfSet>>>>,
}

/// The number of a set of expressions, and one bit for each of them; nothing where the set gave up.
type OfSet = (u64, Option<u128>);

/// The values of a header: those of its lines, or that of all of them together.
enum HeaderValues<'h> {
    Lines(header::ValueIter<'h, HeaderValue>),
    Joined(Option<&'h [u8]>),
}

/// How many lines of a header are few.
const FEW_LINES: usize = 8;

/// From how many bytes on a query is split once for all entries.
const LONG_QUERY: usize = 256;

/// A request that cannot be matched because its target is none, or it does not name one host: the answer is 400.
///
/// # Spec
/// [AMB-16](crate::choices#AMB-16), RFC 9112 section 3.2; [MSG-01](crate::choices#MSG-01).
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
    /// A target in a form that is not for the method, or of a scheme that is not HTTP's.
    #[error("the request's target is not one for its method")]
    Target,
    /// A header whose value begins or ends with white space. HTTP/1.1 takes it off, HTTP/2 must not have it.
    #[error("the value of a header begins or ends with white space")]
    HeaderValue,
}

// === impl Memo ===

impl Memo {
    /// Whether there is still so much of what may be spent.
    fn spend(&self, spent: &AtomicU32, bytes: usize) -> bool {
        if self.unbounded.load(Ordering::Relaxed) {
            return true;
        }
        // A search is the work of one thread.
        let sum = spent.load(Ordering::Relaxed).saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        spent.store(sum, Ordering::Relaxed);
        sum as usize <= RequestHead::MAX_EFFORT
    }
}

/// A copy of a request finds out for itself.
impl Clone for Memo {
    fn clone(&self) -> Self {
        Self::default()
    }
}

// === impl HeaderValues ===

impl<'h> Iterator for HeaderValues<'h> {
    type Item = &'h [u8];

    #[inline]
    fn next(&mut self) -> Option<&'h [u8]> {
        match self {
            Self::Lines(lines) => lines.next().map(HeaderValue::as_bytes),
            Self::Joined(joined) => joined.take(),
        }
    }
}

// === impl RequestHead ===

impl<'a> RequestHead<'a> {
    /// How many bytes of the target of a request, and as many of its headers, regular expressions look at, all of them
    /// together: enough for eight looks at 60 KB. The first [`FREE_BYTES`](Self::FREE_BYTES) of each look do not count.
    ///
    /// Small expressions of one Route that look at the same text look at it together, which is one look. Without a bound, a
    /// path of 60 KB and a hundred others would keep a thread busy for tens of milliseconds. A request for which this
    /// is not enough is refused: to pass over the expressions that are left could send it past the rule that was made for it.
    ///
    /// A look of an expression that is no table of states, since it would be too large, counts as many times as it is larger
    /// than 16 KiB, since repetitions such as `{9000}` can make each byte work for all of their states.
    ///
    /// # Spec
    /// [AMB-08](crate::choices#AMB-08)
    pub const MAX_EFFORT: usize = 512 << 10;

    /// See [`MAX_EFFORT`](Self::MAX_EFFORT): looks at short texts count for nothing, so that only the length of a request decides.
    pub const FREE_BYTES: usize = 256;

    /// Reads the head of a request.
    ///
    /// One of HTTP/1.0 need not name a host.
    ///
    /// # Errors
    /// When the target is none, or the request does not name one valid host.
    ///
    /// # Spec
    /// [AMB-16](crate::choices#AMB-16), [AMB-43](crate::choices#AMB-43), [MSG-01](crate::choices#MSG-01),
    /// [MSG-04](crate::choices#MSG-04).
    #[inline]
    pub fn from_request<B>(request: &'a Request<B>) -> Result<Self, RequestError> {
        let (method, uri, headers) = (request.method(), request.uri(), request.headers());
        let host = match host_of(method, uri, headers) {
            Err(RequestError::NoHost) if request.version() <= Version::HTTP_10 => Host::absent(),
            host => host?,
        };
        Ok(Self::with_host(host, method, uri, headers))
    }

    /// Reads the head of a request that names a host. The authority of the target, where there is one, goes before the Host
    /// header.
    ///
    /// # Errors
    /// When the target is none, or the request does not name exactly one valid host.
    ///
    /// # Spec
    /// [AMB-16](crate::choices#AMB-16), [AMB-43](crate::choices#AMB-43), [MSG-01](crate::choices#MSG-01).
    #[inline]
    pub fn new(method: &'a Method, uri: &'a Uri, headers: &'a HeaderMap) -> Result<Self, RequestError> {
        Ok(Self::with_host(host_of(method, uri, headers)?, method, uri, headers))
    }

    #[inline]
    fn with_host(host: Host<'a>, method: &'a Method, uri: &'a Uri, headers: &'a HeaderMap) -> Self {
        Self::from_parts(method, host, normalize_path(uri.path()), uri.query(), headers)
    }

    /// A head of which host and path are read already; the path is in its normal form.
    #[inline]
    pub fn from_parts(
        method: &'a Method,
        host: Host<'a>,
        path: Cow<'a, str>,
        query: Option<&'a str>,
        headers: &'a HeaderMap,
    ) -> Self {
        Self { method, host, path, query, headers, memo: Memo::default() }
    }

    /// Whether the request is a call of gRPC.
    pub fn is_call(&self) -> bool {
        is_call(self.headers)
    }

    /// The value of the first query parameter called `name`, decoded.
    pub fn query_param(&self, name: &str) -> Option<Value<'a>> {
        let query = self.query?;
        if query.len() < LONG_QUERY {
            return first_value(Some(query), name);
        }
        self.memo.params.get_or_init(|| QueryIndex::new(query)).value(query, name)
    }

    /// The values of a header that are compared: one for each line, and one for all lines of `Cookie`.
    ///
    /// Allocates only where there are several lines of `Cookie`, and then once.
    #[inline]
    pub fn header_values(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]> {
        if *name == header::COOKIE
            && let Some(joined) = self.memo.cookies.get_or_init(|| joined_cookies(self.headers))
        {
            return HeaderValues::Joined(Some(joined));
        }
        HeaderValues::Lines(self.headers.get_all(name).iter())
    }

    /// Another search begins; where it only tells what would match, it is without bounds.
    pub(crate) fn begin_search(&self, unbounded: bool) {
        self.memo.target.store(0, Ordering::Relaxed);
        self.memo.headers.store(0, Ordering::Relaxed);
        self.memo.unbounded.store(unbounded, Ordering::Relaxed);
        if let Some(sets) = self.memo.sets.get() {
            sets.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    /// Whether the path matches a regular expression; not if there is no time left to find out.
    pub(crate) fn path_matches(&self, pattern: &Pattern) -> bool {
        self.target_matches(pattern, self.path.as_bytes())
    }

    /// Whether this text of the target matches a regular expression; not if there is no time left to find out.
    pub(super) fn target_matches(&self, pattern: &Pattern, text: &[u8]) -> bool {
        if text.len() > RequestHead::FREE_BYTES
            && let Some(matches) = self.matches_in_set(pattern, &self.memo.target, [text])
        {
            return matches;
        }
        self.memo.spend(&self.memo.target, effort(pattern, text)) && pattern.matches(text)
    }

    /// Whether a line of a header matches a regular expression; not if there is no time left to find out.
    pub(super) fn header_matches(&self, name: &HeaderName, pattern: &Pattern) -> bool {
        let lines = || self.header_values(name);
        let is_long =
            || lines().nth(FEW_LINES).is_some() || lines().any(|line| line.len() > RequestHead::FREE_BYTES);
        if pattern.set().is_some()
            && is_long()
            && let Some(matches) = self.matches_in_set(pattern, &self.memo.headers, lines())
        {
            return matches;
        }
        lines().enumerate().any(|(number, line)| {
            // Only the first is free: a client can send thousands of short ones.
            let more_lines = if number == 0 {
                0
            } else {
                line.len().min(RequestHead::FREE_BYTES) + RequestHead::FREE_BYTES
            };
            self.memo.spend(&self.memo.headers, effort(pattern, line) + more_lines) && pattern.matches(line)
        })
    }

    /// What the set of an expression said about the text that it looks at, if it was asked.
    pub(super) fn known_in_set(&self, pattern: &Pattern) -> Option<bool> {
        let (set, place) = pattern.set()?;
        let known = self.memo.sets.get()?.lock().unwrap_or_else(PoisonError::into_inner);
        let bits = known.iter().find(|(id, _)| *id == set.id())?.1?;
        Some(bits >> place & 1 == 1)
    }

    /// Whether one of the texts that an expression looks at matches, as its set says for all of its members at once. Nothing
    /// if it has to look alone.
    fn matches_in_set<'t>(
        &self,
        pattern: &Pattern,
        spent: &AtomicU32,
        texts: impl IntoIterator<Item = &'t [u8]>,
    ) -> Option<bool> {
        let (set, place) = pattern.set()?;
        let mut known =
            self.memo.sets.get_or_init(Box::default).lock().unwrap_or_else(PoisonError::into_inner);
        let bits = match known.iter().find(|(id, _)| *id == set.id()) {
            Some((_, bits)) => *bits,
            None => {
                let mut bits = Some(0);
                for text in texts {
                    if !self.memo.spend(spent, text.len() + RequestHead::FREE_BYTES) {
                        return Some(false);
                    }
                    bits = bits.zip(set.matching(text)).map(|(all, these)| all | these);
                }
                known.push((set.id(), bits));
                bits
            }
        };
        bits.map(|bits| bits >> place & 1 == 1)
    }

    /// Whether there is time to decode this text of the target.
    pub(super) fn decoding_effort(&self, text: &[u8]) -> bool {
        self.memo.spend(&self.memo.target, text.len().saturating_sub(RequestHead::FREE_BYTES))
    }

    /// Whether regular expressions were asked about more of the target than [`MAX_EFFORT`](Self::MAX_EFFORT), so that what matched is not known.
    pub fn is_target_too_long(&self) -> bool {
        self.memo.target.load(Ordering::Relaxed) as usize > RequestHead::MAX_EFFORT
    }

    /// The same for the headers.
    pub fn are_headers_too_long(&self) -> bool {
        self.memo.headers.load(Ordering::Relaxed) as usize > RequestHead::MAX_EFFORT
    }
}

/// What it counts to look at a text with an expression: its length, as many times as the expression is large. At worst each
/// byte is work for every state that the expression has.
fn effort(pattern: &Pattern, text: &[u8]) -> usize {
    let weight = pattern.weight();
    text.len().saturating_sub(RequestHead::FREE_BYTES / weight) * weight
}

/// All lines of `Cookie` as one, where there are several.
fn joined_cookies(headers: &HeaderMap) -> Option<Box<[u8]>> {
    let lines = headers.get_all(header::COOKIE).iter().map(|line| line.as_bytes());
    let crumbs: SmallVec<[&[u8]; 4]> = lines.collect();
    (crumbs.len() > 1).then(|| crumbs.join(&b"; "[..]).into())
}

/// The host that a request names whose target is one for its method.
#[inline]
fn host_of<'a>(method: &Method, uri: &'a Uri, headers: &'a HeaderMap) -> Result<Host<'a>, RequestError> {
    if !is_target(method, uri) {
        return Err(RequestError::Target);
    }
    let mut lines = headers.get_all(header::HOST).iter();
    let line = lines.next();
    if lines.next().is_some() {
        return Err(RequestError::SeveralHosts);
    }
    let authority = match uri.authority() {
        Some(authority) => authority.as_str(),
        // Which characters it has is looked at once, where a host is made of it.
        None => {
            let line = line.ok_or(RequestError::NoHost)?;
            str::from_utf8(line.as_bytes()).map_err(|_| HostError::Syntax)?
        }
    };
    Ok(Host::from_authority(authority)?)
}

/// Whether the target has a form that the method may have: an authority alone is for CONNECT, `*` is for OPTIONS, and no
/// scheme is for a gateway but those of HTTP.
///
/// # Spec
/// RFC 9112 section 3.2.
fn is_target(method: &Method, uri: &Uri) -> bool {
    let scheme = uri.scheme();
    let is_http = scheme.is_none_or(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS);
    let is_authority = scheme.is_none() && uri.authority().is_some();
    let is_asterisk = uri.path() == "*";
    is_http && (!is_authority || *method == Method::CONNECT) && (!is_asterisk || *method == Method::OPTIONS)
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

    // MSG-01
    #[test]
    fn a_target_has_a_form_that_its_method_may_have() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "a.example".parse().unwrap());
        for (method, target, expected) in [
            (Method::GET, "/", true),
            (Method::GET, "http://a.example", true),
            (Method::GET, "HTTPS://a.example/", true),
            (Method::CONNECT, "a.example:443", true),
            (Method::OPTIONS, "*", true),
            (Method::OPTIONS, "/", true),
            (Method::GET, "a.example:80", false),
            (Method::GET, "a.example", false),
            (Method::OPTIONS, "a.example:80", false),
            (Method::GET, "*", false),
            (Method::GET, "ftp://a.example/", false),
        ] {
            let uri: Uri = target.parse().unwrap();
            let read = RequestHead::new(&method, &uri, &headers);
            assert_eq!(read.is_ok(), expected, "{method} {target}: {read:?}");
        }
    }

    // MSG-04
    #[test]
    fn only_a_request_of_http_1_0_need_not_name_a_host() {
        let mut request = Request::new(());
        assert_eq!(RequestHead::from_request(&request).unwrap_err(), RequestError::NoHost);
        *request.version_mut() = Version::HTTP_10;
        assert_eq!(RequestHead::from_request(&request).unwrap().host.as_str(), "");
        request.headers_mut().insert(header::HOST, "a.example".parse().unwrap());
        assert_eq!(RequestHead::from_request(&request).unwrap().host.as_str(), "a.example");
        request.headers_mut().append(header::HOST, "b.example".parse().unwrap());
        assert_eq!(RequestHead::from_request(&request).unwrap_err(), RequestError::SeveralHosts);
    }
}
