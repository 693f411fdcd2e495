//! The parents that a Route names.

use super::pattern;
use super::problem::{Channel, Problems, clipped};
use super::schema::PORT;
use crate::api::{GatewayDefaultScope, ParentReference};

/// `spec.parentRefs` and `spec.useDefaultGateways`, which every Route has.
///
/// # Spec
/// LIM-09, VAL-RT-01, VAL-RT-02, VAL-ST-04.
pub(super) fn parents(
    parent_refs: &[ParentReference],
    use_default_gateways: Option<&GatewayDefaultScope>,
    at: &mut Problems,
) {
    let parent_refs = at.list("parentRefs", parent_refs, 0..=32, "LIM-09", parent);
    for (second, parent) in parent_refs.iter().enumerate().skip(1) {
        for (first, earlier) in parent_refs[..second].iter().enumerate() {
            if same_object(earlier, parent) {
                two_of_one_parent(first, earlier, second, parent, at);
            }
        }
    }
    default_scope("useDefaultGateways", use_default_gateways, at);
}

/// One reference to a parent, in a spec or in a status.
pub(super) fn parent(reference: &ParentReference, at: &mut Problems) {
    at.group_kind(&reference.group, &reference.kind);
    at.object_name(&reference.name);
    at.optional_text("namespace", reference.namespace.as_deref(), &pattern::NAMESPACE);
    at.optional_text("sectionName", reference.section_name.as_deref(), &pattern::PRECISE);
    at.optional_number("port", reference.port, PORT);
}

/// Which default Gateways are meant, or which Routes.
pub(super) fn default_scope(name: &'static str, scope: Option<&GatewayDefaultScope>, at: &mut Problems) {
    match scope {
        Some(GatewayDefaultScope::Unknown(value)) => {
            at.field(name).unknown_value(value, GatewayDefaultScope::KNOWN);
        }
        Some(GatewayDefaultScope::All | GatewayDefaultScope::None) | None => {}
    }
}

/// Two references to one parent must mean two different parts of it, and say so in the same way: in the standard channel
/// by `sectionName`, in the experimental one by `port` as well.
fn two_of_one_parent(
    first: usize,
    earlier: &ParentReference,
    second: usize,
    parent: &ParentReference,
    at: &mut Problems,
) {
    let mut list = at.field("parentRefs");
    let mut at = list.index(second);
    let name = clipped(&parent.name);
    let sections_alike = section(earlier).is_some() == section(parent).is_some();
    let ports_alike = port(earlier).is_some() == port(parent).is_some();
    let same_section = section(earlier) == section(parent);
    let same_port = port(earlier) == port(parent);
    for (channel, alike, same) in [
        (Channel::Standard, sections_alike, same_section),
        (Channel::Experimental, sections_alike && ports_alike, same_section && same_port),
    ] {
        if !alike {
            let message = format!(
                "names {name:?} as parentRefs[{first}] does, but not with the same fields; \
                 write sectionName in both or in neither, and port likewise"
            );
            at.report_in(channel, "VAL-RT-01", message);
        } else if same {
            let message = format!(
                "names the same part of {name:?} as parentRefs[{first}]; \
                 drop one of them, or tell them apart by sectionName or port"
            );
            at.report_in(channel, "VAL-RT-02", message);
        }
    }
}

/// The namespace is compared as written: an absent one and the Route's own, written out, count as two.
fn same_object(a: &ParentReference, b: &ParentReference) -> bool {
    a.name == b.name && a.kind == b.kind && a.group == b.group && namespace(a) == namespace(b)
}

fn namespace(reference: &ParentReference) -> Option<&str> {
    reference.namespace.as_deref().filter(|namespace| !namespace.is_empty())
}

fn section(reference: &ParentReference) -> Option<&str> {
    reference.section_name.as_deref().filter(|section| !section.is_empty())
}

fn port(reference: &ParentReference) -> Option<i32> {
    reference.port.filter(|port| *port != 0)
}
