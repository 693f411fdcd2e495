//! Edits: the compiled filters of a route, and what they do to a request and to its answer.
//!
//! A rule has a list of filters, and each backend of a rule may have another. The caller runs the rule's list with
//! [`on_request`], then the list of the backend it picked, with the same [`RequestEdits`]; when the answer comes it runs
//! [`on_response`] the other way round. A listener may have filters too, which [run before](before_routing) a rule is looked
//! for. Nothing here sends anything: mirroring leaves copies in the edits, and a filter
//! that answers by itself, or has another service asked first, says so in a [`Verdict`].
//!
//! Bodies are never looked at. What a filter says is checked when the filter is made, so that a request can only meet
//! filters that work; the one exception, [`HttpFilter::Unresolved`], stands for a filter that could not be made, whose
//! requests must fail rather than pass without it.
//!
//! The surprising case: path modifiers always start from the path that was *matched*, whatever the filters before them
//! did to it, while headers change in list order.
//!
//! ```
//! use gateway_core::filter::{self, FilterContext, HttpFilter, PathModifier, RequestEdits, Scheme, UrlRewrite, Verdict};
//! use gateway_core::matching::MatchedPath;
//!
//! let filters = [HttpFilter::UrlRewrite(Box::new(UrlRewrite {
//!     hostname: Some("shop.internal".parse()?),
//!     path: Some(PathModifier::replace_prefix_match("/")?),
//! }))];
//! let request = http::Request::get("/shop/cart?item=1").header("host", "example.com").body(())?;
//! let (mut parts, ()) = request.into_parts();
//! let context = FilterContext { scheme: Scheme::Http, port: 80, path: MatchedPath::Prefix("/shop".len()) };
//! let verdict = filter::on_request(&filters, &context, &mut parts, &mut RequestEdits::default(), &mut || 0);
//! assert!(matches!(verdict, Verdict::Continue));
//! assert_eq!(parts.uri, "/cart?item=1");
//! assert_eq!(parts.headers["host"], "shop.internal");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod scheme;
mod filter_context;
mod verdict;
mod forwarded_host;
mod precise_hostname;
mod path_modifier;
mod header_modifier;
mod request_redirect;
mod url_rewrite;
mod request_mirror;
mod cors_origin;
mod cors;
mod header_edits;
mod request_edits;
mod extension;
mod external_auth;
mod http_filter;
mod listener_filter;
mod run;

pub use self::cors::{Cors, CorsError, CorsPolicy};
pub use self::cors_origin::{AllowedOrigins, OriginError};
pub use self::extension::{Extension, ExtensionError, Extensions};
pub use self::external_auth::{AuthProtocol, AuthTerms, ExternalAuth, GrpcAuth, HttpAuth};
pub use self::filter_context::FilterContext;
pub use self::header_edits::{HeaderEdits, Put};
#[cfg(feature = "resources")]
pub(crate) use self::header_modifier::is_framing;
pub use self::header_modifier::{HeaderModifier, HeaderModifierError};
pub use self::http_filter::HttpFilter;
pub use self::listener_filter::{ListenerFilter, before_routing, resume_before_routing};
pub use self::path_modifier::{PathModifier, PathModifierError};
pub use self::precise_hostname::{PreciseHostname, PreciseHostnameError};
pub use self::request_edits::{MirrorCopy, RequestEdits};
pub use self::request_mirror::{RequestMirror, Share, ShareError};
pub use self::request_redirect::{RedirectStatus, RedirectStatusError, RequestRedirect};
pub use self::run::{on_local_response, on_request, on_response, resume};
pub use self::scheme::{Scheme, SchemeError};
pub use self::url_rewrite::UrlRewrite;
pub use self::verdict::Verdict;
