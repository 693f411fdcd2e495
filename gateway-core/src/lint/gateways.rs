//! Gateways of other classes, and what is written in ours without effect.

use super::Lint;
use crate::api::{Gateway, Kind, Listener};
use crate::condition::Reason;
use crate::feature::Feature;
use crate::name::ObjectName;

pub(super) fn look(lint: &mut Lint<'_>) {
    let resources = lint.resources;
    for (name, gateway) in &resources.gateways {
        match lint.statuses.gateways.contains_key(name) {
            true => without_effect(name, gateway, lint),
            false => of_another_class(name, gateway, lint),
        }
    }
    for (name, set) in
        resources.listener_sets.iter().filter(|(name, _)| lint.statuses.listener_sets.contains_key(*name))
    {
        options(Kind::ListenerSet, name, &set.spec.listeners, lint);
    }
}

/// A class that is not there at all is told by the translation.
fn of_another_class(name: &ObjectName, gateway: &Gateway, lint: &mut Lint<'_>) {
    let class = &gateway.spec.gateway_class_name;
    let Some(found) = lint.resources.gateway_classes.get(&ObjectName::cluster(class.as_str())) else {
        return;
    };
    let (theirs, ours) = (&found.spec.controller_name, &lint.options.controller_name);
    if theirs != ours {
        let message = format!(
            "the Gateway is not served: GatewayClass {class} is of controller {theirs}, and this is {ours}"
        );
        lint.say(Kind::Gateway, name, Reason::Unsupported, "spec.gatewayClassName", message);
    }
}

fn without_effect(name: &ObjectName, gateway: &Gateway, lint: &mut Lint<'_>) {
    let mut say = |field: &str, why: &str| {
        lint.say(Kind::Gateway, name, Reason::Unsupported, field, format!("has no effect: {why}"));
    };
    if let Some(infrastructure) = &gateway.spec.infrastructure {
        let nothing = "no object is made for the Gateway that could have them";
        if !infrastructure.labels.is_empty() {
            say("spec.infrastructure.labels", nothing);
        }
        if !infrastructure.annotations.is_empty() {
            say("spec.infrastructure.annotations", nothing);
        }
    }
    if gateway.spec.default_scope.is_some() {
        say("spec.defaultScope", "default Gateways are not supported; name the Gateway in the routes");
    }
    let backend = gateway.spec.tls.as_ref().and_then(|tls| tls.backend.as_ref());
    if backend.is_some() && !lint.options.supports(Feature::GatewayBackendClientCertificate) {
        lint.say(
            Kind::Gateway,
            name,
            Reason::Unsupported,
            "spec.tls.backend",
            "has no effect: TLS to backends is not supported",
        );
    }
    options(Kind::Gateway, name, &gateway.spec.listeners, lint);
}

/// Options of TLS are the implementation's own, and there are none here.
fn options(kind: Kind, name: &ObjectName, listeners: &[Listener], lint: &mut Lint<'_>) {
    for (index, listener) in listeners.iter().enumerate() {
        let Some(tls) = listener.tls.as_ref().filter(|tls| !tls.options.is_empty()) else { continue };
        let options: Vec<_> = tls.options.keys().map(String::as_str).collect();
        let message = format!("{} has no effect: there are no options here", options.join(", "));
        lint.say(kind, name, Reason::Unsupported, format!("spec.listeners[{index}].tls.options"), message);
    }
}
