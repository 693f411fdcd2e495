//! A request of a workload within a mesh, as a decision is made about it.

use gateway_core::name::ObjectName;
use http::{Request, Response};

/// A request of a workload to a Service, and all that is random about what becomes of it.
#[derive(Clone, Debug)]
pub struct MeshArrival {
    /// The namespace of the workload.
    pub client_namespace: String,
    /// The Service that is dialled.
    pub service: ObjectName,
    /// The port of the Service.
    pub port: u16,
    /// The request.
    pub request: Request<()>,
    /// The random numbers that decide, as in [`Arrival`](super::Arrival::randoms).
    pub randoms: Vec<u64>,
    /// What a backend answers.
    pub answer: Response<()>,
}
