//! BackendTLSPolicies: which holds for a port of a Service or ServiceImport, how TLS is spoken there, and what is wrong with each.
//!
//! A policy that cannot be carried out holds all the same: what is sent to its target fails rather than go in plain text, or
//! as a younger policy would have it.
//!
//! # Spec
//! [BTP-01](crate::spec#BTP-01) to [BTP-22](crate::spec#BTP-22).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::certificate_ref::{Certificates, RefError};
use super::policy::{JudgedPolicy, OwnField, WrittenPolicy};
use super::reference_grant::{Referrer, Target};
use super::service::{AllServices, BackendName, FoundPort};
use crate::api::{
    AnyObject, BackendTlsPolicy, BackendTlsPolicyValidation, GATEWAY_GROUP, Kind,
    LocalPolicyTargetReferenceWithSectionName as TargetReference, SubjectAltName, SubjectAltNameType,
    TransportProtocol, WellKnownCaCertificatesType,
};
use crate::condition::Reason;
use crate::feature::Feature;
use crate::finding::Finding;
use crate::name::ObjectName;
use crate::options::Options;
use crate::rule::{Authorities, BackendTls, Identity};
use crate::validate::Validated;

/// All BackendTLSPolicies, judged.
#[derive(Debug, Default)]
pub(crate) struct BackendTlsPolicies {
    /// For each Service and ServiceImport the policies that hold: each for the ports of a name, or for those that no other is for.
    sections: HashMap<BackendName, Vec<Section>>,
    /// All of them, while the data plane can speak TLS with backends.
    judged: BTreeMap<ObjectName, JudgedPolicy>,
}

/// What holds for a Service, or for one of its ports.
#[derive(Debug, PartialEq, Eq)]
struct Section {
    port: Option<Box<str>>,
    policy: ObjectName,
    /// Nothing when the policy cannot be carried out.
    tls: Option<Arc<BackendTls>>,
}

// === impl BackendTlsPolicies ===

impl BackendTlsPolicies {
    /// Judges every policy, the oldest first: it has the targets that several name.
    ///
    /// # Spec
    /// BTP-06
    pub(crate) fn new(valid: &Validated, certificates: &mut Certificates<'_>, options: &Options) -> Self {
        let policies = WrittenPolicy::oldest_first(valid, &valid.backend_tls_policies, |object| {
            let AnyObject::BackendTlsPolicy(policy) = object else { return None };
            Some(&**policy)
        });
        let (mut all, services) = (Self::default(), AllServices::new(valid));
        for written in policies {
            let (name, policy) = (written.name, written.object);
            let mut judged = written.judged();
            let tls = match written.is_whole() {
                true => judged.tls(name, policy, certificates, options),
                // Left out, and holding all the same.
                false => None,
            };
            for (index, target) in policy.spec.target_refs.iter().enumerate() {
                let service = targeted_service(name, target);
                let claimed = all.claim(name, target, service.as_ref(), services, tls.as_ref(), &mut judged);
                if let Err(finding) = claimed {
                    judged.refusals.push(finding.under(format_args!("spec.targetRefs[{index}]")));
                }
                judged.services.extend(service);
            }
            if options.supports(Feature::BackendTlsPolicy) {
                all.judged.insert(name.clone(), judged);
            }
        }
        all
    }

    /// Gives the policy its target, if it is one that no other has.
    fn claim(
        &mut self,
        policy: &ObjectName,
        target: &TargetReference,
        service: Option<&BackendName>,
        services: AllServices<'_>,
        tls: Option<&Arc<BackendTls>>,
        judged: &mut JudgedPolicy,
    ) -> Result<(), Finding> {
        let problem = |field, reason, message| Err(Finding::new(field, reason, message));
        let Some(service) = service else {
            let TargetReference { group, kind, name, .. } = target;
            let target = ObjectName::new(&*policy.namespace, &**name);
            return Err(OwnField::TLS.no_target(group, kind, &target));
        };
        let port = target.section_name.as_deref().filter(|name| !name.is_empty());
        let sections = self.sections.entry(service.clone()).or_default();
        if let Some(holder) = sections.iter().find(|section| section.port.as_deref() == port) {
            let holder = &holder.policy;
            let message =
                format!("BackendTLSPolicy {holder} has the target already, and came first; remove one");
            return problem("", Reason::Conflicted, message);
        }
        sections.push(Section { port: port.map(Box::from), policy: policy.clone(), tls: tls.cloned() });

        let Some(found) = services.find(service) else {
            let message = format!("there is no {service}; write one, or name another");
            let finding = Finding::new("name", Reason::TargetNotFound, message);
            return Err(finding.because_of(service.kind.as_str(), service.object.clone()));
        };
        let is_tcp = |port: FoundPort<'_>| *port.protocol == TransportProtocol::Tcp;
        match port {
            Some(name) => match found.ports().find(|port| port.name == name) {
                None => {
                    let names = found.ports().map(|port| port.name).filter(|name| !name.is_empty());
                    let names = names.collect::<Vec<_>>().join(", ");
                    let names = if names.is_empty() { "none with a name" } else { &names };
                    let message = format!("{service} has no port named {name:?}; it has {names}");
                    problem("sectionName", Reason::TargetNotFound, message)
                }
                Some(port) if !is_tcp(port) => {
                    let message = format!("port {name} of {service} is {}, TLS needs TCP", port.protocol);
                    problem("sectionName", Reason::Invalid, message)
                }
                Some(_) => Ok(()),
            },
            None if found.ports().next().is_some() && !found.ports().any(is_tcp) => {
                let message = format!("{service} has no port of TCP, which TLS needs");
                problem("name", Reason::Invalid, message)
            }
            None => {
                if !found.ports().all(is_tcp) {
                    let message = format!("only the ports of {service} that are TCP go within TLS");
                    judged.without_effect.push(Finding::new("spec.targetRefs", Reason::Invalid, message));
                }
                Ok(())
            }
        }
    }

    /// How TLS is spoken with a port of a Service; not at all without a policy for it.
    ///
    /// # Errors
    /// When the policy that holds cannot be carried out.
    ///
    /// # Spec
    /// BTP-01, BTP-05, BTP-14: one for the port goes before one for the Service, whatever it is worth.
    pub(crate) fn tls(
        &self,
        service: &BackendName,
        port: FoundPort<'_>,
    ) -> Result<Option<Arc<BackendTls>>, Finding> {
        let sections = self.sections.get(service).map_or(&[][..], Vec::as_slice);
        // No section is for ports without a name.
        let of_port = sections.iter().find(|section| section.port.as_deref() == Some(port.name));
        let of_service = || sections.iter().find(|section| section.port.is_none());
        let Some(Section { policy, tls, .. }) = of_port.or_else(of_service) else { return Ok(None) };
        match tls {
            Some(tls) => Ok(Some(Arc::clone(tls))),
            None => {
                let why = match self.judged.contains_key(policy) {
                    true => "cannot be carried out, see its status",
                    false => "is not supported, remove it",
                };
                let message = format!(
                    "BackendTLSPolicy {policy} asks for TLS to port {} of {service} and {why}; what is sent there fails rather \
                     than go in plain text",
                    port.number
                );
                Err(Finding::whole(Reason::UnsupportedProtocol, message))
            }
        }
    }

    /// All policies, judged.
    pub(crate) fn judged(&self) -> &BTreeMap<ObjectName, JudgedPolicy> {
        &self.judged
    }

    /// Whether a policy names the Service, there or not.
    pub(crate) fn names(&self, service: &BackendName) -> bool {
        self.sections.contains_key(service)
    }

    /// The Services for which something else holds than by `before`.
    pub(crate) fn differences<'p>(&'p self, before: &'p Self) -> BTreeSet<&'p BackendName> {
        let all = self.sections.keys().chain(before.sections.keys());
        all.filter(|service| self.sections.get(*service) != before.sections.get(*service)).collect()
    }
}

/// The target of a policy of this name, if it is one.
pub(crate) fn targeted_service(policy: &ObjectName, target: &TargetReference) -> Option<BackendName> {
    let TargetReference { group, kind, name, .. } = target;
    BackendName::find_service(group, kind, || ObjectName::new(policy.namespace.clone(), name.as_str()))
}

// === impl JudgedPolicy ===

impl JudgedPolicy {
    /// How a policy wants TLS to be spoken; nothing if it cannot be, and why not.
    fn tls(
        &mut self,
        name: &ObjectName,
        policy: &BackendTlsPolicy,
        certificates: &mut Certificates<'_>,
        options: &Options,
    ) -> Option<Arc<BackendTls>> {
        if !policy.spec.options.is_empty() {
            let names: Vec<_> = policy.spec.options.keys().map(String::as_str).collect();
            let message = format!("{} are not supported and have no effect; remove them", names.join(", "));
            self.without_effect.push(Finding::new("spec.options", Reason::Invalid, message));
        }
        let namespace = &*name.namespace;
        let from = Referrer { group: GATEWAY_GROUP, kind: Kind::BackendTlsPolicy.as_str(), namespace };
        self.validated_tls((from, "spec.validation"), &policy.spec.validation, certificates, options)
    }

    /// How TLS is to be spoken so that the certificate is checked as this says, which the object `from` has at this field; nothing if
    /// it cannot be, and why not.
    pub(super) fn validated_tls(
        &mut self,
        (from, at): (Referrer<'_>, &str),
        validation: &BackendTlsPolicyValidation,
        certificates: &mut Certificates<'_>,
        options: &Options,
    ) -> Option<Arc<BackendTls>> {
        let authorities = self.authorities((from, at), validation, certificates);
        let identities = self.identities(at, validation, options);
        // Both are looked at in any case, to tell all that is wrong.
        let (authorities, identities) = (authorities?, identities?);
        let supported = options.supports(Feature::BackendTlsPolicy);
        supported.then(|| Arc::new(BackendTls::new(&*validation.hostname, identities, authorities)))
    }

    /// # Spec
    /// BTP-11 to BTP-13, BTP-15: at least one authority must be known.
    fn authorities(
        &mut self,
        (from, at): (Referrer<'_>, &str),
        validation: &BackendTlsPolicyValidation,
        certificates: &mut Certificates<'_>,
    ) -> Option<Authorities> {
        let refs = format!("{at}.caCertificateRefs");
        match &validation.well_known_ca_certificates {
            Some(WellKnownCaCertificatesType::System) => return Some(Authorities::System),
            Some(WellKnownCaCertificatesType::Unknown(value)) if !value.is_empty() => {
                let field = format!("{at}.wellKnownCACertificates");
                let message =
                    format!("{field} {value:?} is not supported; write System, or caCertificateRefs");
                self.refusals.push(Finding::new(field, Reason::Invalid, message));
                return None;
            }
            Some(WellKnownCaCertificatesType::Unknown(_)) | None => {}
        }
        let namespace = from.namespace;
        let mut all = Vec::new();
        for (index, reference) in validation.ca_certificate_refs.iter().flatten().enumerate() {
            let target =
                Target { group: &reference.group, kind: &reference.kind, namespace, name: &reference.name };
            match certificates.authority(from, target) {
                Ok(authority) => all.extend_from_slice(&authority),
                Err(error) => {
                    let reason = match error {
                        RefError::Kind { .. } => Reason::InvalidKind,
                        RefError::NotPermitted { .. } | RefError::Object { .. } => {
                            Reason::InvalidCaCertificateRef
                        }
                    };
                    self.unresolved.push(error.into_finding(format!("{refs}[{index}]"), reason));
                }
            }
        }
        if all.is_empty() {
            let message = format!(
                "backends cannot be checked: none of {refs} leads to a certificate authority; what is sent to them fails"
            );
            self.refusals.push(Finding::new(refs, Reason::NoValidCaCertificate, message));
            return None;
        }
        Some(Authorities::Certificates(all.into()))
    }

    /// # Spec
    /// BTP-17, BTP-18: one of the names that are listed; the hostname if none is.
    fn identities(
        &mut self,
        at: &str,
        validation: &BackendTlsPolicyValidation,
        options: &Options,
    ) -> Option<Box<[Identity]>> {
        let field = format!("{at}.subjectAltNames");
        if validation.subject_alt_names.is_empty() {
            return Some([Identity::Hostname(validation.hostname.as_str().into())].into());
        }
        if !options.supports(Feature::BackendTlsPolicySanValidation) {
            let message = format!(
                "{field} is not supported: what is sent to the targets fails rather than go to a backend that was not \
                 checked; remove the field, or use a GatewayClass with feature {}",
                Feature::BackendTlsPolicySanValidation
            );
            self.refusals.push(Finding::new(field, Reason::Invalid, message));
            return None;
        }
        let identity = |name: &SubjectAltName| match (&name.r#type, &name.hostname, &name.uri) {
            (SubjectAltNameType::Hostname, Some(name), _) => Ok(Identity::Hostname(name.as_str().into())),
            (SubjectAltNameType::Uri, _, Some(name)) => Ok(Identity::Uri(name.as_str().into())),
            (kind, ..) => Err(kind.to_string()),
        };
        match validation.subject_alt_names.iter().map(identity).collect() {
            Ok(identities) => Some(identities),
            Err(kind) => {
                let message = format!(
                    "{field} has a name of type {kind}, which is not supported; write Hostname or URI"
                );
                self.refusals.push(Finding::new(field, Reason::Invalid, message));
                None
            }
        }
    }
}
