//! The options of a controller.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use gateway_core::options::Options as TranslateOptions;

use crate::address_pool::AddressPool;
use crate::error::ANSWER_TIMEOUT;
use crate::lease::LeaseOptions;
use crate::observe::Observe;
use crate::watch::WatchOptions;

/// How a controller works.
#[derive(Clone, Debug)]
pub struct ControllerOptions {
    /// Who this controller is, and what its data plane can do. What is not known of the installed definitions is filled in.
    pub translate: TranslateOptions,
    /// What is watched.
    pub watch: WatchOptions,
    /// The GatewayClasses that are carried out, by name; without it, all of our controller name. Instances with
    /// different classes share one controller name without getting in each other's way.
    pub classes: Option<BTreeSet<String>>,
    /// Addresses for the Gateways that ask for none, each its own; without it, they are those of the translation's options.
    pub pool: Option<AddressPool>,
    /// The Lease by which one replica of several writes statuses; without one, this controller is the only one and writes.
    pub lease: Option<LeaseOptions>,
    /// Whether statuses are written at all; if not, no right to write is needed.
    pub writes: bool,
    /// Whether events tell of conditions that change for the worse.
    pub events: bool,
    /// How long changes are gathered that follow a table, until they are translated together; 10 ms by default. A change that comes
    /// later than that is translated at once.
    pub debounce: Duration,
    /// How long the status of an object waits after something about the object changed; 50 ms by default. Objects that are applied
    /// together come one after the other, and a Route whose Service follows is to be told of the Service, not of its absence.
    pub settle: Duration,
    /// How long an object whose status was written is left alone; 300 ms by default.
    pub rest: Duration,
    /// How many writes are under way at once; 8 by default, and at least one.
    pub concurrency: usize,
    /// How long the writes for an object may take, until they are given up and tried again; 30 s by default, the half of what an API
    /// server itself allows for a request. One whose connection is gone without a word would never end, and keep others from being
    /// written.
    pub answer_timeout: Duration,
    /// Who is told of the work, for [metrics](crate::metrics).
    pub observer: Option<Arc<dyn Observe>>,
}

// === impl ControllerOptions ===

impl Default for ControllerOptions {
    fn default() -> Self {
        Self {
            translate: TranslateOptions::default(),
            watch: WatchOptions::default(),
            classes: None,
            pool: None,
            lease: None,
            writes: true,
            events: true,
            debounce: Duration::from_millis(10),
            settle: Duration::from_millis(50),
            rest: Duration::from_millis(300),
            concurrency: 8,
            answer_timeout: ANSWER_TIMEOUT,
            observer: None,
        }
    }
}
