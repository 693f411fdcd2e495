//! The namespaces that may attach: Routes to a listener, ListenerSets to a Gateway.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::api::{FromNamespaces, LabelSelector, LabelSelectorOperator, LabelSelectorRequirement, Namespace};
use crate::name::ObjectName;
use crate::validate::Valid;

/// The label that an API server puts on every namespace, with the namespace's name.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// The namespaces that may attach.
///
/// # Spec
/// `RouteNamespaces` and `ListenerNamespaces`, GWK-06 to GWK-08, LST-02, LST-03.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AllowedNamespaces {
    /// Every namespace.
    All,
    /// This one: that of the Gateway or the ListenerSet.
    Same(Arc<str>),
    /// Those with matching labels.
    Selector(Arc<LabelSelector>),
    /// None.
    None,
}

/// The labels of every namespace.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Namespaces {
    labels: HashMap<Arc<str>, BTreeMap<String, String>>,
}

// === impl AllowedNamespaces ===

impl AllowedNamespaces {
    /// What `from` and `selector` allow on an object in the namespace `own`.
    ///
    /// A selector that is missing, and a word that is not known, allow nothing: what is not understood must not open a
    /// door.
    ///
    /// # Spec
    /// GWK-08, GEN-14.
    pub(crate) fn new(from: &FromNamespaces, selector: Option<&LabelSelector>, own: &Arc<str>) -> Self {
        match from {
            FromNamespaces::All => Self::All,
            FromNamespaces::Same => Self::Same(own.clone()),
            FromNamespaces::Selector => {
                selector.map_or(Self::None, |selector| Self::Selector(Arc::new(selector.clone())))
            }
            FromNamespaces::None | FromNamespaces::Unknown(_) => Self::None,
        }
    }

    /// Whether objects of this namespace may attach.
    pub(crate) fn admits(&self, namespace: &str, namespaces: &Namespaces) -> bool {
        match self {
            Self::All => true,
            Self::Same(own) => **own == *namespace,
            Self::Selector(selector) => namespaces.selected(namespace, selector),
            Self::None => false,
        }
    }
}

// === impl Namespaces ===

impl Namespaces {
    /// The labels of these namespaces.
    pub(crate) fn new(namespaces: &BTreeMap<ObjectName, Valid<Namespace>>) -> Self {
        let labels =
            namespaces.iter().map(|(key, namespace)| (key.name.clone(), namespace.metadata.labels.clone()));
        Self { labels: labels.collect() }
    }

    /// Whether there is an object for this namespace.
    pub(crate) fn has(&self, namespace: &str) -> bool {
        self.labels.contains_key(namespace)
    }

    /// Whether the selector picks this namespace.
    ///
    /// Of a namespace without an object its name is known, and so is the label that holds it. A selector that asks about any
    /// other label does not pick it, not even one that asks for the label to be absent.
    ///
    /// # Spec
    /// GWK-07; the choice is AMB-58.
    pub(crate) fn selected(&self, namespace: &str, selector: &LabelSelector) -> bool {
        let labels = self.labels.get(namespace);
        let is_known = |key: &str| labels.is_some() || key == NAME_LABEL;
        let value = |key: &str| match labels.and_then(|labels| labels.get(key)) {
            Some(value) => Some(value.as_str()),
            // Outside a cluster no API server has put it there.
            None => (key == NAME_LABEL).then_some(namespace),
        };
        selector.match_labels.iter().all(|(key, wanted)| value(key) == Some(wanted))
            && selector
                .match_expressions
                .iter()
                .all(|requirement| is_known(&requirement.key) && holds(requirement, value(&requirement.key)))
    }
}

fn holds(requirement: &LabelSelectorRequirement, value: Option<&str>) -> bool {
    let listed = || value.is_some_and(|value| requirement.values.iter().any(|wanted| wanted == value));
    match &requirement.operator {
        LabelSelectorOperator::In => listed(),
        LabelSelectorOperator::NotIn => !listed(),
        LabelSelectorOperator::Exists => value.is_some(),
        LabelSelectorOperator::DoesNotExist => value.is_none(),
        LabelSelectorOperator::Unknown(_) => false,
    }
}
