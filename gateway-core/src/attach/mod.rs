//! Attachment: classes to the controller, Gateways to classes, listeners to Gateways, Routes to listeners or mesh Services.
//!
//! Every object is judged on its own and nothing is thrown away: what is wrong stays with the object that is wrong, as a
//! [`Finding`](crate::finding::Finding) in its place, and bad listeners stay visible, since Routes attach to them and wait.
//! No condition is made here; what is true is read from the typed state, never from a text.
//!
//! The order is fixed. A Gateway's own listeners come first, then those of its ListenerSets, oldest set first. The one that
//! comes first has the place; inside one object none wins. Gateways with the same address compete for its ports, oldest
//! first.

mod address;
mod allowed_routes;
mod attaching;
mod client_validation;
mod conflict;
mod distinct;
mod gateway;
mod gateway_class;
mod gateways;
mod hostnames;
mod listener;
mod listener_filters;
mod listener_set;
mod mesh;
mod parent_ref;
mod protocol;
mod route;
mod taken_ports;
mod telemetry_policies;
mod telemetry_policy;
mod written_listener;

pub(crate) use self::address::Addresses;
pub(crate) use self::allowed_routes::Namespaces;
pub(crate) use self::attaching::gateways;
pub(crate) use self::conflict::Conflict;
pub(crate) use self::gateway::AttachedGateway;
pub(crate) use self::gateway_class::AttachedGatewayClass;
pub(crate) use self::gateways::Gateways;
pub(crate) use self::listener::{AttachedListener, ListenerKey, Waiting};
pub(crate) use self::listener_filters::FindServices;
pub(crate) use self::listener_set::AttachedListenerSet;
pub(crate) use self::mesh::{Mesh, MeshPlace, Services};
pub(crate) use self::parent_ref::{AttachedParent, AttachedTo, Parents};
pub(crate) use self::protocol::Protocol;
pub(crate) use self::route::{AttachedRoute, Route, Side, route};
pub(crate) use self::telemetry_policies::{JudgedTelemetryPolicy, TelemetryPolicies};
