//! GatewayClass: which controller runs a Gateway.

use std::fmt;

use serde::de::{MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize};

use super::field::{or_default, or_empty};
use super::meta::{Condition, ObjectMeta};
use super::reference::ParametersReference;

/// A class of Gateways that one controller runs.
///
/// # Spec
/// `GatewayClass` in `gatewayclass_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayClass {
    /// Name, labels and the like.
    pub metadata: ObjectMeta,
    /// What is wanted.
    pub spec: GatewayClassSpec,
    /// What is; a new class is `Accepted: Unknown` until its controller looks at it.
    #[serde(default, deserialize_with = "or_default")]
    pub status: GatewayClassStatus,
}

/// What is wanted of a GatewayClass.
///
/// # Spec
/// `GatewayClassSpec` in `gatewayclass_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayClassSpec {
    /// The controller that runs Gateways of this class, as `domain/path`.
    pub controller_name: String,
    /// Parameters for the controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters_ref: Option<ParametersReference>,
    /// What the class is for, for a human.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The status of a GatewayClass.
///
/// # Spec
/// `GatewayClassStatus` in `gatewayclass_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayClassStatus {
    /// The conditions.
    #[serde(default = "pending", deserialize_with = "or_pending")]
    pub conditions: Vec<Condition>,
    /// The features that the controller supports, sorted by name.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub supported_features: Vec<SupportedFeature>,
}

/// A feature that a controller supports.
///
/// Reads both `{name: HTTPRouteCORS}` and the plain string `HTTPRouteCORS` that versions before 1.3 wrote.
///
/// # Spec
/// `SupportedFeature` in `gatewayclass_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SupportedFeature {
    /// The name of the feature.
    pub name: String,
}

fn pending() -> Vec<Condition> {
    vec![Condition::pending("Accepted")]
}

fn or_pending<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Condition>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_else(pending))
}

// === impl GatewayClassStatus ===

impl Default for GatewayClassStatus {
    fn default() -> Self {
        Self { conditions: pending(), supported_features: Vec::new() }
    }
}

// === impl SupportedFeature ===

impl<'de> Deserialize<'de> for SupportedFeature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrObject;

        impl<'de> Visitor<'de> for NameOrObject {
            type Value = SupportedFeature;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a feature, as an object with its `name` or as the name alone")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<SupportedFeature, E> {
                Ok(SupportedFeature { name: name.to_owned() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SupportedFeature, A::Error> {
                #[derive(Deserialize)]
                struct Object {
                    name: String,
                }

                let Object { name } = Object::deserialize(MapAccessDeserializer::new(map))?;
                Ok(SupportedFeature { name })
            }
        }

        deserializer.deserialize_any(NameOrObject)
    }
}
