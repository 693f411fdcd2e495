//! The terms of external authorization, as written; its target is for [`backend_ref`](super::backend_ref).

use http::HeaderName;

use super::backend_ref::BackendReference;
use super::usage::Usage;
use crate::api::{ForwardBodyConfig, HttpExternalAuthFilter, HttpRouteExternalAuthProtocol as Protocol};
use crate::condition::Reason;
use crate::filter::{AuthProtocol, AuthTerms, GrpcAuth, HttpAuth};
use crate::finding::Finding;
use crate::matching::normalize_path;

/// How the service is asked. Fields of what is wrong are below the filter's `externalAuth`.
///
/// # Spec
/// FEA-03, FEA-05, FEA-08.
pub(crate) fn terms(written: &HttpExternalAuthFilter) -> Result<AuthTerms, Finding> {
    let HttpExternalAuthFilter { protocol, backend_ref: _, grpc, http, forward_body } = written;
    let protocol = match protocol {
        Protocol::Http => {
            let written = http.clone().unwrap_or_default();
            AuthProtocol::Http(HttpAuth {
                prefix: prefix(written.path.as_deref().unwrap_or_default()),
                allowed_headers: names("http.allowedHeaders", &written.allowed_headers)?,
                allowed_response_headers: names(
                    "http.allowedResponseHeaders",
                    &written.allowed_response_headers,
                )?,
            })
        }
        Protocol::Grpc => {
            let written = grpc.clone().unwrap_or_default();
            AuthProtocol::Grpc(GrpcAuth {
                allowed_headers: names("grpc.allowedHeaders", &written.allowed_headers)?,
            })
        }
        Protocol::Unknown(unknown) => {
            let message =
                format!("{unknown:?} is no protocol to ask by; write {}", Protocol::KNOWN.join(" or "));
            return Err(unsupported("protocol", message));
        }
    };
    let max_size = forward_body.as_ref().and_then(|ForwardBodyConfig { max_size }| *max_size);
    Ok(AuthTerms { protocol, max_body: max_body(max_size.unwrap_or(0))? })
}

/// What the service is sent.
pub(crate) fn usage(terms: &AuthTerms) -> Usage {
    match terms.protocol {
        AuthProtocol::Http(_) => Usage::Http,
        AuthProtocol::Grpc(_) => Usage::Grpc,
    }
}

fn max_body(written: i32) -> Result<u32, Finding> {
    let size = u32::try_from(written).ok().filter(|size| *size <= AuthTerms::MAX_BODY);
    size.ok_or_else(|| {
        let message = format!(
            "{written} bytes are not held for an authorization service; write 0 to {}",
            AuthTerms::MAX_BODY
        );
        unsupported("forwardBody.maxSize", message)
    })
}

/// A prefix in the form in which a path follows on it.
fn prefix(written: &str) -> Box<str> {
    let rooted = if written.starts_with('/') { written.to_owned() } else { format!("/{written}") };
    normalize_path(&rooted).trim_end_matches('/').into()
}

fn names(field: &str, written: &[String]) -> Result<Box<[HeaderName]>, Finding> {
    let name = |(index, text): (usize, &String)| {
        HeaderName::from_bytes(text.as_bytes()).map_err(|_| {
            unsupported(&format!("{field}[{index}]"), format!("{text:?} is no name of a header; write one"))
        })
    };
    written.iter().enumerate().map(name).collect()
}

fn unsupported(field: &str, message: String) -> Finding {
    Finding::new(field, Reason::UnsupportedValue, message)
}

impl<'r> From<&'r HttpExternalAuthFilter> for BackendReference<'r> {
    fn from(written: &'r HttpExternalAuthFilter) -> Self {
        BackendReference { is_errand: true, ..BackendReference::from(&written.backend_ref) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // FEA-05
    #[test]
    fn a_prefix_ends_where_a_path_begins() {
        for (written, expected) in [
            ("", ""),
            ("/", ""),
            ("check", "/check"),
            ("/check/", "/check"),
            ("/a/../check", "/check"),
            ("/check/..", ""),
        ] {
            assert_eq!(&*prefix(written), expected, "{written}");
        }
    }

    // FEA-08
    #[test]
    fn a_body_is_held_up_to_a_limit() {
        assert_eq!((max_body(0).unwrap(), max_body(1 << 20).unwrap()), (0, AuthTerms::MAX_BODY));
        for more in [-1, (1 << 20) + 1, i32::MAX] {
            assert!(max_body(more).unwrap_err().message.contains("write 0 to 1048576"));
        }
    }
}
