//! Asking another service whether a request may pass.

use http::header::{self, HeaderName};

use crate::name::BackendId;

/// Asks an authorization service whether a request may pass, and lets it change the request's headers.
///
/// A filter of this kind is the only one that cannot be carried out at once: the caller, which forwards the request, asks the service, and
/// [goes on](crate::exchange) with its answer. Here stands what is asked, and how; nothing is sent.
///
/// # Spec
/// `HTTPExternalAuthFilter`, GEP-1494, [FEA-01](crate::spec#FEA-01) to [FEA-10](crate::spec#FEA-10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalAuth {
    /// The service. Without endpoints it gives no answer, and no request passes.
    pub backend: BackendId,
    /// How it is asked.
    pub terms: AuthTerms,
}

/// How an authorization service is asked, whichever it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthTerms {
    /// What is spoken with it.
    pub protocol: AuthProtocol,
    /// The most bytes of a request's body that are sent along, from 0, which sends none, to [`MAX_BODY`](Self::MAX_BODY). A
    /// request whose body is longer does not pass.
    ///
    /// # Spec
    /// [FEA-08](crate::spec#FEA-08); the choice is [CON-13](crate::choices#CON-13).
    pub max_body: u32,
}

/// What is spoken with an authorization service.
///
/// # Spec
/// `HTTPRouteExternalAuthProtocol`, [FEA-02](crate::spec#FEA-02).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthProtocol {
    /// A request of HTTP like the one that is asked about; 200 lets it pass.
    Http(HttpAuth),
    /// The call `envoy.service.auth.v3.Authorization/Check`.
    Grpc(GrpcAuth),
}

/// What is asked over HTTP.
///
/// # Spec
/// `HTTPAuthConfig`, [FEA-04](crate::spec#FEA-04) to [FEA-06](crate::spec#FEA-06).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAuth {
    /// What stands before the path of the request: nothing, or a path without a slash at its end.
    pub prefix: Box<str>,
    /// The headers of the request that are sent along, besides those that always are.
    pub allowed_headers: Box<[HeaderName]>,
    /// The headers of the answer that the request gets; nearly all of them when it is empty.
    pub allowed_response_headers: Box<[HeaderName]>,
}

/// What is asked over gRPC.
///
/// # Spec
/// `GRPCAuthConfig`, [FEA-07](crate::spec#FEA-07); [CON-14](crate::choices#CON-14).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrpcAuth {
    /// The headers of the request that are told; all of them when it is empty.
    pub allowed_headers: Box<[HeaderName]>,
}

// === impl AuthTerms ===

impl AuthTerms {
    /// The most that a request's body may be asked to be held for: 1 MiB. The room is taken for each request that waits.
    pub const MAX_BODY: u32 = 1 << 20;
}

// === impl HttpAuth ===

impl HttpAuth {
    /// Headers that an answer has for itself, and that therefore are not among "all of them": what its body is, and who made
    /// it when.
    pub(crate) fn is_about_the_answer(name: &HeaderName) -> bool {
        name.as_str().starts_with("content-")
            || [
                header::DATE,
                header::SERVER,
                header::VIA,
                header::AGE,
                header::ETAG,
                header::LAST_MODIFIED,
                header::ACCEPT_RANGES,
                header::VARY,
                header::SET_COOKIE,
            ]
            .contains(name)
    }
}
