//! Guards that are held until the body of an answer has ended.

use std::fmt;
use std::sync::Arc;

/// An observer that wants to know when an answer is over: sent to its end, broken off, or never made.
pub trait Release: Send + Sync {
    /// It is over. Called once for each [`Guard`].
    fn release(&self);
}

/// Held for as long as a request is under way; dropping it [releases](Release).
///
/// It costs no allocation: what is shared between requests is there already.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use gateway_tower::balance::{Guard, Release};
///
/// #[derive(Default)]
/// struct UnderWay(AtomicU32);
///
/// impl Release for UnderWay {
///     fn release(&self) {
///         self.0.fetch_sub(1, Ordering::Relaxed);
///     }
/// }
///
/// let requests = Arc::new(UnderWay::default());
/// requests.0.fetch_add(1, Ordering::Relaxed);
/// let guard = Guard::new(Arc::clone(&requests));
/// drop(guard);
/// assert_eq!(requests.0.load(Ordering::Relaxed), 0);
/// ```
#[derive(Default)]
pub struct Guard(Option<Arc<dyn Release>>);

// === impl Guard ===

impl Guard {
    /// Releases `held` when it is dropped.
    pub fn new(held: Arc<impl Release + 'static>) -> Self {
        Self(Some(held))
    }

    /// Releases nothing.
    pub const fn none() -> Self {
        Self(None)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(held) = self.0.take() {
            held.release();
        }
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Guard").field(&self.0.is_some()).finish()
    }
}
