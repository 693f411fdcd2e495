//! Fields that stand one level too high or too low, and where they belong.

use crate::api::Kind;

/// Where a field belongs that the kind has elsewhere than here. `shape` is its path, with `[]` for every list.
pub(super) fn way_out(kind: Kind, shape: &str) -> Option<&'static str> {
    let belongs = |field: &&Misplaced| field.kinds.is_empty() || field.kinds.contains(&kind);
    MISPLACED.iter().filter(belongs).find(|field| field.is_at(shape)).map(|field| field.way_out)
}

/// Fields that are often written at a place where they do not belong.
struct Misplaced {
    /// The object that they are written in.
    object: &'static str,
    fields: &'static [&'static str],
    /// The kinds that have them where they belong; all if empty.
    kinds: &'static [Kind],
    way_out: &'static str,
}

// === impl Misplaced ===

impl Misplaced {
    /// Whether a path is one of these fields of this object: each a whole path.
    fn is_at(&self, shape: &str) -> bool {
        let key = shape.strip_prefix(self.object).map(|key| key.strip_prefix('.').unwrap_or(key));
        key.is_some_and(|key| self.fields.contains(&key))
    }
}

const MISPLACED: &[Misplaced] = &[
    Misplaced { object: "", fields: SPEC, kinds: &[], way_out: "put it below `spec`" },
    Misplaced { object: "metadata", fields: SPEC, kinds: &[], way_out: "put it below `spec`" },
    Misplaced {
        object: "spec",
        fields: &["backendRefs"],
        kinds: ROUTES,
        way_out: "put it into an entry of `rules`",
    },
    Misplaced {
        object: "spec",
        fields: &["matches", "filters"],
        kinds: OF_REQUESTS,
        way_out: "put it into an entry of `rules`",
    },
    Misplaced {
        object: "spec",
        fields: &["timeouts", "retry"],
        kinds: OF_HTTP,
        way_out: "put it into an entry of `rules`",
    },
    Misplaced {
        object: "spec",
        fields: &["protocol", "allowedRoutes"],
        kinds: &[Kind::Gateway, Kind::ListenerSet],
        way_out: "put it into an entry of `listeners`",
    },
    Misplaced {
        object: "spec",
        fields: &["labels", "annotations", "namespace"],
        kinds: &[],
        way_out: "put it below `metadata`",
    },
    Misplaced {
        object: "spec.rules[]",
        fields: &["headers", "method"],
        kinds: OF_REQUESTS,
        way_out: "put it into an entry of `matches`",
    },
    Misplaced {
        object: "spec.rules[]",
        fields: &["path", "queryParams"],
        kinds: OF_HTTP,
        way_out: "put it into an entry of `matches`",
    },
    Misplaced {
        object: "spec.rules[]",
        fields: &["hostnames"],
        kinds: &[Kind::HttpRoute, Kind::GrpcRoute, Kind::TlsRoute],
        way_out: "put it beside `rules`, below `spec`",
    },
    Misplaced {
        object: "spec.rules[]",
        fields: &["parentRefs"],
        kinds: ROUTES,
        way_out: "put it beside `rules`, below `spec`",
    },
    Misplaced {
        object: "spec.rules[]",
        fields: &["weight", "port"],
        kinds: ROUTES,
        way_out: "put it into an entry of `backendRefs`",
    },
    Misplaced {
        object: "spec.rules[]",
        fields: &["request", "backendRequest"],
        kinds: OF_HTTP,
        way_out: "put it below `timeouts`",
    },
    Misplaced {
        object: "spec.rules[].matches[]",
        fields: &["backendRefs", "filters"],
        kinds: OF_REQUESTS,
        way_out: "put it beside `matches`, into the entry of `rules`",
    },
    Misplaced {
        object: "spec.rules[].matches[]",
        fields: &["timeouts"],
        kinds: OF_HTTP,
        way_out: "put it beside `matches`, into the entry of `rules`",
    },
    Misplaced {
        object: "spec.listeners[]",
        fields: &["certificateRefs", "mode", "options"],
        kinds: &[],
        way_out: "put it below `tls`",
    },
    Misplaced {
        object: "spec.listeners[]",
        fields: &["namespaces", "kinds"],
        kinds: &[],
        way_out: "put it below `allowedRoutes`",
    },
    Misplaced {
        object: "spec.listeners[].allowedRoutes",
        fields: &["from", "selector"],
        kinds: &[],
        way_out: "put it below `namespaces`",
    },
];

/// The Routes whose rules are for requests, and may change them.
const OF_REQUESTS: &[Kind] = &[Kind::HttpRoute, Kind::GrpcRoute];

/// The Routes whose rules have paths, parameters, limits of time and retries.
const OF_HTTP: &[Kind] = &[Kind::HttpRoute];

/// All Routes.
const ROUTES: &[Kind] = &[Kind::HttpRoute, Kind::GrpcRoute, Kind::TlsRoute, Kind::TcpRoute, Kind::UdpRoute];

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
    fn a_misplaced_field_is_known_by_its_whole_path_and_by_the_kinds_that_have_it() {
        for (kind, shape, expected) in [
            (Kind::HttpRoute, "parentRefs", Some("put it below `spec`")),
            (Kind::HttpRoute, "metadata.rules", Some("put it below `spec`")),
            (Kind::HttpRoute, "spec.rules[].path", Some("put it into an entry of `matches`")),
            (Kind::GrpcRoute, "spec.rules[].path", None),
            (Kind::GrpcRoute, "spec.rules[].method", Some("put it into an entry of `matches`")),
            (Kind::TcpRoute, "spec.rules[].method", None),
            (Kind::TcpRoute, "spec.rules[].weight", Some("put it into an entry of `backendRefs`")),
            (Kind::HttpRoute, "spec.retry", Some("put it into an entry of `rules`")),
            (Kind::XBackendTrafficPolicy, "spec.retry", None),
            (Kind::Gateway, "spec.listeners[].certificateRefs", Some("put it below `tls`")),
            (Kind::HttpRoute, "spec.rules[].filters[].path", None),
            (Kind::Gateway, "spec.listeners[].tls.mode", None),
            (Kind::HttpRoute, "else", None),
        ] {
            assert_eq!(way_out(kind, shape), expected, "{kind} {shape}");
        }
    }
}
