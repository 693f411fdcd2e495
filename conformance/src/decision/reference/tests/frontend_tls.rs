//! TLS with clients.

use super::backend_tls_policy::{AUTHORITY, CERTIFICATE};
use super::*;
use crate::decision::ClientValidation;

#[test]
fn what_is_said_for_a_port_replaces_what_is_said_for_all() {
    let secret = "{apiVersion: v1, kind: Secret, metadata: {name: cert, namespace: infra}, \
        type: kubernetes.io/tls}";
    let tls = "tls: {certificateRefs: [{name: cert}]}";
    let validation = |ca: &str, mode: &str| {
        format!(
            "{{validation: {{caCertificateRefs: [{{group: '', kind: ConfigMap, name: {ca}}}], mode: {mode}}}}}"
        )
    };
    let gateway = format!(
        "tls: {{frontend: {{default: {}, perPort: [{{port: 444, tls: {}}}, {{port: 445, tls: {}}}, \
         {{port: 446, tls: {{}}}}]}}}}, listeners: [{}]",
        validation("ca", "AllowValidOnly"),
        validation("ca", "AllowInsecureFallback"),
        validation("missing", "AllowInsecureFallback"),
        [443, 444, 445, 446]
            .map(|port| format!("{{name: l{port}, port: {port}, protocol: HTTPS, {tls}}}"))
            .join(", ")
    );
    let resources = resources(&gateway, &[secret, AUTHORITY]);
    let clients = |port: u16| reference(&resources).handshake(&self::gateway(), port, Some("a.test"));
    let authorities = vec![CERTIFICATE.to_vec()];
    // GWF-02, GWF-09
    let strict = ClientValidation { authorities: authorities.clone(), any_client: false };
    let lenient = ClientValidation { authorities, any_client: true };
    assert_eq!(clients(443).unwrap().clients, Some(strict));
    assert_eq!(clients(444).unwrap().clients, Some(lenient));
    // GWF-07, GWF-08: only this listener is not served.
    assert_eq!(clients(445), None);
    assert_eq!(clients(446).unwrap().clients, None);
}
