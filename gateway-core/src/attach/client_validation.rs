//! The validation of client certificates that a Gateway asks for, port by port.
//!
//! A listener whose clients ought to be checked is never served without the check: what cannot be done leaves the
//! listener out.
//!
//! # Spec
//! `FrontendTLSConfig`, [GWF-01](crate::spec#GWF-01) to [GWF-12](crate::spec#GWF-12).

use std::collections::HashMap;

use crate::api::{
    FrontendTlsConfig, FrontendTlsValidation, FrontendValidationModeType, ObjectReference, TlsConfig,
};
use crate::condition::Reason;
use crate::feature::Feature;
use crate::finding::Finding;
use crate::options::Options;
use crate::resolve::{Certificates, RefError, Referrer, Target};
use crate::table::{self, ClientValidationMode};

/// What is asked of the clients of each port.
#[derive(Debug, Default)]
pub(super) struct ClientValidations {
    default: Option<ClientValidation>,
    /// An entry without content is for a port that asks for nothing, other than the rest.
    per_port: HashMap<i32, Option<ClientValidation>>,
}

/// A check of client certificates, judged.
#[derive(Debug)]
pub(super) struct ClientValidation {
    /// Why no listener can be served with it.
    pub(super) refusal: Option<Finding>,
    /// References that lead nowhere.
    pub(super) unresolved: Vec<Finding>,
    /// The check, as far as there is one that can be made.
    pub(super) served: Option<table::ClientValidation>,
    /// Whether clients that fail it are let in.
    insecure: bool,
}

// === impl ClientValidations ===

impl ClientValidations {
    pub(super) fn new(
        frontend: Option<&FrontendTlsConfig>,
        gateway: Referrer<'_>,
        certificates: &mut Certificates<'_>,
        options: &Options,
    ) -> Self {
        let Some(FrontendTlsConfig { default, per_port }) = frontend else { return Self::default() };
        let mut judge = |tls: &TlsConfig, field: &str| {
            let validation = tls.validation.as_ref()?;
            Some(ClientValidation::new(validation, field, gateway, certificates, options))
        };
        let default = judge(default, "spec.tls.frontend.default.validation");
        let per_port = per_port.iter().enumerate().map(|(index, entry)| {
            let field = format!("spec.tls.frontend.perPort[{index}].tls.validation");
            (entry.port, judge(&entry.tls, &field))
        });
        Self { default, per_port: per_port.collect() }
    }

    /// What is asked of the clients of HTTPS listeners on this port.
    ///
    /// # Spec
    /// GWF-02: an entry for the port replaces the default, also by asking for nothing.
    pub(super) fn of_port(&self, port: u16) -> Option<&ClientValidation> {
        match self.per_port.get(&i32::from(port)) {
            Some(of_port) => of_port.as_ref(),
            None => self.default.as_ref(),
        }
    }

    /// Whether clients that fail the check are let in on some port.
    pub(super) fn is_insecure(&self) -> bool {
        self.default.iter().chain(self.per_port.values().flatten()).any(|validation| validation.insecure)
    }
}

// === impl ClientValidation ===

impl ClientValidation {
    fn new(
        validation: &FrontendTlsValidation,
        field: &str,
        gateway: Referrer<'_>,
        certificates: &mut Certificates<'_>,
        options: &Options,
    ) -> Self {
        let FrontendTlsValidation { ca_certificate_refs, mode } = validation;
        let (mut unresolved, mut authorities) = (Vec::new(), Vec::new());
        for (index, reference) in ca_certificate_refs.iter().enumerate() {
            let ObjectReference { group, kind, name, namespace } = reference;
            let namespace = namespace.as_deref().unwrap_or(gateway.namespace);
            let target = Target { group, kind, namespace, name };
            let error = match certificates.authority(gateway, target) {
                Ok(authority) => {
                    authorities.extend_from_slice(&authority);
                    continue;
                }
                Err(error) => error,
            };
            let reason = match error {
                RefError::NotPermitted { .. } => Reason::RefNotPermitted,
                RefError::Kind { .. } => Reason::InvalidCaCertificateKind,
                RefError::Object { .. } => Reason::InvalidCaCertificateRef,
            };
            unresolved.push(error.into_finding(format!("{field}.caCertificateRefs[{index}]"), reason));
        }
        let insecure = *mode == FrontendValidationModeType::AllowInsecureFallback;
        let refusal = if authorities.is_empty() {
            let message = format!(
                "clients cannot be checked: none of {field}.caCertificateRefs leads to a certificate authority"
            );
            Some(Finding::new(field, Reason::NoValidCaCertificate, message))
        } else if let FrontendValidationModeType::Unknown(mode) = mode {
            let message = format!("{field}.mode {mode:?} is not supported; write AllowValidOnly");
            Some(Finding::new(field, Reason::UnsupportedValue, message))
        } else if !options.supports(Feature::GatewayFrontendClientCertificateValidation) {
            let message = format!(
                "{field} asks for client certificates, which this Gateway cannot check; it is not served without \
                 the check: remove the field, or use a GatewayClass with feature {}",
                Feature::GatewayFrontendClientCertificateValidation
            );
            Some(Finding::new(field, Reason::UnsupportedValue, message))
        } else if insecure
            && !options.supports(Feature::GatewayFrontendClientCertificateValidationInsecureFallback)
        {
            let message =
                format!("{field}.mode AllowInsecureFallback is not supported; write AllowValidOnly");
            Some(Finding::new(field, Reason::UnsupportedValue, message))
        } else {
            None
        };
        let served = refusal.is_none().then(|| table::ClientValidation {
            authorities: authorities.into(),
            mode: match insecure {
                true => ClientValidationMode::AllowInsecureFallback,
                false => ClientValidationMode::AllowValidOnly,
            },
        });
        Self { refusal, unresolved, served, insecure }
    }
}
