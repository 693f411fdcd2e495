//! Statuses: what they say, and where each word comes from.
//!
//! # From a mistake to a condition
//! A stage that finds something wrong keeps it, at the object that has it, as a [`Finding`](crate::finding::Finding): the field, a
//! [reason](crate::condition::Reason), and a message with a way out. [`status`](crate::status) makes the conditions, and nothing else does. A
//! condition says in one message what is wrong at several places; beside it stand the [causes](crate::status::Cause), one for each.
//!
//! | condition | on | is false, or there, when |
//! | --- | --- | --- |
//! | `Accepted` | everything but ServiceImports | nothing of the object can be served as it is written |
//! | `Programmed` | Gateways, ListenerSets, listeners | it is not served: its address, port or certificate is missing |
//! | `ResolvedRefs` | Gateways, listeners, Routes, policies, XBackends with TLS | a reference leads nowhere, or may not |
//! | `Conflicted` | listeners | another listener has the same place |
//! | `OverlappingTLSConfig` | listeners | another listener of the port terminates TLS for some of the same hosts |
//! | `PartiallyInvalid` | Routes | some rules were dropped, and others serve |
//! | `AddressesAssigned` | Gateways | some address that was asked for is not assigned |
//! | `InsecureFrontendValidationMode` | Gateways | clients without a valid certificate are let in somewhere |
//! | `SupportedVersion` | GatewayClasses | the installed definitions are of a version that is not known |
//!
//! Those that are good news are always there, those that are bad news only while they are true ([GEN-07](crate::spec#GEN-07),
//! [GEN-08](crate::spec#GEN-08)). The rules [CND-01](crate::spec#CND-01) to [CND-107](crate::spec#CND-107) have the pairs of
//! condition and reason that v1.7.0 names. It names none for XTelemetryPolicies, which have `Accepted` and `ResolvedRefs` with the
//! reasons that other policies have, as `Conflicted` and `TargetNotFound`, and `Accepted` alone for XBackends: what these
//! say here is in [XBK-06](crate::choices#XBK-06).
//!
//! # What they promise
//! - `Programmed` is about what the data plane has: it reports which sockets are not bound
//!   ([`AddressPolicy::unbound`](crate::options::AddressPolicy::unbound)) and which certificates it cannot serve with
//!   ([`Options::certificate_check`](crate::options::Options::certificate_check)), and the next translation says so.
//! - A bad backend makes no Route unaccepted: it is `ResolvedRefs`, and its share of requests is answered with 500
//!   ([RTE-15](crate::spec#RTE-15), [HRB-10](crate::spec#HRB-10)).
//! - Of what another namespace has not granted, nothing is told, not even whether it is there ([GEN-17](crate::spec#GEN-17),
//!   [RGR-08](crate::spec#RGR-08)).
//! - What belongs to another controller stays as it is ([GEN-02](crate::spec#GEN-02), [GEN-12](crate::spec#GEN-12)).
//!
//! # Beside statuses
//! What a status does not speak of is said by [`Translation::diagnostics`](crate::translate::Translation::diagnostics), as objects that are
//! invalid, and, where the objects at hand are all there will be, by [`lint`](crate::lint): a parent that is nowhere, a Service without
//! endpoints, a field without effect. A program that reads files shows all of it in one list, [`Applied::problems`](crate::apply::Applied):
//!
//! ```
//! use gateway_core::apply::Applied;
//! use gateway_core::options::Options;
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
//! spec: {parentRefs: [{name: web}], rules: [{backendRefs: [{name: shop, port: 80}]}]}
//! ---
//! apiVersion: gateway.networking.k8s.io/v1
//! kind: HTTPRoute
//! metadata: {name: lost}
//! spec: {parentRefs: [{name: wbe}], rules: [{}]}
//! ";
//! let problems = Applied::from_text(text, "shop.yaml", Options::standalone()).problems;
//! let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
//! assert_eq!(
//!     lines,
//!     [
//!         "shop.yaml:10:58: warning: HTTPRoute default/shop: spec.rules[0].backendRefs[0]: ResolvedRefs=False/BackendNotFound: \
//!          there is no Service default/shop; write one, or name another",
//!         "shop.yaml:15:21: warning: HTTPRoute default/lost: spec.parentRefs[0]: names no Gateway that is served here; name one; \
//!          did you mean web?"
//!     ]
//! );
//! ```
//!
//! # Writing them
//! [`status::merge`](crate::status::merge) takes the stored status and the computed one and gives what is to be written, or nothing.
//! `gateway-kube` does the rest.
