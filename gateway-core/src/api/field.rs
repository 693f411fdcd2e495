//! Fields as they are read: enumerated values that keep what was written, and defaults.
//!
//! Two rules of the API server are obeyed here, once, for every resource:
//! - an explicit `null` is an absent field (it is pruned before defaulting), so `weight:` with nothing behind it is weight 1;
//! - a default is applied where the schema has one, and nowhere else.

use serde::{Deserialize, Deserializer};

/// Declares an enumerated field: the values of the schema, and whatever else was written.
///
/// An unknown value is not a parse error, because the specification gives it a consequence of its own
/// (`Accepted: False`, `UnsupportedValue`) that only a later stage can state.
macro_rules! written_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)+
            /// A value that this version of the API does not list, as written.
            Unknown(Box<str>),
        }

        impl $name {
            /// The values that the schema lists, as they are written.
            pub const KNOWN: &'static [&'static str] = &[$($text),+];

            /// The value as it is written.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Unknown(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    other => Self::Unknown(other.into()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;

                impl serde::de::Visitor<'_> for Visitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("a string")
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        Ok($name::from(text))
                    }
                }

                deserializer.deserialize_str(Visitor)
            }
        }
    };
}
pub(super) use written_enum;

/// Reads a field whose absence is the type's own default, and `null` likewise.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a list whose absence is the empty one, and `null` likewise.
///
/// Most lists have one entry, for which a growing list makes room for four: that would be half of the memory of a large
/// configuration.
pub(super) fn or_empty<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(optional_list(deserializer)?.unwrap_or_default())
}

/// Reads a list with no more room than it needs, if there is one.
pub(super) fn optional_list<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let mut list: Option<Vec<T>> = Option::deserialize(deserializer)?;
    if let Some(list) = &mut list {
        list.shrink_to_fit();
    }
    Ok(list)
}

/// Declares schema defaults: for each a function with the value, and one that reads the field with `null` as absent.
macro_rules! schema_defaults {
    ($($(#[$meta:meta])* $value:ident, $read:ident: $type:ty = $default:expr;)+) => {$(
        $(#[$meta])*
        pub(super) fn $value() -> $type {
            $default
        }

        #[doc = concat!("Reads a field whose absence is [`", stringify!($value), "`].")]
        pub(super) fn $read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
            Ok(Option::deserialize(deserializer)?.unwrap_or_else($value))
        }
    )+};
}

/// The same for texts, which some structs keep as `String` and others, of which there are many, as `Box<str>`.
macro_rules! schema_texts {
    ($($(#[$meta:meta])* $value:ident, $read:ident = $text:literal;)+) => {$(
        $(#[$meta])*
        pub(super) fn $value<T: From<&'static str>>() -> T {
            $text.into()
        }

        #[doc = concat!("Reads a field whose absence is [`", stringify!($value), "`].")]
        pub(super) fn $read<'de, D, T>(deserializer: D) -> Result<T, D::Error>
        where
            D: Deserializer<'de>,
            T: Deserialize<'de> + From<&'static str>,
        {
            Ok(Option::deserialize(deserializer)?.unwrap_or_else($value))
        }
    )+};
}

schema_texts! {
    /// The kind that a backend reference means when it names none.
    service_kind, or_service_kind = "Service";
    /// The path of a path match or a cookie that has no value.
    root_path, or_root_path = "/";
}

schema_defaults! {
    /// The API group of Gateway API.
    gateway_group, or_gateway_group: String = crate::api::GATEWAY_GROUP.to_owned();
    /// The kind that a parent reference means when it names none.
    gateway_kind, or_gateway_kind: String = "Gateway".to_owned();
    /// The kind that a certificate reference means when it names none.
    secret_kind, or_secret_kind: String = "Secret".to_owned();
    /// The share of a backend that states none.
    weight, or_weight: i32 = 1;
    /// The status code of a redirect that states none.
    found, or_found: u16 = 302;
    /// The denominator of a fraction that states none.
    hundred, or_hundred: i32 = 100;
    /// How long a CORS preflight answer may be cached, in seconds.
    cors_max_age, or_cors_max_age: i32 = 5;
    /// How often a rule with retries tries again when it gives no number.
    one_attempt, or_one_attempt: i32 = 1;
    /// The share of requests that may be retries, in percent.
    retry_percent, or_retry_percent: i32 = 20;
    /// The time over which a retry budget is counted.
    retry_interval, or_retry_interval: String = "10s".to_owned();
}
