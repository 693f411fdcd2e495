//! Everything that is wrong with a set of objects, in one list: what, how bad, where, and the way out.
//!
//! Findings speak of objects and fields, and know no files and no cluster: an object that was left out because of what is wrong with it
//! is simply not there for those that refer to it. Here both come together, and each thing that is wrong is said once.
//!
//! [`apply`](crate::apply) makes this list of manifests, and keeps last good versions; a controller makes it of what it has read. With a
//! translation at hand:
//!
//! ```
//! use gateway_core::manifest::{self, Collection};
//! use gateway_core::options::Options;
//! use gateway_core::report::{Places, Report};
//! use gateway_core::translate::translate;
//!
//! let text = "
//! apiVersion: gateway.networking.k8s.io/v1
//! kind: Gateway
//! metadata: {name: web}
//! spec: {gatewayClassName: any, listeners: [{name: http, port: 80, protocol: HTTP}]}
//! ";
//! let written: Collection = [manifest::read(text, "shop.yaml")].into_iter().collect();
//! // Without `any_class`, the class has to be there.
//! let options = Options::default();
//! let translation = translate(&written.resources, &options);
//! let mut report = Report::new(Places::Files(&written), &written.resources);
//! report.add_translation(&translation, &options);
//! let problems = report.into_problems();
//! assert_eq!(problems.len(), 1);
//! assert!(problems[0].to_string().starts_with("shop.yaml:2:1: warning: Gateway default/web: spec.gatewayClassName: "));
//! ```

mod left_out;
mod places;
#[expect(clippy::module_inception, reason = "a file is named after its main type")]
mod report;

pub use self::left_out::LeftOut;
pub use self::places::Places;
pub use self::report::Report;
