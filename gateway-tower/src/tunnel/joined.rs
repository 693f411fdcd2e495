//! The sign that an upgraded connection goes on somewhere.

/// Says that the two ends of a 101 are joined; in the extensions of the answer.
///
/// [`Tunnel`](super::TunnelLayer) and our own client put it there. A client that joins them by itself has to, too: without it the
/// gateway takes the answer for one that leads nowhere, and the client gets 502.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Joined;
