//! References to certificates: Secrets with certificate and key, ConfigMaps and ClusterTrustBundles with authorities.
//!
//! Whether a reference is permitted is asked first, whatever it names: without permission no tenant learns whether the
//! object exists or what it is. What is found is read as PEM, so that a data plane never meets a certificate that is
//! none, and is carried on as what it is: DER, never text to be read again. Whether handshakes can be made with it, the
//! TLS library says by way of the embedding's [`CertificateCheck`].
//!
//! # Spec
//! [GWT-05](crate::spec#GWT-05) to [GWT-09](crate::spec#GWT-09), [GWF-03](crate::spec#GWF-03) to [GWF-06](crate::spec#GWF-06),
//! [GWB-02](crate::spec#GWB-02), [GWB-03](crate::spec#GWB-03), [RGR-04](crate::spec#RGR-04), [RGR-08](crate::spec#RGR-08).

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::lookups::Lookups;
use super::reference_grant::{Granted, Grants, Referrer, Target};
use crate::api::{CERTIFICATES_GROUP, ClusterTrustBundle, ConfigMap, Kind, Secret, SecretObjectReference};
use crate::condition::Reason;
use crate::feature::Feature;
use crate::finding::Finding;
use crate::name::ObjectName;
use crate::options::Options;
use crate::table::{Certificate, CertificateCheck, CertificateError};
use crate::validate::{Valid, Validated};

const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";
const AUTHORITY: &str = "ca.crt";

/// The type that a Secret with a certificate has.
const TLS_SECRET: &str = "kubernetes.io/tls";

/// Follows references to certificates, and reads each object once however many listeners refer to it.
#[derive(Debug)]
pub(crate) struct Certificates<'a> {
    secrets: &'a BTreeMap<ObjectName, Valid<Secret>>,
    config_maps: &'a BTreeMap<ObjectName, Valid<ConfigMap>>,
    /// Nothing where they are not supported.
    bundles: Option<&'a BTreeMap<ObjectName, Valid<ClusterTrustBundle>>>,
    grants: &'a Grants,
    unreadable: &'a BTreeMap<(Kind, ObjectName), String>,
    check: Option<&'a dyn CertificateCheck>,
    kept: KeptCertificates,
    read: KeptCertificates,
    lookups: Lookups,
}

/// What was read from objects, for as long as the objects stay the same.
#[derive(Debug, Default)]
pub(crate) struct KeptCertificates {
    certificates: Kept<Secret, Certificate>,
    authorities: Kept<ConfigMap, Authority>,
    bundles: Kept<ClusterTrustBundle, Authority>,
}

/// The certificates of an authority.
type Authority = Arc<[CertificateDer<'static>]>;

/// What was read from each object of a kind, beside the object that it was read from.
type Kept<O, R> = HashMap<ObjectName, (Option<Arc<O>>, Result<R, Unusable>)>;

/// Why a reference does not lead to a certificate. Displayed as what follows on the name of the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RefError {
    /// The reference is not permitted, and nothing else is known.
    NotPermitted { kind: String, key: ObjectName, from_kind: String, from_namespace: String },
    /// The reference is permitted, but to a kind that has no certificates.
    Kind { group: String, kind: String, wanted: &'static str },
    /// The object cannot be used.
    Object { kind: Kind, key: ObjectName, error: Unusable },
}

/// What is wrong with an object that should have a certificate. Displayed as what follows on the name of the object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("does not exist; write it, or name another")]
    Missing,
    /// It may exist.
    #[error("{0}")]
    Unreadable(String),
    #[error("is of type {0:?}; it has to be of type {TLS_SECRET:?}")]
    Type(String),
    #[error("has no entry {0:?}; write one")]
    NoEntry(&'static str),
    #[error(
        "has an entry {0:?} that is not {1} in PEM; write all of it, from the line -----BEGIN to the line -----END"
    )]
    Malformed(&'static str, &'static str),
    #[error("cannot be used: {0}")]
    Refused(String),
}

// === impl Certificates ===

impl<'a> Certificates<'a> {
    /// Follows references into these objects; what was read from them before need not be read again.
    pub(crate) fn new(
        valid: &'a Validated,
        grants: &'a Grants,
        options: &'a Options,
        kept: KeptCertificates,
    ) -> Self {
        Self {
            secrets: &valid.secrets,
            config_maps: &valid.config_maps,
            bundles: options.supports(Feature::ClusterTrustBundle).then_some(&valid.cluster_trust_bundles),
            grants,
            unreadable: &options.unreadable,
            check: options.certificate_check.as_deref(),
            kept,
            read: KeptCertificates::default(),
            lookups: Lookups::default(),
        }
    }

    /// What was read, to be kept, and what was asked for, there or not.
    pub(crate) fn finish(self) -> (KeptCertificates, Lookups) {
        (self.read, self.lookups)
    }

    /// The certificate and key that an object refers to.
    ///
    /// # Errors
    /// Why the reference leads to none.
    pub(crate) fn certificate(
        &mut self,
        from: Referrer<'_>,
        reference: &SecretObjectReference,
    ) -> Result<Certificate, RefError> {
        let SecretObjectReference { group, kind, name, namespace } = reference;
        let namespace = namespace.as_deref().unwrap_or(from.namespace);
        let granted = self.permitted(from, Target { group, kind, namespace, name })?;
        let key = key(granted, Kind::Secret)?;
        self.lookups.insert(Kind::Secret, key.clone());
        let (kept, read) = (&mut self.kept.certificates, &mut self.read.certificates);
        let checked = |secret: &Secret| {
            read_certificate(secret, self.check).map(|certificate| certificate.read_from(key.clone()))
        };
        let certificate = read_once(&key, self.secrets, kept, read, checked);
        certificate.map_err(|error| self.unusable(Kind::Secret, key, error))
    }

    /// The certificates of the authority that an object refers to, a ConfigMap or a ClusterTrustBundle; at least one.
    ///
    /// # Errors
    /// Why the reference leads to none.
    ///
    /// # Spec
    /// GWF-03 to GWF-06, BTP-12, CTB-01 to CTB-03.
    pub(crate) fn authority(
        &mut self,
        from: Referrer<'_>,
        target: Target<'_>,
    ) -> Result<Authority, RefError> {
        if let Some(bundles) = self.bundles
            && (target.group, target.kind) == (CERTIFICATES_GROUP, Kind::ClusterTrustBundle.as_str())
        {
            // It is for all namespaces, so that no grant is asked for.
            let key = ObjectName::cluster(target.name);
            self.lookups.insert(Kind::ClusterTrustBundle, key.clone());
            let (kept, read) = (&mut self.kept.bundles, &mut self.read.bundles);
            let checked = |bundle: &ClusterTrustBundle| {
                let authority = certificates(bundle.spec.trust_bundle.as_bytes());
                let authority = authority.ok_or(Unusable::Malformed("spec.trustBundle", "a certificate"))?;
                checked(authority, self.check)
            };
            let authority = read_once(&key, bundles, kept, read, checked);
            return authority.map_err(|error| self.unusable(Kind::ClusterTrustBundle, key, error));
        }
        let granted = self.permitted(from, target)?;
        let key = key(granted, Kind::ConfigMap)?;
        self.lookups.insert(Kind::ConfigMap, key.clone());
        let (kept, read) = (&mut self.kept.authorities, &mut self.read.authorities);
        let checked = |map: &ConfigMap| read_authority(map, self.check);
        let authority = read_once(&key, self.config_maps, kept, read, checked);
        authority.map_err(|error| self.unusable(Kind::ConfigMap, key, error))
    }

    /// What is not there may be kept from us.
    fn unusable(&self, kind: Kind, key: ObjectName, error: Unusable) -> RefError {
        let object = (kind, key);
        let error = match (error, self.unreadable.get(&object)) {
            (Unusable::Missing, Some(why)) => Unusable::Unreadable(why.clone()),
            (error, _) => error,
        };
        let (kind, key) = object;
        RefError::Object { kind, key, error }
    }

    fn permitted<'t>(&self, from: Referrer<'_>, to: Target<'t>) -> Result<Granted<Target<'t>>, RefError> {
        self.grants.check(from, to).ok_or_else(|| RefError::NotPermitted {
            kind: to.kind.to_owned(),
            key: ObjectName::new(to.namespace, to.name),
            from_kind: from.kind.to_owned(),
            from_namespace: from.namespace.to_owned(),
        })
    }
}

/// What `read` makes of an object; it is read again only when it is another object than last time.
fn read_once<O, R: Clone>(
    key: &ObjectName,
    objects: &BTreeMap<ObjectName, Valid<O>>,
    kept: &mut Kept<O, R>,
    done: &mut Kept<O, R>,
    read: impl Fn(&O) -> Result<R, Unusable>,
) -> Result<R, Unusable> {
    if let Some((_, known)) = done.get(key) {
        return known.clone();
    }
    let object = objects.get(key).map(Valid::arc);
    let known = match (kept.remove(key), object) {
        (Some((Some(before), known)), Some(object)) if Arc::ptr_eq(&before, object) => known,
        (_, Some(object)) => read(object),
        (_, None) => Err(Unusable::Missing),
    };
    done.entry(key.clone()).or_insert((object.cloned(), known)).1.clone()
}

/// The key of a target that may be read and is of the wanted kind.
fn key(target: Granted<Target<'_>>, wanted: Kind) -> Result<ObjectName, RefError> {
    if target.group == wanted.group() && target.kind == wanted.as_str() {
        return Ok(ObjectName::new(target.namespace, target.name));
    }
    let (group, kind) = (target.group.to_owned(), target.kind.to_owned());
    Err(RefError::Kind { group, kind, wanted: wanted.as_str() })
}

fn read_certificate(secret: &Secret, check: Option<&dyn CertificateCheck>) -> Result<Certificate, Unusable> {
    if secret.r#type != TLS_SECRET {
        return Err(Unusable::Type(secret.r#type.clone()));
    }
    let chain = secret.data.get(CERTIFICATE).ok_or(Unusable::NoEntry(CERTIFICATE))?;
    let key = secret.data.get(KEY).ok_or(Unusable::NoEntry(KEY))?;
    let malformed = |error| match error {
        CertificateError::Key(_) => Unusable::Malformed(KEY, "a private key"),
        _ => Unusable::Malformed(CERTIFICATE, "a certificate"),
    };
    let certificate = Certificate::from_pem(chain, key).map_err(malformed)?;
    if !certificate.chain().iter().all(|der| is_sequence(der)) {
        return Err(Unusable::Malformed(CERTIFICATE, "a certificate"));
    }
    if !is_sequence(certificate.key().secret_der()) {
        return Err(Unusable::Malformed(KEY, "a private key"));
    }
    if let Some(check) = check {
        check.check(&certificate).map_err(Unusable::Refused)?;
    }
    Ok(certificate)
}

fn read_authority(
    config_map: &ConfigMap,
    check: Option<&dyn CertificateCheck>,
) -> Result<Authority, Unusable> {
    let text = config_map.data.get(AUTHORITY).map(String::as_bytes);
    let pem = text.or_else(|| config_map.binary_data.get(AUTHORITY).map(|bytes| &bytes.0[..]));
    let pem = pem.ok_or(Unusable::NoEntry(AUTHORITY))?;
    let authority = certificates(pem).ok_or(Unusable::Malformed(AUTHORITY, "a certificate"))?;
    checked(authority, check)
}

/// An authority that the TLS library takes.
fn checked(authority: Authority, check: Option<&dyn CertificateCheck>) -> Result<Authority, Unusable> {
    let mut all = authority.iter();
    let checked = all.try_for_each(|it| check.map_or(Ok(()), |check| check.check_authority(it)));
    checked.map(|()| authority).map_err(Unusable::Refused)
}

/// The certificates in a text, if there is one, and every one there looks like one.
fn certificates(pem: &[u8]) -> Option<Authority> {
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().ok()?;
    let good = !all.is_empty() && all.iter().all(|certificate| is_sequence(certificate));
    good.then(|| all.into())
}

/// Whether this is one DER sequence and nothing else: so much is common to certificates and to keys of every format.
fn is_sequence(der: &[u8]) -> bool {
    let [0x30, first, rest @ ..] = der else { return false };
    let (length, content) = match usize::from(*first) {
        short @ 0..0x80 => (short, rest),
        long => {
            let bytes = long - 0x80;
            if bytes == 0 || bytes > 4 || rest.len() < bytes {
                return false;
            }
            let (length, content) = rest.split_at(bytes);
            (length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), content)
        }
    };
    length == content.len()
}

// === impl RefError ===

impl RefError {
    /// The finding about a reference at this field, with this reason.
    pub(crate) fn into_finding(self, field: String, reason: Reason) -> Finding {
        let finding = Finding::new(field.as_str(), reason, format!("{field} {self}"));
        match self {
            // It may be there, and as it should be.
            Self::Object { error: Unusable::Unreadable(_), .. } => finding,
            Self::Object { kind, key, .. } => finding.because_of(kind.as_str(), key),
            Self::NotPermitted { .. } | Self::Kind { .. } => finding,
        }
    }
}

impl fmt::Display for RefError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPermitted { kind, key, from_kind, from_namespace } => write!(
                f,
                "refers to {kind} {key}, which no ReferenceGrant in namespace {} permits; ask there for one from \
                 {from_kind} in namespace {from_namespace} to {kind}",
                key.namespace
            ),
            Self::Kind { group, kind, wanted } => {
                let group = if group.is_empty() { "the core group" } else { group };
                write!(f, "refers to {kind} in {group}, which is not supported; refer to a {wanted}")
            }
            Self::Object { kind, key, error } => write!(f, "refers to {kind} {key}, which {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_is_as_long_as_it_says() {
        let long = |length: [u8; 2], content: usize| {
            let mut der = vec![0x30, 0x82, length[0], length[1]];
            der.resize(4 + content, 0);
            der
        };
        assert!(is_sequence(&[0x30, 0]));
        assert!(is_sequence(&[0x30, 2, 1, 1]));
        assert!(is_sequence(&long([1, 0], 256)));
        for broken in
            [&[][..], &[0x30], &[0x30, 2, 1], &[0x30, 1, 1, 1], &[0x31, 0], &[0x30, 0x80], &[0x30, 0x82, 1]]
        {
            assert!(!is_sequence(broken), "{broken:?}");
        }
        assert!(!is_sequence(&long([1, 1], 256)));
    }
}
