//! GatewayClasses.

use std::sync::Arc;

use gateway_core::condition::ConditionType;
use gateway_core::feature::{Feature, SUPPORTED};
use gateway_core::filter::{Extension, ExtensionError, Extensions};
use gateway_core::name::ObjectName;
use gateway_core::options::{DefaultAddresses, Options};
use gateway_core::translate::Translator;

use crate::fixture::{self, expect, gateway, read, short, text, translated, world};

fn class(name: &str, controller: &str, more: &str) -> String {
    format!(
        "
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: {name}, generation: 4}}
spec: {{controllerName: {controller}{more}}}
"
    )
}

/// The conditions of every class, by name.
fn classes(yaml: &str, options: &Options) -> Vec<String> {
    let statuses = translated(&world(yaml), options).statuses;
    let shown = |(key, status): (&ObjectName, &gateway_core::status::GatewayClassStatus)| {
        let conditions: Vec<_> = status.conditions.iter().map(short).collect();
        format!("{key}: {}", conditions.join(" "))
    };
    statuses.gateway_classes.iter().map(shown).collect()
}

// GC-01, GC-02, GC-03, GEN-10, CND-02, CND-06
#[test]
fn only_classes_of_this_controller_get_a_status() {
    let yaml = class("theirs", "example.com/other", "");
    let expected = ["ours: Accepted=True/Accepted SupportedVersion=True/SupportedVersion"];
    assert_eq!(classes(&yaml, &Options::default()), expected);

    let options = Options { controller_name: "example.com/other".to_owned(), ..Options::default() };
    let expected = ["theirs: Accepted=True/Accepted SupportedVersion=True/SupportedVersion"];
    assert_eq!(classes(&yaml, &options), expected);

    let options = Options { any_class: true, ..Options::default() };
    assert_eq!(classes(&yaml, &options).len(), 2, "a gateway that runs from files takes every class");
}

// GC-06, CND-03
#[test]
fn a_class_with_parameters_is_refused_because_there_are_none() {
    let yaml =
        class("tuned", "gateway-api.rs/controller", ", parametersRef: {group: '', kind: ConfigMap, name: x}");
    let found = classes(&yaml, &Options::default());
    assert_eq!(found[1], "tuned: Accepted=False/InvalidParameters SupportedVersion=True/SupportedVersion");
}

// GC-08, GC-09, CND-07, CON-19, CON-29
#[test]
fn definitions_of_an_unknown_version_are_reported_and_used_nevertheless() {
    let options = Options { unknown_definitions: vec!["gateways".to_owned()], ..Options::default() };
    let expected = ["ours: Accepted=True/Accepted SupportedVersion=False/UnsupportedVersion"];
    assert_eq!(classes("", &options), expected);

    use gateway_core::options::is_known_bundle_version as known;
    for version in ["v1.7.0", "v1.7.1-rc.1", "v1.6.1", "v1.0.0"] {
        assert!(known(Some(version)), "{version}");
    }
    for version in
        [None, Some(""), Some("v1"), Some("v1.8.0"), Some("v10.1.0"), Some("v0.8.1"), Some("v1.x.0")]
    {
        assert!(!known(version), "{version:?}");
    }
}

// GC-11, GC-12
#[test]
fn the_features_of_the_data_plane_are_published_sorted_and_without_those_of_meshes() {
    let mut options = Options { infrastructure: true, ..Options::default() };
    options.addresses.default = DefaultAddresses::Shared(Vec::new());
    options.addresses.cluster = Some([].into());
    options.features.insert(Feature::MeshConsumerRoute);
    options.features.remove(&Feature::HttpRouteCors);
    let statuses = translated(&world(""), &options).statuses;
    let published = &statuses.gateway_classes[&ObjectName::cluster("ours")].supported_features;
    assert!(published.is_sorted_by(|a, b| a.as_str() < b.as_str()));
    assert!(!published.contains(&Feature::HttpRouteCors));
    assert_eq!(published.len(), SUPPORTED.len() - 1);
}

// PRF-06: a program without filters of its own that asks no services has none for listeners.
#[test]
fn filters_of_listeners_are_published_only_where_there_are_some() {
    let extensions = || Some(Arc::new(NoExtensions) as Arc<dyn Extensions>);
    for (external_auth, extensions, expected) in
        [(false, None, false), (true, None, true), (false, extensions(), true), (true, extensions(), true)]
    {
        let options = Options { external_auth, extensions, ..Options::default() };
        let statuses = translated(&world(""), &options).statuses;
        let published = &statuses.gateway_classes[&ObjectName::cluster("ours")].supported_features;
        assert_eq!(published.contains(&Feature::GatewayListenerFilters), expected);
    }
}

#[derive(Debug)]
struct NoExtensions;

impl Extensions for NoExtensions {
    fn resolve(&self, _: &str, _: &str, _: &str, _: &str) -> Result<Arc<dyn Extension>, ExtensionError> {
        Err(ExtensionError::UnknownKind)
    }
}

// HST-14, AMB-12: who answers for a hostname as a whole must not claim the precedence.
#[test]
fn the_precedence_by_hostnames_is_published_only_while_hostnames_fall_through() {
    for hostname_fall_through in [true, false] {
        let options = Options { hostname_fall_through, ..Options::default() };
        let statuses = translated(&world(""), &options).statuses;
        let published = &statuses.gateway_classes[&ObjectName::cluster("ours")].supported_features;
        let precedence = Feature::GatewayRouteHostnameIntersectionPrecedence;
        assert_eq!(published.contains(&precedence), hostname_fall_through);
        assert_eq!(options.supports(precedence), hostname_fall_through);
    }
}

// GC-14, GEN-10
#[test]
fn a_gateway_of_no_class_or_of_another_controller_is_not_touched() {
    let nobody = gateway("lost", "{name: http, port: 80, protocol: HTTP}").replace("ours", "missing");
    let theirs = gateway("foreign", "{name: http, port: 80, protocol: HTTP}").replace("ours", "theirs");
    let theirs = theirs + &class("theirs", "example.com/other", "");
    let listener_set = fixture::listener_set(
        "default",
        "set",
        "2026-01-01T00:00:00Z",
        "foreign",
        "{name: a, port: 80, protocol: HTTP}",
    );
    expect("LST-06: and neither is what hangs on it", &(nobody + &theirs + &listener_set), "");
}

// GC-14, CND-14, CND-20, CND-51, GWS-05
#[test]
fn a_gateway_whose_class_is_not_accepted_is_not_made() {
    let yaml =
        class("tuned", "gateway-api.rs/controller", ", parametersRef: {group: '', kind: ConfigMap, name: x}")
            + &gateway("waiting", "{name: http, port: 80, protocol: HTTP}").replace("ours", "tuned");
    expect(
        "class not accepted",
        &yaml,
        "Gateway default/waiting: Accepted=False/Invalid Programmed=False/Invalid
           http [HTTPRoute GRPCRoute]: Programmed=False/Pending",
    );
}

// GC-13
#[test]
fn what_changes_in_a_class_reaches_the_gateways_that_there_are() {
    let mut translator = Translator::new(Options::default());
    translator.update(&world(&gateway("g", "{name: http, port: 80, protocol: HTTP}")));
    let served = "Gateway default/g: ok\n  http [HTTPRoute GRPCRoute]: ok\n";
    let refused = "Gateway default/g: Accepted=False/Invalid Programmed=False/Invalid
  http [HTTPRoute GRPCRoute]: Programmed=False/Pending\n";
    for (more, expected, listeners) in [
        ("", served, 1),
        (", parametersRef: {group: '', kind: ConfigMap, name: x}", refused, 0),
        (", description: with nothing more", served, 1),
    ] {
        let class = read(&class("ours", "gateway-api.rs/controller", more));
        class.iter().for_each(|object| translator.insert(object));
        let translation = translator.translate();
        assert_eq!(text(&translation.statuses), expected, "{more}");
        assert_eq!(translation.table.listeners().count(), listeners, "{more}");
    }
}

// GEN-03
#[test]
fn a_status_names_the_generation_that_was_looked_at() {
    let yaml = class("late", "gateway-api.rs/controller", "");
    let yaml = yaml
        + &gateway("g", "{name: http, port: 80, protocol: HTTP}")
            .replace("name: g}", "name: g, generation: 7}");
    let statuses = translated(&world(&yaml), &Options::default()).statuses;
    assert_eq!(statuses.gateway_classes[&ObjectName::cluster("late")].generation, Some(4));
    assert_eq!(statuses.gateways[&ObjectName::new("default", "g")].generation, Some(7));
    // GEN-13: reserved types are not even words.
    assert_eq!(ConditionType::parse("Ready"), None);
}
