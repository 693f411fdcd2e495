//! Namespaces that a listener or a Gateway lets in.

use std::collections::BTreeMap;

use gateway_core::api::{FromNamespaces, LabelSelector, LabelSelectorOperator, Resources};
use gateway_core::name::ObjectName;

const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// GWK-07, GWK-08, LST-03, AMB-58: whether something of `namespace` may attach to an object in `own`.
pub(super) fn admit(
    resources: &Resources,
    from: &FromNamespaces,
    selector: Option<&LabelSelector>,
    own: &str,
    namespace: &str,
) -> bool {
    match from {
        FromNamespaces::All => true,
        FromNamespaces::Same => namespace == own,
        FromNamespaces::Selector => selector.is_some_and(|selector| {
            let known = resources.namespaces.get(&ObjectName::cluster(namespace));
            let mut labels = known.map(|known| known.metadata.labels.clone()).unwrap_or_default();
            // Every namespace of a cluster has its name as a label, and that is all that is known of one without an object.
            labels.entry(NAME_LABEL.into()).or_insert_with(|| namespace.to_owned());
            let asked = selector.match_expressions.iter().map(|requirement| &*requirement.key);
            (known.is_some() || asked.into_iter().all(|key| key == NAME_LABEL)) && selects(selector, &labels)
        }),
        FromNamespaces::None | FromNamespaces::Unknown(_) => false,
    }
}

fn selects(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    let by_label = selector.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value));
    let by_expression = selector.match_expressions.iter().all(|requirement| {
        let label = labels.get(&requirement.key);
        let listed = label.is_some_and(|label| requirement.values.contains(label));
        match requirement.operator {
            LabelSelectorOperator::In => listed,
            LabelSelectorOperator::NotIn => !listed,
            LabelSelectorOperator::Exists => label.is_some(),
            LabelSelectorOperator::DoesNotExist => label.is_none(),
            LabelSelectorOperator::Unknown(_) => false,
        }
    });
    by_label && by_expression
}
