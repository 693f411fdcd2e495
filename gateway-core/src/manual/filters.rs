//! Filters: what they do, where they stand, and what a broken one costs.
//!
//! # Three places
//! | place | runs | may be |
//! | --- | --- | --- |
//! | a listener's `filters.requests` | before a rule is looked for; what it makes of the request is matched ([PRF-01](crate::spec#PRF-01), [PRF-02](crate::spec#PRF-02)) | `ExternalAuth`, `ExtensionRef` |
//! | `filters` of a rule | once for a request, before the backend is chosen | every type of the Route's kind |
//! | `filters` of a backend | once for a request, when that backend was chosen | all but `CORS`, `RequestRedirect` and `ExternalAuth` ([AMB-53](crate::choices#AMB-53)) |
//!
//! Lists run in their order on the request, and the other way round on the answer ([AMB-65](crate::choices#AMB-65),
//! [FLT-11](crate::spec#FLT-11)). Retries repeat no filter: what is sent again is what the filters left.
//!
//! # What each does
//! | type | on the request | on the answer |
//! | --- | --- | --- |
//! | `RequestHeaderModifier` | sets, adds, removes; `Host` too, which is a rewrite then ([FHM-09](crate::spec#FHM-09)) | |
//! | `ResponseHeaderModifier` | | the same, on answers of backends and on redirects ([FHM-11](crate::spec#FHM-11)) |
//! | `RequestRedirect` | answers; no backend is contacted | |
//! | `URLRewrite` | replaces host and path; the path starts from what was *matched* ([FLT-10](crate::spec#FLT-10)) | |
//! | `RequestMirror` | leaves a copy, as the filters before it made the request ([FMR-05](crate::spec#FMR-05)) | |
//! | `CORS` | answers preflights | tells browsers what scripts may read, on the gateway's own answers too |
//! | `ExternalAuth` | has a service asked; without a proper answer the request does not pass ([FEA-01](crate::spec#FEA-01)) | may add what the service says |
//! | `ExtensionRef` | what [the embedder's](crate::filter::Extension) does | the same |
//!
//! # A filter that cannot be carried out
//! It is never skipped: the author of the Route relies on it. Requests of its rule get 500, and the status says which field is wrong
//! ([`HttpFilter::Unresolved`](crate::filter::HttpFilter::Unresolved); [FLT-05](crate::spec#FLT-05)). A match that cannot be
//! carried out is another matter: its rule is dropped, and its requests go to other rules, or get 404
//! ([AMB-62](crate::choices#AMB-62)). A mirror that leads nowhere costs no request anything ([FMR-06](crate::spec#FMR-06)).
//!
//! ```
//! use std::sync::Arc;
//!
//! use gateway_core::exchange::{Arrival, Decision};
//! use gateway_core::manifest;
//! use gateway_core::name::ObjectName;
//! use gateway_core::options::Options;
//! use gateway_core::translate::translate;
//!
//! let text = "
//! apiVersion: gateway.networking.k8s.io/v1
//! kind: Gateway
//! metadata: {name: web}
//! spec: {gatewayClassName: any, listeners: [{name: http, port: 80, protocol: HTTP}]}
//! ---
//! apiVersion: gateway.networking.k8s.io/v1
//! kind: HTTPRoute
//! metadata: {name: shop}
//! spec:
//!   parentRefs: [{name: web}]
//!   rules:
//!   - filters:
//!     - {type: ExtensionRef, extensionRef: {group: example.com, kind: Quota, name: shop}}
//!     - {type: RequestRedirect, requestRedirect: {hostname: example.com}}
//! ";
//! let resources = manifest::read(text, "shop.yaml").objects.into_iter().map(|(object, _)| object).collect();
//! let translation = translate(&resources, &Options { any_class: true, ..Options::default() });
//!
//! // The redirect would not have needed the quota. But who knows what the quota was for?
//! let (request, ()) = http::Request::get("http://example.com/").body(())?.into_parts();
//! let web = ObjectName::new("default", "web");
//! let Decision::Answer(answer) = Arc::new(translation.table).decide(&Arrival::new(&web, 80), request, &mut || 0) else {
//!     panic!("it is answered here");
//! };
//! assert_eq!(answer.status(), 500);
//! let said: Vec<_> = translation.statuses.causes().map(|(_, _, cause)| cause.to_string()).collect();
//! assert!(said[0].starts_with("spec.rules[0].filters[0]: ResolvedRefs=False/InvalidKind"), "{said:?}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Filters of one's own
//! [`Options::extensions`](crate::options::Options::extensions) finds what an `ExtensionRef` names. An
//! [`Extension`](crate::filter::Extension) is a function of a head; what has to wait for something is a layer of `gateway-tower`, at one
//! of the places that its `gateway` module names. `examples/src/bin/custom_filter.rs` is a whole program.
