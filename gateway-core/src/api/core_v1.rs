//! The objects of the Kubernetes core group that routing looks at: Namespace, Service, Secret, ConfigMap.
//!
//! Only the fields that routing needs are here.

use std::collections::BTreeMap;
use std::fmt;

use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, Engine};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::field::{or_default, or_empty, written_enum};
use super::meta::ObjectMeta;

/// A namespace; selectors look at its labels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Namespace {
    /// Name, labels and the like.
    pub metadata: ObjectMeta,
}

/// A name for a set of endpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// Name, namespace, labels and the like.
    pub metadata: ObjectMeta,
    /// What is wanted.
    #[serde(default, deserialize_with = "or_default")]
    pub spec: ServiceSpec,
}

/// What is wanted of a Service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceSpec {
    /// Where the Service is reachable; `ClusterIP` when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub r#type: ServiceType,
    /// The ports.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<ServicePort>,
    /// The address inside the cluster; `None` for a headless Service.
    #[serde(rename = "clusterIP", skip_serializing_if = "Option::is_none")]
    pub cluster_ip: Option<String>,
    /// The addresses inside the cluster, one for each IP family.
    #[serde(
        rename = "clusterIPs",
        default,
        deserialize_with = "or_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub cluster_ips: Vec<String>,
    /// The labels of the pods behind the Service; without it another controller writes the endpoints.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub selector: BTreeMap<String, String>,
    /// The name that an `ExternalName` Service stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_name: Option<String>,
    /// Whether connections of a client stay together; `None` when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub session_affinity: ServiceAffinity,
    /// Whether endpoints that are not ready are published too.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "std::ops::Not::not")]
    pub publish_not_ready_addresses: bool,
}

written_enum! {
    /// Where a Service is reachable.
    #[derive(Default)]
    pub enum ServiceType {
        /// Inside the cluster.
        #[default]
        ClusterIp = "ClusterIP",
        /// On a port of every node too.
        NodePort = "NodePort",
        /// By a load balancer too.
        LoadBalancer = "LoadBalancer",
        /// Nowhere: it is an alias of a DNS name.
        ExternalName = "ExternalName",
    }
}

written_enum! {
    /// Whether connections of a client stay together.
    #[derive(Default)]
    pub enum ServiceAffinity {
        /// They do not.
        #[default]
        None = "None",
        /// By client address.
        ClientIp = "ClientIP",
    }
}

/// A port of a Service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePort {
    /// The name; may be absent if it is the only port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The port of the Service.
    pub port: i32,
    /// The port of the endpoints, by number or name; `port` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_port: Option<IntOrString>,
    /// The transport protocol; `TCP` when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub protocol: TransportProtocol,
    /// What is spoken on the port, such as `kubernetes.io/h2c`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_protocol: Option<String>,
    /// The port on every node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_port: Option<i32>,
}

written_enum! {
    /// A transport protocol.
    #[derive(Default)]
    pub enum TransportProtocol {
        /// TCP
        #[default]
        Tcp = "TCP",
        /// UDP
        Udp = "UDP",
        /// SCTP
        Sctp = "SCTP",
    }
}

/// A port by number or by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IntOrString {
    /// By number.
    Int(i32),
    /// By name.
    String(String),
}

/// Something not to be shown: keys, certificates, passwords.
///
/// `stringData` is merged into `data`, as an API server does when it stores the object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", from = "WrittenSecret")]
pub struct Secret {
    /// Name, namespace, labels and the like.
    pub metadata: ObjectMeta,
    /// What the entries mean, such as `kubernetes.io/tls`; `Opaque` when absent.
    pub r#type: String,
    /// The entries.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub data: BTreeMap<String, ByteString>,
}

/// A Secret in the form that only a request to the API server has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenSecret {
    metadata: ObjectMeta,
    #[serde(default = "opaque", deserialize_with = "or_opaque")]
    r#type: String,
    #[serde(default, deserialize_with = "or_default")]
    data: BTreeMap<String, ByteString>,
    #[serde(default, deserialize_with = "or_default")]
    string_data: BTreeMap<String, String>,
}

/// Something that may be shown: settings, certificates of authorities.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigMap {
    /// Name, namespace, labels and the like.
    pub metadata: ObjectMeta,
    /// The entries that are text.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub data: BTreeMap<String, String>,
    /// The entries that are not.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub binary_data: BTreeMap<String, ByteString>,
}

/// Bytes that are written in base64. Debug shows their number only: they may be a private key.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ByteString(pub Vec<u8>);

fn opaque() -> String {
    "Opaque".to_owned()
}

fn or_opaque<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_else(opaque))
}

// === impl Secret ===

impl From<WrittenSecret> for Secret {
    fn from(written: WrittenSecret) -> Self {
        let WrittenSecret { metadata, r#type, mut data, string_data } = written;
        data.extend(string_data.into_iter().map(|(key, text)| (key, ByteString(text.into_bytes()))));
        Self { metadata, r#type, data }
    }
}

// === impl IntOrString ===

impl Serialize for IntOrString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Int(number) => serializer.serialize_i32(*number),
            Self::String(name) => serializer.serialize_str(name),
        }
    }
}

impl<'de> Deserialize<'de> for IntOrString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = IntOrString;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a port number or a port name")
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<IntOrString, E> {
                let number = i32::try_from(number)
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(number), &self))?;
                Ok(IntOrString::Int(number))
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<IntOrString, E> {
                let number = i32::try_from(number)
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Unsigned(number), &self))?;
                Ok(IntOrString::Int(number))
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<IntOrString, E> {
                Ok(IntOrString::String(name.to_owned()))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

// === impl ByteString ===

impl std::ops::Deref for ByteString {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for ByteString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({} bytes)", self.0.len())
    }
}

impl Serialize for ByteString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

/// Where a text stops being base64, as what follows on that it does.
fn place_of(error: &DecodeError) -> String {
    match error {
        DecodeError::InvalidByte(offset, _) | DecodeError::InvalidLastSymbol(offset, _) => {
            format!(", at character {}", offset + 1)
        }
        DecodeError::InvalidLength(_) => ", its end is missing".to_owned(),
        DecodeError::InvalidPadding => ", with more or fewer `=` at its end than there should be".to_owned(),
    }
}

impl<'de> Deserialize<'de> for ByteString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Base64;

        impl Visitor<'_> for Base64 {
            type Value = ByteString;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text in base64")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ByteString, E> {
                let decoded = if text.bytes().any(|byte| matches!(byte, b'\n' | b'\r')) {
                    // A block scalar has line breaks, which the API server skips.
                    let line: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
                    STANDARD.decode(line)
                } else {
                    STANDARD.decode(text)
                };
                // The text itself is not repeated: it may be a private key.
                decoded.map(ByteString).map_err(|error| {
                    E::custom(format_args!(
                        "not valid base64{}; write what `base64` makes of it, or in a Secret the text itself into \
                         `stringData` in the place of `data`",
                        place_of(&error)
                    ))
                })
            }
        }

        deserializer.deserialize_str(Base64)
    }
}
