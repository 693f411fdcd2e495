//! Listeners that show certificates for other names than they serve.

use super::Lint;
use crate::api::{Kind, Listener, Secret};
use crate::condition::Reason;
use crate::hostname::Hostname;
use crate::name::ObjectName;
use crate::table::{Certificate, CertificateCheck};

/// How many names of certificates are told.
const MOST: usize = 5;

pub(super) fn look(lint: &mut Lint<'_>) {
    let Some(check) = lint.options.certificate_check.clone() else { return };
    let (resources, statuses) = (lint.resources, lint.statuses);
    for (name, gateway) in &resources.gateways {
        if statuses.gateways.contains_key(name) {
            of_listeners(Kind::Gateway, name, &gateway.spec.listeners, &*check, lint);
        }
    }
    for (name, set) in &resources.listener_sets {
        if statuses.listener_sets.contains_key(name) {
            of_listeners(Kind::ListenerSet, name, &set.spec.listeners, &*check, lint);
        }
    }
}

/// # Spec
/// GWT-10
fn of_listeners(
    kind: Kind,
    name: &ObjectName,
    listeners: &[Listener],
    check: &dyn CertificateCheck,
    lint: &mut Lint<'_>,
) {
    for (index, listener) in listeners.iter().enumerate() {
        let Some(wanted) = listener.hostname.as_deref().and_then(|text| text.parse::<Hostname>().ok()) else {
            continue;
        };
        let refs = listener.tls.iter().flat_map(|tls| tls.certificate_refs.iter().enumerate());
        let mut shown = Vec::new();
        for (position, reference) in refs {
            let namespace = reference.namespace.as_deref().unwrap_or(&name.namespace);
            let secret = ObjectName::new(namespace, &*reference.name);
            let found = lint.resources.secrets.get(&secret);
            // Of one that cannot be read, the status speaks.
            let names = found.and_then(|secret| check.names(&certificate(secret)?));
            shown.extend(names.map(|names| (position, secret, names)));
        }
        let mut names = shown.iter().flat_map(|(.., names)| names);
        let Some((position, secret, _)) = shown.first() else { continue };
        if names.any(|certified| covers(certified, &wanted)) {
            continue;
        }
        let mut of: Vec<_> = shown.iter().flat_map(|(.., names)| names).map(ToString::to_string).collect();
        if of.is_empty() {
            of.push("no name at all".to_owned());
        }
        if of.len() > MOST {
            let more = of.len() - MOST;
            of.truncate(MOST);
            of.push(format!("{more} more"));
        }
        let others = if shown.len() > 1 { " and the others" } else { "" };
        let message = format!(
            "Secret {secret}{others} has no certificate for hostname {wanted} of the listener, which clients therefore refuse; it is for \
             {}; name one with a certificate for {wanted}, or another hostname",
            of.join(", ")
        );
        let field = format!("spec.listeners[{index}].tls.certificateRefs[{position}]");
        lint.say(kind, name, Reason::InvalidCertificateRef, field, message);
    }
}

fn certificate(secret: &Secret) -> Option<Certificate> {
    let entry = |name: &str| secret.data.get(name).map(|bytes| &bytes[..]);
    Certificate::from_pem(entry("tls.crt")?, entry("tls.key")?).ok()
}

/// Whether clients accept a certificate for this name for some host that a listener serves: a wildcard of a certificate stands for one
/// label, and one of a listener for any number.
fn covers(certified: &Hostname, wanted: &Hostname) -> bool {
    let labels = |hostname: &Hostname| hostname.to_string().split('.').count();
    let is_wide = !matches!(certified, Hostname::Wildcard(_)) || labels(certified) >= labels(wanted);
    certified.intersects(wanted) && is_wide
}

#[cfg(test)]
mod tests {
    use super::*;

    // GWT-10, HST-03
    #[test]
    fn a_wildcard_of_a_certificate_stands_for_one_label() {
        for (certified, wanted, expected) in [
            ("a.example", "a.example", true),
            ("b.example", "a.example", false),
            ("a.example", "*.example", true),
            ("a.b.example", "*.example", true),
            ("*.example", "a.example", true),
            ("*.example", "a.b.example", false),
            ("*.example", "*.example", true),
            ("*.b.example", "*.example", true),
            ("*.example", "*.b.example", false),
        ] {
            let [certificate, listener] = [certified, wanted].map(|text| text.parse().unwrap());
            assert_eq!(covers(&certificate, &listener), expected, "{certified} for {wanted}");
        }
    }
}
