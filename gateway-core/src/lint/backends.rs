//! XBackends that something is sent to, and that select no Pod, or Pods without an address, or whose name leads nowhere that it may.

use std::collections::BTreeSet;

use super::Lint;
use crate::api::Kind;
use crate::condition::Reason;
use crate::name::ObjectName;
use crate::resolve::selects;

pub(super) fn look(lint: &mut Lint<'_>) {
    let (resources, statuses) = (lint.resources, lint.statuses);
    let mut without_address = BTreeSet::new();
    for name in statuses.backends.keys() {
        let Some(backend) = resources.backends.get(name) else { continue };
        if let Some(external) = &backend.spec.external_hostname {
            of_machine(name, &external.hostname, lint);
        }
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

/// # Spec
/// XBK-05
fn of_machine(name: &ObjectName, hostname: &str, lint: &mut Lint<'_>) {
    let options = lint.options;
    if options.external_hostnames && !options.local_hostnames && is_of_machine(hostname) {
        let message = format!(
            "{hostname} leads to the machine of the gateway, where names may not lead, so that its requests are answered with 503; write \
             a name that leads elsewhere, or let names lead anywhere (`--external-hostnames any`)"
        );
        lint.say(Kind::XBackend, name, Reason::UnsupportedAddress, "spec.externalHostname.hostname", message);
    }
}

/// Whether a name leads to the machine that looks it up, or to where a cloud tells that about itself, wherever that is.
fn is_of_machine(hostname: &str) -> bool {
    let is_below = |suffix: &str| hostname == suffix || hostname.ends_with(&format!(".{suffix}"));
    // RFC 6761, and what systems have for it of their own.
    is_below("localhost")
        || is_below("localhost.localdomain")
        || matches!(hostname, "ip6-localhost" | "ip6-loopback" | "metadata.google.internal")
}
