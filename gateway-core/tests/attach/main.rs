//! Classes, Gateways, listeners, ListenerSets, and Routes of every kind: manifests in, statuses out.
//!
//! Nearly every case goes through the whole translation, and compares the statuses of all Gateways and ListenerSets as text.

#[path = "../common/mod.rs"]
mod common;
mod fixture;

mod addresses;
mod certificates;
mod classes;
mod client_validation;
mod hosts;
mod infrastructure;
mod kinds;
mod listener_sets;
mod listeners;
mod routes;
mod tenants;
