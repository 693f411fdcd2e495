//! A filter of listeners that cases and generators refer to: the Gateway API has none that every implementation knows.
//!
//! `ExtensionRef` names it with group `conformance.gateway-api.rs`, kind `RequestEdit`, and what it does as name:
//!
//! | name | what it does |
//! | --- | --- |
//! | `path` | the path becomes `/a/b`, written in another way |
//! | `query` | the query becomes `p=1` |
//! | `post` | a GET becomes a POST |
//! | `add` | `x: 1` is added |
//! | `remove` | `x` is removed |
//! | `host` | the request becomes one for `b.example.com` |
//! | `tell` | `y` becomes the host that is there now |
//! | `deny` | a request with `x: 1` is answered: 403, `x-denied: 1` |
//! | `fail` | it cannot be carried out for a request with `version` |
//! | `broken` | it is no filter |

use std::sync::Arc;

use bytes::Bytes;
use gateway_core::filter::{Extension, ExtensionError, Extensions, Verdict};
use http::header::{self, HeaderMap, HeaderValue};
use http::uri::Uri;
use http::{Method, Response, StatusCode, request};

/// The group of the filter.
pub const REQUEST_EDIT_GROUP: &str = "conformance.gateway-api.rs";

/// The kind of the filter.
pub const REQUEST_EDIT_KIND: &str = "RequestEdit";

/// Finds the filter by what it does.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestEdits;

#[derive(Clone, Copy, Debug)]
enum RequestEdit {
    Path,
    Query,
    Post,
    Add,
    Remove,
    Host,
    Tell,
    Deny,
    Fail,
}

// === impl RequestEdits ===

impl Extensions for RequestEdits {
    fn resolve(
        &self,
        _namespace: &str,
        group: &str,
        kind: &str,
        name: &str,
    ) -> Result<Arc<dyn Extension>, ExtensionError> {
        if (group, kind) != (REQUEST_EDIT_GROUP, REQUEST_EDIT_KIND) {
            return Err(ExtensionError::UnknownKind);
        }
        Ok(Arc::new(match name {
            "path" => RequestEdit::Path,
            "query" => RequestEdit::Query,
            "post" => RequestEdit::Post,
            "add" => RequestEdit::Add,
            "remove" => RequestEdit::Remove,
            "host" => RequestEdit::Host,
            "tell" => RequestEdit::Tell,
            "deny" => RequestEdit::Deny,
            "fail" => RequestEdit::Fail,
            "broken" => return Err(ExtensionError::Invalid("it edits nothing".to_owned())),
            _ => return Err(ExtensionError::NotFound),
        }))
    }
}

// === impl RequestEdit ===

impl Extension for RequestEdit {
    fn on_request(&self, parts: &mut request::Parts) -> Verdict {
        match self {
            Self::Path if has_path(&parts.uri) => {
                let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
                set_target(&mut parts.uri, &format!("/%61/c/../b{query}"));
            }
            Self::Query if has_path(&parts.uri) => {
                let target = format!("{}?p=1", parts.uri.path());
                set_target(&mut parts.uri, &target);
            }
            Self::Path | Self::Query => {}
            Self::Post if parts.method == Method::GET => parts.method = Method::POST,
            Self::Post => {}
            Self::Add => _ = parts.headers.append("x", HeaderValue::from_static("1")),
            Self::Remove => _ = parts.headers.remove("x"),
            Self::Host => {
                parts.headers.insert(header::HOST, HeaderValue::from_static("b.example.com"));
                if let Some(path) = parts.uri.path_and_query().filter(|_| has_path(&parts.uri)) {
                    parts.uri = format!("http://b.example.com{path}").parse().expect("a path of a request");
                }
            }
            Self::Tell => {
                let host = parts.headers.get(header::HOST).cloned();
                parts.headers.insert("y", host.unwrap_or(HeaderValue::from_static("none")));
            }
            Self::Deny if has_x(&parts.headers) => {
                let mut denied = Response::new(Bytes::from_static(b"denied"));
                *denied.status_mut() = StatusCode::FORBIDDEN;
                denied.headers_mut().insert("x-denied", HeaderValue::from_static("1"));
                return Verdict::Respond(Box::new(denied));
            }
            Self::Fail if parts.headers.contains_key("version") => return Verdict::Fail,
            Self::Deny | Self::Fail => {}
        }
        Verdict::Continue
    }
}

/// The target of a CONNECT has no path, and that of an OPTIONS may have none.
fn has_path(uri: &Uri) -> bool {
    uri.path().starts_with('/')
}

fn has_x(headers: &HeaderMap) -> bool {
    headers.get_all("x").iter().any(|value| value == "1")
}

fn set_target(uri: &mut Uri, target: &str) {
    let mut parts = std::mem::take(uri).into_parts();
    parts.path_and_query = Some(target.parse().expect("a path of its own, with the query of a request"));
    *uri = Uri::from_parts(parts).expect("the other parts are those of a request");
}
