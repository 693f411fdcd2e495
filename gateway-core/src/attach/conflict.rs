//! Conflicts that keep a listener from standing beside another.

use crate::condition::Reason;

/// Why a listener cannot stand beside another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// Same port and protocol, and the same hostname, or hostnames that the protocols cannot share.
    Hostname,
    /// Same port, and protocols that do not go together.
    Protocol,
    /// Same port, and one of the two only terminates TLS.
    TlsMode,
}

// === impl Conflict ===

impl Conflict {
    pub(crate) fn reason(self) -> Reason {
        match self {
            Self::Hostname => Reason::HostnameConflict,
            Self::Protocol | Self::TlsMode => Reason::ProtocolConflict,
        }
    }
}
