//! The layer that makes [`Mirror`].

use tower_layer::Layer;

use super::Mirror;
use super::room::Room;

/// Sends copies of requests through another service, in most cases one that does not retry.
#[derive(Clone, Debug)]
pub struct MirrorLayer<M> {
    mirror: M,
    room: Room,
}

// === impl MirrorLayer ===

impl<M> MirrorLayer<M> {
    /// Sends copies through clones of `mirror`.
    pub fn new(mirror: M) -> Self {
        Self { mirror, room: Room::default() }
    }
}

impl<S, M: Clone> Layer<S> for MirrorLayer<M> {
    type Service = Mirror<S, M>;

    fn layer(&self, inner: S) -> Mirror<S, M> {
        Mirror { inner, mirror: self.mirror.clone(), room: self.room.clone() }
    }
}
