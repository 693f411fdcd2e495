//! Certificates: made when the harness starts, as Secrets and ConfigMaps that cases name.
//!
//! ```
//! use conformance::certificate::certificates;
//!
//! let client = "Secret tls-checks-client-certificate".parse()?;
//! let chain = certificates().pem(&client, "tls.crt").expect("it is made");
//! assert!(chain.starts_with("-----BEGIN CERTIFICATE-----"));
//! # Ok::<(), String>(())
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use gateway_core::api::{AnyObject, ByteString, ConfigMap, Kind, ObjectMeta, Secret};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType, SerialNumber,
};

use crate::case::{INFRA, ObjectRef};

/// The objects that are made: kind, namespace and name.
///
/// All authorities have the same subject, so that a verifier has to look at signatures.
pub const GENERATED: &[(Kind, &str, &str)] = &[
    // Self-signed, for every host.
    (Kind::Secret, "gateway-conformance-web-backend", "certificate"),
    // Self-signed, for *.org and *.wildcard.org: that of HTTPS listeners.
    (Kind::Secret, "gateway-conformance-infra", "tls-validity-checks-certificate"),
    (Kind::ConfigMap, "gateway-conformance-web-backend", "web-backend-cm"),
    // Authority A and a client of it.
    (Kind::ConfigMap, "gateway-conformance-infra", "tls-validity-checks-ca-certificate"),
    (Kind::Secret, "gateway-conformance-infra", "tls-validity-checks-client-certificate"),
    // Authority B and a client of it.
    (Kind::ConfigMap, "gateway-conformance-infra", "tls-validity-checks-per-port-ca-certificate"),
    (Kind::Secret, "gateway-conformance-infra", "tls-validity-checks-per-port-client-certificate"),
    // Authority C, with servers and a client of it.
    (Kind::ConfigMap, "gateway-conformance-infra", "tls-checks-ca-certificate"),
    (Kind::Secret, "gateway-conformance-infra", "tls-checks-certificate"),
    (Kind::Secret, "gateway-conformance-infra", "tls-passthrough-checks-certificate"),
    (Kind::Secret, "gateway-conformance-app-backend", "tls-passthrough-checks-certificate"),
    (Kind::Secret, "gateway-conformance-infra", "tls-terminate-checks-certificate"),
    (Kind::Secret, "gateway-conformance-infra", "tls-checks-client-certificate"),
    // Authority D, which signed nothing.
    (Kind::ConfigMap, "gateway-conformance-infra", "mismatch-ca-certificate"),
];

/// The namespace of one of the backends.
const APP: &str = "gateway-conformance-app-backend";

/// The namespace of another.
const WEB: &str = "gateway-conformance-web-backend";

/// The certificates, each with its key or for those who trust it.
pub struct Certificates {
    objects: Vec<AnyObject>,
    /// The DNS names of each certificate, by the certificate in DER.
    names: BTreeMap<Vec<u8>, Vec<String>>,
}

/// Makes the objects, one after the other.
#[derive(Default)]
struct Maker {
    objects: Vec<AnyObject>,
    names: BTreeMap<Vec<u8>, Vec<String>>,
}

type Result<T> = std::result::Result<T, rcgen::Error>;

/// The certificates of this process. The first call makes them.
///
/// # Panics
/// Never: everything that goes into them is written in this file, and the tests make them all.
pub fn certificates() -> &'static Certificates {
    static CERTIFICATES: LazyLock<Certificates> =
        LazyLock::new(|| Maker::make().expect("what is written in this file makes certificates"));
    &CERTIFICATES
}

// === impl Certificates ===

impl Certificates {
    /// The Secrets and ConfigMaps, those of [`GENERATED`].
    pub fn objects(&self) -> &[AnyObject] {
        &self.objects
    }

    /// An entry of one of them, in PEM: `tls.crt` or `tls.key` of a Secret, `ca.crt` of a ConfigMap.
    pub fn pem(&self, object: &ObjectRef, key: &str) -> Option<String> {
        let of = |known: &&AnyObject| known.kind() == object.kind && known.key() == object.key;
        match self.objects.iter().find(of)? {
            AnyObject::Secret(secret) => Some(String::from_utf8_lossy(&secret.data.get(key)?.0).into_owned()),
            AnyObject::ConfigMap(map) => map.data.get(key).cloned(),
            _ => None,
        }
    }

    /// The DNS names of a certificate that was made here, given in DER.
    pub fn names(&self, certificate: &[u8]) -> Option<&[String]> {
        self.names.get(certificate).map(Vec::as_slice)
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").field("objects", &self.objects.len()).finish_non_exhaustive()
    }
}

// === impl Maker ===

impl Maker {
    fn make() -> Result<Certificates> {
        let mut maker = Self::default();
        maker.self_signed(WEB, "certificate", &["uri:*"])?;
        maker.self_signed(INFRA, "tls-validity-checks-certificate", &["uri:*", "*.org", "*.wildcard.org"])?;
        maker.authority(WEB, "web-backend-cm")?;

        let a = maker.authority(INFRA, "tls-validity-checks-ca-certificate")?;
        maker.client(&a, "tls-validity-checks-client-certificate")?;
        let b = maker.authority(INFRA, "tls-validity-checks-per-port-ca-certificate")?;
        maker.client(&b, "tls-validity-checks-per-port-client-certificate")?;

        let c = maker.authority(INFRA, "tls-checks-ca-certificate")?;
        const HOSTS: &[&str] =
            &["abc.example.com", "other.example.com", "uri:spiffe://abc.example.com/test-identity"];
        maker.server(&c, INFRA, "tls-checks-certificate", HOSTS)?;
        maker.server(&c, INFRA, "tls-passthrough-checks-certificate", &["abc.example.com"])?;
        maker.server(&c, APP, "tls-passthrough-checks-certificate", &["abc.example.com"])?;
        maker.server(&c, INFRA, "tls-terminate-checks-certificate", &["tls.example.com"])?;
        maker.client(&c, "tls-checks-client-certificate")?;
        maker.authority(INFRA, "mismatch-ca-certificate")?;
        Ok(Certificates { objects: maker.objects, names: maker.names })
    }

    fn authority(&mut self, namespace: &str, name: &str) -> Result<Issuer<'static, KeyPair>> {
        let mut params = params(&[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.serial_number = Some(SerialNumber::from(2024));
        params.key_usages =
            vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let data = BTreeMap::from([("ca.crt".to_owned(), params.self_signed(&key)?.pem())]);
        let metadata = metadata(namespace, name);
        self.objects.push(ConfigMap { metadata, data, ..ConfigMap::default() }.into());
        Ok(Issuer::new(params, key))
    }

    fn self_signed(&mut self, namespace: &str, name: &str, names: &[&str]) -> Result<()> {
        let key = KeyPair::generate()?;
        let mut params = params(names)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.self_signed(&key)?;
        self.secret(namespace, name, names, &certificate, &key);
        Ok(())
    }

    fn server(
        &mut self,
        authority: &Issuer<'_, KeyPair>,
        namespace: &str,
        name: &str,
        names: &[&str],
    ) -> Result<()> {
        let key = KeyPair::generate()?;
        let mut params = params(names)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&key, authority)?;
        self.secret(namespace, name, names, &certificate, &key);
        Ok(())
    }

    fn client(&mut self, authority: &Issuer<'_, KeyPair>, name: &str) -> Result<()> {
        let key = KeyPair::generate()?;
        let mut params = params(&[])?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, authority)?;
        self.secret(INFRA, name, &[], &certificate, &key);
        Ok(())
    }

    fn secret(
        &mut self,
        namespace: &str,
        name: &str,
        names: &[&str],
        certificate: &rcgen::Certificate,
        key: &KeyPair,
    ) {
        let names = names.iter().filter(|name| !name.starts_with("uri:"));
        self.names.insert(certificate.der().to_vec(), names.map(|name| (*name).to_owned()).collect());
        let data = BTreeMap::from([
            ("tls.crt".to_owned(), ByteString(certificate.pem().into_bytes())),
            ("tls.key".to_owned(), ByteString(key.serialize_pem().into_bytes())),
        ]);
        let r#type = "kubernetes.io/tls".to_owned();
        self.objects.push(Secret { metadata: metadata(namespace, name), r#type, data }.into());
    }
}

/// What all certificates have, and these names; `uri:` goes before those that are URIs.
fn params(names: &[&str]) -> Result<CertificateParams> {
    let mut params = CertificateParams::default();
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, "Conformance");
    subject.push(DnType::CommonName, "default");
    params.distinguished_name = subject;
    for name in names {
        params.subject_alt_names.push(match name.strip_prefix("uri:") {
            Some(uri) => SanType::URI(uri.try_into()?),
            None => SanType::DnsName((*name).try_into()?),
        });
    }
    Ok(params)
}

fn metadata(namespace: &str, name: &str) -> ObjectMeta {
    ObjectMeta { name: name.to_owned(), namespace: Some(namespace.to_owned()), ..ObjectMeta::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_cases_may_name_is_made() {
        let made: Vec<_> = certificates().objects().iter().map(|it| (it.kind(), it.key())).collect();
        let made: Vec<_> = made.iter().map(|(kind, key)| (*kind, &*key.namespace, &*key.name)).collect();
        assert_eq!(made, GENERATED);
    }

    #[test]
    fn the_names_of_a_certificate_are_known() {
        let server = "Secret tls-validity-checks-certificate".parse().unwrap();
        let pem = certificates().pem(&server, "tls.crt").unwrap();
        let der =
            certificates().names.iter().find(|(_, names)| names.contains(&"*.org".to_owned())).unwrap().0;
        let parsed =
            <rustls::pki_types::CertificateDer<'_> as rustls::pki_types::pem::PemObject>::from_pem_slice(
                pem.as_bytes(),
            );
        assert_eq!(parsed.unwrap().as_ref(), &der[..]);
        assert_eq!(certificates().names(b"another"), None);
        assert_eq!(certificates().pem(&server, "ca.crt"), None);
    }
}
