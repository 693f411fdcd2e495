//! Certificates, looked at as in a handshake, without one.

use std::sync::Arc;

use gateway_core::api::{AnyObject, Kind};
use rustls::RootCertStore;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};

use crate::backend::{BackendPort, Tls, pem};
use crate::case::{ClientTls, ObjectRef};
use crate::decision::{Authorities, BackendTls, ClientValidation, Handshake, Identity};
use crate::exchange::Failure;
use crate::store::Store;

/// What a certificate is shown for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Server,
    Client,
}

/// Makes the handshake of a client with a listener. Gives whether the client was asked for a certificate.
pub(super) fn with_client(handshake: &Handshake, tls: &ClientTls, store: &Store) -> Result<bool, Failure> {
    let mut certificates = handshake
        .certificates
        .iter()
        .filter_map(|key| first_in(store, &ObjectRef::new(Kind::Secret, key.clone())));
    let believed = certificates.any(|certificate| believes(tls, &certificate, store));
    if !believed {
        return Err(Failure::Tls("the client does not trust the certificate of the listener".to_owned()));
    }
    let Some(ClientValidation { authorities, any_client }) = &handshake.clients else { return Ok(false) };
    let shown = tls.certificate.as_ref().and_then(|secret| first_in(store, secret));
    if *any_client || shown.is_some_and(|shown| is_signed_by(&shown, authorities, Role::Client)) {
        return Ok(true);
    }
    Err(Failure::Tls("the listener does not trust the client".to_owned()))
}

/// Makes the handshake of a client with a backend, through a gateway that only passes on what comes. Gives what the backend
/// sees; nothing if the client does not trust it.
pub(super) fn through_gateway(tls: &ClientTls, backend: &BackendPort, store: &Store) -> Option<Tls> {
    let name = backend.deployment.certificate.as_ref().filter(|_| backend.is_tls())?;
    let certificate = first_in(store, &ObjectRef::new(Kind::Secret, name.0.clone()))?;
    believes(tls, &certificate, store).then(|| Tls { server_name: tls.server_name.clone(), ..Tls::default() })
}

/// Whether a client trusts who shows this certificate: it is the one that it knows, or signed by it, and has the name.
fn believes(tls: &ClientTls, certificate: &[u8], store: &Store) -> bool {
    let trusted = first_in(store, &tls.trust);
    let known = trusted
        .is_some_and(|trusted| trusted == certificate || is_signed_by(certificate, &[trusted], Role::Server));
    known && has(certificate, &Identity::Hostname(tls.server_name.clone()))
}

/// Makes the handshake of the gateway with a backend. Gives what the backend sees; nothing if one of the two does not
/// trust the other.
pub(in crate::engine) fn with_backend(tls: &BackendTls, backend: &BackendPort, store: &Store) -> Option<Tls> {
    let name = backend.deployment.certificate.as_ref()?;
    let certificate = first_in(store, &ObjectRef::new(Kind::Secret, name.0.clone()))?;
    let signed = match &tls.authorities {
        Authorities::Certificates(authorities) => is_signed_by(&certificate, authorities, Role::Server),
        // No system trusts the certificates that are made here.
        Authorities::System => false,
    };
    if !signed || !tls.identities.iter().any(|identity| has(&certificate, identity)) {
        return None;
    }
    let mut seen = Tls { server_name: tls.server_name.clone(), ..Tls::default() };
    if let Some(authority) = &backend.deployment.client_authority
        && let Some(shown) = &tls.client_certificate
    {
        let authority = first_in(store, &ObjectRef::new(Kind::ConfigMap, authority.0.clone()))?;
        if !is_signed_by(shown, &[authority], Role::Client) {
            return None;
        }
        seen.peer_certificates.push(pem(&CertificateDer::from(&shown[..])));
    }
    Some(seen)
}

/// The certificate in a Secret, or that of the authority in a ConfigMap, in DER.
fn first_in(store: &Store, object: &ObjectRef) -> Option<Vec<u8>> {
    let pem = match store.get(object.kind, &object.key)? {
        AnyObject::Secret(secret) => secret.data.get("tls.crt")?.0.clone(),
        AnyObject::ConfigMap(map) => map.data.get("ca.crt")?.clone().into_bytes(),
        _ => return None,
    };
    Some(CertificateDer::from_pem_slice(&pem).ok()?.to_vec())
}

fn is_signed_by(certificate: &[u8], authorities: &[Vec<u8>], role: Role) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(authorities.iter().map(|authority| CertificateDer::from(&authority[..])));
    let certificate = CertificateDer::from(certificate);
    let provider = Arc::new(ring::default_provider());
    let now = UnixTime::now();
    match role {
        Role::Server => {
            let algorithms = provider.signature_verification_algorithms.all;
            let verify = |certificate: &ParsedCertificate<'_>| {
                verify_server_cert_signed_by_trust_anchor(certificate, &roots, &[], now, algorithms)
            };
            ParsedCertificate::try_from(&certificate).is_ok_and(|certificate| verify(&certificate).is_ok())
        }
        Role::Client => {
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build();
            verifier.is_ok_and(|verifier| verifier.verify_client_cert(&certificate, &[], now).is_ok())
        }
    }
}

/// Whether a certificate has a name; a wildcard in it stands for one label.
fn has(certificate: &[u8], identity: &Identity) -> bool {
    let names = names(certificate).unwrap_or_default();
    names.iter().any(|name| match (name, identity) {
        (Identity::Uri(name), Identity::Uri(wanted)) => name == wanted,
        (Identity::Hostname(name), Identity::Hostname(wanted)) => {
            let rest = wanted.split_once('.').map(|(_, rest)| rest);
            let by_wildcard = name
                .strip_prefix("*.")
                .is_some_and(|parent| rest.is_some_and(|rest| rest.eq_ignore_ascii_case(parent)));
            by_wildcard || name.eq_ignore_ascii_case(wanted)
        }
        (Identity::Uri(_), Identity::Hostname(_)) | (Identity::Hostname(_), Identity::Uri(_)) => false,
    })
}

/// The DNS names and URIs of a certificate: RFC 5280, section 4.2.1.6.
fn names(certificate: &[u8]) -> Option<Vec<Identity>> {
    const SUBJECT_ALT_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x11];
    const DNS_NAME: u8 = 0x82;
    const URI: u8 = 0x86;
    let at = certificate.windows(SUBJECT_ALT_NAME.len()).position(|bytes| bytes == SUBJECT_ALT_NAME)?;
    let mut rest = &certificate[at + SUBJECT_ALT_NAME.len()..];
    let (mut tag, mut content) = element(&mut rest)?;
    if tag == 0x01 {
        // Whether the extension is critical.
        (tag, content) = element(&mut rest)?;
    }
    let (0x04, mut octets) = (tag, content) else { return None };
    let (0x30, mut sequence) = element(&mut octets)? else { return None };
    let mut names = Vec::new();
    while let Some((tag, content)) = element(&mut sequence) {
        let text = || String::from_utf8_lossy(content).into_owned();
        match tag {
            DNS_NAME => names.push(Identity::Hostname(text())),
            URI => names.push(Identity::Uri(text())),
            // Addresses and other names are not asked for here.
            _ => {}
        }
    }
    Some(names)
}

/// Takes an element of DER: its tag and its content.
fn element<'d>(rest: &mut &'d [u8]) -> Option<(u8, &'d [u8])> {
    let (&[tag, length], after) = rest.split_first_chunk::<2>()?;
    let (length, after) = match length {
        ..=0x7f => (usize::from(length), after),
        0x81 => (usize::from(*after.first()?), after.get(1..)?),
        0x82 => (usize::from(u16::from_be_bytes(*after.first_chunk()?)), after.get(2..)?),
        _ => return None,
    };
    let (content, after) = after.split_at_checked(length)?;
    *rest = after;
    Some((tag, content))
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::certificate::certificates;

    fn der(object: &str, key: &str) -> Vec<u8> {
        let pem = certificates().pem(&object.parse().unwrap(), key).unwrap();
        CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
    }

    #[test]
    fn a_certificate_has_the_names_that_were_written_into_it() {
        let server = der("Secret tls-checks-certificate", "tls.crt");
        let hostname = |name: &str| Identity::Hostname(name.to_owned());
        assert!(has(&server, &hostname("other.example.com")));
        assert!(!has(&server, &hostname("example.com")));
        assert!(has(&server, &Identity::Uri("spiffe://abc.example.com/test-identity".to_owned())));
        assert!(!has(&server, &Identity::Uri("spiffe://abc.example.com/test".to_owned())));
        let wildcard = der("Secret tls-validity-checks-certificate", "tls.crt");
        assert!(has(&wildcard, &hostname("example.org")) && !has(&wildcard, &hostname("a.example.org")));
    }

    #[test]
    fn a_certificate_is_signed_by_its_authority_alone() {
        let [right, wrong] = ["tls-checks-ca-certificate", "mismatch-ca-certificate"]
            .map(|name| der(&format!("ConfigMap {name}"), "ca.crt"));
        let server = der("Secret tls-checks-certificate", "tls.crt");
        let client = der("Secret tls-checks-client-certificate", "tls.crt");
        for (certificate, role) in [(&server, Role::Server), (&client, Role::Client)] {
            assert!(is_signed_by(certificate, &[wrong.clone(), right.clone()], role), "{role:?}");
            assert!(!is_signed_by(certificate, std::slice::from_ref(&wrong), role), "{role:?}");
        }
        assert!(!is_signed_by(&client, &[right], Role::Server), "a client is no server");
    }
}
