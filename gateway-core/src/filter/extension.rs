//! Filters of the user's own.

use std::fmt;
use std::sync::Arc;

use http::{request, response};

use super::verdict::Verdict;

/// A filter that an `ExtensionRef` names, of a rule, a backend or a listener.
///
/// Which kinds of object name which extension is settled when routes are compiled; here it is only run, in its place in
/// the list. A reference to an unknown kind or object is [`HttpFilter::Unresolved`](super::HttpFilter).
///
/// ```
/// use gateway_core::filter::{Extension, Verdict};
///
/// /// Turns away requests without an API key.
/// #[derive(Debug)]
/// struct NeedsKey;
///
/// impl Extension for NeedsKey {
///     fn on_request(&self, parts: &mut http::request::Parts) -> Verdict {
///         if parts.headers.contains_key("x-api-key") {
///             return Verdict::Continue;
///         }
///         let mut response = http::Response::new(bytes::Bytes::from_static(b"no key"));
///         *response.status_mut() = http::StatusCode::FORBIDDEN;
///         Verdict::Respond(Box::new(response))
///     }
/// }
/// ```
///
/// # Spec
/// `HTTPRouteFilterExtensionRef`, [FEX-01](crate::spec#FEX-01), [FEX-02](crate::spec#FEX-02).
pub trait Extension: Send + Sync + fmt::Debug + 'static {
    /// Edits the request, or answers it.
    fn on_request(&self, parts: &mut request::Parts) -> Verdict {
        let _ = parts;
        Verdict::Continue
    }

    /// Edits the answer: a backend's, or one that a filter made, this one included. Not asked about answers that the gateway makes by
    /// itself, nor of a filter of a listener, which is for requests only.
    fn on_response(&self, parts: &mut response::Parts) {
        let _ = parts;
    }
}

/// Finds the filters that `ExtensionRef` names: what the embedder knows and the Gateway API does not.
///
/// Asked when a Route is compiled, and for the filters of listeners when a Gateway is. A `Translator` compiles an object when
/// it changes; after a change of the objects that are found here, its `set_options` has all compiled again.
///
/// # Spec
/// [FEX-01](crate::spec#FEX-01), [FEX-02](crate::spec#FEX-02), [PRF-07](crate::spec#PRF-07).
pub trait Extensions: Send + Sync + fmt::Debug {
    /// The filter that a route, or a listener, in `namespace` refers to.
    ///
    /// # Errors
    /// When there is none; the error becomes the `ResolvedRefs` condition of the route or the listener, and the requests get
    /// 500.
    fn resolve(
        &self,
        namespace: &str,
        group: &str,
        kind: &str,
        name: &str,
    ) -> Result<Arc<dyn Extension>, ExtensionError>;
}

/// Why an `ExtensionRef` leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExtensionError {
    /// The embedder does not handle this kind.
    #[error("this kind of extension is not supported here")]
    UnknownKind,
    /// The kind is known, the object is not there.
    #[error("there is no such object")]
    NotFound,
    /// The object is there and does not make a filter.
    #[error("{0}")]
    Invalid(String),
}

/// Two extensions are equal when they are the same object.
impl PartialEq for dyn Extension {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::addr_eq(self, other)
    }
}

impl Eq for dyn Extension {}
