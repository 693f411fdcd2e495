//! TLS with clients and with backends, as far as the objects say.

use gateway_core::name::ObjectName;

/// What a listener shows to a client, and asks of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The Secrets with the certificates to choose from; never empty.
    pub certificates: Vec<ObjectName>,
    /// How the client is checked; it is not even asked for a certificate without.
    pub clients: Option<ClientValidation>,
}

/// How clients are checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientValidation {
    /// The certificates of the authorities that may have signed the client's, in DER.
    pub authorities: Vec<Vec<u8>>,
    /// Clients without certificate, or with one of another authority, are served too.
    pub any_client: bool,
}

/// How TLS is spoken with a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendTls {
    /// The server name to send.
    pub server_name: String,
    /// The names of which the backend's certificate must have one.
    pub identities: Vec<Identity>,
    /// Who must have signed it.
    pub authorities: Authorities,
    /// The certificate to show to the backend, in DER.
    pub client_certificate: Option<Vec<u8>>,
}

/// A name in a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A DNS name, maybe with a wildcard.
    Hostname(String),
    /// A URI.
    Uri(String),
}

/// Who must have signed a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorities {
    /// One of the authorities that the system trusts.
    System,
    /// One of these, in DER.
    Certificates(Vec<Vec<u8>>),
}
