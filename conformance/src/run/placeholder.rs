//! Texts in cases that stand for something that is known only when the case runs.

use gateway_core::api::{AnyObject, Kind};
use serde::de::DeserializeSeed;
use serde_json::Value;

use crate::case::{HttpExchange, Name};
use crate::certificate::certificates;
use crate::engine::{Abilities, CONTROLLER};

const USABLE: &str = "$(usable-address)";
const UNUSABLE: &str = "$(unusable-address)";
const ID: &str = "$(id)";

/// The object as the engine gets it: placeholders replaced, and the controller called by its name.
///
/// # Errors
/// A placeholder that stands for nothing, or an object that is none any more.
pub(super) fn object(
    object: &AnyObject,
    abilities: &Abilities,
    others: &[AnyObject],
) -> Result<AnyObject, String> {
    let name = format!("{} {}", object.kind(), object.key());
    let mut value = serde_json::to_value(object).map_err(|error| format!("{name}: {error}"))?;
    if !texts(&mut value, &mut |text| replace(text, abilities, others))? {
        return Ok(object.clone());
    }
    read(object.kind(), value).map_err(|error| format!("{name}: {error}"))
}

/// An object of the kind.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(kind: Kind, value: Value) -> Result<AnyObject, String> {
    kind.deserialize(value).map_err(|error| error.to_string())
}

/// A text with its placeholders replaced; nothing if it has none.
///
/// # Errors
/// A placeholder that stands for nothing.
pub(super) fn replace(
    text: &str,
    abilities: &Abilities,
    others: &[AnyObject],
) -> Result<Option<String>, String> {
    if text == CONTROLLER {
        return Ok(Some(abilities.controller_name.clone()));
    }
    let mut replaced = text.to_owned();
    if let Some(addresses) = &abilities.static_addresses {
        replaced = replaced.replace(USABLE, &addresses.usable).replace(UNUSABLE, &addresses.unusable);
    }
    while let Some(start) = replaced.find("$(ConfigMap ") {
        let end = replaced[start..].find(')').map(|length| start + length);
        let placeholder = end.map_or(&replaced[start..], |end| &replaced[start..=end]);
        let text =
            config_map(placeholder, others).ok_or_else(|| format!("{placeholder} stands for nothing"))?;
        replaced = replaced.replace(&placeholder.to_owned(), &text);
    }
    Ok((replaced != text).then_some(replaced))
}

/// Whether the text asks for addresses that an engine must be told.
pub(super) fn needs_addresses(text: &str) -> bool {
    text.contains(USABLE) || text.contains(UNUSABLE)
}

/// The exchange with a new id.
pub(super) fn with_id(exchange: &HttpExchange) -> HttpExchange {
    with_this_id(exchange, &format!("{:016x}", fastrand::u64(..)))
}

/// The exchange with this id.
pub(super) fn with_this_id(exchange: &HttpExchange, id: &str) -> HttpExchange {
    let mut exchange = exchange.clone();
    exchange.request.path = exchange.request.path.replace(ID, id);
    exchange.expect.path = exchange.expect.path.map(|path| path.replace(ID, id));
    exchange
}

/// An entry of a ConfigMap: `$(ConfigMap name key)`
fn config_map(placeholder: &str, others: &[AnyObject]) -> Option<String> {
    let (name, key) = placeholder.strip_prefix("$(ConfigMap ")?.strip_suffix(')')?.split_once(' ')?;
    let wanted = Name::from(name).0;
    let data = |object: &AnyObject| match object {
        AnyObject::ConfigMap(map) if object.key() == wanted => map.data.get(key).cloned(),
        _ => None,
    };
    certificates().objects().iter().chain(others).find_map(data)
}

/// Changes the texts of a document. Whether there was anything to change.
fn texts(
    value: &mut Value,
    change: &mut impl FnMut(&str) -> Result<Option<String>, String>,
) -> Result<bool, String> {
    let mut changed = false;
    match value {
        Value::String(text) => {
            if let Some(new) = change(text)? {
                *text = new;
                changed = true;
            }
        }
        Value::Array(values) => {
            for value in values {
                changed |= texts(value, change)?;
            }
        }
        Value::Object(fields) => {
            for value in fields.values_mut() {
                changed |= texts(value, change)?;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use crate::engine::{Pace, StaticAddresses};

    use super::*;

    fn abilities() -> Abilities {
        Abilities {
            features: BTreeSet::new(),
            controller_name: "example.org/mine".to_owned(),
            statuses: true,
            traffic: true,
            pace: Pace::Immediate,
            static_addresses: Some(StaticAddresses {
                usable: "127.0.0.1".to_owned(),
                unusable: "192.0.2.1".to_owned(),
            }),
        }
    }

    #[test]
    fn placeholders_stand_for_texts() {
        let replace = |text: &str| replace(text, &abilities(), &[]);
        assert_eq!(replace(USABLE), Ok(Some("127.0.0.1".to_owned())));
        assert_eq!(replace(CONTROLLER), Ok(Some("example.org/mine".to_owned())));
        assert_eq!(replace("text"), Ok(None));
        let certificate = replace("$(ConfigMap tls-checks-ca-certificate ca.crt)").unwrap().unwrap();
        assert!(certificate.starts_with("-----BEGIN CERTIFICATE-----"), "{certificate}");
        let message = "$(ConfigMap none ca.crt) stands for nothing";
        assert_eq!(replace("a $(ConfigMap none ca.crt)"), Err(message.to_owned()));
    }

    #[test]
    fn an_object_keeps_what_is_no_placeholder() {
        let class = |controller: &str| {
            let class = json!({"metadata": {"name": "c"}, "spec": {"controllerName": controller, "description": "d"}});
            read(Kind::GatewayClass, class).unwrap()
        };
        assert_eq!(object(&class(CONTROLLER), &abilities(), &[]), Ok(class("example.org/mine")));
        assert_eq!(object(&class("x.org/y"), &abilities(), &[]), Ok(class("x.org/y")));
    }

    #[test]
    fn every_attempt_has_an_id_of_its_own() {
        let exchange: HttpExchange =
            serde_json::from_value(json!({"path": "/a?id=$(id)", "expect": {"path": "/b?id=$(id)"}}))
                .unwrap();
        let (one, two) = (with_id(&exchange), with_id(&exchange));
        assert_ne!(one.request.path, two.request.path);
        assert_eq!(one.request.path.replace("/a", "/b"), one.expect.path.unwrap());
    }
}
