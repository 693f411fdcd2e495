//! Mistakes in the manifest of the README, each told with its line, its field and the way out.
//!
//! The same by `gateway check` and by the program of the README, which read the file each for itself.

mod harness;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use gateway_core::manifest::Severity;
use gateway_core::options::Options;
use gateway_tower::serve::TlsOptions;
use gateway_tower::source::{Files, Source};
use harness::run;

/// The smallest manifest that serves something, as the README has it.
fn manifest() -> String {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let text = fs::read_to_string(readme).unwrap();
    let (_, rest) = text.split_once("```yaml\n").expect("the README has a manifest");
    rest.split_once("```").expect("the manifest ends").0.to_owned()
}

/// What the embedded program of the README prints about a file.
fn printed_by_the_program(path: &Path) -> Vec<String> {
    let tls = TlsOptions::new(Arc::new(rustls::crypto::ring::default_provider())).unwrap();
    let options = Options { certificate_check: Some(Arc::new(tls)), ..Options::standalone() };
    let applied = Source::new(Files::new([path]), options).read();
    let said = applied.problems.iter().filter(|problem| problem.severity != Severity::Info);
    said.map(ToString::to_string).collect()
}

/// What `gateway check` prints about it, without the last line.
fn printed_by_check(path: &Path) -> Vec<String> {
    let output = run(&["check", path.to_str().unwrap()]);
    let out = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<String> = out.lines().map(str::to_owned).collect();
    assert!(lines.pop().is_some_and(|line| line.contains(" served: ")), "{out}");
    assert_eq!(output.status.code(), Some(i32::from(!lines.is_empty())), "{out}");
    lines
}

/// A mistake: what is written, what in its place, and what is said of it, with the line, the object, the field and the way out.
struct Mistake {
    name: &'static str,
    edits: &'static [(&'static str, &'static str)],
    line: u32,
    said: &'static str,
    way_out: &'static str,
}

const HTTP: &str = "port: 80, protocol: HTTP";
const RULE: &str = "rules: [{";
const TO_SHOP: &str = "backendRefs: [{name: shop,";

const MISTAKES: &[Mistake] = &[
    Mistake {
        name: "a field that is spelt wrong",
        edits: &[("hostnames:", "hostname:")],
        line: 18,
        said: "warning: HTTPRoute shop: spec.hostname: there is no such field",
        way_out: "did you mean `hostnames`?",
    },
    Mistake {
        name: "a value of another type",
        edits: &[("name: shop, port: 80}]}]", "name: shop, port: http}]}]")],
        line: 19,
        said: "error: HTTPRoute shop: spec.rules[0].backendRefs[0].port: expected a number, found a string",
        way_out: "write it in digits",
    },
    Mistake {
        name: "a number in quotes",
        edits: &[("port: 80, protocol", "port: \"80\", protocol")],
        line: 11,
        said: "error: Gateway web: spec.listeners[0].port: expected a number, found a string",
        way_out: "leave out the quotes",
    },
    Mistake {
        name: "a value out of range",
        edits: &[("port: 80, protocol", "port: 80000, protocol")],
        line: 11,
        said: "error: Gateway default/web: spec.listeners[0].port: is 80000",
        way_out: "1 to 65535 are allowed",
    },
    Mistake {
        name: "a field that is missing",
        edits: &[("name: http, port: 80, ", "name: http, ")],
        line: 11,
        said: "error: Gateway web: spec.listeners[0].port: required, but missing",
        way_out: "write it",
    },
    Mistake {
        name: "an unknown kind",
        edits: &[("kind: HTTPRoute", "kind: HttpRoute")],
        line: 14,
        said: "error: HttpRoute shop: kind: there is no such kind in `gateway.networking.k8s.io`",
        way_out: "did you mean `HTTPRoute`?",
    },
    Mistake {
        name: "a version that is not served",
        edits: &[("networking.k8s.io/v1\nkind: HTTPRoute", "networking.k8s.io/v1beta2\nkind: HTTPRoute")],
        line: 13,
        said: "error: HTTPRoute shop: apiVersion: HTTPRoute is not served as `gateway.networking.k8s.io/v1beta2`",
        way_out: "write `gateway.networking.k8s.io/v1`",
    },
    Mistake {
        name: "a name that is none",
        edits: &[("kind: HTTPRoute\nmetadata: {name: shop}", "kind: HTTPRoute\nmetadata: {name: Shop}")],
        line: 15,
        said: "error: HTTPRoute default/Shop: metadata.name: \"Shop\" is not a lower-case DNS name",
        way_out: "letters, digits, inner hyphens and dots",
    },
    Mistake {
        name: "a line break in a name",
        edits: &[(
            "kind: HTTPRoute\nmetadata: {name: shop}",
            "kind: HTTPRoute\nmetadata: {name: \"a\\nshop.yaml:1:1: error: b\"}",
        )],
        line: 15,
        said: "error: HTTPRoute default/a\\nshop.yaml:1:1: error: b: metadata.name: \"a\\nshop.yaml:1:1: error: b\" is not a lower-case DNS name",
        way_out: "letters, digits, inner hyphens and dots",
    },
    Mistake {
        name: "a line break in a reference",
        edits: &[(TO_SHOP, "backendRefs: [{name: \"a\\nb\",")],
        line: 19,
        said: "warning: HTTPRoute default/shop: spec.rules[0].backendRefs[0]: ResolvedRefs=False/BackendNotFound: there is no Service default/a\\nb",
        way_out: "write one, or name another",
    },
    Mistake {
        name: "a misspelt class",
        edits: &[("gatewayClassName: example", "gatewayClassName: exmaple")],
        line: 10,
        said: "warning: Gateway default/web: spec.gatewayClassName: there is no GatewayClass exmaple",
        way_out: "did you mean `example`?",
    },
    Mistake {
        name: "a misspelt Gateway",
        edits: &[("parentRefs: [{name: web}]", "parentRefs: [{name: wbe}]")],
        line: 17,
        said: "warning: HTTPRoute default/shop: spec.parentRefs[0]: names no Gateway that is served here",
        way_out: "did you mean web?",
    },
    Mistake {
        name: "a Route in another namespace",
        edits: &[(
            "kind: HTTPRoute\nmetadata: {name: shop}",
            "kind: HTTPRoute\nmetadata: {name: shop, namespace: shop}",
        )],
        line: 17,
        said: "warning: HTTPRoute shop/shop: spec.parentRefs[0]: names no Gateway that is served here",
        way_out: "write `namespace: default`",
    },
    Mistake {
        name: "a port that is not listened on",
        edits: &[("parentRefs: [{name: web}]", "parentRefs: [{name: web, port: 8080}]")],
        line: 17,
        said: "warning: HTTPRoute default/shop: spec.parentRefs[0].port: Accepted=False/NoMatchingParent: Gateway web has no listener on port 8080",
        way_out: "it has http (port 80)",
    },
    Mistake {
        name: "a Service that is not there",
        edits: &[(TO_SHOP, "backendRefs: [{name: shpo,")],
        line: 19,
        said: "warning: HTTPRoute default/shop: spec.rules[0].backendRefs[0]: ResolvedRefs=False/BackendNotFound: there is no Service default/shpo",
        way_out: "write one, or name another; did you mean shop?",
    },
    Mistake {
        name: "a port that the Service does not have",
        edits: &[("name: shop, port: 80}]}]", "name: shop, port: 8080}]}]")],
        line: 19,
        said: "warning: HTTPRoute default/shop: spec.rules[0].backendRefs[0]: ResolvedRefs=False/BackendNotFound: Service default/shop has no port 8080",
        way_out: "it has 80",
    },
    Mistake {
        name: "a Service in another namespace",
        edits: &[
            (TO_SHOP, "backendRefs: [{name: shop, namespace: other,"),
            ("kind: Service\nmetadata: {", "kind: Service\nmetadata: {namespace: other, "),
            ("kind: EndpointSlice\nmetadata: {", "kind: EndpointSlice\nmetadata: {namespace: other, "),
        ],
        line: 19,
        said: "warning: HTTPRoute default/shop: spec.rules[0].backendRefs[0]: ResolvedRefs=False/RefNotPermitted: Service other/shop is in another namespace",
        way_out: "ask there for one from HTTPRoute in namespace default to Service",
    },
    Mistake {
        name: "a label that names another Service",
        edits: &[("service-name: shop", "service-name: shpo")],
        line: 28,
        said: "warning: EndpointSlice default/shop-1: metadata.labels[\"kubernetes.io/service-name\"]: there is no Service default/shpo",
        way_out: "write one, or name another; did you mean shop?",
    },
    Mistake {
        name: "no label that names the Service",
        edits: &[(", labels: {kubernetes.io/service-name: shop}", "")],
        line: 28,
        said: "warning: EndpointSlice default/shop-1: metadata.labels: no label kubernetes.io/service-name names the Service",
        way_out: "write it",
    },
    Mistake {
        name: "another name of a port",
        edits: &[("ports: [{name: http, port: 3000}]", "ports: [{name: web, port: 3000}]")],
        line: 30,
        said: "warning: EndpointSlice default/shop-1: ports[0].name: Service default/shop has no port named \"web\" (TCP)",
        way_out: "it has \"http\" (TCP)",
    },
    Mistake {
        name: "an endpoint without an address",
        edits: &[("addresses: [127.0.0.1]", "addresses: [localhost]")],
        line: 31,
        said: "warning: EndpointSlice default/shop-1: endpoints[0].addresses[0]: \"localhost\" is not an IP address",
        way_out: "write one",
    },
    Mistake {
        name: "a Secret that is missing",
        edits: &[(HTTP, "port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: tls}]}")],
        line: 11,
        said: "warning: Gateway default/web: spec.listeners[0].tls.certificateRefs[0]: ResolvedRefs=False/InvalidCertificateRef: tls.certificateRefs[0] refers to Secret default/tls, which does not exist",
        way_out: "write it, or name another",
    },
    Mistake {
        name: "a certificate that is none",
        edits: &[
            (HTTP, "port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: tls}]}"),
            (
                "apiVersion: v1\n",
                "apiVersion: v1\nkind: Secret\nmetadata: {name: tls}\ntype: kubernetes.io/tls\nstringData: {tls.crt: mine, tls.key: mine}\n---\napiVersion: v1\n",
            ),
        ],
        line: 11,
        said: "warning: Gateway default/web: spec.listeners[0].tls.certificateRefs[0]: ResolvedRefs=False/InvalidCertificateRef: tls.certificateRefs[0] refers to Secret default/tls, which has an entry \"tls.crt\" that is not a certificate in PEM",
        way_out: "write all of it, from the line -----BEGIN to the line -----END; the Secret is written at shop.yaml:21:1",
    },
    Mistake {
        name: "HTTPS without a certificate",
        edits: &[(HTTP, "port: 443, protocol: HTTPS")],
        line: 11,
        said: "warning: Gateway default/web: spec.listeners[0].tls.certificateRefs: Programmed=False/InvalidTLSConfig: there is no certificate",
        way_out: "name a Secret in tls.certificateRefs",
    },
    Mistake {
        name: "an unknown protocol",
        edits: &[("protocol: HTTP", "protocol: Http")],
        line: 11,
        said: "warning: Gateway default/web: spec.listeners[0].protocol: Accepted=False/UnsupportedProtocol: protocol \"Http\" is not supported",
        way_out: "supported are HTTP, HTTPS, TLS, TCP, UDP; did you mean HTTP?",
    },
    Mistake {
        name: "the Route of a listener with an unknown protocol",
        edits: &[(HTTP, "port: 443, protocol: https")],
        line: 17,
        said: "warning: HTTPRoute default/shop: spec.parentRefs[0]: Accepted=False/NotAllowedByListeners: no listener of Gateway web allows routes of kind HTTPRoute from namespace default",
        way_out: "listener http has protocol \"https\", which is not supported",
    },
    Mistake {
        name: "a Route of a namespace that the listener does not take",
        edits: &[
            (
                "kind: HTTPRoute\nmetadata: {name: shop}",
                "kind: HTTPRoute\nmetadata: {name: shop, namespace: shop}",
            ),
            ("parentRefs: [{name: web}]", "parentRefs: [{name: web, namespace: default}]"),
        ],
        line: 17,
        said: "warning: HTTPRoute shop/shop: spec.parentRefs[0]: Accepted=False/NotAllowedByListeners: no listener of Gateway web allows routes of kind HTTPRoute from namespace shop",
        way_out: "listener http takes those of namespace default; write `namespaces: {from: All}` into its allowedRoutes",
    },
    Mistake {
        name: "a namespace without the labels that the listener asks for",
        edits: &[(
            "protocol: HTTP}",
            "protocol: HTTP, allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {a: b}}}}}",
        )],
        line: 17,
        said: "warning: HTTPRoute default/shop: spec.parentRefs[0]: Accepted=False/NotAllowedByListeners: no listener of Gateway web allows routes of kind HTTPRoute from namespace default",
        way_out: "listener http takes those of namespaces with certain labels; write Namespace default with them",
    },
    Mistake {
        name: "a listener for other kinds of Routes",
        edits: &[("protocol: HTTP}", "protocol: HTTP, allowedRoutes: {kinds: [{kind: GRPCRoute}]}}")],
        line: 17,
        said: "warning: HTTPRoute default/shop: spec.parentRefs[0]: Accepted=False/NotAllowedByListeners: no listener of Gateway web allows routes of kind HTTPRoute from namespace default",
        way_out: "listener http takes GRPCRoute, by its protocol and its allowedRoutes.kinds",
    },
    Mistake {
        name: "a Gateway of an unknown kind",
        edits: &[("kind: Gateway\n", "kind: Gatway\n")],
        line: 17,
        said: "warning: HTTPRoute default/shop: spec.parentRefs[0]: names no Gateway that is served here",
        way_out: "Gateway default/web is written, but was left out: see shop.yaml:7:7",
    },
    Mistake {
        name: "a misspelt controller",
        edits: &[("gateway-api.rs/controller", "gateway-api.rs/controler")],
        line: 4,
        said: "warning: GatewayClass example: spec.controllerName: gateway-api.rs/controler is not gateway-api.rs/controller",
        way_out: "did you mean `gateway-api.rs/controller`?",
    },
    Mistake {
        name: "a field of spec beside it",
        edits: &[("spec:\n  parentRefs: [{name: web}]", "parentRefs: [{name: web}]\nspec:")],
        line: 16,
        said: "warning: HTTPRoute shop: parentRefs: there is no such field here, and it is ignored",
        way_out: "put it below `spec`",
    },
    Mistake {
        name: "a field that has to be there, beside spec",
        edits: &[("  listeners: [", "listeners: [")],
        line: 10,
        said: "error: Gateway web: spec.listeners: required, but missing",
        way_out: "it stands beside `spec`: put it below",
    },
    Mistake {
        name: "a field of a match in the rule",
        edits: &[(RULE, "rules: [{path: {value: /cart}, ")],
        line: 19,
        said: "warning: HTTPRoute shop: spec.rules[0].path: there is no such field here, and it is ignored",
        way_out: "put it into an entry of `matches`",
    },
    Mistake {
        name: "a text where an object is expected",
        edits: &[(RULE, "rules: [{matches: [{path: /cart}], ")],
        line: 19,
        said: "error: HTTPRoute shop: spec.rules[0].matches[0].path: expected an object, found a string",
        way_out: "its fields are type, value",
    },
    Mistake {
        name: "a field that another proxy has",
        edits: &[(RULE, "rules: [{retry: {numRetries: 3}, ")],
        line: 19,
        said: "warning: HTTPRoute shop: spec.rules[0].retry.numRetries: there is no such field, and it is ignored",
        way_out: "there are codes, attempts, backoff",
    },
    Mistake {
        name: "a rule that asks for the same as one before it",
        edits: &[(RULE, "rules: [{backendRefs: [{name: shop, port: 80}]}, {")],
        line: 19,
        said: "warning: HTTPRoute default/shop: spec.rules[1]: gets no request: rules[0] of the same Route asks for the same",
        way_out: "let one of them ask for something else, or remove it",
    },
    Mistake {
        name: "base64 that is none",
        edits: &[(
            "apiVersion: v1\n",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: tls}\ndata: {tls.crt: '!'}\n---\napiVersion: v1\n",
        )],
        line: 24,
        said: "error: Secret tls: data[\"tls.crt\"]: not valid base64, at character 1",
        way_out: "write what `base64` makes of it",
    },
    Mistake {
        name: "a hostname that does not intersect",
        edits: &[(HTTP, "port: 80, protocol: HTTP, hostname: '*.example.org'")],
        line: 18,
        said: "warning: HTTPRoute default/shop: spec.hostnames: Accepted=False/NoMatchingListenerHostname: none of the hostnames shop.example.com intersects with those of the listeners: *.example.org",
        way_out: "write one that does, or leave hostnames out",
    },
    Mistake {
        name: "a wildcard within a hostname",
        edits: &[("[shop.example.com]", "['shop.*.com']")],
        line: 18,
        said: "error: HTTPRoute default/shop: spec.hostnames[0]: \"shop.*.com\" is not a lower-case DNS name",
        way_out: "only the whole first label may be a wildcard, as in *.example.com",
    },
    Mistake {
        name: "a regular expression that is none",
        edits: &[(RULE, "rules: [{matches: [{path: {type: RegularExpression, value: '/items/[0-9+'}}], ")],
        line: 19,
        said: "warning: HTTPRoute default/shop: spec.rules[0].matches[0].path.value: Accepted=False/UnsupportedValue: \"/items/[0-9+\" is not a usable regular expression: unclosed character class, at character 8",
        way_out: "write a backslash before each character that stands for itself",
    },
    Mistake {
        name: "a path that does not begin at the root",
        edits: &[(RULE, "rules: [{matches: [{path: {value: cart}}], ")],
        line: 19,
        said: "error: HTTPRoute default/shop: spec.rules[0].matches[0].path.value: does not start with /",
        way_out: "write the path from the root",
    },
    Mistake {
        name: "a method in lower case",
        edits: &[(RULE, "rules: [{matches: [{method: get}], ")],
        line: 19,
        said: "warning: HTTPRoute default/shop: spec.rules[0].matches[0].method: Accepted=False/UnsupportedValue: \"get\" is not a method",
        way_out: "write one of GET, HEAD, POST",
    },
    Mistake {
        name: "filters that do not go together",
        edits: &[(
            "rules: [{backendRefs: [{name: shop, port: 80}]}]",
            "rules: [{filters: [{type: URLRewrite, urlRewrite: {hostname: a.example}}, {type: RequestRedirect, requestRedirect: {hostname: b.example}}]}]",
        )],
        line: 19,
        said: "error: HTTPRoute default/shop: spec.rules[0].filters: have RequestRedirect and URLRewrite",
        way_out: "a request is redirected or rewritten, not both",
    },
    Mistake {
        name: "a redirect with backends",
        edits: &[(
            RULE,
            "rules: [{filters: [{type: RequestRedirect, requestRedirect: {hostname: b.example}}], ",
        )],
        line: 19,
        said: "error: HTTPRoute default/shop: spec.rules[0].filters[0]: answers with a redirect, so that no request reaches the backends",
        way_out: "drop it or backendRefs",
    },
    Mistake {
        name: "a duration that is none",
        edits: &[(RULE, "rules: [{timeouts: {request: 10 s}, ")],
        line: 19,
        said: "error: HTTPRoute default/shop: spec.rules[0].timeouts.request: \"10 s\" is not a duration",
        way_out: "as in 1m30s",
    },
    Mistake {
        name: "an object where a list has to be",
        edits: &[("[{backendRefs: [{name: shop, port: 80}]}]", "{backendRefs: [{name: shop, port: 80}]}")],
        line: 19,
        said: "error: HTTPRoute shop: spec.rules: expected a list, found an object",
        way_out: "write `- ` before each entry",
    },
    Mistake {
        name: "a bracket that is not closed",
        edits: &[("[shop.example.com]", "[shop.example.com")],
        line: 19,
        said: "error: not valid YAML: ",
        way_out: "a bracket above may not be closed",
    },
    Mistake {
        name: "a wildcard without quotes",
        edits: &[("[shop.example.com]", "[*.example.com]")],
        line: 18,
        said: "error: not valid YAML: ",
        way_out: "needs quotes, as in \"*.example.com\"",
    },
    Mistake {
        name: "a tab",
        edits: &[("  hostnames", "\thostnames")],
        line: 18,
        said: "error: not valid YAML: ",
        way_out: "indent with spaces",
    },
    Mistake {
        name: "a tab in the line after a value",
        edits: &[("metadata: {name: web}", "metadata:\n  name: web\n\tlabels: {a: b}")],
        line: 10,
        said: "error: not valid YAML: ",
        way_out: "indent with spaces",
    },
    Mistake {
        name: "a field that is written twice",
        edits: &[("  hostnames: ", "  hostnames: [a.example]\n  hostnames: ")],
        line: 19,
        said: "error: HTTPRoute shop: spec.hostnames: written twice, the first time in the line above",
        way_out: "keep one",
    },
    Mistake {
        name: "an object that is written twice",
        edits: &[(
            "apiVersion: v1\n",
            "apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {ports: [{name: http, port: 80}]}\n---\napiVersion: v1\n",
        )],
        line: 26,
        said: "error: Service default/shop: metadata.name: already written at shop.yaml:21:1, which stays",
        way_out: "remove one of the two",
    },
    Mistake {
        name: "no line between two objects",
        edits: &[("---\napiVersion: v1\n", "apiVersion: v1\n")],
        line: 20,
        said: "error: apiVersion: written twice, the first time 7 lines above",
        way_out: "put a line `---` before it",
    },
];

#[test]
fn the_manifest_without_a_mistake_has_nothing_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.yaml");
    fs::write(&path, manifest()).unwrap();
    assert_eq!(printed_by_check(&path), [""; 0]);
    assert_eq!(printed_by_the_program(&path), [""; 0]);
}

#[test]
fn each_mistake_is_told_with_its_line_its_field_and_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.yaml");
    let prefix = format!("{}/", folder.path().display());
    for Mistake { name, edits, line, said, way_out } in MISTAKES {
        let mut text = manifest();
        for (written, mistaken) in *edits {
            assert!(text.contains(written), "{name}: the README has no {written:?}");
            text = text.replacen(written, mistaken, 1);
        }
        fs::write(&path, text).unwrap();
        let printed = printed_by_check(&path);
        assert_eq!(printed, printed_by_the_program(&path), "{name}");
        let lines: Vec<String> = printed.iter().map(|line| line.replace(&prefix, "")).collect();
        let is_told = |printed: &&String| {
            let rest = printed.strip_prefix(&format!("shop.yaml:{line}:"));
            let rest = rest.and_then(|rest| rest.split_once(": "));
            rest.is_some_and(|(column, message)| {
                column.parse::<u32>().is_ok()
                    && message.starts_with(said)
                    && message[said.len()..].contains(way_out)
            })
        };
        assert!(lines.iter().any(|line| is_told(&line)), "{name}: {said} … {way_out} is not in {lines:#?}");
        assert!(lines.iter().all(|line| line.starts_with("shop.yaml:")), "{name}: {lines:#?}");
    }
}
