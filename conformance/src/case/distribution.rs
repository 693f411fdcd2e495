//! Many requests, and how they must spread.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::grpc::GrpcExchange;
use super::http::{HttpExchange, Target};
use super::mesh::Way;
use super::object_ref::Name;

/// Requests whose backends must have these shares.
///
/// A round in which one request fails, or an unexpected backend answers, does not count; one good round is enough.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DistributionStep {
    /// What is sampled.
    pub of: Sample,
    /// The share of each backend, by the name of its Deployment. The sum of all shares is 1.
    #[serde(default)]
    pub shares: BTreeMap<String, f64>,
    /// The share of answers with each status, of backends and of the gateway.
    #[serde(default)]
    pub statuses: BTreeMap<String, f64>,
    /// How many requests a round has.
    #[serde(default = "samples")]
    pub samples: u32,
    /// How far a share may be off.
    #[serde(default = "tolerance")]
    pub tolerance: f64,
    /// How many rounds there may be.
    #[serde(default = "ten")]
    pub rounds: u32,
}

/// What is sent for each sample. Exactly one of them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
pub struct Sample {
    /// An HTTP request to a Gateway.
    pub http: Option<HttpSample>,
    /// A gRPC call to a Gateway.
    pub grpc: Option<GrpcSample>,
    /// A TCP connection to a Gateway.
    pub tcp: Option<Target>,
    /// A datagram to a Gateway.
    pub udp: Option<Target>,
    /// A request within a mesh.
    pub mesh: Option<Way>,
}

/// An HTTP request to a Gateway.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct HttpSample {
    /// Where it goes.
    pub to: Target,
    /// The request; what is expected of it holds for every sample.
    pub request: HttpExchange,
}

/// A gRPC call to a Gateway.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct GrpcSample {
    /// Where it goes.
    pub to: Target,
    /// The call; what is expected of it holds for every sample.
    pub call: GrpcExchange,
}

/// Requests of which a share must be copied to another backend.
///
/// The number of copies must be within three standard deviations of the binomial distribution, in one of the rounds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MirrorShareStep {
    /// Where the requests go.
    pub to: Target,
    /// The request. `$(id)` in its path is one for all requests of a round.
    pub request: HttpExchange,
    /// Who gets the copies.
    pub mirror: Name,
    /// The share of requests that are copied, from 0 to 1.
    pub share: f64,
    /// How many requests a round has.
    #[serde(default = "samples")]
    pub samples: u32,
    /// How many rounds there may be.
    #[serde(default = "five")]
    pub rounds: u32,
}

fn samples() -> u32 {
    500
}

fn tolerance() -> f64 {
    0.05
}

fn ten() -> u32 {
    10
}

fn five() -> u32 {
    5
}
