//! XTelemetryPolicies from manifests: which holds for a Gateway, what becomes of it, and what statuses say of each.

mod common;
#[path = "common/policy.rs"]
mod policies;

use gateway_core::condition::ConditionType;
use gateway_core::filter::Share;
use gateway_core::name::ObjectName;
use gateway_core::options::Options;
use gateway_core::rule::BackendProtocol;
use gateway_core::table::{AttributeSource, KnownAttribute, Sampling, Spans, Tracing};
use gateway_core::translate::{Translation, Translator, translate};

use self::common::resources;

/// Two Gateways of ours and one of another controller, and a Service that takes traces.
const BASE: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: class}
spec: {controllerName: gateway-api.rs/controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: other}
spec: {controllerName: example.com/other}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: one}
spec: {gatewayClassName: class, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: two}
spec: {gatewayClassName: class, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: theirs}
spec: {gatewayClassName: other, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: v1
kind: Service
metadata: {name: collector}
spec: {ports: [{name: grpc, port: 4317}, {name: http, port: 4318}, {name: said, port: 80, appProtocol: http}, {name: ws, port: 81, appProtocol: kubernetes.io/ws}]}
---
apiVersion: v1
kind: Service
metadata: {name: collector, namespace: elsewhere}
spec: {ports: [{name: grpc, port: 4317}]}
";

const DISABLED: &str = "mode: Disabled";

/// What asks for spans, told to this port of the Service, and this besides.
fn enabled(backend: &str, more: &str) -> String {
    format!("mode: Enabled, provider: {{backendRef: {{{backend}}}}}{more}")
}

/// A policy that came into being in this year.
fn policy(name: &str, year: u16, gateways: &[&str], tracing: &str) -> String {
    let target = |name: &&str| format!("{{group: gateway.networking.k8s.io, kind: Gateway, name: {name}}}");
    let targets: Vec<_> = gateways.iter().map(target).collect();
    policies::manifest("XTelemetryPolicy", name, year, &targets, &format!("tracing: {{{tracing}}}"))
}

fn options() -> Options {
    Options { telemetry_policies: true, ..Options::default() }
}

fn translated(policies: &[String]) -> Translation {
    translate(&resources(&format!("{BASE}{}", policies.concat())), &options())
}

fn tracing<'t>(translation: &'t Translation, gateway: &str) -> Option<&'t Tracing> {
    translation.table.tracing(&ObjectName::new("default", gateway)).map(|tracing| &**tracing)
}

fn spans<'t>(translation: &'t Translation, gateway: &str) -> &'t Spans {
    tracing(translation, gateway).and_then(|tracing| tracing.spans.as_ref()).expect("there are spans")
}

/// What the status of a policy says of each Gateway: `Accepted`, then `ResolvedRefs`, as status and reason.
fn said(translation: &Translation, name: &str) -> Vec<String> {
    let statuses = &translation.statuses.telemetry_policies;
    let Some(status) = policies::status(statuses, name) else { return Vec::new() };
    let ancestors = status.ancestors.iter().map(|ancestor| {
        let [accepted, resolved] = &ancestor.conditions[..] else { panic!("two conditions: {status:?}") };
        assert_eq!([accepted.kind, resolved.kind], [ConditionType::Accepted, ConditionType::ResolvedRefs]);
        let said = [accepted, resolved].map(policies::said);
        format!("{}: {}", ancestor.ancestor_ref.name, said.join(" "))
    });
    ancestors.collect()
}

/// All that is said in the messages of a status.
fn messages(translation: &Translation, name: &str) -> String {
    let status = &translation.statuses.telemetry_policies[&ObjectName::new("default", name)];
    let conditions = status.ancestors.iter().flat_map(|ancestor| &ancestor.conditions);
    conditions.map(|condition| condition.message.as_str()).collect::<Vec<_>>().join("\n")
}

const GOOD: &str = "true/Accepted true/ResolvedRefs";

// TEL-01, TEL-02, POL-03, POL-04
#[test]
fn of_two_for_one_gateway_the_older_holds() {
    let spans = enabled("name: collector, port: 4317", "");
    for (older, younger) in [("a", "b"), ("b", "a")] {
        let translation = translated(&[
            policy(younger, 2025, &["one", "two"], &spans),
            policy(older, 2024, &["one"], DISABLED),
        ]);
        let [one, two] = ["one", "two"].map(|gateway| tracing(&translation, gateway).unwrap());
        assert_eq!((&*one.policy.name, one.spans.is_some()), (older, false));
        assert_eq!((&*two.policy.name, two.spans.is_some()), (younger, true));
        assert_eq!(said(&translation, older), [format!("one: {GOOD}")]);
        let expected = ["one: false/Conflicted true/ResolvedRefs".to_owned(), format!("two: {GOOD}")];
        assert_eq!(said(&translation, younger), expected);
        let message = messages(&translation, younger);
        assert!(
            message.contains("spec.targetRefs[0]") && message.contains(&format!("default/{older}")),
            "{message}"
        );
    }
    // Of the same age, so that their names decide.
    let translation =
        translated(&[policy("b", 2024, &["one"], DISABLED), policy("a", 2024, &["one"], DISABLED)]);
    assert_eq!(said(&translation, "a"), [format!("one: {GOOD}")]);
    assert_eq!(said(&translation, "b"), ["one: false/Conflicted true/ResolvedRefs"]);
}

// TEL-02, LST-24
#[test]
fn there_is_an_entry_for_each_gateway_of_ours_and_for_one_that_is_not_there() {
    let all = ["one", "none", "theirs", "one"];
    let translation = translated(&[policy("a", 2025, &all, &enabled("name: collector, port: 4317", ""))]);
    let expected = ["none: false/TargetNotFound true/ResolvedRefs".to_owned(), format!("one: {GOOD}")];
    assert_eq!(said(&translation, "a"), expected);
    assert!(tracing(&translation, "theirs").is_none() && tracing(&translation, "none").is_none());

    let theirs = translated(&[policy("a", 2025, &["theirs"], DISABLED)]);
    assert!(said(&theirs, "a").is_empty(), "it is for another controller to say something");
    for kind in ["HTTPRoute", "ListenerSet"] {
        let no_gateway = policy("a", 2025, &["one", "two"], DISABLED).replacen("Gateway", kind, 1);
        let translation = translated(&[no_gateway]);
        assert!(tracing(&translation, "one").is_none());
        assert_eq!(said(&translation, "a"), [format!("two: {GOOD}")]);
        assert!(messages(&translation, "a").contains(kind), "{}", messages(&translation, "a"));
    }
}

// TEL-03
#[test]
fn a_provider_that_is_not_to_be_had_is_said_and_no_spans_are_made() {
    for (backend, expected) in [
        ("name: collector, port: 4317", "true/ResolvedRefs"),
        ("name: none, port: 4317", "false/BackendNotFound"),
        ("name: collector, port: 1", "false/BackendNotFound"),
        ("name: collector, kind: ConfigMap, port: 1", "false/InvalidKind"),
        ("name: collector, group: example.com, port: 1", "false/InvalidKind"),
        ("name: collector, namespace: elsewhere, port: 4317", "false/RefNotPermitted"),
        ("name: collector, port: 81", "false/UnsupportedProtocol"),
    ] {
        let translation = translated(&[policy("a", 2025, &["one"], &enabled(backend, ""))]);
        assert_eq!(said(&translation, "a"), [format!("one: true/Accepted {expected}")], "{backend}");
        let tracing = tracing(&translation, "one").unwrap();
        assert_eq!(tracing.spans.is_some(), expected.starts_with("true"), "{backend}");
    }
}

// TEL-03, RGR-01
#[test]
fn a_grant_lets_a_provider_be_elsewhere() {
    let grant = "---\napiVersion: gateway.networking.k8s.io/v1\nkind: ReferenceGrant\nmetadata: {name: g, namespace: elsewhere}\n\
                 spec: {from: [{group: gateway.networking.x-k8s.io, kind: XTelemetryPolicy, namespace: default}], \
                 to: [{group: '', kind: Service}]}\n";
    let elsewhere = enabled("name: collector, namespace: elsewhere, port: 4317", "");
    let mut translator = Translator::new(options());
    let mut resolved_with = |more: &str| {
        let yaml = format!("{BASE}{}{more}", policy("a", 2025, &["one"], &elsewhere));
        translator.update(&resources(&yaml));
        let translation = translator.translate();
        (said(translation, "a"), tracing(translation, "one").unwrap().spans.is_some())
    };
    let refused = vec!["one: true/Accepted false/RefNotPermitted".to_owned()];
    assert_eq!(resolved_with(""), (refused.clone(), false));
    assert_eq!(resolved_with(grant), (vec![format!("one: {GOOD}")], true));
    assert_eq!(resolved_with(""), (refused, false));
}

// TEL-03
#[test]
fn the_port_of_the_provider_says_what_is_spoken() {
    let table = |port: u16| {
        let spans = enabled(&format!("name: collector, port: {port}"), "");
        translated(&[policy("a", 2025, &["one"], &spans)])
    };
    for (port, expected) in
        [(4317, BackendProtocol::H2c), (4318, BackendProtocol::Http1), (80, BackendProtocol::Http1)]
    {
        let translation = table(port);
        let backend = translation.table.backend(spans(&translation, "one").provider);
        assert_eq!((backend.port, backend.protocol), (port, expected));
    }
}

// TEL-03: what the provider is like is looked up when it is told.
#[test]
fn a_provider_that_changes_keeps_its_place() {
    let collector = |port: &str, address: &str| {
        format!(
            "{BASE}{}---\napiVersion: v1\nkind: Service\nmetadata: {{name: late}}\nspec: {{ports: [{{name: p, port: 9, {port}}}]}}\n\
             ---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {{name: late, labels: {{kubernetes.io/service-name: late}}}}\n\
             addressType: IPv4\nports: [{{name: p, port: 9}}]\nendpoints: [{{addresses: [{address}]}}]\n",
            policy("a", 2025, &["one"], &enabled("name: late, port: 9", ""))
        )
    };
    let mut translator = Translator::new(options());
    let mut told = |yaml: &str| {
        translator.update(&resources(yaml));
        let translation = translator.translate();
        let spans = tracing(translation, "one")?.spans.as_ref()?;
        let backend = translation.table.backend(spans.provider);
        Some((backend.protocol, backend.endpoints[0].address().to_string()))
    };
    let without = format!("{BASE}{}", policy("a", 2025, &["one"], &enabled("name: late, port: 9", "")));
    assert_eq!(told(&without), None);
    let first = Some((BackendProtocol::H2c, "10.0.0.1:9".to_owned()));
    assert_eq!(told(&collector("protocol: TCP", "10.0.0.1")), first);
    let second = Some((BackendProtocol::Http1, "10.0.0.2:9".to_owned()));
    assert_eq!(told(&collector("appProtocol: http", "10.0.0.2")), second);
    assert_eq!(told(&without), None);
    assert_eq!(translator.translation().table.backends().count(), 0, "nobody refers to what is not there");
    translator.update(&resources(BASE));
    assert_eq!(tracing(translator.translate(), "one"), None);
}

// TEL-04
#[test]
fn the_shares_are_those_of_the_policy_and_all_where_it_gives_none() {
    let sampling = |more: &str| {
        let spans_of = enabled("name: collector, port: 4317", more);
        spans(&translated(&[policy("a", 2025, &["one"], &spans_of)]), "one").sampling
    };
    let share = |numerator, denominator| Share::fraction(numerator, denominator).unwrap();
    let all = Share::all();
    for (more, of_new, of_parents) in [
        ("", all, Some(all)),
        (", samplingRate: {numerator: 5}", share(5, 100), Some(all)),
        (", samplingRate: {numerator: 0}, parentBasedSampling: {mode: Disabled}", share(0, 100), None),
        (", parentBasedSampling: {mode: Enabled}", all, Some(all)),
        (
            ", parentBasedSampling: {mode: Enabled, samplingRate: {numerator: 1, denominator: 2}}",
            all,
            Some(share(1, 2)),
        ),
        (", parentBasedSampling: {mode: ImplementationDefault}", all, Some(all)),
    ] {
        assert_eq!(sampling(more), Sampling { of_new, of_parents }, "{more}");
    }
}

// TEL-04
#[test]
fn what_is_left_to_the_program_is_in_no_table() {
    let translation = translated(&[policy("a", 2025, &["one"], "mode: ImplementationDefault")]);
    assert_eq!((tracing(&translation, "one"), said(&translation, "a")), (None, vec![format!("one: {GOOD}")]));
    let disabled = translated(&[policy("a", 2025, &["one"], DISABLED)]);
    assert_eq!(tracing(&disabled, "one").map(|tracing| &tracing.spans), Some(&None));
}

// TEL-05
#[test]
fn attributes_of_the_dictionary_are_translated_and_others_are_said() {
    let more = ", serviceName: edge, spanName: the edge, attributes: [\
                {name: env, sourceType: Literal, literalValue: prod}, \
                {name: tenant, sourceType: Header, headerName: X-Tenant}, \
                {name: m, sourceType: Attribute, attributeKey: http.request.method}, \
                {name: h, sourceType: Attribute, attributeKey: http.response.header.x-cache}, \
                {name: v, sourceType: Attribute, attributeKey: upstream_cluster}, \
                {name: f, sourceType: Attribute, attributeKey: url.fragment}]";
    let translation =
        translated(&[policy("a", 2025, &["one"], &enabled("name: collector, port: 4317", more))]);
    let spans = spans(&translation, "one");
    assert_eq!((spans.service_name.as_deref(), spans.name.as_deref()), (Some("edge"), Some("the edge")));
    let header = http::HeaderName::from_static;
    let expected = [
        ("env", AttributeSource::Literal("prod".into())),
        ("tenant", AttributeSource::Header(header("x-tenant"))),
        ("m", AttributeSource::Known(KnownAttribute::RequestMethod)),
        ("h", AttributeSource::Known(KnownAttribute::ResponseHeader(header("x-cache")))),
    ];
    let found: Vec<_> =
        spans.attributes.iter().map(|attribute| (&*attribute.name, attribute.source.clone())).collect();
    assert_eq!(found, expected);
    assert_eq!(said(&translation, "a"), [format!("one: {GOOD}")]);
    let message = messages(&translation, "a");
    for part in [
        "spec.tracing.attributes[4].attributeKey: upstream_cluster",
        "spec.tracing.attributes[5]",
        "http.route",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert_eq!(
        translation.statuses.telemetry_policies[&ObjectName::new("default", "a")].without_effect.len(),
        2
    );
}

// TEL-05
#[test]
fn there_is_an_end_to_what_spans_carry() {
    let attribute = |index: usize| format!("{{name: a{index}, sourceType: Literal, literalValue: x}}");
    let all: Vec<_> = (0..=Tracing::MAX_ATTRIBUTES).map(attribute).collect();
    let more = format!(", attributes: [{}]", all.join(", "));
    let translation =
        translated(&[policy("a", 2025, &["one"], &enabled("name: collector, port: 4317", &more))]);
    assert_eq!(spans(&translation, "one").attributes.len(), Tracing::MAX_ATTRIBUTES);
    assert!(messages(&translation, "a").contains("64 attributes are the most"));
}

// TEL-03
#[test]
fn headers_go_along_but_for_those_of_the_message() {
    let tracing = "mode: Enabled, provider: {backendRef: {name: collector, port: 4317}, \
                   headers: [{name: Authorization, value: Bearer x}, {name: Content-Type, value: text/plain}]}";
    let translation = translated(&[policy("a", 2025, &["one"], tracing)]);
    let spans = spans(&translation, "one");
    let [(name, value)] = &spans.headers[..] else { panic!("one header: {spans:?}") };
    assert_eq!((name.as_str(), value.to_str().unwrap()), ("authorization", "Bearer x"));
    assert!(!format!("{spans:?}").contains("Bearer"), "it is in no log");
    assert!(messages(&translation, "a").contains("spec.tracing.provider.headers[1]: Content-Type"));
}

// TEL-04: a status is true of what is served.
#[test]
fn a_data_plane_without_spans_accepts_no_policy_that_wants_some() {
    let yaml = format!("{BASE}{}", policy("a", 2025, &["one"], &enabled("name: collector, port: 4317", "")));
    let translation = translate(&resources(&yaml), &Options::default());
    assert_eq!(tracing(&translation, "one"), None);
    assert_eq!(said(&translation, "a"), ["one: false/Invalid true/ResolvedRefs"]);
    let message = messages(&translation, "a");
    assert!(message.contains("as `gateway` does that is built with `--features otlp`"), "{message}");
    for wants_none in [DISABLED, "mode: ImplementationDefault"] {
        let yaml = format!("{BASE}{}", policy("a", 2025, &["one"], wants_none));
        let translation = translate(&resources(&yaml), &Options::default());
        assert_eq!(tracing(&translation, "one"), None);
        assert_eq!(said(&translation, "a"), [format!("one: {GOOD}")], "{wants_none}");
    }
}

// TEL-01, GEN-14
#[test]
fn a_policy_that_a_schema_refuses_holds_its_gateways() {
    let broken = policy("a", 2024, &["one"], "mode: Enabled");
    let translation = translated(&[broken, policy("b", 2025, &["one"], DISABLED)]);
    assert_eq!(tracing(&translation, "one"), None);
    assert_eq!(said(&translation, "a"), ["one: false/Invalid true/ResolvedRefs"]);
    assert_eq!(said(&translation, "b"), ["one: false/Conflicted true/ResolvedRefs"]);
}

// TEL-03, BTP-09
#[test]
fn tls_to_the_provider_is_as_its_policy_says_and_reached_from_the_gateway() {
    let tls = "---\napiVersion: gateway.networking.k8s.io/v1\nkind: BackendTLSPolicy\nmetadata: {name: t}\n\
               spec: {targetRefs: [{group: '', kind: Service, name: collector}], \
               validation: {hostname: collector.example, wellKnownCACertificates: System}}\n";
    let policy = policy("a", 2025, &["one"], &enabled("name: collector, port: 4317", ""));
    let translation = translated(&[policy, tls.to_owned()]);
    let backend = translation.table.backend(spans(&translation, "one").provider);
    assert_eq!(backend.tls.as_ref().map(|tls| &*tls.server_name), Some("collector.example"));
    let status = &translation.statuses.backend_tls_policies[&ObjectName::new("default", "t")];
    let ancestors: Vec<_> = status.ancestors.iter().map(|ancestor| &*ancestor.ancestor_ref.name).collect();
    assert_eq!(ancestors, ["one"]);
}
