//! The targets of references: backends, certificates, and the grants without which they must not be followed.
//!
//! Every reference is followed here, whatever object it stands in, and a reference that leads nowhere becomes a
//! [`Finding`](crate::finding::Finding) of the object that has it. What was asked for is remembered: Secrets and
//! ConfigMaps as [`Lookups`], for a controller that does not keep all of them; the routes behind each backend, so that a
//! change of one concerns those routes and no others.

mod backend_ref;
mod backend_tls_policy;
mod backend_traffic_policy;
mod certificate_ref;
mod endpoints;
pub(crate) mod external_auth;
mod lookups;
mod own;
mod pods;
mod policy;
mod reference_grant;
mod service;
mod session;
mod usage;
mod workloads;
mod x_backend;

pub(crate) use self::backend_ref::{BackendContext, BackendKey, BackendReference, BackendUser, Backends};
pub(crate) use self::backend_tls_policy::{BackendTlsPolicies, targeted_service};
pub(crate) use self::backend_traffic_policy::BackendTrafficPolicies;
pub(crate) use self::certificate_ref::{Certificates, KeptCertificates, RefError};
pub(crate) use self::endpoints::{Endpoints, backend_of};
pub use self::lookups::Lookups;
pub(crate) use self::own::{OwnFilters, OwnObjects};
pub(crate) use self::pods::selects;
pub(crate) use self::policy::{JudgedPolicy, OwnField, WrittenPolicy};
pub use self::reference_grant::{Granted, Grants, Referrer, Target};
pub(crate) use self::service::{AllServices, BackendName};
pub(crate) use self::session::{beside_affinity, session};
pub(crate) use self::usage::Usage;
pub(crate) use self::workloads::Workloads;
pub(crate) use self::x_backend::{JudgedBackend, XBackends, selecting};
