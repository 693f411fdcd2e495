//! Reading manifests: what is read, what is said about the rest, and what hostile text costs.
#![cfg(feature = "resources")]

use gateway_core::api::{AnyObject, Kind};
use gateway_core::manifest::{self, Collection, MAX_BYTES, MAX_PROBLEMS, Severity};
use gateway_core::name::ObjectName;

/// The names of the objects that are read, and the problems as they are shown.
fn read(text: &str) -> (Vec<String>, Vec<String>) {
    let manifest = manifest::read(text, "f.yaml");
    let names =
        manifest.objects.iter().map(|(object, _)| format!("{} {}", object.kind(), object.metadata().name));
    (names.collect(), manifest.problems.iter().map(ToString::to_string).collect())
}

fn assert_read(name: &str, text: &str, objects: &[&str], problems: &[&str]) {
    assert_eq!(read(text), (owned(objects), owned(problems)), "{name}");
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

const ROUTE: &str =
    "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata:\n  name: r\nspec:\n";

/// The one problem of a text without its place.
fn only_problem(text: &str) -> String {
    let (_, problems) = read(text);
    let [problem] = &problems[..] else { panic!("{problems:?}") };
    problem.splitn(4, ':').nth(3).unwrap().trim().to_owned()
}

#[test]
fn a_field_of_an_earlier_version_names_the_way_out() {
    let route = |spec: &str| format!("{ROUTE}  {spec}\n");
    let gateway = |listener: &str| {
        format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {{name: g}}, spec: {{gatewayClassName: c, \
             listeners: [{{name: a, port: 80, protocol: HTTP, {listener}}}]}}}}"
        )
    };
    let backend = |fields: &str| {
        format!(
            "{{apiVersion: gateway.networking.x-k8s.io/v1alpha1, kind: XBackend, metadata: {{name: b}}, \
             spec: {{type: ExternalHostname, {fields}}}}}"
        )
    };
    for (text, field, way_out) in [
        (
            route("rules: [{sessionPersistence: {sessionName: s}}]"),
            "sessionName",
            "write `cookie.name`, or `header.name`",
        ),
        (route("rules: [{sessionPersistence: {cookieConfig: {}}}]"), "cookieConfig", "write `cookie`"),
        (route("rules: [{forwardTo: []}]"), "forwardTo", "write `backendRefs`"),
        (route("gateways: {}"), "gateways", "write `parentRefs`"),
        (gateway("routes: {kind: HTTPRoute}"), "routes", "write `allowedRoutes`"),
        (gateway("tls: {certificateRef: {name: a}}"), "certificateRef", "write `certificateRefs`"),
        (backend("port: {port: 80}"), "port.port", "write `number`"),
        (
            format!(
                "{}, status: {{parents: []}}}}",
                backend("port: {number: 80}").strip_suffix('}').unwrap()
            ),
            "status.parents",
            "write `ancestors`",
        ),
    ] {
        let problem = only_problem(&text);
        assert!(problem.starts_with("warning: ") && problem.contains(&format!("{field}: ")), "{problem}");
        assert!(problem.contains(way_out), "{problem}");
    }
}

#[test]
fn a_misspelt_group_is_a_warning_with_the_group_that_was_meant() {
    let object = |api_version: &str, kind: &str| {
        only_problem(&format!("{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: a}}}}"))
    };
    for (api_version, kind, meant) in [
        ("gateway.networking.k8s.oi/v1", "HTTPRoute", "gateway.networking.k8s.io/v1"),
        ("gateways.networking.k8s.io/v1", "Gateway", "gateway.networking.k8s.io/v1"),
        ("gateway.network.k8s.io/v1", "GatewayClass", "gateway.networking.k8s.io/v1"),
        ("gateway.networking.k8s.io.v1", "HTTPRoute", "gateway.networking.k8s.io/v1"),
        ("v1", "HTTPRoute", "gateway.networking.k8s.io/v1"),
        ("gateway.networking.xk8s.io/v1alpha1", "XBackend", "gateway.networking.x-k8s.io/v1alpha1"),
        ("core/v1", "Service", "v1"),
        ("discovery.k8s.oi/v1", "EndpointSlice", "discovery.k8s.io/v1"),
        ("discovery/v1", "EndpointSlice", "discovery.k8s.io/v1"),
        ("networking.k8s.io/v1", "HTTPRoute", "gateway.networking.k8s.io/v1"),
        ("gateway.k8s.io/v1", "Gateway", "gateway.networking.k8s.io/v1"),
        ("gateway.networking/v1", "Gateway", "gateway.networking.k8s.io/v1"),
        ("gateway.networking.k8s.io", "HTTPRoute", "gateway.networking.k8s.io/v1"),
        ("apps/v1", "Service", "v1"),
    ] {
        let problem = object(api_version, kind);
        assert!(problem.starts_with("warning: "), "{problem}");
        assert!(problem.ends_with(&format!("did you mean `{meant}`?")), "{problem}");
    }
    // Kinds of other groups are theirs.
    for (api_version, kind) in [
        ("networking.istio.io/v1", "Gateway"),
        ("serving.knative.dev/v1", "Service"),
        ("policy.linkerd.io/v1beta3", "HTTPRoute"),
        ("apps/v1", "Deployment"),
    ] {
        assert!(object(api_version, kind).starts_with("info: "), "{api_version} {kind}");
    }
}

#[test]
fn documents_of_any_style_are_read() {
    let json = r#"{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a", "labels": {"x": "\ud83c\udfb5\/"}}}"#;
    let list = r#"
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: a}}
- apiVersion: v1
  kind: Service
  metadata: {name: b}
"#;
    let typed = "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRouteList, metadata: {resourceVersion: '1'}, \
                 items: [{metadata: {name: a}, spec: {}}, {metadata: {name: b}, spec: {}}]}";
    let tabs = "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Namespace\",\n\t\"metadata\": {\n\t\t\"name\": \"a\"\n\t}\n}\n";
    let several = "# nothing but this\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\n---\n# and this\n--- # c\n\
                   apiVersion: v1\nkind: Namespace\nmetadata: {name: b}\n...\n";
    let block = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: |\n    ---\n    kind: Other\n   \n---\n\
                 apiVersion: v1\nkind: Namespace\nmetadata: {name: b}\n";
    let cases: &[(&str, &str, &[&str])] = &[
        ("nothing", "", &[]),
        ("comments", "# one\n# two\n", &[]),
        ("json", json, &["Namespace a"]),
        ("json with tabs", tabs, &["Namespace a"]),
        ("two json documents", &format!("{json}\n---\n{json}"), &["Namespace a", "Namespace a"]),
        ("list", list, &["Namespace a", "Service b"]),
        ("typed list", typed, &["HTTPRoute a", "HTTPRoute b"]),
        ("empty list", "{apiVersion: v1, kind: List}", &[]),
        ("several", several, &["Namespace a", "Namespace b"]),
        ("marker inside of a block scalar", block, &["ConfigMap a", "Namespace b"]),
        (
            "byte order mark",
            "\u{feff}{apiVersion: v1, kind: Namespace, metadata: {name: a}}",
            &["Namespace a"],
        ),
        (
            "carriage returns",
            "apiVersion: v1\r\nkind: Namespace\r\nmetadata:\r\n  name: a\r\n",
            &["Namespace a"],
        ),
        ("key order", "metadata: {name: a}\nkind: Namespace\napiVersion: v1\n", &["Namespace a"]),
    ];
    for (name, text, objects) in cases {
        assert_read(name, text, objects, &[]);
    }
}

// VAL-ST-05
#[test]
fn a_field_that_nobody_knows_is_a_warning_with_its_path() {
    let text = format!(
        "{ROUTE}  hostname: a.example\n  rules:\n  - fowardTo: []\n    matches:\n    - path: {{Value: /}}\n    - headers:\n      \
         - {{name: a, value: b, regex: true}}\n"
    );
    assert_read(
        "typing errors",
        &text,
        &["HTTPRoute r"],
        &[
            "f.yaml:6:3: warning: HTTPRoute r: spec.hostname: there is no such field; did you mean `hostnames`?",
            "f.yaml:8:5: warning: HTTPRoute r: spec.rules[0].fowardTo: there is no such field, and it is ignored; there are name, matches, filters, backendRefs, timeouts, retry, sessionPersistence",
            "f.yaml:10:14: warning: HTTPRoute r: spec.rules[0].matches[0].path.Value: there is no such field; did you mean `value`?",
            "f.yaml:12:29: warning: HTTPRoute r: spec.rules[0].matches[1].headers[0].regex: there is no such field, and it is ignored; there are type, name, value",
        ],
    );
    assert_read(
        "beside spec",
        "{apiVersion: v1, kind: Namespace, metadata: {name: a, label: {}}, sepc: {}}",
        &["Namespace a"],
        &[
            "f.yaml:1:55: warning: Namespace a: metadata.label: there is no such field; did you mean `labels`?",
            "f.yaml:1:67: warning: Namespace a: sepc: there is no such field; it is ignored",
        ],
    );
}

#[test]
fn a_field_that_another_kind_has_is_told_with_those_of_this_one() {
    let object = |version: &str, kind: &str, spec: &str| {
        format!(
            "{{apiVersion: gateway.networking.{version}, kind: {kind}, metadata: {{name: r}},\n spec: {{{spec}}}}}\n"
        )
    };
    let rows = [
        (
            "k8s.io/v1",
            "GRPCRoute",
            "rules: [{timeouts: {}}]",
            "name, matches, filters, backendRefs, sessionPersistence",
        ),
        ("k8s.io/v1", "GRPCRoute", "rules: [{matches: [{path: {}}]}]", "method, headers"),
        (
            "k8s.io/v1",
            "GRPCRoute",
            "rules: [{path: {}}]",
            "name, matches, filters, backendRefs, sessionPersistence",
        ),
        ("k8s.io/v1alpha2", "TCPRoute", "hostnames: []", "parentRefs, useDefaultGateways, rules"),
        ("k8s.io/v1alpha2", "UDPRoute", "rules: [{matches: []}]", "name, backendRefs"),
        (
            "x-k8s.io/v1alpha1",
            "XBackendTrafficPolicy",
            "targetRefs: [], retry: {}",
            "targetRefs, retryConstraint, sessionPersistence",
        ),
    ];
    for (version, kind, spec, fields) in rows {
        let (_, told) = read(&object(version, kind, spec));
        let said = format!("there is no such field, and it is ignored; there are {fields}");
        assert!(told.iter().any(|told| told.ends_with(&said)), "{kind} {spec}: {told:?}");
    }
}

#[test]
fn what_an_api_server_adds_is_no_mistake() {
    let text = "
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: r
  creationTimestamp: null
  uid: 00000000-0000-0000-0000-000000000000
  generation: 2
  resourceVersion: '7'
  finalizers: [a]
  ownerReferences: [{apiVersion: v1, kind: Pod, name: p, uid: u}]
  managedFields: [{manager: kubectl, fieldsV1: {'f:spec': {}}}]
spec: {}
";
    assert_read("metadata", text, &["HTTPRoute r"], &[]);
    let text = "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ipFamilies: [IPv4], internalTrafficPolicy: Cluster}, \
                status: {loadBalancer: {}}}";
    assert_read("service", text, &["Service s"], &[]);
}

#[test]
fn what_cannot_be_read_says_why_and_what_to_write() {
    let cases: &[(&str, &str, &str)] = &[
        (
            "required",
            &format!("{ROUTE}  rules:\n  - backendRefs:\n    - port: 80\n"),
            "f.yaml:8:7: error: HTTPRoute r: spec.rules[0].backendRefs[0].name: required, but missing; write it",
        ),
        (
            "no spec",
            "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: r, namespace: m}}",
            "f.yaml:1:1: error: HTTPRoute m/r: spec: required, but missing; write it",
        ),
        (
            "no name",
            "{apiVersion: v1, kind: Service, metadata: {generateName: r}}",
            "f.yaml:1:43: error: Service without a name: metadata.name: required, but missing; write it",
        ),
        (
            "string without quotes",
            &format!("{ROUTE}  rules:\n  - matches:\n    - headers: [{{name: a, value: 1}}]\n"),
            "f.yaml:8:34: error: HTTPRoute r: spec.rules[0].matches[0].headers[0].value: expected a string, found a number; \
             put it in quotes",
        ),
        (
            "a word that kubectl takes for a boolean",
            &format!("{ROUTE}  hostnames: [on]\n"),
            "f.yaml:6:15: error: HTTPRoute r: spec.hostnames[0]: expected a string, found true or false; put it in quotes",
        ),
        (
            "number in quotes",
            &format!("{ROUTE}  parentRefs: [{{name: a, port: '80'}}]\n"),
            "f.yaml:6:32: error: HTTPRoute r: spec.parentRefs[0].port: expected a number, found a string; leave out the quotes",
        ),
        (
            "number out of range",
            &format!("{ROUTE}  parentRefs: [{{name: a, port: 80000000000}}]\n"),
            "f.yaml:6:32: error: HTTPRoute r: spec.parentRefs[0].port: expected a number from -2147483648 to 2147483647, \
             found a value out of range",
        ),
        (
            "object for a list",
            &format!("{ROUTE}  rules: {{}}\n"),
            "f.yaml:6:10: error: HTTPRoute r: spec.rules: expected a list, found an object; write `- ` before each entry",
        ),
        (
            "list for an object",
            &format!("{ROUTE}  rules: [[]]\n"),
            "f.yaml:6:11: error: HTTPRoute r: spec.rules[0]: expected an object, found a list; its fields are name, matches, filters, backendRefs, timeouts, retry, sessionPersistence",
        ),
        (
            "nothing for a string",
            &format!("{ROUTE}  hostnames: [~]\n"),
            "f.yaml:6:15: error: HTTPRoute r: spec.hostnames[0]: expected a string, found nothing",
        ),
        (
            "field twice",
            &format!("{ROUTE}  hostnames: []\n  hostnames: []\n"),
            "f.yaml:7:3: error: HTTPRoute r: spec.hostnames: written twice, the first time in the line above; keep one",
        ),
        (
            "label twice",
            "{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {x.y/z: a, x.y/z: b}}}",
            "f.yaml:1:74: error: Namespace a: metadata.labels[\"x.y/z\"]: written twice, the first time in this line; keep one",
        ),
        (
            "own field twice beside a merge key",
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  labels: &l {a: b}\n  name: m\n  annotations:\n    <<: *l\n    c: d\n    c: e\n",
            "f.yaml:9:5: error: Namespace m: metadata.annotations.c: written twice, the first time in the line above; keep one",
        ),
        (
            "no line between two documents",
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\napiVersion: v1\nkind: Namespace\nmetadata: {name: b}\n",
            "f.yaml:4:1: error: apiVersion: written twice, the first time 3 lines above; if another object begins here, put a \
             line `---` before it",
        ),
        (
            "apiVersion misspelt",
            "apiversion: v1\nkind: Namespace\nmetadata: {name: a}\n",
            "f.yaml:1:1: error: apiversion: there is no such field; did you mean `apiVersion`?",
        ),
        (
            "kind misspelt",
            "apiVersion: v1\nKind: Namespace\nmetadata: {name: a}\n",
            "f.yaml:2:1: error: Kind: there is no such field; did you mean `kind`?",
        ),
        (
            "no apiVersion",
            "kind: HTTPRoute\nmetadata: {name: r}\n",
            "f.yaml:1:1: error: apiVersion: required, but missing: it says what the object is",
        ),
        (
            "no kind",
            "apiVersion: v1\nmetadata: {name: r}\n",
            "f.yaml:1:1: error: kind: required, but missing: it says what the object is",
        ),
        (
            "no object",
            "- a\n- b\n",
            "f.yaml:1:1: error: a document has to be an object, with `apiVersion` and `kind`; put a list into the `items` of an \
             object of kind List",
        ),
        (
            "items misspelt",
            "{apiVersion: v1, kind: List, item: []}",
            "f.yaml:1:30: error: item: there is no such field; did you mean `items`?",
        ),
        (
            "tag",
            "{apiVersion: v1, kind: Namespace, metadata: {name: !include other}}",
            "f.yaml:1:61: error: the tag `!include` is not supported; leave it out",
        ),
        (
            "list in a list",
            "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: List, items: []}]}",
            "f.yaml:1:38: error: List: items[0]: a list in a list is not read; put its entries into the outer one",
        ),
        (
            "entry of a list",
            "{apiVersion: v1, kind: List, items: [{kind: Service}]}",
            "f.yaml:1:38: error: items[0].apiVersion: required, but missing: it says what the object is",
        ),
    ];
    for (name, text, problem) in cases {
        assert_read(name, text, &[], &[problem]);
    }
}

#[test]
fn an_object_of_another_version_or_kind_says_what_to_write() {
    let object = |api_version: &str, kind: &str| {
        format!("apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: x}}\n")
    };
    let cases: &[(&str, &str, Severity, &str)] = &[
        (
            "gateway.networking.k8s.io/v1alpha1",
            "HTTPRoute",
            Severity::Error,
            "write `gateway.networking.k8s.io/v1`",
        ),
        ("gateway.networking.k8s.io/v1alpha1", "HTTPRoute", Severity::Error, "`forwardTo` `backendRefs`"),
        ("gateway.networking.k8s.io/v1alpha2", "HTTPRoute", Severity::Error, "is not served as"),
        ("gateway.networking.k8s.io/v1alpha2", "GRPCRoute", Severity::Error, "is not served as"),
        ("gateway.networking.k8s.io/v1beta1", "GRPCRouteList", Severity::Error, "is not served as"),
        ("gateway.networking.k8s.io/v2", "Gateway", Severity::Error, "is not served as"),
        ("networking.x-k8s.io/v1alpha1", "HTTPRoute", Severity::Error, "`gateways` became `parentRefs`"),
        ("networking.x-k8s.io/v1alpha1", "BackendPolicy", Severity::Error, "`kind: BackendTLSPolicy`"),
        ("gateway.networking.x-k8s.io/v1alpha1", "XListenerSet", Severity::Error, "`kind: ListenerSet`"),
        (
            "gateway.networking.x-k8s.io/v1alpha1",
            "HTTPRoute",
            Severity::Error,
            "write `apiVersion: gateway.networking.k8s.io/v1`",
        ),
        ("gateway.networking.k8s.io/v1alpha2", "ReferencePolicy", Severity::Error, "`kind: ReferenceGrant`"),
        ("gateway.networking.k8s.io/v1", "HTTPRote", Severity::Error, "did you mean `HTTPRoute`?"),
        (
            "gateway.networking.k8s.io/v1",
            "Ingress",
            Severity::Error,
            "whose kinds are: GatewayClass, Gateway",
        ),
        ("v1", "service", Severity::Warning, "did you mean `Service`?"),
        ("v1", "Services", Severity::Warning, "did you mean `Service`?"),
        ("discovery.k8s.io/v1", "EndpointSlices", Severity::Warning, "did you mean `EndpointSlice`?"),
        ("networking.k8s.io/v1", "Ingress", Severity::Warning, "write a Gateway and an HTTPRoute"),
        ("extensions/v1beta1", "Ingress", Severity::Warning, "write a Gateway and an HTTPRoute"),
        ("networking.k8s.io/v1", "IngressClass", Severity::Warning, "write a GatewayClass"),
        ("v1", "Endpoints", Severity::Warning, "EndpointSlice"),
        ("discovery.k8s.io/v1beta1", "EndpointSlice", Severity::Error, "write `discovery.k8s.io/v1`"),
        ("apps/v1", "Deployment", Severity::Info, "passed over"),
        ("v1", "ReplicationController", Severity::Info, "passed over"),
        ("v1", "ServiceAccount", Severity::Info, "passed over"),
        ("multicluster.x-k8s.io/v1alpha1", "ServiceExport", Severity::Info, "passed over"),
        (
            "multicluster.x-k8s.io/v1alpha1",
            "ServiceImprot",
            Severity::Warning,
            "did you mean `ServiceImport`?",
        ),
        ("batch/v1", "Job", Severity::Info, "passed over"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition", Severity::Info, "passed over"),
        ("gateway.example.com/v1", "RateLimit", Severity::Info, "passed over"),
    ];
    for &(api_version, kind, severity, hint) in cases {
        let manifest = manifest::read(&object(api_version, kind), "f.yaml");
        assert!(manifest.objects.is_empty());
        let [problem] = &manifest.problems[..] else { panic!("{:?}", manifest.problems) };
        assert_eq!(problem.severity, severity, "{problem}");
        assert_eq!(problem.object, Some(format!("{kind} x")));
        assert!(problem.message.contains(hint), "{problem}");
        let line = if problem.field.as_deref() == Some("kind") { 2 } else { 1 };
        assert_eq!(problem.location.line, line, "{problem}");
    }
}

#[test]
fn every_version_that_is_served_is_read() {
    for &kind in Kind::ALL {
        for version in kind.versions() {
            let group = if kind.group().is_empty() { String::new() } else { format!("{}/", kind.group()) };
            let text = format!("{{apiVersion: {group}{version}, kind: {kind}, metadata: {{}}}}");
            // The version is no problem; the name that is missing is.
            let manifest = manifest::read(&text, "f.yaml");
            assert_eq!(manifest.problems[0].field.as_deref(), Some("metadata.name"), "{text}");
        }
    }
}

#[test]
fn a_broken_document_does_not_hide_those_behind_it() {
    let good = |name: &str| format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n");
    for broken in
        ["a: [1, 2\n", "a: \"b\n", "a: b: c\n", "{\n", "a: *b\n", "key: 'it''s\n", "- a\nb: c\n", "@\n"]
    {
        let text = format!("{}---\n{broken}---\n{}", good("first"), good("last"));
        let (objects, problems) = read(&text);
        assert_eq!(objects, ["Namespace first", "Namespace last"], "{broken:?} {problems:?}");
        let [problem] = &problems[..] else { panic!("{broken:?} {problems:?}") };
        assert!(problem.contains(": error: not valid YAML: "), "{problem}");
        let line: u32 = problem.split(':').nth(1).unwrap().parse().unwrap();
        assert!((5..=8).contains(&line), "{broken:?} {problem}");
    }
}

#[test]
fn broken_yaml_says_what_was_probably_meant() {
    for (text, hint) in [
        ("hostnames: [*.example.com]\n", "needs quotes, as in \"*.example.com\""),
        ("hostnames:\n- *.example.com\n", "needs quotes, as in \"*.example.com\""),
        ("value: *\n", "needs quotes, as in \"*.example.com\""),
        ("spec:\n\tname: a\n", "indent with spaces"),
        ("value: @a\n", "put the value in quotes"),
        ("value: a\0b\n", "remove it, or write it as an escape"),
        ("names: [a, b\nother: c\n", "a bracket above may not be closed"),
        ("value: `a`\n", "put the value in quotes"),
        ("value: a: b\n", "a value with a colon and a space in it needs quotes"),
        ("a: 1\n  b: 2\n", "indented alike"),
        ("a:\n  - b\n c: 1\n", "indented alike"),
        ("metadata:\n  name: {{ .Values.name }}-x\n", "has to be rendered first"),
        ("{\"a\": 1}\n{\"b\": 2}\n", "between two documents stands a line `---`"),
    ] {
        let (_, problems) = read(text);
        assert!(problems.iter().any(|problem| problem.contains(hint)), "{text:?}: {problems:?}");
    }
}

#[test]
fn an_object_that_cannot_be_read_does_not_hide_its_neighbours() {
    let text = "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Service}, \
                {apiVersion: v1, kind: Service, metadata: {name: b}}]}";
    assert_read(
        "list",
        text,
        &["Service b"],
        &["f.yaml:1:38: error: Service without a name: metadata: required, but missing; write it"],
    );
}

#[test]
fn the_first_of_two_equal_objects_stays() {
    let service = |port: u32| {
        format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: a}}, spec: {{ports: [{{port: {port}}}]}}}}"
        )
    };
    let first = manifest::read(&service(1), "one.yaml");
    let second = manifest::read(
        &format!("---\n{}", service(2)).replace("name: a", "name: a, namespace: default"),
        "two.yaml",
    );
    let collection: Collection = [first, second].into_iter().collect();
    let key = ObjectName::new("default", "a");
    assert_eq!(collection.resources.services[&key].spec.ports[0].port, 1);
    assert_eq!(collection.location(Kind::Service, &key).unwrap().to_string(), "one.yaml:1:1");
    let problems: Vec<_> = collection.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "two.yaml:2:1: error: Service default/a: metadata.name: already written at one.yaml:1:1, which stays; remove one of the two"
        ]
    );
}

#[test]
fn anchors_and_merge_keys_are_followed() {
    let text = "
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: &metadata
  name: r
  labels: &labels {a: one, b: two}
  annotations: {<<: *labels, b: three}
spec:
  rules:
  - matches: &matches
    - path: &path {type: Exact, value: /a}
    backendRefs: [&backend {name: s, port: 80}]
  - matches: *matches
    backendRefs:
    - <<: [*backend, {port: 81, weight: 3}]
      name: t
";
    let manifest = manifest::read(text, "f.yaml");
    assert_eq!(manifest.problems, []);
    let AnyObject::HttpRoute(route) = &manifest.objects[0].0 else { panic!() };
    let annotations: Vec<_> =
        route.metadata.annotations.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(annotations, [("a", "one"), ("b", "three")]);
    let [first, second] = &route.spec.rules[..] else { panic!() };
    assert_eq!(first.matches, second.matches);
    let merged = &second.backend_refs[0];
    assert_eq!((&*merged.name, merged.port, merged.weight), ("t", Some(80), 3));

    let wrong = "{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {<<: text}}}";
    assert_read(
        "merge of no object",
        wrong,
        &[],
        &[
            "f.yaml:1:63: error: Namespace a: metadata.labels: `<<` has to refer to an object or a list of objects",
        ],
    );
}

#[test]
fn hostile_text_is_refused_at_small_cost() {
    let alias_bomb = {
        let mut text = String::from(
            "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r}\nx:\n",
        );
        text.push_str("- &m {path: {value: /}}\n");
        let many = vec!["*m"; 2000].join(", ");
        text.push_str(&format!(
            "- &r {{matches: [{many}]}}\nspec:\n  rules: [{}]\n",
            vec!["*r"; 2000].join(", ")
        ));
        text
    };
    let merge_bomb = {
        let mut text =
            String::from("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\nx:\n- &a0 {k: v}\n");
        for level in 1..10 {
            let many = vec![format!("*a{}", level - 1); 10].join(", ");
            text.push_str(&format!("- &a{level} {{<<: [{many}]}}\n"));
        }
        text.replace("metadata: {name: a}", "").replace("x:", "y:") + "metadata: {name: a, labels: *a9}\n"
    };
    let text_bomb = format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: a}}\nx: &x {}\nspec: {{clusterIPs: [{}]}}\n",
        "x".repeat(1_000_000),
        vec!["*x"; 1000].join(", "),
    );
    let cases: &[(&str, &str, &str)] = &[
        ("text bomb", &text_bomb, "aliases repeat more than"),
        ("deep list", &"[".repeat(100_000), "not valid YAML"),
        ("deep object", &"{a: ".repeat(100_000), "not valid YAML"),
        ("deep block", &"- ".repeat(100_000), "not valid YAML"),
        ("alias bomb", &alias_bomb, "aliases repeat more than"),
        ("merge bomb", &merge_bomb, "aliases repeat more than"),
        (
            "alias of itself",
            "{apiVersion: v1, kind: Namespace, metadata: &m {name: a, labels: *m}}",
            "has no end",
        ),
        ("too long", &"#".repeat(MAX_BYTES + 1), "more than the 33554432 that are read"),
    ];
    for (name, text, problem) in cases {
        let (objects, problems) = read(text);
        assert_eq!(objects, Vec::<String>::new(), "{name}");
        assert!(problems.iter().any(|found| found.contains(problem)), "{name}: {problems:?}");
    }
    let unknown: String = (0..2 * MAX_PROBLEMS).map(|at| format!("x{at}: 1\n")).collect();
    let (_, problems) = read(&format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: a}}\n{unknown}"));
    assert_eq!(problems.len(), MAX_PROBLEMS);
    assert!(problems[MAX_PROBLEMS - 1].contains("no more are shown"), "{}", problems[MAX_PROBLEMS - 1]);

    // Notes do not crowd out errors.
    let pods = "---
{apiVersion: v1, kind: Event}
"
    .repeat(2 * MAX_PROBLEMS);
    let (_, problems) = read(&format!("{pods}---\n{{apiVersion: v1, kind: Service}}\n"));
    assert_eq!(problems.len(), MAX_PROBLEMS + 1);
    assert!(
        problems[MAX_PROBLEMS]
            .ends_with("error: Service without a name: metadata: required, but missing; write it")
    );
}

#[test]
fn what_is_written_is_read_again_unchanged() {
    let text = "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: g, namespace: m, labels: {a: b}, creationTimestamp: 2026-01-01T00:00:00Z}
spec:
  gatewayClassName: c
  listeners:
  - {name: a, port: 443, protocol: HTTPS, hostname: '*.example.com', tls: {certificateRefs: [{name: s}]}}
status:
  conditions:
  - {type: Accepted, status: 'True', reason: Accepted, message: '', lastTransitionTime: 2026-01-01T00:00:00Z, observedGeneration: 1}
";
    let first = manifest::read(text, "f.yaml");
    assert_eq!(first.problems, []);
    let json = serde_json::to_string(&first.objects[0].0).unwrap();
    let second = manifest::read(&json, "f.json");
    assert_eq!(second.problems, []);
    assert_eq!(first.objects[0].0, second.objects[0].0);
}

#[test]
#[ignore = "shows a figure: cargo test --release -p gateway-core --test api_manifest -- --ignored --nocapture"]
fn the_time_to_read_ten_thousand_rules() {
    let rule = |at: u32| {
        format!(
            "  - matches:\n    - path:\n        type: PathPrefix\n        value: /path-{at}\n    backendRefs:\n    \
             - name: service-{at}\n      port: 8080\n"
        )
    };
    let route = |at: u32| {
        let rules: String = (0..16).map(rule).collect();
        let head = ROUTE.replace("name: r", &format!("name: route-{at}"));
        format!(
            "{head}  parentRefs:\n  - name: gateway\n  hostnames:\n  - host-{at}.example.com\n  rules:\n{rules}"
        )
    };
    let text = (0..625).map(route).collect::<Vec<_>>().join("---\n");
    for _ in 0..5 {
        let start = std::time::Instant::now();
        let manifest = manifest::read(&text, "f.yaml");
        let elapsed = start.elapsed();
        assert_eq!((manifest.objects.len(), manifest.problems.len()), (625, 0));
        eprintln!("{} bytes, 625 routes with 16 rules: {elapsed:?}", text.len());
    }
}
