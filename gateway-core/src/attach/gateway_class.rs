//! The GatewayClasses of this controller, and whether Gateways of them will be made.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::GatewayClass;
use crate::condition::Reason;
use crate::finding::Finding;
use crate::name::ObjectName;
use crate::options::Options;
use crate::validate::Valid;

/// A GatewayClass of this controller.
#[derive(Clone, Debug)]
pub(crate) struct AttachedGatewayClass {
    /// The object.
    pub(crate) object: Arc<GatewayClass>,
    /// Why no Gateway of the class is made.
    pub(crate) refusal: Option<Finding>,
}

/// The classes that are ours, judged.
///
/// # Spec
/// GC-01, GC-02, GC-06, GC-09.
pub(super) fn attach(
    classes: &BTreeMap<ObjectName, Valid<GatewayClass>>,
    options: &Options,
) -> BTreeMap<ObjectName, AttachedGatewayClass> {
    let ours =
        |class: &GatewayClass| options.any_class || class.spec.controller_name == options.controller_name;
    let attached = classes.iter().filter(|(_, class)| ours(class)).map(|(key, class)| {
        let refusal = class.spec.parameters_ref.as_ref().map(|parameters| {
            let message = format!(
                "spec.parametersRef names {} {}, but this controller has no parameters; remove it",
                parameters.kind, parameters.name
            );
            Finding::new("spec.parametersRef", Reason::InvalidParameters, message)
        });
        (key.clone(), AttachedGatewayClass { object: class.arc().clone(), refusal })
    });
    attached.collect()
}
