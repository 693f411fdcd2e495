//! BackendTLSPolicy, and what XBackend has in common with it.

use super::listener::options;
use super::pattern;
use super::problem::{Channel, Problems, clipped};
use super::reference;
use super::status;
use super::valid::Validate;
use crate::api::{
    BackendTlsPolicy, BackendTlsPolicyValidation,
    LocalPolicyTargetReferenceWithSectionName as TargetReference, SubjectAltName, SubjectAltNameType as Type,
    WellKnownCaCertificatesType,
};

/// # Spec
/// LIM-19, VAL-BT-01 to VAL-BT-08.
impl Validate for BackendTlsPolicy {
    fn problems(&self, problems: &mut Problems) {
        let spec = &self.spec;
        let at = &mut *problems.field("spec");
        let targets = at.list("targetRefs", &spec.target_refs, 1..=16, "LIM-19", |target, at| {
            at.group_kind(&target.group, &target.kind);
            at.object_name(&target.name);
            at.optional_text("sectionName", target.section_name.as_deref(), &pattern::PRECISE);
        });
        for (second, target) in targets.iter().enumerate().skip(1) {
            for (first, earlier) in targets[..second].iter().enumerate() {
                two_targets(first, earlier, target, &mut at.field("targetRefs").index(second));
            }
        }
        validation(&spec.validation, &mut at.field("validation"));
        options(&spec.options, "LIM-19", at);
    }

    fn status_problems(&self, at: &mut Problems) {
        status::policy(&self.status, at);
    }
}

/// Two references to one object must mean two different sections of it.
///
/// # Spec
/// VAL-BT-01, VAL-BT-02.
fn two_targets(first: usize, earlier: &TargetReference, target: &TargetReference, at: &mut Problems) {
    let section =
        |target: &TargetReference| target.section_name.clone().filter(|section| !section.is_empty());
    if (&earlier.group, &earlier.kind, &earlier.name) != (&target.group, &target.kind, &target.name) {
        return;
    }
    let name = clipped(&target.name);
    let (earlier, target) = (section(earlier), section(target));
    if earlier.is_some() != target.is_some() {
        at.report(
            "VAL-BT-01",
            format!("names {name:?} as targetRefs[{first}] does; write sectionName in both or in neither"),
        );
    } else if earlier == target {
        at.report("VAL-BT-02", format!("names the same as targetRefs[{first}]; drop one of them"));
    }
}

/// How a backend's certificate is checked.
///
/// # Spec
/// LIM-19, VAL-BT-03, VAL-BT-04.
pub(super) fn validation(validation: &BackendTlsPolicyValidation, at: &mut Problems) {
    let BackendTlsPolicyValidation {
        ca_certificate_refs,
        well_known_ca_certificates,
        hostname,
        subject_alt_names,
    } = validation;
    let refs = ca_certificate_refs.as_deref();
    at.list("caCertificateRefs", refs.unwrap_or_default(), 0..=8, "LIM-19", reference::local);
    if let Some(WellKnownCaCertificatesType::Unknown(value)) = well_known_ca_certificates {
        at.text("wellKnownCACertificates", value, &pattern::WELL_KNOWN_CA);
    }
    let well_known = well_known_ca_certificates.as_ref().is_some_and(|set| !set.as_str().is_empty());
    sources(Channel::Standard, refs.is_some_and(|refs| !refs.is_empty()), well_known, at);
    sources(Channel::Experimental, refs.is_some(), well_known_ca_certificates.is_some(), at);
    if refs.is_some_and(<[_]>::is_empty) {
        at.field("caCertificateRefs").report_in(
            Channel::Experimental,
            "LIM-19",
            "is empty; name one at least, or drop the field",
        );
    }
    at.text("hostname", hostname, &pattern::PRECISE);
    at.list("subjectAltNames", subject_alt_names, 0..=5, "LIM-19", subject_alt_name);
}

/// There must be exactly one source of certificate authorities. To the standard channel an empty one is none, to the
/// experimental channel everything that is written is one.
///
/// # Spec
/// VAL-BT-03, VAL-BT-04; BTP-11.
fn sources(channel: Channel, refs: bool, well_known: bool, at: &mut Problems) {
    match (refs, well_known) {
        (true, true) => {
            let message = "has both caCertificateRefs and wellKnownCACertificates; drop one of them";
            at.report_in(channel, "VAL-BT-03", message);
        }
        (false, false) => {
            let message = "trusts no authority; write caCertificateRefs, or wellKnownCACertificates: System";
            at.report_in(channel, "VAL-BT-04", message);
        }
        (true, false) | (false, true) => {}
    }
}

/// # Spec
/// VAL-BT-05 to VAL-BT-08, VAL-ST-04. An empty member counts as an absent one.
fn subject_alt_name(san: &SubjectAltName, at: &mut Problems) {
    let SubjectAltName { r#type, hostname, uri } = san;
    let set = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
    let wrong = |of: &Type| format!("is for type {of} only; drop it, or change the type");
    match r#type {
        Type::Hostname => {
            if !set(hostname) {
                at.field("hostname").report("VAL-BT-05", "is absent, but type Hostname needs it");
            }
            if set(uri) {
                at.field("uri").report("VAL-BT-08", wrong(&Type::Uri));
            }
        }
        Type::Uri => {
            if !set(uri) {
                at.field("uri").report("VAL-BT-07", "is absent, but type URI needs it");
            }
            if set(hostname) {
                at.field("hostname").report("VAL-BT-06", wrong(&Type::Hostname));
            }
        }
        Type::Unknown(value) => at.field("type").unknown_value(value, Type::KNOWN),
    }
    at.optional_text("hostname", hostname.as_deref(), &pattern::HOST);
    at.optional_text("uri", uri.as_deref(), &pattern::URI);
}
