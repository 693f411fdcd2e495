//! The layer that makes [`Mirror`].

use std::sync::Arc;

use tower_layer::Layer;

use super::Mirror;
use super::room::Room;
use crate::observe::ObserveMirrors;

/// Sends copies of requests through another service, in most cases one that does not retry.
///
/// The page of [`mirror`](crate::mirror) has an example.
#[derive(Clone, Debug)]
pub struct MirrorLayer<M> {
    mirror: M,
    room: Room,
    observer: Option<Arc<dyn ObserveMirrors>>,
}

// === impl MirrorLayer ===

impl<M> MirrorLayer<M> {
    /// Sends copies through clones of `mirror`.
    pub fn new(mirror: M) -> Self {
        Self { mirror, room: Room::default(), observer: None }
    }

    /// Tells `observer` what becomes of each copy.
    pub fn observed(self, observer: Arc<dyn ObserveMirrors>) -> Self {
        Self { observer: Some(observer), ..self }
    }
}

impl<S, M: Clone> Layer<S> for MirrorLayer<M> {
    type Service = Mirror<S, M>;

    fn layer(&self, inner: S) -> Mirror<S, M> {
        let (mirror, room, observer) = (self.mirror.clone(), self.room.clone(), self.observer.clone());
        Mirror { inner, mirror, room, observer }
    }
}
