//! Gateway.

use std::collections::BTreeMap;

use super::listener;
use super::parent_ref::default_scope;
use super::pattern::{self, Pattern};
use super::problem::{Problems, clipped};
use super::reference;
use super::schema::PORT;
use super::status;
use super::valid::Validate;
use crate::api::{
    AddressType, FromNamespaces, FrontendTlsConfig, FrontendValidationModeType, Gateway,
    GatewayInfrastructure, GatewaySpecAddress, GatewayStatus, GatewayStatusAddress, GatewayTlsConfig,
    Listener, TlsConfig,
};

/// # Spec
/// VAL-GW-01 to VAL-GW-18, LIM-01, LIM-03 to LIM-07.
impl Validate for Gateway {
    fn problems(&self, problems: &mut Problems) {
        let spec = &self.spec;
        let at = &mut *problems.field("spec");
        if spec.gateway_class_name.is_empty() {
            at.field("gatewayClassName").report("VAL-ST-03", "is empty; write the name of a GatewayClass");
        } else {
            at.length("gatewayClassName", &spec.gateway_class_name, 1..=253, "VAL-ST-08");
        }
        listener::listeners(&spec.listeners, at);
        at.each("listeners", &spec.listeners[..spec.listeners.len().min(64)], filters_of_protocol);
        addresses(&spec.addresses, at);
        if let Some(infrastructure) = &spec.infrastructure {
            self::infrastructure(infrastructure, &mut at.field("infrastructure"));
        }
        if let Some(allowed) = &spec.allowed_listeners
            && let FromNamespaces::Unknown(value) = &allowed.namespaces.from
        {
            at.field("allowedListeners")
                .field("namespaces")
                .field("from")
                .unknown_value(value, FromNamespaces::KNOWN);
        }
        if let Some(tls) = &spec.tls {
            self::tls(tls, &mut at.field("tls"));
        }
        default_scope("defaultScope", spec.default_scope.as_ref(), at);
    }

    fn status_problems(&self, at: &mut Problems) {
        written_status(&self.status, at);
    }
}

/// Filters need requests, and so a protocol that has them. A ListenerSet is not asked for it (PRF-09).
///
/// # Spec
/// VAL-GW-17
fn filters_of_protocol(listener: &Listener, at: &mut Problems) {
    if listener.filters.is_some() && !matches!(listener.protocol.as_str(), "HTTP" | "HTTPS") {
        let message =
            format!("are not for protocol {}; drop them, or write HTTP or HTTPS", listener.protocol);
        at.field("filters").report("VAL-GW-17", message);
    }
}

/// # Spec
/// LIM-05, VAL-GW-08, VAL-GW-09, VAL-GW-18.
fn addresses(addresses: &[GatewaySpecAddress], at: &mut Problems) {
    let addresses = at.list("addresses", addresses, 0..=16, "LIM-05", |address, at| {
        address_type(&address.r#type, at);
        at.optional_text("routability", address.routability.as_deref(), &pattern::ROUTABILITY);
        if let Some(value) = &address.value {
            at.length("value", value, 0..=253, "LIM-05");
            if address.r#type == AddressType::Hostname && !pattern::HOST.accepts(value) {
                at.field("value").report("VAL-GW-10", pattern::HOST.refusal(value));
            }
        }
    });
    for (second, address) in addresses.iter().enumerate().skip(1) {
        let rule = match &address.r#type {
            AddressType::IpAddress => "VAL-GW-08",
            AddressType::Hostname => "VAL-GW-09",
            // A name of an implementation may mean more than one address.
            AddressType::NamedAddress | AddressType::Unknown(_) => continue,
        };
        if let Some(value) = &address.value
            && let Some(first) = addresses[..second].iter().position(|earlier| same_address(earlier, address))
        {
            at.field("addresses").index(second).field("value").report(
                rule,
                format!("{:?} is asked for by addresses[{first}] already; drop one of them", clipped(value)),
            );
        }
    }
}

/// What both want is compared, not from where it must be reachable.
fn same_address(a: &GatewaySpecAddress, b: &GatewaySpecAddress) -> bool {
    a.r#type == b.r#type && a.value == b.value
}

/// The type of an address, in a spec or in a status.
fn address_type(r#type: &AddressType, at: &mut Problems) {
    match r#type {
        AddressType::IpAddress | AddressType::Hostname | AddressType::NamedAddress => {}
        AddressType::Unknown(value) => at.text("type", value, &pattern::ADDRESS_TYPE),
    }
}

/// # Spec
/// LIM-06, VAL-GW-12 to VAL-GW-15.
fn infrastructure(infrastructure: &GatewayInfrastructure, at: &mut Problems) {
    let GatewayInfrastructure { labels, annotations, parameters_ref } = infrastructure;
    keys("labels", labels, 8, ["VAL-GW-12", "VAL-GW-13"], at);
    for (key, value) in labels.iter().take(8) {
        if !pattern::LABEL_VALUE.accepts(value) {
            at.field("labels").report_key(key, pattern::LABEL_VALUE.id, pattern::LABEL_VALUE.refusal(value));
        }
    }
    keys("annotations", annotations, 16, ["VAL-GW-14", "VAL-GW-15"], at);
    for (key, value) in annotations.iter().take(16) {
        at.field("annotations").map_value(key, value, 4096, "LIM-06");
    }
    if let Some(reference) = parameters_ref {
        reference::local(reference, &mut at.field("parametersRef"));
    }
}

/// The keys of labels or annotations.
fn keys(
    name: &'static str,
    entries: &BTreeMap<String, String>,
    limit: usize,
    [form, length]: [&'static str; 2],
    at: &mut Problems,
) {
    const QUALIFIED: &Pattern = &pattern::QUALIFIED_NAME;
    let at = &mut *at.field(name);
    if entries.len() > limit {
        at.report("LIM-06", format!("has {} entries; at most {limit} are allowed", entries.len()));
    }
    for key in entries.keys().take(limit) {
        if !(QUALIFIED.matches)(key) {
            at.report_key(key, form, format!("{:?} is not {}", clipped(key), QUALIFIED.wanted));
        }
        let prefix = key.split('/').next().unwrap_or_default();
        if prefix.chars().count() >= 253 {
            at.report_key(key, length, "has 253 or more characters before the /; shorten that part");
        }
    }
}

/// # Spec
/// LIM-07, VAL-GW-16; VAL-ST-01 says of the ports what VAL-GW-16 says.
fn tls(tls: &GatewayTlsConfig, at: &mut Problems) {
    if let Some(reference) = tls.backend.as_ref().and_then(|backend| backend.client_certificate_ref.as_ref())
    {
        reference::secret(reference, &mut at.field("backend").field("clientCertificateRef"));
    }
    if let Some(FrontendTlsConfig { default, per_port }) = &tls.frontend {
        let at = &mut *at.field("frontend");
        client_validation(default, &mut at.field("default"));
        let per_port = at.list("perPort", per_port, 0..=64, "LIM-07", |port, at| {
            at.number("port", port.port, PORT);
            client_validation(&port.tls, &mut at.field("tls"));
        });
        at.unique("perPort", per_port, Some("port"), "VAL-GW-16", |port| port.port);
    }
}

/// That a ClusterTrustBundle is in no namespace is asked by the experimental channel alone, so that it refuses no object.
///
/// # Spec
/// VAL-GW-19
fn client_validation(tls: &TlsConfig, at: &mut Problems) {
    if let Some(validation) = &tls.validation {
        let at = &mut *at.field("validation");
        at.list("caCertificateRefs", &validation.ca_certificate_refs, 1..=16, "LIM-07", reference::object);
        if let FrontendValidationModeType::Unknown(value) = &validation.mode {
            at.field("mode").unknown_value(value, FrontendValidationModeType::KNOWN);
        }
    }
}

/// The status of a Gateway.
fn written_status(status: &GatewayStatus, at: &mut Problems) {
    at.list("addresses", &status.addresses, 0..=16, "LIM-05", |address, at| {
        let GatewayStatusAddress { r#type, value, routability } = address;
        address_type(r#type, at);
        at.length("value", value, 1..=253, "LIM-05");
        at.optional_text("routability", routability.as_deref(), &pattern::ROUTABILITY);
        if *r#type == AddressType::Hostname && !pattern::HOST.accepts(value) {
            at.field("value").report("VAL-GW-11", pattern::HOST.refusal(value));
        }
    });
    status::conditions(&status.conditions, 0, at);
    status::listeners(&status.listeners, at);
}
