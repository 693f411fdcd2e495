//! The limits of a tunnel.

use std::time::Duration;

/// How long a tunnel may be quiet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TunnelOptions {
    /// How long it may go without a byte in either direction. `None` is no limit.
    pub idle: Option<Duration>,
    /// The same once one of its ends has closed its side: the other may have more to say, or not know what to do with that.
    pub half_close_timeout: Duration,
}

// === impl TunnelOptions ===

impl Default for TunnelOptions {
    fn default() -> Self {
        Self { idle: Some(Duration::from_secs(60 * 60)), half_close_timeout: Duration::from_secs(5) }
    }
}
