//! Data of the embedder's own on a rule.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::RuleName;

/// A value of any type that a rule carries for the embedder: what its layers want to know about the rule, made once when the
/// rule is compiled and swapped together with the table.
///
/// ```
/// use gateway_core::rule::RuleData;
///
/// #[derive(Debug, PartialEq)]
/// struct Quota(u32);
///
/// let data = RuleData::new(Quota(100));
/// assert_eq!(data.get(), Some(&Quota(100)));
/// assert_eq!(data.get::<String>(), None);
/// ```
#[derive(Clone)]
pub struct RuleData(Arc<dyn Any + Send + Sync>);

/// Makes the data of rules, from what users wrote on their Routes.
pub trait RuleDataSource: Send + Sync + fmt::Debug {
    /// The data of a rule of a Route with these labels and annotations, if there is any.
    ///
    /// Asked each time that the Route is compiled. What has to outlive that, such as a counter, is kept outside of the value.
    fn data(
        &self,
        rule: &RuleName,
        labels: &BTreeMap<String, String>,
        annotations: &BTreeMap<String, String>,
    ) -> Option<RuleData>;
}

// === impl RuleData ===

impl RuleData {
    /// The data `value`.
    pub fn new<T: Any + Send + Sync>(value: T) -> Self {
        Self(Arc::new(value))
    }

    /// The value, if it is of this type.
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

/// Two are equal when they are the same value, not when they have equal values.
impl PartialEq for RuleData {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for RuleData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RuleData")
    }
}
