//! Fields that stand one level too high or too low, and where they belong.

/// Where a field belongs that the type does not have here. `shape` is its path, with `[]` for every list.
pub(super) fn way_out(shape: &str) -> Option<&'static str> {
    MISPLACED.iter().find(|(misplaced, _)| is_it(shape, misplaced)).map(|(_, way_out)| *way_out)
}

/// Whether a path is one of these fields of this object: each a whole path.
fn is_it(shape: &str, (object, fields): &(&str, &[&str])) -> bool {
    let key = shape.strip_prefix(object).map(|key| key.strip_prefix('.').unwrap_or(key));
    key.is_some_and(|key| fields.contains(&key))
}

/// The object that the fields stand in, the fields, and where they belong.
const MISPLACED: &[((&str, &[&str]), &str)] = &[
    (("", SPEC), "put it below `spec`"),
    (("metadata", SPEC), "put it below `spec`"),
    (
        ("spec", &["matches", "filters", "backendRefs", "timeouts", "retry"]),
        "put it into an entry of `rules`",
    ),
    (("spec", &["protocol", "allowedRoutes"]), "put it into an entry of `listeners`"),
    (("spec", &["labels", "annotations", "namespace"]), "put it below `metadata`"),
    (("spec.rules[]", &["path", "headers", "queryParams", "method"]), "put it into an entry of `matches`"),
    (("spec.rules[]", &["hostnames", "parentRefs"]), "put it beside `rules`, below `spec`"),
    (("spec.rules[]", &["weight", "port"]), "put it into an entry of `backendRefs`"),
    (("spec.rules[]", &["request", "backendRequest"]), "put it below `timeouts`"),
    (
        ("spec.rules[].matches[]", &["backendRefs", "filters", "timeouts"]),
        "put it beside `matches`, into the entry of `rules`",
    ),
    (("spec.listeners[]", &["certificateRefs", "mode", "options"]), "put it below `tls`"),
    (("spec.listeners[]", &["namespaces", "kinds"]), "put it below `allowedRoutes`"),
    (("spec.listeners[].allowedRoutes", &["from", "selector"]), "put it below `namespaces`"),
];

/// Fields of `spec`, and of no object itself.
const SPEC: &[&str] = &[
    "controllerName",
    "gatewayClassName",
    "listeners",
    "parentRef",
    "parentRefs",
    "hostnames",
    "rules",
    "targetRefs",
    "from",
    "to",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misplaced_field_is_known_by_its_whole_path() {
        for (shape, expected) in [
            ("parentRefs", Some("put it below `spec`")),
            ("metadata.rules", Some("put it below `spec`")),
            ("spec.rules[].path", Some("put it into an entry of `matches`")),
            ("spec.listeners[].certificateRefs", Some("put it below `tls`")),
            ("spec.rules[].filters[].path", None),
            ("spec.listeners[].tls.mode", None),
            ("else", None),
        ] {
            assert_eq!(way_out(shape), expected, "{shape}");
        }
    }
}
