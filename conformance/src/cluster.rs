//! The part of a cluster that cases need: pods, and the EndpointSlices of Services.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::exchange::Pod;

/// A pod, and where it can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningPod {
    /// Namespace and name.
    pub pod: Pod,
    /// The labels; `app` at least.
    pub labels: BTreeMap<String, String>,
    /// Where the ports of its container are: by the number that a Service has as `targetPort`.
    pub ports: BTreeMap<u16, SocketAddr>,
}
