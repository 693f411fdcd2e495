//! The Services to which a BackendTLSPolicy asks for TLS.

use std::collections::{BTreeMap, HashMap};

use crate::api::{BackendTlsPolicy, ServicePort};
use crate::name::ObjectName;
use crate::validate::Valid;

/// The targets of all BackendTLSPolicies.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TlsTargets {
    /// For each Service the names of the ports that a policy is for; none of them for a policy for all ports.
    sections: HashMap<ObjectName, Vec<Option<Box<str>>>>,
}

// === impl TlsTargets ===

impl TlsTargets {
    pub(crate) fn new(policies: &BTreeMap<ObjectName, Valid<BackendTlsPolicy>>) -> Self {
        let mut sections: HashMap<_, Vec<_>> = HashMap::new();
        for (policy, object) in policies {
            let targets = object.spec.target_refs.iter();
            for target in targets.filter(|target| target.group.is_empty() && target.kind == "Service") {
                let section = target.section_name.as_deref().filter(|name| !name.is_empty());
                let service = ObjectName::new(policy.namespace.clone(), target.name.as_str());
                sections.entry(service).or_default().push(section.map(Box::from));
            }
        }
        Self { sections }
    }

    /// Whether a policy asks for TLS to this port.
    pub(crate) fn contains(&self, service: &ObjectName, port: &ServicePort) -> bool {
        let name = port.name.as_deref().filter(|name| !name.is_empty());
        let sections = self.sections.get(service).into_iter().flatten();
        sections.into_iter().any(|section| section.is_none() || section.as_deref() == name)
    }
}
