//! XBackend.

use super::backend_tls_policy;
use super::pattern;
use super::problem::Problems;
use super::reference;
use super::schema::PORT;
use super::status;
use super::valid::Validate;
use crate::api::{BackendProtocol, BackendTls, BackendTlsMode, BackendType, XBackend};

/// # Spec
/// VAL-XB-01 to VAL-XB-03, VAL-ST-04, VAL-ST-06.
impl Validate for XBackend {
    fn problems(&self, problems: &mut Problems) {
        let spec = &self.spec;
        let at = &mut *problems.field("spec");
        match (&spec.r#type, &spec.external_hostname) {
            (BackendType::ExternalHostname, Some(_)) => {}
            (BackendType::ExternalHostname, None) => {
                at.field("externalHostname")
                    .report("VAL-XB-01", "is absent, but type ExternalHostname needs it");
            }
            (BackendType::Unknown(value), external_hostname) => {
                at.field("type").unknown_value(value, BackendType::KNOWN);
                if external_hostname.is_some() {
                    at.field("externalHostname").report(
                        "VAL-XB-01",
                        "is for type ExternalHostname only; drop it, or change the type",
                    );
                }
            }
        }
        if let Some(external) = &spec.external_hostname {
            let at = &mut *at.field("externalHostname");
            at.text("hostname", &external.hostname, &pattern::PRECISE);
            if external.hostname.ends_with(".cluster.local") {
                at.field("hostname")
                    .report("VAL-XB-02", "is a name inside the cluster; refer to the Service instead");
            }
        }
        {
            let at = &mut *at.field("port");
            // An empty name counts as none.
            if let Some(name) = spec.port.name.as_deref()
                && !name.is_empty()
                && !pattern::NAMESPACE.accepts(name)
            {
                at.field("name").report("VAL-XB-03", pattern::NAMESPACE.refusal(name));
            }
            at.number("port", spec.port.port, PORT);
        }
        if let Some(BackendProtocol::Unknown(value)) = &spec.protocol {
            at.field("protocol").unknown_value(value, BackendProtocol::KNOWN);
        }
        if let Some(tls) = &spec.tls {
            self::tls(tls, &mut at.field("tls"));
        }
    }

    fn status_problems(&self, at: &mut Problems) {
        status::backend(&self.status, at);
    }
}

/// # Spec
/// VAL-XB-04, VAL-BT-03 to VAL-BT-08.
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
    if let Some(validation) = validation {
        backend_tls_policy::validation(validation, &mut at.field("validation"));
    }
    if let Some(reference) = client_certificate_ref {
        reference::secret(reference, &mut at.field("clientCertificateRef"));
    }
}
