//! The status of an object, compared with the expected one.
//!
//! Conditions that are about an older generation count for nothing: an implementation that forgets to look again at an
//! object would pass otherwise.

use gateway_core::api::{
    AnyObject, BackendAncestorStatus, BackendStatus, Condition, ConditionStatus, GATEWAY_GROUP,
    GatewayClassStatus, GatewayStatus, ListenerSetStatus, ListenerStatus, ParentReference,
    PolicyAncestorStatus, PolicyStatus, RouteParentStatus, RouteStatus,
};
use gateway_core::name::ObjectName;

use crate::case::{ConditionExpectation, Conditions, ListenerExpectation, ParentExpectation, StatusStep};

use super::mismatch::Mismatch;

/// The type of the conditions that upstream's tests write for another controller, which nothing keeps up to date.
const STALE_CONDITION: &str = "conformance.gateway.networking.k8s.io/StaleCondition";

/// Compares with a `ready` step: listeners are Accepted, Programmed and ResolvedRefs, and a Gateway has an address.
pub fn ready(object: &AnyObject) -> Vec<Mismatch> {
    let mut check = Check::new(object);
    check.current("", own_conditions(object));
    for r#type in ["Accepted", "Programmed"] {
        check.condition("", own_conditions(object), r#type, &is_true(""));
    }
    if let AnyObject::Gateway(gateway) = object
        && gateway.status.addresses.is_empty()
    {
        check.add("addresses", "at least one", "none");
    }
    let (wanted, listeners) = listeners(object);
    for name in wanted {
        let Some(listener) = listeners.iter().find(|it| it.name == name) else {
            check.add(format!("listener {name}"), "a status", "none");
            continue;
        };
        for r#type in ["Accepted", "Programmed", "ResolvedRefs"] {
            check.condition(&format!("listener {name}: "), &listener.conditions, r#type, &is_true(""));
        }
    }
    check.mismatches
}

/// Compares with an `accepted` step: every parent that the route names accepts it.
pub fn accepted(route: &AnyObject, controller: &str) -> Vec<Mismatch> {
    every_parent(route, controller, "Accepted", "Accepted")
}

/// Compares with a `resolved` step: for every parent that the route names, its references are resolved.
pub fn resolved(route: &AnyObject, controller: &str) -> Vec<Mismatch> {
    every_parent(route, controller, "ResolvedRefs", "ResolvedRefs")
}

fn every_parent(route: &AnyObject, controller: &str, r#type: &str, reason: &str) -> Vec<Mismatch> {
    let mut check = Check::new(route);
    let entries = entries(route);
    let own = || entries.iter().filter(|entry| entry.controller == controller);
    let namespace = route.key().namespace;
    for parent in parents(route) {
        let name = parent_name(parent);
        let same = |entry: &&Entry<'_>| {
            let there = entry.parent;
            (&there.group, &there.kind, &there.name) == (&parent.group, &parent.kind, &parent.name)
                && there.namespace.as_deref().unwrap_or(&namespace)
                    == parent.namespace.as_deref().unwrap_or(&namespace)
        };
        let exact = |entry: &&Entry<'_>| {
            (&entry.parent.section_name, entry.parent.port) == (&parent.section_name, parent.port)
        };
        // Who repeats the section and the port in the entry is taken at his word.
        let found = own().filter(same).find(exact).or_else(|| own().find(same));
        match found {
            Some(entry) => {
                check.current(&format!("{name}: "), entry.conditions);
                check.condition(&format!("{name}: "), entry.conditions, r#type, &is_true(reason));
            }
            None => check.add(name, format!("an entry of {controller} in its status"), "none"),
        }
    }
    check.mismatches
}

/// Compares with a `notAccepted` step: the status has no parents, or none that accepts the route.
pub fn not_accepted(route: &AnyObject, controller: &str) -> Vec<Mismatch> {
    let mut check = Check::new(route);
    let refused = ConditionExpectation { status: "False".to_owned(), ..ConditionExpectation::default() };
    for entry in entries(route).iter().filter(|entry| entry.controller == controller) {
        let name = parent_name(entry.parent);
        check.current(&format!("{name}: "), entry.conditions);
        check.condition(&format!("{name}: "), entry.conditions, "Accepted", &refused);
    }
    check.mismatches
}

/// Compares with a `noRoutes` step: no listener has attached routes.
pub fn no_routes(gateway: &AnyObject) -> Vec<Mismatch> {
    let mut check = Check::new(gateway);
    for listener in listeners(gateway).1.iter().filter(|listener| listener.attached_routes != 0) {
        check.add(format!("listener {}: attached routes", listener.name), 0, listener.attached_routes);
    }
    check.mismatches
}

/// Compares with a `status` step. `controller` is who is under test.
pub fn status(step: &StatusStep, object: &AnyObject, controller: &str) -> Vec<Mismatch> {
    let mut check = Check::new(object);
    check.current("", own_conditions(object));
    check.conditions("", own_conditions(object), &step.conditions);
    for r#type in &step.absent_conditions {
        if let Some(found) = own_conditions(object).iter().find(|it| it.r#type == *r#type) {
            check.add(format!("condition {type}"), "none", described(found));
        }
    }
    if let Some(expected) = &step.listeners {
        check.listeners(expected, listeners(object).1);
    }
    if let AnyObject::Gateway(gateway) = object {
        check.gateway(step, &gateway.status);
    }
    let entries = entries(object);
    for entry in entries.iter().filter(|entry| entry.controller == controller) {
        check.current(&format!("{}: ", parent_name(entry.parent)), entry.conditions);
    }
    for expected in &step.parents {
        check.parent(expected, &entries, controller);
    }
    if let Some(expected) = step.parent_count.filter(|count| *count != entries.len()) {
        let names: Vec<String> =
            entries.iter().map(|it| format!("{} by {}", parent_name(it.parent), it.controller)).collect();
        check.add("entries for parents", expected, format!("{}: {}", entries.len(), names.join(", ")));
    }
    check.mismatches
}

/// What an implementation says about a parent of a route, or about an ancestor of a policy.
struct Entry<'a> {
    parent: &'a ParentReference,
    controller: &'a str,
    conditions: &'a [Condition],
}

struct Check {
    generation: Option<i64>,
    namespace: String,
    mismatches: Vec<Mismatch>,
}

// === impl Check ===

impl Check {
    fn new(object: &AnyObject) -> Self {
        let metadata = object.metadata();
        Self {
            generation: metadata.generation,
            namespace: metadata.namespace.clone().unwrap_or_default(),
            mismatches: Vec::new(),
        }
    }

    fn add(
        &mut self,
        what: impl Into<String>,
        expected: impl std::fmt::Display,
        got: impl std::fmt::Display,
    ) {
        self.mismatches.push(Mismatch::new(what, expected, got));
    }

    /// Every condition is about the object as it is now.
    fn current(&mut self, whose: &str, conditions: &[Condition]) {
        let current = self.generation;
        let own = conditions.iter().filter(|it| it.r#type != STALE_CONDITION);
        for condition in own.filter(|it| it.observed_generation != current) {
            let generation = |it: Option<i64>| it.map_or("none".to_owned(), |it| it.to_string());
            let expected = format!("{}, that of the object", generation(current));
            let what = format!("{whose}observedGeneration of condition {}", condition.r#type);
            self.add(what, expected, generation(condition.observed_generation));
        }
    }

    fn conditions(&mut self, whose: &str, got: &[Condition], expected: &Conditions) {
        for (r#type, expected) in expected {
            self.condition(whose, got, r#type, expected);
        }
    }

    fn condition(&mut self, whose: &str, got: &[Condition], r#type: &str, expected: &ConditionExpectation) {
        let found = got.iter().find(|it| it.r#type == r#type);
        if !found.is_some_and(|it| expected.fits(it)) {
            let got = found.map_or("no such condition".to_owned(), described);
            self.add(format!("{whose}condition {type}"), expected, got);
        }
    }

    fn listeners(&mut self, expected: &[ListenerExpectation], got: &[ListenerStatus]) {
        let names = |names: Vec<&str>| match names.is_empty() {
            true => "none".to_owned(),
            false => names.join(", "),
        };
        let mut same = expected.len() == got.len();
        for expected in expected {
            let Some(got) = got.iter().find(|it| it.name == expected.name) else {
                same = false;
                continue;
            };
            self.listener(expected, got);
        }
        if !same {
            let expected = names(expected.iter().map(|it| it.name.as_str()).collect());
            self.add("listeners", expected, names(got.iter().map(|it| it.name.as_str()).collect()));
        }
    }

    fn listener(&mut self, expected: &ListenerExpectation, got: &ListenerStatus) {
        let whose = format!("listener {}: ", expected.name);
        if let Some(wanted) = &expected.supported_kinds {
            let ours = || got.supported_kinds.iter().filter(|it| it.group == GATEWAY_GROUP);
            let has = |kind: &String| ours().any(|it| it.kind == *kind);
            let fits = match wanted.is_empty() {
                true => got.supported_kinds.is_empty(),
                false => wanted.iter().all(has),
            };
            if !fits {
                let kinds: Vec<&str> = got.supported_kinds.iter().map(|it| it.kind.as_str()).collect();
                self.add(format!("{whose}supported kinds"), format!("{wanted:?}"), format!("{kinds:?}"));
            }
        }
        if let Some(wanted) = expected.attached_routes
            && i32::try_from(wanted) != Ok(got.attached_routes)
        {
            self.add(format!("{whose}attached routes"), wanted, got.attached_routes);
        }
        self.conditions(&whose, &got.conditions, &expected.conditions);
    }

    fn gateway(&mut self, step: &StatusStep, status: &GatewayStatus) {
        let attached = status.attached_listener_sets.unwrap_or_default();
        if let Some(wanted) = step.attached_listener_sets
            && i32::try_from(wanted) != Ok(attached)
        {
            self.add("attached ListenerSets", wanted, attached);
        }
        let sorted = |mut texts: Vec<&str>| {
            texts.sort_unstable();
            format!("{texts:?}")
        };
        if let Some(wanted) = &step.routabilities {
            let wanted = sorted(wanted.iter().map(String::as_str).collect());
            let said = status.addresses.iter().map(|address| address.routability.as_deref());
            let got = sorted(said.map(|said| said.unwrap_or("not said")).collect());
            if wanted != got {
                self.add("routabilities of addresses", wanted, got);
            }
        }
        if let Some(wanted) = &step.addresses {
            let wanted = sorted(wanted.iter().map(String::as_str).collect());
            let got = sorted(status.addresses.iter().map(|address| &*address.value).collect());
            if wanted != got {
                self.add("addresses", wanted, got);
            }
        }
    }

    fn parent(&mut self, expected: &ParentExpectation, entries: &[Entry<'_>], controller: &str) {
        let wanted = expected.controller_name.as_deref().unwrap_or(controller);
        let is = |entry: &&Entry<'_>| {
            let parent = entry.parent;
            let key = ObjectName::new(parent.namespace.as_deref().unwrap_or(&self.namespace), &*parent.name);
            let section = &expected.section_name;
            entry.controller == wanted
                && (parent.group.as_str(), parent.kind.as_str())
                    == (expected.parent.kind.group(), expected.parent.kind.as_str())
                && key == expected.parent.key
                && (section.is_none() || *section == parent.section_name)
                && expected.port.is_none_or(|port| Some(i32::from(port)) == parent.port)
        };
        let mut name = expected.parent.to_string();
        if let Some(section) = &expected.section_name {
            name += &format!(", section {section}");
        }
        if let Some(port) = expected.port {
            name += &format!(", port {port}");
        }
        let mut tried = Vec::new();
        for entry in entries.iter().filter(is) {
            let mut check =
                Self { generation: self.generation, namespace: String::new(), mismatches: Vec::new() };
            check.conditions(&format!("{name}: "), entry.conditions, &expected.conditions);
            if check.mismatches.is_empty() {
                return;
            }
            tried.push(check.mismatches);
        }
        match tried.into_iter().next() {
            Some(mismatches) => self.mismatches.extend(mismatches),
            None => {
                let there: Vec<String> = entries
                    .iter()
                    .map(|it| format!("{} by {}", parent_name(it.parent), it.controller))
                    .collect();
                let got = if there.is_empty() { "none at all".to_owned() } else { there.join(", ") };
                self.add(format!("entry for {name}"), format!("one of {wanted}"), got);
            }
        }
    }
}

/// `True`, for this reason if there is one.
fn is_true(reason: &str) -> ConditionExpectation {
    let reasons = [reason].into_iter().filter(|it| !it.is_empty()).map(str::to_owned).collect();
    ConditionExpectation { status: "True".to_owned(), reasons, ..ConditionExpectation::default() }
}

fn described(condition: &Condition) -> String {
    format!("{}/{} ({:?})", condition.status.as_str(), condition.reason, condition.message)
}

fn parent_name(parent: &ParentReference) -> String {
    let mut name = match &parent.namespace {
        Some(namespace) => format!("{} {namespace}/{}", parent.kind, parent.name),
        None => format!("{} {}", parent.kind, parent.name),
    };
    if let Some(section) = &parent.section_name {
        name += &format!(", section {section}");
    }
    if let Some(port) = parent.port {
        name += &format!(", port {port}");
    }
    name
}

/// Whether the status of a GatewayClass or a Gateway is still that which the API server gives it: no controller has written one.
pub fn is_unwritten(object: &AnyObject) -> bool {
    let conditions = own_conditions(object);
    let is_default = |it: &Condition| it.status == ConditionStatus::Undecided && it.reason == "Pending";
    !conditions.is_empty() && conditions.iter().all(is_default)
}

/// The conditions of the object itself.
fn own_conditions(object: &AnyObject) -> &[Condition] {
    let class = object.status().map(|status: &GatewayClassStatus| &status.conditions);
    let gateway = || object.status().map(|status: &GatewayStatus| &status.conditions);
    let set = || object.status().map(|status: &ListenerSetStatus| &status.conditions);
    // The others have them for each parent, or none.
    class.or_else(gateway).or_else(set).map_or(&[], Vec::as_slice)
}

/// The names of the listeners that there are, and their statuses.
fn listeners(object: &AnyObject) -> (Vec<&str>, &[ListenerStatus]) {
    match object {
        AnyObject::Gateway(gateway) => {
            (gateway.spec.listeners.iter().map(|it| it.name.as_str()).collect(), &gateway.status.listeners)
        }
        AnyObject::ListenerSet(set) => {
            (set.spec.listeners.iter().map(|it| it.name.as_str()).collect(), &set.status.listeners)
        }
        // No other kind has listeners.
        _ => (Vec::new(), &[]),
    }
}

/// The parents that a route names.
fn parents(object: &AnyObject) -> &[ParentReference] {
    object.as_route().map_or(&[], |route| route.parent_refs)
}

/// What the status of a route, a policy or an XBackend says.
fn entries(object: &AnyObject) -> Vec<Entry<'_>> {
    let route = object.status().map_or(&[][..], |status: &RouteStatus| &status.parents);
    let policy = object.status().map_or(&[][..], |status: &PolicyStatus| &status.ancestors);
    let parents = route.iter().map(|RouteParentStatus { parent_ref, controller_name, conditions }| Entry {
        parent: parent_ref,
        controller: controller_name,
        conditions,
    });
    let ancestors =
        policy.iter().map(|PolicyAncestorStatus { ancestor_ref, controller_name, conditions }| Entry {
            parent: ancestor_ref,
            controller: controller_name,
            conditions,
        });
    let of_backend = object.status().map_or(&[][..], |status: &BackendStatus| &status.ancestors);
    let of_backend =
        of_backend.iter().map(|BackendAncestorStatus { ancestor_ref, controller_name, conditions }| Entry {
            parent: ancestor_ref,
            controller: controller_name,
            conditions,
        });
    parents.chain(ancestors).chain(of_backend).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    const CONTROLLER: &str = "example.org/controller";

    fn condition(r#type: &str, status: &str, reason: &str, generation: i64) -> Value {
        json!({"type": r#type, "status": status, "reason": reason, "message": "why", "observedGeneration": generation,
            "lastTransitionTime": "2024-01-01T00:00:00Z"})
    }

    fn gateway(generation: i64, accepted: &str) -> AnyObject {
        let good = |it: &str| condition(it, "True", "Good", 2);
        AnyObject::Gateway(from_value(json!({
            "metadata": {"name": "g", "namespace": "n", "generation": generation},
            "spec": {"gatewayClassName": "c", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]},
            "status": {
                "addresses": [{"value": "127.0.0.1"}],
                "conditions": [good("Accepted"), good("Programmed")],
                "listeners": [{
                    "name": "http",
                    "supportedKinds": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute"}],
                    "attachedRoutes": 1,
                    "conditions": [condition("Accepted", accepted, "Why", 2), good("Programmed"), good("ResolvedRefs")],
                }],
            },
        })).unwrap())
    }

    fn route(entries: Value) -> AnyObject {
        AnyObject::HttpRoute(from_value(json!({
            "metadata": {"name": "r", "namespace": "n", "generation": 3},
            "spec": {"parentRefs": [{"name": "g", "sectionName": "one"}, {"name": "g", "sectionName": "two"}]},
            "status": {"parents": entries},
        })).unwrap())
    }

    fn entry(section: Option<&str>, status: &str, reason: &str, generation: i64) -> Value {
        json!({
            "parentRef": {"group": GATEWAY_GROUP, "kind": "Gateway", "name": "g", "sectionName": section},
            "controllerName": CONTROLLER,
            "conditions": [condition("Accepted", status, reason, generation)],
        })
    }

    fn texts(mismatches: Vec<Mismatch>) -> Vec<String> {
        mismatches.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_gateway_is_ready_with_good_listeners_and_current_conditions() {
        assert_eq!(ready(&gateway(2, "True")), []);
        assert_eq!(
            texts(ready(&gateway(2, "False"))),
            ["listener http: condition Accepted: expected True, got False/Why (\"why\")"]
        );
        let mut with_stale = gateway(2, "True");
        if let AnyObject::Gateway(gateway) = &mut with_stale {
            let conditions = &mut std::sync::Arc::make_mut(gateway).status.conditions;
            conditions.push(from_value(condition(STALE_CONDITION, "True", "Seeded", 1)).unwrap());
        }
        assert_eq!(ready(&with_stale), [], "nothing keeps this one up to date");
        assert_eq!(
            texts(ready(&gateway(3, "True")))[0],
            "observedGeneration of condition Accepted: expected 3, that of the object, got 2"
        );
    }

    #[test]
    fn every_parent_must_accept() {
        let both =
            json!([entry(Some("one"), "True", "Accepted", 3), entry(Some("two"), "True", "Accepted", 3)]);
        assert_eq!(accepted(&route(both.clone()), CONTROLLER), []);
        assert_eq!(accepted(&route(both.clone()), "other.org/controller").len(), 2);
        assert_eq!(not_accepted(&route(both), CONTROLLER).len(), 2);
        let one = json!([
            entry(Some("one"), "True", "Accepted", 3),
            entry(Some("two"), "False", "NoMatchingParent", 2)
        ]);
        assert_eq!(
            texts(accepted(&route(one), CONTROLLER)),
            [
                "Gateway g, section two: observedGeneration of condition Accepted: expected 3, that of the object, got 2",
                "Gateway g, section two: condition Accepted: expected True/Accepted, got False/NoMatchingParent (\"why\")"
            ]
        );
        assert_eq!(accepted(&route(json!([])), CONTROLLER).len(), 2);
        assert_eq!(not_accepted(&route(json!([])), CONTROLLER), []);
        // Sections need not be repeated.
        assert_eq!(accepted(&route(json!([entry(None, "True", "Accepted", 3)])), CONTROLLER), []);
    }

    #[test]
    fn a_status_is_compared_field_by_field() {
        let compare = |step: Value| {
            let mut step = step;
            step["of"] = json!("Gateway n/g");
            texts(status(&from_value(step).unwrap(), &gateway(2, "True"), CONTROLLER)).join("; ")
        };
        let listeners = json!({"listeners": [{"name": "http", "supportedKinds": ["HTTPRoute"], "attachedRoutes": 1,
            "conditions": {"Accepted": "True"}}], "addresses": ["127.0.0.1"], "conditions": {"Accepted": "True/Good"}});
        assert_eq!(compare(listeners), "");
        assert_eq!(
            compare(json!({"listeners": [{"name": "http", "supportedKinds": [], "attachedRoutes": 0}]})),
            "listener http: supported kinds: expected [], got [\"HTTPRoute\"]; \
             listener http: attached routes: expected 0, got 1"
        );
        assert_eq!(compare(json!({"listeners": []})), "listeners: expected none, got http");
        assert_eq!(compare(json!({"listeners": [{"name": "x"}]})), "listeners: expected x, got http");
        assert_eq!(
            compare(json!({"absentConditions": ["Accepted"]})),
            "condition Accepted: expected none, got True/Good (\"why\")"
        );
        assert_eq!(
            compare(json!({"conditions": {"Ready": "True"}})),
            "condition Ready: expected True, got no such condition"
        );
        assert_eq!(compare(json!({"addresses": []})), "addresses: expected [], got [\"127.0.0.1\"]");
        assert_eq!(compare(json!({"attachedListenerSets": 1})), "attached ListenerSets: expected 1, got 0");
        assert_eq!(no_routes(&gateway(2, "True")).len(), 1);
    }

    #[test]
    fn one_of_several_entries_for_a_parent_must_fit() {
        let entries =
            json!([entry(Some("one"), "True", "Accepted", 3), entry(Some("two"), "False", "Bad", 3)]);
        let route = route(entries);
        let compare = |parent: Value| {
            let step =
                from_value(json!({"of": "HTTPRoute n/r", "parents": [parent], "parentCount": 2})).unwrap();
            texts(status(&step, &route, CONTROLLER)).join("; ")
        };
        assert_eq!(compare(json!({"parent": "Gateway n/g", "conditions": {"Accepted": "False/Bad"}})), "");
        assert_eq!(
            compare(
                json!({"parent": "Gateway n/g", "sectionName": "one", "conditions": {"Accepted": "False"}})
            ),
            "Gateway n/g, section one: condition Accepted: expected False, got True/Accepted (\"why\")"
        );
        assert!(
            compare(json!({"parent": "Gateway n/other"}))
                .starts_with("entry for Gateway n/other: expected one of")
        );
        assert!(!compare(json!({"parent": "Gateway n/g", "controllerName": "x.org/y"})).is_empty());
    }
}
