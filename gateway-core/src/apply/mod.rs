//! Manifests applied: objects in use, a table, statuses, and everything that is wrong, again whenever the manifests change.
//!
//! Behaves like an API server: an object that breaks a rule of the schema keeps its last good version, or is not there at all if it never
//! had one. Whatever happens, there is a table. Of manifests that cannot be parsed, [`LastGood`](crate::manifest::LastGood) keeps the last
//! good versions; from one to the other leads a [`Collection`](crate::manifest::Collection).
//!
//! No file is opened here: `gateway-tower` has a `source` that follows files.
//!
//! ```
//! use gateway_core::apply::{Applied, Applier};
//! use gateway_core::manifest::{self, Collection};
//! use gateway_core::options::Options;
//!
//! let mut applier = Applier::new(Options::default());
//! let mut apply = |port: &str| {
//!     let text = format!("{{apiVersion: v1, kind: Service, metadata: {{name: shop}}, spec: {{ports: [{{port: {port}}}]}}}}");
//!     let written: Collection = [manifest::read(&text, "shop.yaml")].into_iter().collect();
//!     applier.apply(written, |problems| manifest::locate(&text, problems))
//! };
//! assert_eq!(apply("80").changes[0].to_string(), "added Service default/shop");
//!
//! let Applied { changes, problems, .. } = apply("80000");
//! assert!(changes.is_empty(), "the last good version stays");
//! assert_eq!(
//!     problems[0].to_string(),
//!     "shop.yaml:1:79: error: Service default/shop: spec.ports[0].port: is 80000; 1 to 65535 are allowed \
//!      (VAL-ST-06); the last good version stays in use"
//! );
//! ```
//!
//! In one call, where nothing will change:
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
//! spec: {parentRefs: [{name: wbe}], rules: [{}]}
//! ";
//! let applied = Applied::from_text(text, "shop.yaml", Options::standalone());
//! assert_eq!(
//!     applied.problems[0].to_string(),
//!     "shop.yaml:10:21: warning: HTTPRoute default/shop: spec.parentRefs[0]: names no Gateway that is served here; name one; \
//!      did you mean web?"
//! );
//! ```

mod applied;
mod applier;
mod change;

pub use self::applied::Applied;
pub use self::applier::Applier;
pub use self::change::{Change, Verb};
