//! The stand-in for TLS where it is left out: types without values, so that the rest of the server need not ask.

use std::sync::Arc;

use gateway_core::table::RouteTable;

use crate::serve::certificate_problem::CertificateProblem;

/// Terminates TLS: there is none.
#[derive(Clone, Debug)]
pub(in crate::serve) enum Tls {}

/// Keeps [`Tls`] up with the table: there is none.
#[derive(Debug)]
pub(in crate::serve) enum TlsUpdater {}

// === impl TlsUpdater ===

impl TlsUpdater {
    pub(in crate::serve) fn tls(&self) -> Tls {
        match *self {}
    }

    pub(in crate::serve) fn must_read(&self, _: &RouteTable) -> bool {
        match *self {}
    }

    pub(in crate::serve) fn update(&self, _: Arc<RouteTable>) -> Vec<CertificateProblem> {
        match *self {}
    }
}
