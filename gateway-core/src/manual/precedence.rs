//! Precedence: the rule that serves a request, where several match.
//!
//! One entry of `matches` serves a request: that which goes before all others whose conditions the request meets. The criteria, in order:
//!
//! | | HTTPRoute | GRPCRoute | rule |
//! | --- | --- | --- | --- |
//! | 1 | the most characters of a hostname without wildcard | the same | [HST-14](crate::spec#HST-14) |
//! | 2 | the most characters of a hostname; none is the last | the same | [HST-14](crate::spec#HST-14), [AMB-13](crate::choices#AMB-13) |
//! | 3 | an exact path; then a regular expression, the longer first; then the longest prefix | the most characters of the service, then of the method | [HRM-20](crate::spec#HRM-20), [AMB-09](crate::choices#AMB-09), [GRP-07](crate::spec#GRP-07) |
//! | 4 | an entry with a method | | [HRM-20](crate::spec#HRM-20) |
//! | 5 | the most headers | the most headers | [HRM-20](crate::spec#HRM-20), [GRP-07](crate::spec#GRP-07) |
//! | 6 | the most query parameters | | [HRM-20](crate::spec#HRM-20) |
//! | 7 | the older Route, then the smaller `namespace/name` | the same | [HRM-22](crate::spec#HRM-22), [AMB-36](crate::choices#AMB-36) |
//! | 8 | the earlier rule, then the earlier entry | the same | [HRM-23](crate::spec#HRM-23), [AMB-37](crate::choices#AMB-37) |
//!
//! [`Precedence`](crate::matching::Precedence) has them as fields, in this order; its derived `Ord` is the whole algorithm.
//!
//! # What is compared, and what is not
//! - The listener comes first. It is chosen by host, before any Route is looked at, and Routes of other listeners never serve the request,
//!   whatever they match ([HST-11](crate::spec#HST-11)).
//! - The hostname that counts is the Route's own, also where the listener narrows it ([AMB-13](crate::choices#AMB-13)).
//! - Only entries that match take part. An entry with the longer path whose header is missing leaves the request to one with the shorter path
//!   ([HRM-28](crate::spec#HRM-28)), and a Route with the more specific hostname leaves it to one with a less specific one
//!   ([HRM-29](crate::spec#HRM-29)), unless [`Options::hostname_fall_through`](crate::options::Options::hostname_fall_through) is
//!   off.
//! - Counts are those of one entry. Two entries of a rule do not add up ([HRM-24](crate::spec#HRM-24)).
//! - A call of gRPC goes to GRPCRoutes first, and to HTTPRoutes where no GRPCRoute takes it ([AMB-40](crate::choices#AMB-40)).
//! - Among TLSRoutes the hostname decides, and age among those with the same; among TCPRoutes and UDPRoutes of a listener age
//!   alone ([TLR-05](crate::spec#TLR-05), [TCR-03](crate::spec#TCR-03), [UDR-03](crate::spec#UDR-03)).
//!
//! # To see it
//! ```
//! use gateway_core::manifest;
//! use gateway_core::matching::RequestHead;
//! use gateway_core::name::ObjectName;
//! use gateway_core::options::Options;
//! use gateway_core::table::{CandidateOutcome, FrontendOwner, TieBreaker, Transport};
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
//!   - matches: [{path: {value: /}, headers: [{name: a, value: b}, {name: c, value: d}]}]
//!   - matches: [{path: {value: /}, method: GET}]
//!   - matches: [{path: {value: /cart}, headers: [{name: x-version, value: beta}]}]
//! ";
//! let resources = manifest::read(text, "shop.yaml").objects.into_iter().map(|(object, _)| object).collect();
//! let table = translate(&resources, &Options { any_class: true, ..Options::default() }).table;
//! let web = ObjectName::new("default", "web");
//! let port = table.frontend(FrontendOwner::Gateway(&web), Transport::Tcp, 80).expect("it is served");
//!
//! let request = http::Request::get("http://example.com/cart").header("a", "b").header("c", "d").body(())?;
//! let head = RequestHead::new(request.method(), request.uri(), request.headers())?;
//! let explanation = table.explain(port, None, &head);
//! let seen: Vec<_> = explanation.candidates.iter().map(|c| (table.rule(c.rule).id.index, &c.outcome)).collect();
//! assert_eq!(seen.len(), 3);
//! // The longest path comes first, and asks for a header that the request does not have.
//! assert!(matches!(seen[0], (2, CandidateOutcome::Unmet(_))));
//! // Of the others, a method goes before any number of headers.
//! assert_eq!(seen[1], (1, &CandidateOutcome::Chosen));
//! assert_eq!(seen[2], (0, &CandidateOutcome::Outranked(TieBreaker::Method)));
//! // The same as text.
//! assert_eq!(
//!     explanation.in_table(&table),
//!     "taken by listener default/web/http, which serves every host
//!   default/shop/2  host *  PathPrefix /cart  matches[0]: not met: header x-version is \"beta\"
//!   default/shop/1  host *  PathPrefix /  matches[0]: chosen
//!   default/shop/0  host *  PathPrefix /  matches[0]: matches, but comes later: no condition on the method
//! served by rule default/shop/1 (rules[1], matches[0])"
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `gateway explain manifests/ -r 'GET http://example.com/cart'` prints the same, and what follows.
