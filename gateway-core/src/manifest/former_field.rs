//! Fields that there were in earlier versions of Gateway API, and what is written instead.

/// What is written instead of a field that there is no more. `shape` is its path, with `[]` for every list.
pub(super) fn way_out(shape: &str) -> Option<&'static str> {
    FORMER.iter().find(|(former, _)| is_at_end(shape, former)).map(|(_, way_out)| *way_out)
}

/// Whether a path ends with these fields as a whole.
fn is_at_end(shape: &str, fields: &str) -> bool {
    shape.strip_suffix(fields).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// The fields, by the end of their path.
const FORMER: &[(&str, &str)] = &[
    // Until v1.6.
    ("sessionPersistence.sessionName", "write `cookie.name`, or `header.name` for type Header"),
    ("sessionPersistence.cookieConfig", "write `cookie`"),
    ("spec.port.port", "write `number`"),
    ("spec.port.name", "a port has a number only"),
    ("status.parents", "write `ancestors`, each with an `ancestorRef`"),
    // Until v1.3.
    ("tls.frontendValidation", "write `spec.tls.frontend` of the Gateway"),
    ("spec.backendTLS", "write `spec.tls.backend`"),
    // Of the drafts.
    ("rules[].forwardTo", "write `backendRefs`, each with `name` and `port`"),
    ("spec.gateways", "write `parentRefs`"),
    ("listeners[].routes", "write `allowedRoutes`; a Route names its Gateway in `parentRefs`"),
    ("tls.certificateRef", "write `certificateRefs`, which is a list"),
    ("spec.controller", "write `controllerName`"),
    ("backendRefs[].serviceName", "write `name`"),
    ("spec.targetRef", "write `targetRefs`, which is a list"),
    ("tls.caCertRefs", "write `validation.caCertificateRefs`"),
    ("tls.wellKnownCACerts", "write `validation.wellKnownCACertificates`"),
    ("validation.caCertRefs", "write `caCertificateRefs`"),
    ("validation.wellKnownCACerts", "write `wellKnownCACertificates`"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_former_field_is_known_by_the_end_of_its_path() {
        let session = way_out("spec.rules[].sessionPersistence.sessionName");
        assert_eq!(session, Some("write `cookie.name`, or `header.name` for type Header"));
        assert_eq!(way_out("spec.sessionPersistence.sessionName"), session);
        assert!(way_out("spec.listeners[].tls.certificateRef").is_some());
        assert_eq!(way_out("spec.nottls.certificateRef"), None);
        assert_eq!(way_out("sessionName"), None);
    }
}
