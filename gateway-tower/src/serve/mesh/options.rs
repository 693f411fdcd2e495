//! The options of a server of a mesh.

use std::sync::Arc;

use super::client_namespaces::ClientNamespaces;
use super::original_destination::OriginalDestination;

/// What a [`MeshServer`](super::MeshServer) asks about each connection, and what it lets in.
#[derive(Clone, Debug)]
pub struct MeshOptions {
    /// Where it was addressed to.
    pub destination: OriginalDestination,
    /// In which namespace its client is.
    pub clients: Arc<dyn ClientNamespaces>,
    /// The most connections of one client, by its address, tunnels included; those beyond are reset. Beside one workload, which has no others to
    /// leave room to, there need be no limit; on a node, it is to be well below [that of the
    /// socket](crate::serve::ServeOptions::max_connections), or one pod keeps all others from what they send to.
    pub max_connections_of_client: usize,
}
