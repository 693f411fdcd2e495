//! TLS of backends.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gateway_core::api::Kind;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ServerConnection, WebPkiClientVerifier};
use rustls::{ProtocolVersion, RootCertStore, ServerConfig};

use super::echo::Tls;
use crate::case::{Name, ObjectRef};
use crate::certificate::certificates;

/// Shows the certificate of a Secret. A client that shows one too must have it from the authority in a ConfigMap.
pub(super) fn server(
    secret: &Name,
    client_authority: Option<&Name>,
    protocols: &[&str],
) -> Result<ServerConfig, String> {
    let secret = ObjectRef::new(Kind::Secret, secret.0.clone());
    let pem = |object: &ObjectRef, key: &str| {
        certificates().pem(object, key).ok_or_else(|| format!("no {object} with {key} is made"))
    };
    let unusable = |error: &dyn std::fmt::Display| format!("{secret} cannot be used: {error}");
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(pem(&secret, "tls.crt")?.as_bytes()).collect();
    let chain = chain.map_err(|error| unusable(&error))?;
    let key = PrivateKeyDer::from_pem_slice(pem(&secret, "tls.key")?.as_bytes());
    let key = key.map_err(|error| unusable(&error))?;

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| unusable(&error))?;
    let builder = match client_authority {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let authority = ObjectRef::new(Kind::ConfigMap, authority.0.clone());
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(pem(&authority, "ca.crt")?.as_bytes()) {
                let certificate = certificate.map_err(|error| format!("{authority}: {error}"))?;
                roots.add(certificate).map_err(|error| format!("{authority}: {error}"))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            let verifier = verifier.allow_unauthenticated().build();
            builder.with_client_cert_verifier(verifier.map_err(|error| format!("{authority}: {error}"))?)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|error| unusable(&error))?;
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Ok(config)
}

/// What a backend knows about its client.
pub(super) fn seen(connection: &ServerConnection) -> Tls {
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
        Some(_) | None => "",
    };
    let suite = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
    let protocol = connection.alpn_protocol().unwrap_or_default();
    Tls {
        version: version.to_owned(),
        peer_certificates: connection.peer_certificates().unwrap_or_default().iter().map(pem).collect(),
        server_name: connection.server_name().unwrap_or_default().to_owned(),
        negotiated_protocol: String::from_utf8_lossy(protocol).into_owned(),
        cipher_suite: suite.unwrap_or_default().to_owned(),
    }
}

/// A certificate as PEM.
pub(crate) fn pem(certificate: &CertificateDer<'_>) -> String {
    let text = STANDARD.encode(certificate);
    let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for line in text.as_bytes().chunks(64) {
        pem.extend(line.iter().copied().map(char::from));
        pem.push('\n');
    }
    pem + "-----END CERTIFICATE-----\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_written_as_it_was_read() {
        let client = "Secret tls-checks-client-certificate".parse().unwrap();
        let text = certificates().pem(&client, "tls.crt").unwrap();
        assert_eq!(pem(&CertificateDer::from_pem_slice(text.as_bytes()).unwrap()), text);
    }
}
