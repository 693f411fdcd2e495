//! The validation of a listener's clients.

use std::sync::Arc;

use rustls_pki_types::CertificateDer;

/// How the certificates of clients are checked.
///
/// # Spec
/// `FrontendTLSValidation`, [GWF-03](crate::spec#GWF-03), [GWF-09](crate::spec#GWF-09).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientValidation {
    /// The certificates of the authorities that are trusted; at least one.
    pub authorities: Arc<[CertificateDer<'static>]>,
    /// What becomes of clients that fail the check.
    pub mode: ClientValidationMode,
}

/// What becomes of clients that have no certificate, or one that no authority signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientValidationMode {
    /// Their handshake fails.
    AllowValidOnly,
    /// They are served like all others.
    AllowInsecureFallback,
}
