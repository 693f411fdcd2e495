//! The observer of a controller's work, for metrics.
//!
//! With the feature `metrics`, [`Metrics`](crate::metrics::Metrics) listens; a program with another library for metrics does
//! so itself.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use gateway_kube::controller::ControllerOptions;
//! use gateway_kube::observe::Observe;
//!
//! #[derive(Debug)]
//! struct Slow;
//!
//! impl Observe for Slow {
//!     fn reconciled(&self, took: Duration) {
//!         if took > Duration::from_secs(1) {
//!             eprintln!("it took {took:?} to translate");
//!         }
//!     }
//! }
//!
//! let options = ControllerOptions { observer: Some(Arc::new(Slow)), ..ControllerOptions::default() };
//! # drop(options);
//! ```

use std::fmt;
use std::time::Duration;

use gateway_core::api::Kind;

/// Is told of what a controller does. What is not implemented is not counted.
///
/// The controller waits for each call, so that none may take long.
pub trait Observe: fmt::Debug + Send + Sync + 'static {
    /// Changes were translated into a table and statuses, in this time.
    fn reconciled(&self, took: Duration) {
        let _ = took;
    }

    /// A watch of this kind ended, and begins again.
    fn watch_restarted(&self, kind: Kind, cause: RestartCause) {
        let _ = (kind, cause);
    }

    /// A request to write the status of an object of this kind came to this end.
    fn status_written(&self, kind: Kind, result: WriteResult) {
        let _ = (kind, result);
    }

    /// Whether this replica writes statuses, from now on. Told at the start, too.
    fn leading(&self, is_leading: bool) {
        let _ = is_leading;
    }
}

/// Why a watch begins again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RestartCause {
    /// The API server does not remember so far back: everything is listed again.
    Expired,
    /// The kind may not be read.
    Forbidden,
    /// The connection broke, or the API server did not answer as it should.
    Failed,
}

/// What became of a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WriteResult {
    /// It is written.
    Written,
    /// It is written, but for what the installed definition has no place for.
    Cut,
    /// Another one has written the same before.
    Unchanged,
    /// The object is gone, or has changed meanwhile.
    Outdated,
    /// Others came first again and again; it is tried again.
    Contended,
    /// The API server did not take it; it is tried again.
    Failed,
}

// === impl RestartCause ===

impl RestartCause {
    /// One word for logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Forbidden => "forbidden",
            Self::Failed => "failed",
        }
    }
}

// === impl WriteResult ===

impl WriteResult {
    /// One word for logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Cut => "cut",
            Self::Unchanged => "unchanged",
            Self::Outdated => "outdated",
            Self::Contended => "contended",
            Self::Failed => "failed",
        }
    }
}
