//! Requests received by the backends of a case, counted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use gateway_core::name::ObjectName;

use crate::exchange::Pod;

/// How many requests with a path and query each Deployment has received. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Received(Arc<Mutex<BTreeMap<(ObjectName, String), usize>>>);

// === impl Received ===

impl Received {
    /// Counts a request that a pod received.
    pub fn count(&self, pod: &Pod, path: &str) {
        let deployment = ObjectName::new(pod.namespace.as_str(), pod.deployment());
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((deployment, path.to_owned())).or_default() += 1;
    }

    /// How many requests with this path and query the pods of a Deployment have received.
    pub fn requests(&self, deployment: &ObjectName, path: &str) -> usize {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(&(deployment.clone(), path.to_owned())).copied().unwrap_or_default()
    }
}
