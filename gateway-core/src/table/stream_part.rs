//! The routes of one listener for what is passed on as it comes, by server name.
//!
//! Listeners of TCP and UDP have theirs all behind no hostname, so that one shape serves the three.

use std::sync::Arc;

use super::StreamRuleId;
use super::hostname_map::{FoundBy, HostnameMap};
use crate::hostname::Hostname;

/// The rules of all routes attached to one listener. A copy shares the hostnames that do not change.
#[derive(Clone, Debug, Default)]
pub(crate) struct StreamPart {
    hostnames: HostnameMap<Contenders>,
}

/// The rules behind one hostname, the oldest first: it has all there is, and the others are kept to be shown.
pub(crate) type Contenders = Arc<[StreamRuleId]>;

// === impl StreamPart ===

impl StreamPart {
    /// Puts rules behind hostnames, in the place of those that were there, or leaves them without any.
    pub(crate) fn change<'h>(
        &mut self,
        changes: impl IntoIterator<Item = (Option<&'h Hostname>, Option<Contenders>)>,
    ) {
        self.hostnames.change(changes);
    }

    /// The rules behind each hostname, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (FoundBy<'_>, &Contenders)> {
        self.hostnames.iter()
    }

    /// The rules behind each hostname that matches, most specific first. The first of the first is the one that serves.
    ///
    /// # Spec
    /// TLR-05, TCR-03, UDR-03; HST-14 as for requests.
    #[inline]
    pub(crate) fn matching<'p>(
        &'p self,
        server_name: &'p str,
    ) -> impl Iterator<Item = (FoundBy<'p>, &'p [StreamRuleId])> + 'p {
        self.hostnames.matching(server_name).map(|(found_by, rules)| (found_by, &**rules))
    }
}
