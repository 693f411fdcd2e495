//! XBackends that something is sent to, and that select no Pod.

use super::Lint;
use crate::api::Kind;
use crate::condition::Reason;

pub(super) fn look(lint: &mut Lint<'_>) {
    let (resources, statuses) = (lint.resources, lint.statuses);
    for name in statuses.backends.keys() {
        let Some(backend) = resources.backends.get(name) else { continue };
        let Some(selector) = &backend.spec.endpoint_selector else { continue };
        let mut pods = resources.pods.iter().filter(|(pod, _)| pod.namespace == name.namespace);
        let is_endpoint = pods.any(|(_, pod)| {
            let labels = &pod.metadata.labels;
            pod.is_ready()
                && selector.match_labels.iter().all(|(label, value)| labels.get(label) == Some(value))
        });
        if !is_endpoint {
            let message = "no Pod of the namespace with these labels is ready, so that its requests are answered with 503; write \
                           one with its status, as a cluster has it";
            let field = "spec.endpointSelector.matchLabels";
            lint.say(Kind::XBackend, name, Reason::BackendNotFound, field, message);
        }
    }
}
