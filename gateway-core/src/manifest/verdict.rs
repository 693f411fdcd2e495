//! The verdict about an object, by its `apiVersion` and `kind`: read, passed over or refused.

use super::own_types::OwnTypes;
use super::problem::Severity;
use super::unknown_field::{closest, distance};
use crate::api::{EXPERIMENTAL_GROUP, GATEWAY_GROUP, Kind, MULTICLUSTER_GROUP};
use crate::name::OwnKind;

/// What is to be done with an object.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Read it.
    Read(Kind),
    /// Read the objects in it; they are of this kind, or say what they are.
    List(Option<Kind>),
    /// Pass it over, and say so.
    Pass {
        severity: Severity,
        /// The field that decided.
        field: &'static str,
        message: String,
    },
}

/// The group of the first drafts of Gateway API.
const DRAFT_GROUP: &str = "networking.x-k8s.io";

/// Kinds that went by another name, and what stands for them now.
const FORMER: &[(&str, Kind)] = &[
    ("XListenerSet", Kind::ListenerSet),
    ("ReferencePolicy", Kind::ReferenceGrant),
    ("BackendLBPolicy", Kind::XBackendTrafficPolicy),
    ("BackendPolicy", Kind::BackendTlsPolicy),
    ("XReferenceGrant", Kind::ReferenceGrant),
];

pub(super) fn judge(api_version: &str, kind: &str, own: &OwnTypes) -> Verdict {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));

    let find = |kind| Kind::find(group, kind).or_else(|| own.find(group, kind).map(Kind::Own));
    if let Some(known) = find(kind) {
        return match known.versions().contains(&version) {
            true => Verdict::Read(known),
            false => unserved(known, api_version, version),
        };
    }
    if (api_version, kind) == ("v1", "List") {
        return Verdict::List(None);
    }
    if let Some(known) = kind.strip_suffix("List").and_then(find) {
        return match known.versions().contains(&version) {
            true => Verdict::List(Some(known)),
            false => unserved(known, api_version, version),
        };
    }

    match (group, kind) {
        (GATEWAY_GROUP | EXPERIMENTAL_GROUP | DRAFT_GROUP, _) => unknown_gateway_kind(group, kind),
        ("networking.k8s.io" | "extensions", "Ingress") => pass(
            Severity::Warning,
            "kind",
            "an Ingress is not read; write a Gateway and an HTTPRoute instead (ingress2gateway converts it)"
                .to_owned(),
        ),
        ("networking.k8s.io", "IngressClass") => pass(
            Severity::Warning,
            "kind",
            "an IngressClass is not read; write a GatewayClass instead".to_owned(),
        ),
        ("", "Endpoints") => pass(
            Severity::Warning,
            "kind",
            "Endpoints are not read; write an EndpointSlice (discovery.k8s.io/v1) instead".to_owned(),
        ),
        // Its name is near that of a ServiceImport, and it is another thing.
        (MULTICLUSTER_GROUP, "ServiceExport") => passed_over(),
        _ => misspelt_own_kind(group, api_version, kind, own)
            .unwrap_or_else(|| elsewhere(group, api_version, kind)),
    }
}

/// A kind in a group of the embedder's own that is nearly one of its kinds.
fn misspelt_own_kind(group: &str, api_version: &str, kind: &str, own: &OwnTypes) -> Option<Verdict> {
    let of_group = own.iter().filter(|known| known.group() == group).map(OwnKind::as_str);
    let meant = closest(kind, of_group)?;
    let message = format!("`{api_version}` has no such kind that is read; did you mean `{meant}`?");
    Some(pass(Severity::Warning, "kind", message))
}

/// A kind of another group, unless it is misspelt.
fn elsewhere(group: &str, api_version: &str, kind: &str) -> Verdict {
    if let Some(meant) = misspelt_kind(group, kind) {
        let message = format!("`{api_version}` has no such kind that is read; did you mean `{meant}`?");
        return pass(Severity::Warning, "kind", message);
    }
    if let Some(meant) = misspelt_group(group, kind) {
        let other_kind = if meant.as_str() == kind { String::new() } else { format!(" and `kind: {meant}`") };
        let wanted = meant.api_version();
        let message =
            format!("`{api_version}` has no {kind} that is read; did you mean `{wanted}`{other_kind}?");
        return pass(Severity::Warning, "apiVersion", message);
    }
    passed_over()
}

fn passed_over() -> Verdict {
    pass(Severity::Info, "kind", "passed over: routing does not look at this kind".to_owned())
}

/// The kind that was meant, if its group is nearly this one.
///
/// Other groups have kinds of the same names, a Gateway or a Service for example: the kind alone says nothing.
fn misspelt_group(group: &str, kind: &str) -> Option<Kind> {
    /// Groups are long and end alike, so that a few letters say little about what was meant.
    const MAX_DISTANCE: usize = 4;
    if group.len() > 64 {
        return None;
    }
    let kind = kind.strip_suffix("List").filter(|kind| !kind.is_empty()).unwrap_or(kind);
    let known = Kind::ALL.iter().copied().filter(|known| known.as_str().eq_ignore_ascii_case(kind));
    let distance = |known: &Kind| match (group, known.group()) {
        // The group was left out, or is the name that the core group has in prose.
        ("", _) | ("core", "") => 0,
        // There are no such kinds in the other groups of Kubernetes itself, and a part of a group is none.
        (group, known) if is_of_kubernetes(group) || known.contains(group) => MAX_DISTANCE,
        (_, "") => usize::MAX,
        (group, known) => distance(group, known),
    };
    known
        .map(|known| (distance(&known), known))
        .filter(|(far, _)| *far <= MAX_DISTANCE)
        .min()
        .map(|(_, known)| known)
}

/// Whether only Kubernetes itself has groups with such a name: `networking.k8s.io`, or `apps`, which has no domain.
fn is_of_kubernetes(group: &str) -> bool {
    group.ends_with(".k8s.io") || !group.contains('.')
}

/// The kind that was meant, if there is one of nearly this name in the group.
fn misspelt_kind(group: &str, kind: &str) -> Option<Kind> {
    let of_group: Vec<Kind> = Kind::ALL.iter().copied().filter(|known| known.group() == group).collect();
    let names: Vec<&'static str> = of_group.iter().map(|known| known.as_str()).collect();
    let meant = closest(kind, names)?;
    of_group.into_iter().find(|known| known.as_str() == meant)
}

fn unserved(kind: Kind, api_version: &str, version: &str) -> Verdict {
    let wanted = kind.api_version();
    let mut message = format!("{kind} is not served as `{api_version}`; write `{wanted}`");
    if version == "v1alpha1" && kind.group() == GATEWAY_GROUP {
        message.push_str(", and revise the fields: since v1alpha1 `gateways` became `parentRefs`, `forwardTo` `backendRefs`");
    }
    pass(Severity::Error, "apiVersion", message)
}

fn unknown_gateway_kind(group: &str, kind: &str) -> Verdict {
    let now = FORMER.iter().find(|(former, _)| *former == kind).map(|(_, now)| *now);
    let now = now.or_else(|| Kind::ALL.iter().copied().find(|known| known.as_str() == kind));
    let Some(now) = now else {
        let known = Kind::ALL.iter().filter(|known| known.group() == group).map(|known| known.as_str());
        let known = known.collect::<Vec<_>>().join(", ");
        let message = match misspelt_kind(group, kind) {
            Some(meant) => format!("there is no such kind in `{group}`; did you mean `{meant}`?"),
            None => format!("there is no such kind in `{group}`, whose kinds are: {known}"),
        };
        return pass(Severity::Error, "kind", message);
    };
    let mut message = format!("`{group}` has no {kind}; write `apiVersion: {}`", now.api_version());
    if now.as_str() != kind {
        message.push_str(&format!(", `kind: {now}`"));
    }
    if group == DRAFT_GROUP {
        message.push_str(
            ", and revise the fields: since then `gateways` became `parentRefs`, `forwardTo` `backendRefs`",
        );
    }
    pass(Severity::Error, "apiVersion", message)
}

fn pass(severity: Severity, field: &'static str, message: String) -> Verdict {
    Verdict::Pass { severity, field, message }
}
