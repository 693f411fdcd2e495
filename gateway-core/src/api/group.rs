//! The API groups that Gateway API has kinds in.

/// The API group of Gateway API.
pub const GATEWAY_GROUP: &str = "gateway.networking.k8s.io";

/// The API group of Gateway API's experiments.
pub const EXPERIMENTAL_GROUP: &str = "gateway.networking.x-k8s.io";
