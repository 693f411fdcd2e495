//! Statuses that are shared with others, merged and written.

use gateway_core::api::{
    self, AnyObject, ConditionStatus, ParentReference, Resources, RouteParentStatus, Timestamp,
};
use gateway_core::condition::{Condition, ConditionType, Reason};
use gateway_core::feature::Feature;
use gateway_core::manifest;
use gateway_core::name::{ObjectName, RouteKey, RouteKind};
use gateway_core::options::Address;
use gateway_core::status::{self, StatusAddress, Statuses, merge};

const OURS: &str = "gateway-api.rs/controller";

fn time(hour: u32) -> Timestamp {
    Timestamp::from(format!("2026-01-01T{hour:02}:00:00Z").as_str())
}

/// A stored condition: its type, whether it is true, about which generation, since when.
fn stored(kind: &str, status: bool, generation: i64, since: u32) -> api::Condition {
    api::Condition {
        r#type: kind.to_owned(),
        status: if status { ConditionStatus::True } else { ConditionStatus::False },
        observed_generation: Some(generation),
        last_transition_time: time(since),
        reason: if status { kind.to_owned() } else { "Invalid".to_owned() },
        message: String::new(),
    }
}

/// `Accepted=True@3/10`: about generation 3, since ten o'clock.
fn shown(conditions: &[api::Condition]) -> Vec<String> {
    let hour =
        |condition: &api::Condition| condition.last_transition_time.unix_seconds().unwrap() / 3600 % 24;
    let generation = |condition: &api::Condition| condition.observed_generation.unwrap_or(-1);
    let show = |c: &api::Condition| format!("{}={}@{}/{}", c.r#type, c.status, generation(c), hour(c));
    conditions.iter().map(show).collect()
}

fn merged(stored: &[api::Condition], computed: &[Condition]) -> Option<Vec<String>> {
    merge::conditions(stored, computed, Some(3), &time(12)).map(|conditions| shown(&conditions))
}

fn no_accepted() -> Condition {
    Condition::failed(ConditionType::Accepted, Reason::Invalid, "")
}

fn overlapping() -> Condition {
    Condition::ok(ConditionType::OverlappingTlsConfig, Reason::OverlappingHostnames)
}

#[track_caller]
fn expect(name: &str, found: Option<Vec<String>>, expected: Option<&[&str]>) {
    let found = found.as_ref().map(|found| found.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(found.as_deref(), expected, "{name}");
}

#[test]
fn conditions_are_merged_by_type() {
    let accepted = Condition::accepted;
    // GEN-01, GEN-03, GEN-06
    expect(
        "an entry is replaced, and its time stays while its status stays",
        merged(&[stored("Accepted", true, 2, 8)], &[accepted()]),
        Some(&["Accepted=True@3/8"]),
    );
    // GEN-01, GEN-06
    expect(
        "the time changes when the status does",
        merged(&[stored("Accepted", true, 3, 8)], &[no_accepted()]),
        Some(&["Accepted=False@3/12"]),
    );
    // GEN-02
    expect(
        "what others put there stays, where and as it is",
        merged(
            &[
                stored("example.com/Audited", false, 9, 1),
                stored("Accepted", true, 3, 8),
                stored("Ready", true, 1, 2),
            ],
            &[Condition::programmed(), no_accepted()],
        ),
        Some(&[
            "example.com/Audited=False@9/1",
            "Accepted=False@3/12",
            "Ready=True@1/2",
            "Programmed=True@3/12",
        ]),
    );
    // GEN-04
    expect(
        "what is about a later generation is left alone",
        merged(
            &[stored("Accepted", true, 4, 8), stored("Programmed", true, 3, 8)],
            &[no_accepted(), no_programmed()],
        ),
        Some(&["Accepted=True@4/8", "Programmed=False@3/12"]),
    );
    // GEN-08
    expect(
        "a negative condition goes when nothing computes it",
        merged(&[stored("OverlappingTLSConfig", true, 3, 8), stored("Accepted", true, 3, 8)], &[accepted()]),
        Some(&["Accepted=True@3/8"]),
    );
    expect(
        "and comes when something does",
        merged(&[stored("Accepted", true, 3, 8)], &[accepted(), overlapping()]),
        Some(&["Accepted=True@3/8", "OverlappingTLSConfig=True@3/12"]),
    );
    // GEN-05
    expect("nothing to write", merged(&[stored("Accepted", true, 3, 8)], &[accepted()]), None);
    expect(
        "a new message is something to write",
        merged(
            &[api::Condition { message: "old".to_owned(), ..stored("Accepted", true, 3, 8) }],
            &[accepted()],
        ),
        Some(&["Accepted=True@3/8"]),
    );
}

fn no_programmed() -> Condition {
    Condition::failed(ConditionType::Programmed, Reason::Invalid, "")
}

// GC-04, GEN-07, CND-01, CND-10, CND-18, CND-70, CND-79: what the schema puts there is replaced.
#[test]
fn pending_conditions_are_replaced() {
    let conditions = vec![Condition::accepted(), Condition::programmed()];
    let pending = api::GatewayStatus::default();
    assert_eq!(pending.conditions[0].status, ConditionStatus::Undecided);
    let computed =
        status::GatewayStatus { generation: Some(1), conditions: conditions.clone(), ..Default::default() };
    let written = merge::gateway(&pending, &computed, &time(12)).unwrap();
    assert_eq!(shown(&written.conditions), ["Accepted=True@1/12", "Programmed=True@1/12"]);
    assert_eq!(written.attached_listener_sets, Some(0));
    let computed = status::ListenerSetStatus { generation: Some(1), conditions, ..Default::default() };
    let written = merge::listener_set(&api::ListenerSetStatus::default(), &computed, &time(12)).unwrap();
    assert_eq!(shown(&written.conditions), ["Accepted=True@1/12", "Programmed=True@1/12"]);
}

// GC-11, GEN-04
#[test]
fn the_features_of_a_class_are_written_with_its_conditions() {
    let computed = status::GatewayClassStatus {
        causes: Vec::new(),
        generation: Some(1),
        conditions: vec![Condition::accepted()],
        supported_features: vec![Feature::Gateway, Feature::HttpRoute],
    };
    let written = merge::gateway_class(&api::GatewayClassStatus::default(), &computed, &time(12)).unwrap();
    let names: Vec<_> = written.supported_features.iter().map(|feature| feature.name.as_str()).collect();
    assert_eq!(names, ["Gateway", "HTTPRoute"]);
    assert_eq!(merge::gateway_class(&written, &computed, &time(13)), None);
    let late =
        status::GatewayClassStatus { generation: Some(0), conditions: vec![no_accepted()], ..computed };
    assert_eq!(merge::gateway_class(&written, &late, &time(13)), None, "somebody has seen more than we have");
}

fn listener(name: &str, attached_routes: usize, conditions: &[Condition]) -> status::ListenerStatus {
    status::ListenerStatus {
        name: name.to_owned(),
        supported_kinds: vec![RouteKind::Http],
        attached_routes,
        conditions: conditions.to_vec(),
    }
}

// GWL-20, GEN-02, GEN-06
#[test]
fn the_listeners_are_those_there_are_and_keep_their_times() {
    let of =
        |listeners: Vec<_>| status::GatewayStatus { generation: Some(3), listeners, ..Default::default() };
    let first = of(vec![listener("a", 0, &[Condition::accepted()]), listener("b", 1, &[no_accepted()])]);
    let first = merge::gateway(&api::GatewayStatus::default(), &first, &time(8)).unwrap();
    let second =
        of(vec![listener("c", 0, &[Condition::accepted()]), listener("a", 2, &[Condition::accepted()])]);
    let second = merge::gateway(&first, &second, &time(12)).unwrap();
    let found: Vec<_> = second
        .listeners
        .iter()
        .map(|listener| {
            format!("{} {} {:?}", listener.name, listener.attached_routes, shown(&listener.conditions))
        })
        .collect();
    assert_eq!(found, [r#"c 0 ["Accepted=True@3/12"]"#, r#"a 2 ["Accepted=True@3/8"]"#]);
    let kind = &second.listeners[0].supported_kinds[0];
    // GWK-02: with the group.
    assert_eq!((kind.group.as_str(), kind.kind.as_str()), ("gateway.networking.k8s.io", "HTTPRoute"));
}

fn parent(name: &str, section: Option<&str>) -> ParentReference {
    ParentReference {
        namespace: Some("default".to_owned()),
        section_name: section.map(str::to_owned),
        ..ParentReference::gateway(name)
    }
}

fn entry(name: &str, controller: &str, since: u32) -> RouteParentStatus {
    RouteParentStatus {
        parent_ref: parent(name, None),
        controller_name: controller.to_owned(),
        conditions: vec![stored("Accepted", true, 3, since)],
    }
}

fn computed(parents: &[(&str, Option<&str>)]) -> status::RouteStatus {
    let parents = parents.iter().map(|(name, section)| status::RouteParentStatus {
        parent_ref: parent(name, *section),
        controller_name: OURS.into(),
        conditions: vec![Condition::accepted()],
    });
    status::RouteStatus { generation: Some(3), parents: parents.collect(), ..status::RouteStatus::default() }
}

fn route(stored: Vec<RouteParentStatus>, computed: &status::RouteStatus) -> Option<Vec<String>> {
    let written = merge::route(&api::RouteStatus { parents: stored }, computed, &[OURS].into(), &time(12))?;
    let show = |entry: &RouteParentStatus| {
        let section = entry.parent_ref.section_name.as_deref().unwrap_or("*");
        let who = if entry.controller_name == OURS { "ours" } else { "theirs" };
        format!("{who} {}/{section} {}", entry.parent_ref.name, shown(&entry.conditions).join(" "))
    };
    Some(written.parents.iter().map(show).collect())
}

#[test]
fn the_parents_of_a_route_are_merged_by_controller_and_reference() {
    // RTE-11, RTE-12
    expect(
        "one entry for each reference",
        route(vec![], &computed(&[("a", None), ("a", Some("http"))])),
        Some(&["ours a/* Accepted=True@3/12", "ours a/http Accepted=True@3/12"]),
    );
    // GEN-12
    expect(
        "those of other controllers stay where they are, also for the same parent",
        route(
            vec![entry("x", "example.com/other", 1), entry("a", OURS, 8), entry("a", "example.com/other", 2)],
            &computed(&[("a", None), ("b", None)]),
        ),
        Some(&[
            "theirs x/* Accepted=True@3/1",
            "ours a/* Accepted=True@3/8",
            "theirs a/* Accepted=True@3/2",
            "ours b/* Accepted=True@3/12",
        ]),
    );
    // RTE-10, GEN-11
    expect(
        "ours go with their reference",
        route(vec![entry("a", OURS, 8), entry("x", "example.com/other", 1)], &computed(&[])),
        Some(&["theirs x/* Accepted=True@3/1"]),
    );
    expect("nothing to write", route(vec![entry("a", OURS, 8)], &computed(&[("a", None)])), None);
    // GEN-04
    let newer =
        RouteParentStatus { conditions: vec![stored("Accepted", false, 4, 8)], ..entry("a", OURS, 8) };
    expect("somebody has seen more", route(vec![newer], &computed(&[("b", None)])), None);
}

// BTP-09, BTP-10, BTP-25, POL-08
#[test]
fn the_ancestors_of_a_policy_are_merged_as_the_parents_of_a_route_are() {
    let entry = |name: &str, controller_name: &str, since| api::PolicyAncestorStatus {
        ancestor_ref: parent(name, None),
        controller_name: controller_name.to_owned(),
        conditions: vec![stored("Accepted", true, 3, since)],
    };
    let computed = |names: &[&str]| status::PolicyStatus {
        generation: Some(3),
        ancestors: names
            .iter()
            .map(|name| status::PolicyAncestorStatus {
                ancestor_ref: parent(name, None),
                controller_name: OURS.into(),
                conditions: vec![Condition::accepted()],
            })
            .collect(),
        ..status::PolicyStatus::default()
    };
    let merged = |stored: Vec<api::PolicyAncestorStatus>, names: &[&str]| {
        let stored = api::PolicyStatus { ancestors: stored };
        let written = merge::policy(&stored, &computed(names), &[OURS].into(), &time(12))?;
        let show = |entry: &api::PolicyAncestorStatus| {
            let who = if entry.controller_name == OURS { "ours" } else { "theirs" };
            format!("{who} {} {}", entry.ancestor_ref.name, shown(&entry.conditions).join(" "))
        };
        Some(written.ancestors.iter().map(show).collect())
    };
    let theirs = || entry("a", "example.com/other", 2);
    expect(
        "each to its own",
        merged(vec![entry("gone", OURS, 1), theirs(), entry("a", OURS, 8)], &["a", "b"]),
        Some(&["theirs a Accepted=True@3/2", "ours a Accepted=True@3/8", "ours b Accepted=True@3/12"]),
    );
    expect("nothing to write", merged(vec![theirs(), entry("a", OURS, 8)], &["a"]), None);
    expect(
        "ours go",
        merged(vec![entry("a", OURS, 8), theirs()], &[]),
        Some(&["theirs a Accepted=True@3/2"]),
    );
    // When others fill the list, theirs is not ours to remove.
    let full: Vec<_> = (0..16).map(|number| entry(&format!("x{number}"), "example.com/other", 2)).collect();
    expect("no room", merged(full, &["a"]), None);
}

/// Objects that are named by kind and name, each with what its status says about us.
fn said(objects: impl IntoIterator<Item = AnyObject>) -> Vec<String> {
    let say = |object: AnyObject| {
        let about = match object.as_route() {
            Some(route) => route.status.parents.iter().map(|entry| entry.controller_name.clone()).collect(),
            None => object.status().map_or(vec![], |status: &api::GatewayStatus| shown(&status.conditions)),
        };
        format!("{} {}: {}", object.kind(), object.key().name, about.join(" "))
    };
    objects.into_iter().map(say).collect()
}

// GEN-05, GEN-11, GEN-12, RTE-10
#[test]
fn of_all_objects_those_are_written_whose_status_changes() {
    let yaml = "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web, generation: 3}
spec: {gatewayClassName: example, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: attached, generation: 3}
spec: {}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: left, generation: 3}
spec: {}
status:
  parents:
  - {parentRef: {name: web}, controllerName: gateway-api.rs/controller, conditions: []}
  - {parentRef: {name: web}, controllerName: example.com/other, conditions: []}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: foreign, generation: 3}
spec: {}
status:
  parents: [{parentRef: {name: web}, controllerName: example.com/other, conditions: []}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {name: call, generation: 3}
spec: {}
status:
  parents: [{parentRef: {name: web}, controllerName: gateway-api.rs/controller, conditions: []}]
";
    let read = manifest::read(yaml, "test.yaml");
    let mut stored: Resources = read.objects.into_iter().map(|(object, _)| object).collect();
    let name = |name: &str| ObjectName::new("default", name);
    let gateway = |key| {
        (
            key,
            status::GatewayStatus {
                generation: Some(3),
                conditions: vec![Condition::accepted()],
                ..Default::default()
            },
        )
    };
    let statuses = Statuses {
        gateways: [gateway(name("web")), gateway(name("deleted"))].into(),
        routes: [(RouteKey::new(RouteKind::Http, name("attached")), computed(&[("web", None)]).into())]
            .into(),
        ..Statuses::default()
    };
    let written: Vec<_> = merge::all(&stored, &statuses, OURS, &time(12)).collect();
    let expected = [
        "Gateway web: Accepted=True@3/12 Programmed=Unknown@-1/0".to_owned(),
        format!("HTTPRoute attached: {OURS}"),
        "HTTPRoute left: example.com/other".to_owned(),
        "GRPCRoute call: ".to_owned(),
    ];
    assert_eq!(said(written.clone()), expected);
    stored.extend(written);
    assert_eq!(said(merge::all(&stored, &statuses, OURS, &time(13))), [""; 0], "nothing is left to write");
    let keys: Vec<_> = statuses.keys().map(|(kind, key)| format!("{kind} {}", key.name)).collect();
    assert_eq!(keys, ["Gateway deleted", "Gateway web", "HTTPRoute attached"]);
}

// LST-06, GEN-11
#[test]
fn a_listener_set_waits_again_when_its_gateway_is_gone() {
    let yaml = "
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: set, generation: 3}
spec: {parentRef: {name: web}, listeners: [{name: a, port: 80, protocol: HTTP}]}
status:
  conditions:
  - {type: Accepted, status: 'True', reason: Accepted, message: '', observedGeneration: 2, lastTransitionTime: '2026-01-01T08:00:00Z'}
  - {type: Programmed, status: 'False', reason: Invalid, message: '', observedGeneration: 2, lastTransitionTime: '2026-01-01T08:00:00Z'}
  - {type: example.com/Seen, status: 'True', reason: Seen, message: '', lastTransitionTime: '2026-01-01T08:00:00Z'}
  listeners: [{name: a, attachedRoutes: 1, supportedKinds: [], conditions: []}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: new, generation: 1}
spec: {parentRef: {name: web}, listeners: [{name: a, port: 80, protocol: HTTP}]}
";
    let read = manifest::read(yaml, "test.yaml");
    let mut stored: Resources = read.objects.into_iter().map(|(object, _)| object).collect();
    let nothing = Statuses::default();
    let written: Vec<_> = merge::all(&stored, &nothing, OURS, &time(12)).collect();
    let [AnyObject::ListenerSet(set)] = &written[..] else { panic!("{written:?}") };
    let expected = ["Accepted=Unknown@3/12", "Programmed=Unknown@3/12", "example.com/Seen=True@-1/8"];
    assert_eq!(shown(&set.status.conditions), expected);
    assert_eq!(set.status.listeners, []);
    stored.extend(written);
    assert_eq!(merge::all(&stored, &nothing, OURS, &time(13)).count(), 0, "and that is all");

    // The Gateway of another controller is that controller's business.
    let gateway = "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web}
spec: {gatewayClassName: foreign, listeners: [{name: http, port: 80, protocol: HTTP}]}
";
    let objects = [manifest::read(yaml, "test.yaml"), manifest::read(gateway, "test.yaml")];
    let stored: Resources =
        objects.into_iter().flat_map(|read| read.objects).map(|(object, _)| object).collect();
    assert_eq!(merge::all(&stored, &nothing, OURS, &time(12)).count(), 0);
}

// RTE-36
#[test]
fn a_full_list_is_not_made_room_in_by_removing_others() {
    let theirs = |number: usize| entry(&format!("x{number}"), "example.com/other", 1);
    let found = route((0..31).map(theirs).collect(), &computed(&[("a", None), ("b", None)])).unwrap();
    assert_eq!(found.len(), 32);
    assert_eq!(found[31], "ours a/* Accepted=True@3/12");
}

// LIM-05
#[test]
fn a_gateway_shows_no_more_addresses_than_the_schema_lets_it() {
    let addresses =
        (1..=20).map(|i| StatusAddress::from((Address::Ip([10, 0, 0, i].into()), None))).collect();
    let computed = status::GatewayStatus { addresses, ..Default::default() };
    let written = merge::gateway(&api::GatewayStatus::default(), &computed, &time(10)).unwrap();
    assert_eq!(written.addresses.len(), 16);
    assert_eq!(written.addresses[15].value, "10.0.0.16");
    assert_eq!(merge::gateway(&written, &computed, &time(11)), None);
}

// LIM-08
#[test]
fn a_message_is_no_longer_than_the_schema_lets_it_be() {
    let long = Condition::failed(ConditionType::Accepted, Reason::Invalid, "ü".repeat(40_000));
    let written = merge::conditions(&[], &[long], Some(1), &time(12)).unwrap();
    assert_eq!(written[0].message.len(), 32_768);
    assert!(written[0].message.chars().all(|c| c == 'ü'));
}
