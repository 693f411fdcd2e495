//! Gateways of other classes, and what is written in ours without effect.

use std::collections::BTreeSet;

use super::Lint;
use crate::api::{Gateway, GatewayClass, Kind, Listener, TlsModeType};
use crate::condition::Reason;
use crate::feature::Feature;
use crate::infrastructure::is_nameable;
use crate::manifest::closest;
use crate::name::ObjectName;

pub(super) fn look(lint: &mut Lint<'_>) {
    let resources = lint.resources;
    misspelt_controller(lint);
    for (name, gateway) in &resources.gateways {
        match lint.statuses.gateways.contains_key(name) {
            true => {
                misspelt_class(name, gateway, lint);
                without_effect(name, gateway, lint);
            }
            false => of_another_class(name, gateway, lint),
        }
    }
    for (name, set) in
        resources.listener_sets.iter().filter(|(name, _)| lint.statuses.listener_sets.contains_key(*name))
    {
        tls(Kind::ListenerSet, name, &set.spec.listeners, lint);
    }
}

/// Where classes of every controller are served, those whose controller name is nearly ours, if none has ours.
fn misspelt_controller(lint: &mut Lint<'_>) {
    let (classes, ours) = (&lint.resources.gateway_classes, &lint.options.controller_name);
    let is_ours = |class: &GatewayClass| class.spec.controller_name == *ours;
    if !lint.options.any_class || classes.values().any(|class| is_ours(class)) {
        return;
    }
    for (name, class) in classes {
        let theirs = &class.spec.controller_name;
        let Some(meant) = closest(theirs, [&**ours]) else { continue };
        let message = format!(
            "{theirs} is not {ours}; did you mean `{meant}`? GatewayClasses of every controller are served here, and this one is, but it \
             will not be where names count"
        );
        lint.say(Kind::GatewayClass, name, Reason::Invalid, "spec.controllerName", message);
    }
}

/// Where Gateways of every class are served, there or not, one whose name is nearly that of a class that is there.
fn misspelt_class(name: &ObjectName, gateway: &Gateway, lint: &mut Lint<'_>) {
    let (classes, class) = (&lint.resources.gateway_classes, &gateway.spec.gateway_class_name);
    if classes.contains_key(&ObjectName::cluster(class.as_str())) {
        return;
    }
    let Some(meant) = closest(class, classes.keys().map(|class| &*class.name)) else { return };
    let message = format!(
        "there is no GatewayClass {class}; did you mean `{meant}`? Gateways of every class are served here, and this one is, but it \
         will not be where classes count"
    );
    lint.say(Kind::Gateway, name, Reason::Invalid, "spec.gatewayClassName", message);
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
    let supports_infrastructure = lint.options.supports(Feature::GatewayInfrastructure);
    let mut say = |field: &str, why: &str| {
        lint.say(Kind::Gateway, name, Reason::Unsupported, field, format!("has no effect: {why}"));
    };
    let is_made = supports_infrastructure && is_nameable(name);
    if let Some(infrastructure) = gateway.spec.infrastructure.as_ref().filter(|_| !is_made) {
        let nothing = match supports_infrastructure {
            true => "nothing is made for a Gateway whose name is too long to be the value of a label",
            false => "no object is made for the Gateway that could have them",
        };
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
    clients_of_no_port(name, gateway, lint);
    tls(Kind::Gateway, name, &gateway.spec.listeners, lint);
}

/// How clients are checked at ports where none are.
///
/// # Spec
/// GWF-02
fn clients_of_no_port(name: &ObjectName, gateway: &Gateway, lint: &mut Lint<'_>) {
    let frontend = gateway.spec.tls.as_ref().and_then(|tls| tls.frontend.as_ref());
    let Some(frontend) = frontend.filter(|frontend| !frontend.per_port.is_empty()) else { return };
    let sets = lint.resources.listener_sets.iter().filter(|(set, of)| {
        let parent = &of.spec.parent_ref;
        let namespace = parent.namespace.as_deref().unwrap_or(&set.namespace);
        *parent.name == *name.name && *namespace == *name.namespace
    });
    let of_sets = sets.flat_map(|(_, set)| &set.spec.listeners);
    let listeners = gateway.spec.listeners.iter().chain(of_sets);
    let secure = listeners.filter(|listener| listener.protocol == "HTTPS");
    let ports: BTreeSet<_> = secure.map(|listener| listener.port).collect();
    for (index, _) in frontend.per_port.iter().enumerate().filter(|(_, entry)| !ports.contains(&entry.port)) {
        let known: Vec<_> = ports.iter().map(ToString::to_string).collect();
        let known = if known.is_empty() { "none at all".to_owned() } else { known.join(", ") };
        let message = format!("has no effect: no listener of protocol HTTPS has it; they have {known}");
        let field = format!("spec.tls.frontend.perPort[{index}].port");
        lint.say(Kind::Gateway, name, Reason::Unsupported, field, message);
    }
}

/// What is written about TLS that nothing here reads: options, and certificates where TLS is passed through.
///
/// # Spec
/// `certificateRefs` and `options` of `ListenerTLSConfig` in `gateway_types.go`.
fn tls(kind: Kind, name: &ObjectName, listeners: &[Listener], lint: &mut Lint<'_>) {
    for (index, listener) in listeners.iter().enumerate() {
        let Some(tls) = &listener.tls else { continue };
        let mut say = |field: &str, message: String| {
            lint.say(
                kind,
                name,
                Reason::Unsupported,
                format!("spec.listeners[{index}].tls.{field}"),
                message,
            );
        };
        if tls.mode == TlsModeType::Passthrough && !tls.certificate_refs.is_empty() {
            let message = "have no effect: TLS is passed through, and the backend shows its own certificate; remove them, or write \
                           `mode: Terminate`";
            say("certificateRefs", message.to_owned());
        }
        if !tls.options.is_empty() {
            let options: Vec<_> = tls.options.keys().map(String::as_str).collect();
            let have = if options.len() == 1 { "has" } else { "have" };
            say("options", format!("{} {have} no effect: there are no options here", options.join(", ")));
        }
    }
}
