//! Expectations of a status.

use std::collections::BTreeMap;
use std::fmt;

use gateway_core::api::Condition;
use serde::Deserialize;

use super::object_ref::ObjectRef;

/// What the status of an object must say. Every condition in it must be about the object as it is now.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusStep {
    /// The object.
    pub of: ObjectRef,
    /// Conditions of the object itself.
    #[serde(default)]
    pub conditions: Conditions,
    /// Types of conditions that the object itself must not have.
    #[serde(default)]
    pub absent_conditions: Vec<String>,
    /// The listeners of a Gateway or ListenerSet: exactly these.
    #[serde(default)]
    pub listeners: Option<Vec<ListenerExpectation>>,
    /// How many ListenerSets are attached to a Gateway.
    #[serde(default)]
    pub attached_listener_sets: Option<usize>,
    /// The addresses of a Gateway: exactly these values. `$(usable-address)` and `$(unusable-address)` are known.
    #[serde(default)]
    pub addresses: Option<Vec<String>>,
    /// From where the addresses of a Gateway are reached: exactly these values, in any order.
    #[serde(default)]
    pub routabilities: Option<Vec<String>>,
    /// Entries for parents of a route, or for ancestors of a policy. Others may be there too.
    #[serde(default)]
    pub parents: Vec<ParentExpectation>,
    /// How many entries for parents there must be.
    #[serde(default)]
    pub parent_count: Option<usize>,
}

/// The conditions that must be there, by type.
pub type Conditions = BTreeMap<String, ConditionExpectation>;

/// What a listener's status must say.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListenerExpectation {
    /// The name.
    pub name: String,
    /// The kinds that must be among its supported kinds; none at all if this is empty. Not looked at if absent.
    #[serde(default)]
    pub supported_kinds: Option<Vec<String>>,
    /// How many routes are attached.
    #[serde(default)]
    pub attached_routes: Option<usize>,
    /// Conditions.
    #[serde(default)]
    pub conditions: Conditions,
}

/// What a status must say about a parent.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParentExpectation {
    /// The parent.
    pub parent: ObjectRef,
    /// The section of the parent, where the route names several.
    #[serde(default)]
    pub section_name: Option<String>,
    /// The port of the parent, where the route names several.
    #[serde(default)]
    pub port: Option<u16>,
    /// The controller that wrote it, where it is not the one under test.
    #[serde(default)]
    pub controller_name: Option<String>,
    /// Conditions.
    #[serde(default)]
    pub conditions: Conditions,
}

/// What a condition must be: `True`, `True/Accepted`, or `False/NoMatchingParent|NotAllowedByListeners`; or such a text as
/// `is`, with more fields beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct ConditionExpectation {
    /// `True`, `False` or `Unknown`; `Any` is any of them.
    pub status: String,
    /// The reasons of which one must be given; any if empty.
    pub reasons: Vec<String>,
    /// A text that must be in the message.
    pub message: Option<String>,
    /// The generation that it must be about.
    pub observed_generation: Option<i64>,
    /// The time of its last transition.
    pub last_transition_time: Option<String>,
}

/// A condition as it is written.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Short(String),
    Long(Long),
}

/// A condition of which more is said than its status and its reason.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Long {
    is: String,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    observed_generation: Option<i64>,
    #[serde(default)]
    last_transition_time: Option<String>,
}

// === impl ConditionExpectation ===

impl ConditionExpectation {
    /// Whether a condition is what it must be.
    pub fn fits(&self, condition: &Condition) -> bool {
        let Self { status, reasons, message, observed_generation, last_transition_time } = self;
        (status == "Any" || status == condition.status.as_str())
            && (reasons.is_empty() || reasons.contains(&condition.reason))
            && message.as_ref().is_none_or(|text| condition.message.contains(text))
            && observed_generation.is_none_or(|wanted| Some(wanted) == condition.observed_generation)
            && last_transition_time
                .as_ref()
                .is_none_or(|wanted| *wanted == condition.last_transition_time.to_string())
    }
}

impl TryFrom<Written> for ConditionExpectation {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Short(text) => Self::try_from(text),
            Written::Long(Long { is, message, observed_generation, last_transition_time }) => {
                Ok(Self { message, observed_generation, last_transition_time, ..Self::try_from(is)? })
            }
        }
    }
}

impl TryFrom<String> for ConditionExpectation {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (status, reasons) = match text.split_once('/') {
            Some((status, reasons)) => (status, reasons.split('|').map(str::to_owned).collect()),
            None => (text.as_str(), Vec::new()),
        };
        if !["True", "False", "Unknown", "Any"].contains(&status) || reasons.iter().any(String::is_empty) {
            return Err(format!(
                "{text:?} is no condition; write \"True\", \"False/Reason\" or \"False/One|Another\""
            ));
        }
        Ok(Self { status: status.to_owned(), reasons, ..Self::default() })
    }
}

impl fmt::Display for ConditionExpectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.status)?;
        if !self.reasons.is_empty() {
            write!(f, "/{}", self.reasons.join("|"))?;
        }
        if let Some(message) = &self.message {
            write!(f, ", {message:?} in its message")?;
        }
        if let Some(generation) = self.observed_generation {
            write!(f, ", about generation {generation}")?;
        }
        if let Some(time) = &self.last_transition_time {
            write!(f, ", since {time}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    fn condition(status: &str, reason: &str) -> Condition {
        from_value(json!({
            "type": "Accepted", "status": status, "reason": reason, "message": "the filter is unknown",
            "observedGeneration": 2, "lastTransitionTime": "2026-01-01T00:00:00Z",
        }))
        .unwrap()
    }

    #[test]
    fn more_may_be_said_of_a_condition() {
        let fits = |expected: serde_json::Value| {
            from_value::<ConditionExpectation>(expected).map(|it| it.fits(&condition("False", "A")))
        };
        assert!(fits(json!({"is": "False/A", "message": "filter", "observedGeneration": 2})).unwrap());
        assert!(fits(json!({"is": "Any", "lastTransitionTime": "2026-01-01T00:00:00Z"})).unwrap());
        for other in [
            json!({"is": "True"}),
            json!({"is": "False", "message": "backend"}),
            json!({"is": "False", "observedGeneration": 1}),
            json!({"is": "False", "lastTransitionTime": "2026-01-02T00:00:00Z"}),
        ] {
            assert!(!fits(other.clone()).unwrap(), "{other}");
        }
        assert!(fits(json!({"is": "False", "reason": "A"})).is_err(), "there is no such field");
    }

    #[test]
    fn a_condition_is_a_status_and_perhaps_reasons() {
        let fits = |expected: &str, status, reason| {
            ConditionExpectation::try_from(expected.to_owned()).unwrap().fits(&condition(status, reason))
        };
        assert!(fits("True", "True", "Accepted") && !fits("True", "False", "Accepted"));
        assert!(fits("Any", "False", "Pending"));
        assert!(fits("False/A|B", "False", "B") && !fits("False/A|B", "False", "C"));
        assert!(ConditionExpectation::try_from("true".to_owned()).is_err());
        assert!(ConditionExpectation::try_from("True/".to_owned()).is_err());
    }
}
