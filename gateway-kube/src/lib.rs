//! Gateway API resources watched in Kubernetes, and their statuses written back. **Not written yet: this crate has no code.**
//!
//! What it will be is settled, so that the crates beside it can be read with it in mind:
//!
//! - Every replica watches the same API server and compiles the same table, because
//!   [`gateway_core`] is pure and deterministic. There is no control plane of its own and nothing to keep in step.
//! - One replica, by a Lease, writes statuses. What is written is the stored status merged with the computed one, and
//!   where they are equal nothing is written.
//! - It hands out resources and takes statuses. It never imports `gateway-tower`, and is not imported by it: a program
//!   puts the two together.
//!
//! The modules, in the order in which each imports the ones before it:
//!
//! | module | what it is for |
//! | --- | --- |
//! | `error`, `object` | what can fail; objects with their resource version |
//! | `store` | the resources of a cluster as `gateway_core::api::Resources`, kept up to date |
//! | `endpoints`, `certificates` | EndpointSlices and Secrets, read only where a route or a listener refers to them |
//! | `watch`, `lookups` | which kinds and namespaces are watched, and what a translation found missing |
//! | `status` | statuses merged and written, with a limit on how often |
//! | `controller` | all of it in one task: a change comes in, a table and statuses go out |
//!
//! Until then, manifests in files work without a cluster: see the `gateway` program in the examples.
