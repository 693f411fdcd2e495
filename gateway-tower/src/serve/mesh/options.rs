//! The options of a server of a mesh.

use std::sync::Arc;

use super::client_namespaces::ClientNamespaces;
use super::original_destination::OriginalDestination;

/// What a [`MeshServer`](super::MeshServer) asks about each connection.
#[derive(Clone, Debug)]
pub struct MeshOptions {
    /// Where it was addressed to.
    pub destination: OriginalDestination,
    /// In which namespace its client is.
    pub clients: Arc<dyn ClientNamespaces>,
}
