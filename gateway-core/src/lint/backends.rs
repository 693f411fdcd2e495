//! XBackends that something is sent to, and that select no Pod, or Pods without an address.

use std::collections::BTreeSet;

use super::Lint;
use crate::api::Kind;
use crate::condition::Reason;
use crate::resolve::selects;

pub(super) fn look(lint: &mut Lint<'_>) {
    let (resources, statuses) = (lint.resources, lint.statuses);
    let mut without_address = BTreeSet::new();
    for name in statuses.backends.keys() {
        let Some(backend) = resources.backends.get(name) else { continue };
        let Some(selector) = &backend.spec.endpoint_selector else { continue };
        let pods = resources.pods.iter().filter(|(pod, _)| pod.namespace == name.namespace);
        let ready = pods.filter(|(_, pod)| pod.is_ready() && selects(&selector.match_labels, pod));
        let ready: Vec<_> = ready.collect();
        without_address
            .extend(ready.iter().filter(|(_, pod)| pod.address().is_none()).map(|(name, _)| *name));
        if ready.is_empty() {
            let message = "no Pod of the namespace with these labels is ready, so that its requests are answered with 503; write \
                           one with its status, as a cluster has it";
            let field = "spec.endpointSelector.matchLabels";
            lint.say(Kind::XBackend, name, Reason::BackendNotFound, field, message);
        }
    }
    // XBK-07
    for pod in without_address {
        let message =
            "there is no IP address, so that the Pod gets no requests although it is ready; write its podIP";
        lint.say(Kind::Pod, pod, Reason::UnsupportedAddress, "status.podIP", message);
    }
}
