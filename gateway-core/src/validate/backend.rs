//! XBackend.

use std::collections::BTreeMap;

use super::backend_tls_policy;
use super::http_filter::member;
use super::pattern;
use super::problem::{Problems, clipped};
use super::reference;
use super::schema::PORT;
use super::session_persistence;
use super::status;
use super::valid::Validate;
use crate::api::{
    BackendProtocol as Protocol, BackendSpec, BackendTls, BackendTlsMode, BackendType as Type, XBackend,
};

/// # Spec
/// VAL-XB-01, VAL-XB-02, VAL-XB-05 to VAL-XB-11, VAL-ST-04, VAL-ST-06.
impl Validate for XBackend {
    fn problems(&self, problems: &mut Problems) {
        let BackendSpec {
            r#type,
            external_hostname,
            endpoint_selector,
            port,
            session_persistence,
            protocol,
            tls,
        } = &self.spec;
        let at = &mut *problems.field("spec");
        if let Type::Unknown(value) = r#type {
            at.field("type").unknown_value(value, Type::KNOWN);
        }
        let mut union = |name, of: Type, present, rule| {
            member(name, of.as_str(), *r#type == of, present, rule, rule, at);
        };
        union("externalHostname", Type::ExternalHostname, external_hostname.is_some(), "VAL-XB-01");
        union("endpointSelector", Type::EndpointSelector, endpoint_selector.is_some(), "VAL-XB-05");
        if let Some(external) = external_hostname {
            let at = &mut *at.field("externalHostname");
            at.text("hostname", &external.hostname, &pattern::PRECISE);
            if external.hostname.ends_with(".cluster.local") {
                at.field("hostname")
                    .report("VAL-XB-02", "is a name inside the cluster; refer to the Service instead");
            }
        }
        if let Some(selector) = endpoint_selector {
            labels(&selector.match_labels, &mut at.field("endpointSelector").field("matchLabels"));
        }
        match port.number {
            Some(_) => at.field("port").optional_number("number", port.number, PORT),
            None => at.field("port").report("VAL-XB-11", "is empty; write its number"),
        }
        if let Some(session) = session_persistence {
            if *r#type != Type::EndpointSelector {
                at.field("sessionPersistence")
                    .report("VAL-XB-09", "is for type EndpointSelector only; drop it, or change the type");
            }
            session_persistence::session_persistence(session, &mut at.field("sessionPersistence"));
        }
        if let Some(protocol) = protocol {
            self::protocol(protocol, tls, at);
        }
        self::tls(tls, &mut at.field("tls"));
    }

    fn status_problems(&self, at: &mut Problems) {
        status::backend(&self.status, at);
    }
}

/// The labels that a pod must have.
///
/// # Spec
/// VAL-XB-06
fn labels(labels: &BTreeMap<String, String>, at: &mut Problems) {
    const LENGTHS: std::ops::RangeInclusive<usize> = 1..=64;
    if !LENGTHS.contains(&labels.len()) {
        at.report("VAL-XB-06", format!("has {} labels; 1 to 64 are allowed", labels.len()));
    }
    for (key, value) in labels.iter().take(*LENGTHS.end()) {
        let prefix = key.split_once('/').map_or(0, |(prefix, _)| prefix.len());
        if prefix > 253 || !(pattern::QUALIFIED_NAME.matches)(key) {
            let wanted = pattern::QUALIFIED_NAME.wanted;
            at.report_key(key, "VAL-XB-06", format!("{:?} is not {wanted}", clipped(key)));
        }
        if !pattern::LABEL_VALUE.accepts(value) {
            at.report_key(key, pattern::LABEL_VALUE.id, pattern::LABEL_VALUE.refusal(value));
        }
    }
}

/// What is spoken, and whether that goes with TLS.
///
/// # Spec
/// VAL-XB-07, VAL-XB-08, VAL-ST-04; XBK-03.
fn protocol(protocol: &Protocol, tls: &BackendTls, at: &mut Problems) {
    let encrypted = tls.mode != BackendTlsMode::None;
    match protocol {
        Protocol::H2c if encrypted => {
            at.field("tls").report("VAL-XB-07", "is not for protocol H2C; drop it, or write protocol HTTP2");
        }
        Protocol::Http2 if !encrypted => at.field("tls").report(
            "VAL-XB-08",
            "has mode None, but protocol HTTP2 needs TLS; write another mode, or protocol H2C",
        ),
        Protocol::Wss if !encrypted => {
            at.field("tls")
                .report("VAL-XB-08", "has mode None, but protocol WSS needs TLS; write another mode");
        }
        Protocol::Unknown(value) => at.field("protocol").unknown_value(value, Protocol::KNOWN),
        Protocol::Tcp
        | Protocol::Http
        | Protocol::Http2
        | Protocol::Http11
        | Protocol::H2c
        | Protocol::Mcp
        | Protocol::Grpc
        | Protocol::Wss => {}
    }
}

/// # Spec
/// VAL-XB-04, VAL-XB-10, VAL-BT-03 to VAL-BT-08.
fn tls(tls: &BackendTls, at: &mut Problems) {
    let BackendTls { mode, validation, client_certificate_ref } = tls;
    match (mode, client_certificate_ref) {
        (BackendTlsMode::ClientAndServer, None) => {
            at.field("clientCertificateRef")
                .report("VAL-XB-04", "is absent, but mode ClientAndServer needs it");
        }
        (BackendTlsMode::None | BackendTlsMode::ServerOnly, Some(_)) => {
            at.field("clientCertificateRef")
                .report("VAL-XB-04", "is for mode ClientAndServer only; drop it, or change the mode");
        }
        (BackendTlsMode::ClientAndServer, Some(_))
        | (BackendTlsMode::None | BackendTlsMode::ServerOnly, None) => {}
        (BackendTlsMode::Unknown(value), Some(_) | None) => {
            at.field("mode").unknown_value(value, BackendTlsMode::KNOWN);
        }
    }
    match (mode, validation) {
        (BackendTlsMode::None, Some(_)) => {
            at.field("validation").report("VAL-XB-10", "is not for mode None; drop it, or change the mode");
        }
        (BackendTlsMode::ServerOnly | BackendTlsMode::ClientAndServer, None) => {
            at.field("validation").report("VAL-XB-10", format!("is absent, but mode {mode} needs it"));
        }
        (BackendTlsMode::None, None)
        | (BackendTlsMode::ServerOnly | BackendTlsMode::ClientAndServer, Some(_))
        // An unknown mode has been reported.
        | (BackendTlsMode::Unknown(_), Some(_) | None) => {}
    }
    if let Some(validation) = validation {
        backend_tls_policy::validation(validation, &mut at.field("validation"));
    }
    if let Some(reference) = client_certificate_ref {
        reference::secret(reference, &mut at.field("clientCertificateRef"));
    }
}
