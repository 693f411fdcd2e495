//! `gateway check` and `gateway explain`, and what the program says of wrong arguments.

mod harness;

use std::fs;

use harness::{GATEWAY, SHOP, gateway, route, run, secret};

fn folder(files: &[(&str, String)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn texts(output: &std::process::Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn redirect(path: &str) -> String {
    format!(
        "  - matches: [{{path: {{value: {path}}}}}]\n    filters: [{{type: RequestRedirect, requestRedirect: {{}}}}]\n"
    )
}

#[test]
fn check_prints_what_is_wrong_and_where_and_its_exit_code_says_whether() {
    let good = folder(&[("gateway.yaml", GATEWAY.to_owned()), ("routes.yaml", route("a", &redirect("/a")))]);
    let path = good.path().to_str().unwrap();
    let (code, out, _) = texts(&run(&["check", path]));
    assert_eq!((code, out.as_str()), (Some(0), "3 objects, 1 rule served: 0 errors, 0 warnings\n"));
    let (_, out, _) = texts(&run(&["check", "--status", path]));
    assert!(out.contains("HTTPRoute default/a parent web: Accepted=True/Accepted"), "{out}");

    fs::write(good.path().join("b.yaml"), route("b", &redirect("b")) + &route("c", "  - backendRef: []\n"))
        .unwrap();
    let (code, out, _) = texts(&run(&["check", path]));
    assert_eq!(code, Some(1));
    assert!(
        out.contains("b.yaml:8:30: error: HTTPRoute default/b: spec.rules[0].matches[0].path.value"),
        "{out}"
    );
    assert!(out.contains("did you mean `backendRefs`?"), "{out}");

    fs::remove_file(good.path().join("b.yaml")).unwrap();
    let lost = route("lost", &redirect("/")).replace("name: web", "name: elsewhere");
    fs::write(good.path().join("c.yaml"), lost).unwrap();
    assert_eq!(run(&["check", path]).status.code(), Some(1));
    assert_eq!(run(&["check", "--allow-warnings", path]).status.code(), Some(0));
    let (code, out, _) = texts(&run(&["check", "--controller-name", "example.com/other", path]));
    assert_eq!(code, Some(1));
    assert!(out.contains("names no Gateway"), "no class is of this controller: {out}");
}

#[test]
fn rule_says_what_the_id_behind_a_message_stands_for() {
    let bad = folder(&[("gateway.yaml", GATEWAY.to_owned()), ("a.yaml", route("a", &redirect("b")))]);
    let (_, out, _) = texts(&run(&["check", bad.path().to_str().unwrap()]));
    let (_, rest) = out.lines().next().unwrap().split_once('(').expect(&out);
    let (id, _) = rest.split_once(')').expect(&out);
    let (code, out, _) = texts(&run(&["rule", id]));
    assert_eq!(code, Some(0));
    assert!(out.contains("starts with `/`"), "{out}");

    let (code, out, _) = texts(&run(&["rule", "amb-03", "msg-06", "nothing"]));
    assert_eq!(code, Some(1));
    for said in [
        "Chosen: Is `%2F` a slash?\n\nNo. ",
        "Chosen: What of `Max-Forwards`?",
        "there is no rule \"NOTHING\";",
    ] {
        assert!(out.contains(said), "{said}: {out}");
    }

    let (code, out, _) = texts(&run(&["rule", "pat-ns"]));
    let form =
        "Form: a single lower-case DNS label: letters, digits and inner hyphens; at most 63 characters\n";
    assert_eq!((code, out), (Some(0), format!("ID: PAT-NS\n{form}")));

    let (code, out, _) = texts(&run(&["rule", "val-hr-45", "val-tp-10"]));
    assert_eq!(code, Some(0));
    for said in
        ["\nPath: matches[].path.value (types Exact and PathPrefix)\n", "\nPath: tracing.attributes[]\n"]
    {
        assert!(out.contains(said), "{said}: {out}");
    }

    let (code, out, _) = texts(&run(&["rule", "cnd-1", "val-xb-1", ""]));
    assert_eq!(code, Some(1));
    let out = out.to_ascii_lowercase();
    for said in [
        "\"cnd-1\"; did you mean cnd-01?",
        "\"val-xb-1\"; did you mean val-xb-01?",
        "there is no rule \"\"; `gateway check`",
    ] {
        assert!(out.contains(said), "{said}: {out}");
    }
}

// LST-16, LST-17, LST-18, LST-19, LST-20, HST-06
#[test]
fn each_parent_of_a_route_is_judged_for_itself() {
    let gateway = GATEWAY
        .replace("  gatewayClassName", "  allowedListeners: {namespaces: {from: Same}}\n  gatewayClassName");
    let set = "---
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: set}
spec:
  parentRef: {name: web}
  listeners:
  - {name: extra, port: 8081, protocol: HTTP, hostname: a.example}
  - {name: other, port: 8082, protocol: HTTP}
";
    let to = |name: &str, parents: &str| {
        let route = route(name, &redirect(&format!("/{name}")));
        route.replace(
            "parentRefs: [{name: web}]",
            &format!("hostnames: [b.example]\n  parentRefs: [{parents}]"),
        )
    };
    let routes = [
        to("both", "{name: web}, {name: set, kind: ListenerSet}"),
        to("extra", "{name: web, sectionName: extra}, {name: set, kind: ListenerSet, sectionName: extra}"),
        to("port", "{name: set, kind: ListenerSet, port: 8082}, {name: web, port: 80}"),
    ];
    let folder = folder(&[("gateway.yaml", gateway + set), ("routes.yaml", routes.concat())]);
    let path = folder.path().to_str().unwrap();
    let (_, out, _) = texts(&run(&["check", "--status", path]));
    let accepted = out.lines().filter(|line| line.starts_with("HTTPRoute ") && line.contains(": Accepted="));
    let accepted: Vec<_> =
        accepted.map(|line| line.split(": ").take(2).collect::<Vec<_>>().join(" ")).collect();
    let expected = [
        "HTTPRoute default/both parent web Accepted=True/Accepted",
        "HTTPRoute default/both parent ListenerSet set Accepted=True/Accepted",
        "HTTPRoute default/extra parent default/web/extra Accepted=False/NoMatchingParent",
        "HTTPRoute default/extra parent ListenerSet default/set/extra Accepted=False/NoMatchingListenerHostname",
        "HTTPRoute default/port parent ListenerSet set:8082 Accepted=True/Accepted",
        "HTTPRoute default/port parent web:80 Accepted=True/Accepted",
    ];
    assert_eq!(accepted, expected, "{out}");
    for (url, code) in [
        ("http://b.example:80/both", 0),
        ("http://b.example:8082/both", 0),
        ("http://b.example:8082/port", 0),
        ("http://b.example:8082/extra", 1),
        ("http://b.example:8081/both", 1),
    ] {
        assert_eq!(run(&["explain", path, "-r", &format!("GET {url}")]).status.code(), Some(code), "{url}");
    }
}

fn to_shop(rules: usize) -> String {
    let rule = "backendRefs: [{name: shop, port: 80}]\n";
    let others = (1..rules).map(|path| format!("  - matches: [{{path: {{value: /{path}}}}}]\n    {rule}"));
    route("shop", &(format!("  - {rule}") + &others.collect::<String>()))
}

/// What `check` prints of these files, without the last line and the folder.
fn checked(files: &[(&str, String)]) -> Vec<String> {
    let folder = folder(files);
    let path = folder.path().to_str().unwrap();
    let (_, out, error) = texts(&run(&["check", path]));
    assert_eq!(error, "");
    let lines: Vec<String> = out.lines().map(|line| line.replace(&format!("{path}/"), "")).collect();
    lines[..lines.len() - 1].to_vec()
}

#[track_caller]
fn assert_checked(files: &[(&str, String)], expected: &[&str]) {
    let found = checked(files);
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
}

#[test]
fn one_fault_is_one_line_at_its_field() {
    let gateway = || ("gateway.yaml", GATEWAY.to_owned());
    assert_checked(&[gateway(), ("shop.yaml", SHOP.to_owned() + &to_shop(1))], &[]);
    // Three rules, two parents, one Service that is not there.
    let route = to_shop(3).replace("[{name: web}]", "[{name: web}, {name: web, namespace: default}]");
    assert_checked(
        &[gateway(), ("shop.yaml", route)],
        &["shop.yaml:8:19: warning: HTTPRoute default/shop: spec.rules[0].backendRefs[0]: \
           ResolvedRefs=False/BackendNotFound: there is no Service default/shop; write one, or name another; the same holds at 2 \
           more places in the object"],
    );
    // A listener that is refused makes the Gateway and the Route nothing more to say.
    let refused = GATEWAY.replace("protocol: HTTP", "protocol: example.com/other");
    let found = checked(&[("gateway.yaml", refused), ("shop.yaml", SHOP.to_owned() + &to_shop(1))]);
    assert!(
        found[0]
            .contains("Gateway default/web: spec.listeners[0].protocol: Accepted=False/UnsupportedProtocol")
    );
    assert_eq!(found.iter().filter(|line| line.contains(" Gateway default/web")).count(), 1, "{found:#?}");
    let pattern = to_shop(1).replace(
        "backendRefs",
        "matches: [{path: {type: RegularExpression, value: '/a('}}]\n    backendRefs",
    );
    assert_checked(
        &[gateway(), ("shop.yaml", SHOP.to_owned() + &pattern)],
        &["shop.yaml:20:55: warning: HTTPRoute default/shop: spec.rules[0].matches[0].path.value: \
           Accepted=False/UnsupportedValue: \"/a(\" is not a usable regular expression: unclosed group"],
    );
}

#[test]
fn an_object_that_was_left_out_is_not_called_absent() {
    let route = || ("shop.yaml", to_shop(1));
    let bad_port = SHOP.replace("port: 80}", "port: 0}");
    assert_checked(
        &[("gateway.yaml", GATEWAY.to_owned()), ("a.yaml", bad_port), route()],
        &[
            "a.yaml:5:35: error: Service default/shop: spec.ports[0].port: is 0",
            "a.yaml:9:63: warning: EndpointSlice default/shop-1: metadata.labels[\"kubernetes.io/service-name\"]: there is no \
             Service default/shop, so that the endpoints get no requests; write one, or name another; Service default/shop is \
             written, but was left out: see a.yaml:2:1",
            "shop.yaml:8:19: warning: HTTPRoute default/shop: spec.rules[0].backendRefs[0]: \
             ResolvedRefs=False/BackendNotFound: there is no Service default/shop; write one, or name another; Service \
             default/shop is written, but was left out: see a.yaml:2:1",
        ],
    );
    let bad_type = GATEWAY.replace("port: 80", "port: http");
    let found = checked(&[("gateway.yaml", bad_type), ("a.yaml", SHOP.to_owned()), route()]);
    assert!(found[1].contains("names no Gateway that is served here; name one; Gateway default/web is written, but was left out: see gateway.yaml:"), "{found:#?}");
    let other_group = SHOP.replace("apiVersion: v1", "apiVersion: core/v1");
    let found = checked(&[("gateway.yaml", GATEWAY.to_owned()), ("a.yaml", other_group), route()]);
    assert!(
        found
            .iter()
            .any(|line| line.contains("Service default/shop is written, but was left out: see a.yaml:2:13")),
        "{found:#?}"
    );
    let broken = GATEWAY.to_owned() + "---\nhost: *.example.com\n";
    let found = checked(&[("gateway.yaml", broken), route()]);
    assert!(
        found.last().unwrap().contains("; perhaps it is in what could not be read: see gateway.yaml:"),
        "{found:#?}"
    );
}

#[test]
fn what_refers_to_an_object_that_was_left_out_is_said_once() {
    let routes: String =
        ["a", "b", "c", "d"].map(|name| route(name, &redirect(&format!("/{name}")))).concat();
    let bad_type = GATEWAY.replace("port: 80", "port: http");
    let others = |routes: &str| {
        let found = checked(&[("gateway.yaml", bad_type.clone()), ("routes.yaml", routes.to_owned())]);
        assert_eq!(found.len(), 2, "{found:#?}");
        found[1].split_once("was left out: see gateway.yaml:").expect(&found[1]).1.to_owned()
    };
    assert!(!others(&route("a", &redirect("/a"))).contains(';'));
    let said = others(&(route("a", &redirect("/a")) + &route("b", &redirect("/b"))));
    assert!(said.ends_with("; the same holds for HTTPRoute default/b"), "{said}");
    let said = others(&routes);
    let all = "; the same holds for HTTPRoute default/b, HTTPRoute default/c and HTTPRoute default/d";
    assert!(said.ends_with(all), "{said}");
    let said = others(&(routes + &route("e", &redirect("/e")) + &route("f", &redirect("/f"))));
    assert!(said.ends_with(&all.replace(" and", ",").replace("default/d", "default/d and 2 more")), "{said}");
}

#[test]
fn a_misspelt_name_is_told_with_the_one_that_was_meant() {
    let gateway = || ("gateway.yaml", GATEWAY.to_owned());
    let misspelt = to_shop(1).replace("name: shop, port", "name: sohp, port");
    let found = checked(&[gateway(), ("shop.yaml", SHOP.to_owned() + &misspelt)]);
    assert!(
        found[0]
            .ends_with("there is no Service default/sohp; write one, or name another; did you mean shop?"),
        "{found:#?}"
    );
    let far = to_shop(1).replace("name: shop, port", "name: orders, port");
    let found = checked(&[gateway(), ("shop.yaml", SHOP.to_owned() + &far)]);
    assert!(
        found[0].ends_with("there is no Service default/orders; write one, or name another"),
        "{found:#?}"
    );
    // That of another namespace was not meant, and is none of this one's business.
    let elsewhere = SHOP.replace("name: shop", "namespace: other, name: shop");
    let found = checked(&[gateway(), ("shop.yaml", elsewhere + &misspelt)]);
    assert!(
        found.iter().any(|line| line.ends_with("default/sohp; write one, or name another")),
        "{found:#?}"
    );
    // One of the same name is.
    let elsewhere = SHOP.replace("name: shop", "namespace: other, name: shop");
    let found = checked(&[gateway(), ("shop.yaml", elsewhere + &to_shop(1))]);
    let expected =
        "there is no Service default/shop; write one, or name another; there is one in namespace other";
    assert!(found.iter().any(|line| line.ends_with(expected)), "{found:#?}");
    let parent = to_shop(1).replace("{name: web}", "{name: wbe}");
    let found = checked(&[gateway(), ("shop.yaml", SHOP.to_owned() + &parent)]);
    assert!(found.iter().any(|line| line.contains("did you mean web?")), "{found:#?}");
}

#[test]
fn check_counts_the_rules_that_are_served() {
    let rule = "  - filters: [{type: RequestRedirect, requestRedirect: {}}]\n";
    let none = "  - matches: [{path: {type: RegularExpression, value: '('}}]\n    filters: [{type: RequestMirror, requestMirror: {backendRef: {name: a, port: 1}, percent: 200}}]\n";
    let files =
        [("gateway.yaml", GATEWAY.to_owned()), ("a.yaml", route("a", rule)), ("b.yaml", route("b", none))];
    let folder = folder(&files);
    let (_, out, _) = texts(&run(&["check", folder.path().to_str().unwrap()]));
    assert!(out.contains(", 1 rule served"), "{out}");
}

// RTE-03, GC-01
#[test]
fn check_says_a_wrong_namespace_once_and_a_misspelt_class_although_it_is_served() {
    let route = route("a", "  - {}\n").replace("{name: web}", "{name: web, namespace: shop}");
    let gateway = GATEWAY.replace("gatewayClassName: test", "gatewayClassName: tset");
    let folder = folder(&[("gateway.yaml", gateway), ("a.yaml", route)]);
    let (code, out, _) = texts(&run(&["check", folder.path().to_str().unwrap()]));
    assert_eq!(code, Some(1));
    let namespace =
        "names no Gateway that is served here; there is Gateway default/web: write `namespace: default`\n";
    assert!(out.contains(namespace), "{out}");
    assert!(
        out.contains("spec.gatewayClassName: there is no GatewayClass tset; did you mean `test`?"),
        "{out}"
    );
    assert!(out.ends_with("3 objects, 0 rules served: 0 errors, 2 warnings\n"), "{out}");
}

#[test]
fn explain_says_what_the_nearest_rules_need() {
    let rules = redirect("/cart") + &redirect("/orders").replace("}}]\n    f", "}, method: POST}]\n    f");
    let host = |name: &str, host: &str| {
        route(name, &redirect("/")).replace("  rules", &format!("  hostnames: [{host}]\n  rules"))
    };
    let lost = route("lost", &redirect("/")).replace("{name: web}", "{name: web, port: 81}");
    let folder = folder(&[
        ("gateway.yaml", GATEWAY.to_owned()),
        ("routes.yaml", route("shop", &rules).replace("  rules", "  hostnames: [shop.example]\n  rules")),
        ("other.yaml", host("other", "'*.other.example'") + &lost),
    ]);
    let path = folder.path().to_str().unwrap();
    let explain = |args: &[&str]| texts(&run(&[&["explain", path, "-r"], args].concat()));
    let (code, out, error) = explain(&["GET http://shop.example/card"]);
    assert_eq!(code, Some(1), "{error}");
    assert!(out.contains("no rule of the routes attached to listener default/web/http matches"), "{out}");
    let (_, nearest) = out.split_once("the nearest first:\n").expect(&out);
    let lines: Vec<_> = nearest.lines().map(str::trim).collect();
    let expected = [
        "default/other/0  needs host *.other.example",
        "default/shop/0  needs path PathPrefix /cart",
        "default/shop/1  needs path PathPrefix /orders, method is POST",
        "",
        "Routes that are not accepted:",
        "HTTPRoute default/lost: spec.parentRefs[0].port: Accepted=False/NoMatchingParent: Gateway web has no listener on \
         port 81; it has http (port 80)",
    ];
    assert_eq!(lines[..6], expected, "{out}");

    // A path that is an expression is none to ask with, and a Route at another port is not near.
    let of_expression = redirect("/i").replace("{value: /i}", "{type: RegularExpression, value: '/i[0-9]+'}");
    // The host of the request is none of the third port.
    let three_ports = gateway(
        "{name: http, port: 80, protocol: HTTP}, {name: other, port: 81, protocol: HTTP}, \
         {name: foreign, port: 82, protocol: HTTP, hostname: foreign.example}",
    );
    fs::write(folder.path().join("gateway.yaml"), three_ports).unwrap();
    let elsewhere = route("elsewhere", &redirect("/"))
        .replace("{name: web}", "{name: web, sectionName: other}, {name: web, sectionName: foreign}");
    fs::write(folder.path().join("other.yaml"), route("items", &of_expression) + &elsewhere).unwrap();
    let (_, out, _) = explain(&["GET http://shop.example:80/card"]);
    for said in [
        "\n  default/items/0  needs path RegularExpression /i[0-9]+\n",
        "at other ports only:\n  HTTPRoute default/elsewhere: at listener default/web/other (port 81)\n",
    ] {
        assert!(out.contains(said), "{said}: {out}");
    }
    let (code, out, _) = explain(&["GET http://shop.example:80/i7"]);
    assert!(code == Some(0) && !out.contains("needs path RegularExpression"), "{out}");

    // The host of the header, at the port of the URL, and a Gateway by its name.
    let (code, out, _) =
        explain(&["GET http://localhost/cart", "-H", "Host: shop.example", "--gateway", "web"]);
    assert_eq!(code, Some(0), "{out}");
    let (code, _, error) = explain(&["GET http://shop.example/cart", "--gateway", "other/web"]);
    assert_eq!(code, Some(2), "{error}");
}

#[test]
fn explain_says_which_rule_serves_and_why_no_other() {
    let folder = folder(&[
        ("gateway.yaml", GATEWAY.to_owned()),
        (
            "routes.yaml",
            route(
                "shop",
                &(redirect("/")
                    + &redirect("/cart")
                    + &redirect("/cart").replace("}}]", "}, method: POST}]")),
            ),
        ),
    ]);
    let path = folder.path().to_str().unwrap();
    let (code, out, error) =
        texts(&run(&["explain", path, "--request", "GET http://x.example/cart/1", "-H", "x-a: b"]));
    assert_eq!(code, Some(0), "{error}");
    assert!(out.contains("Served by rule default/shop/1 (rules[1], matches[0])"), "{out}");
    assert!(out.contains("not met: method is POST"), "{out}");
    assert!(out.contains("matches, but comes later: a less specific path"), "{out}");

    let only_cart = route("shop", &redirect("/cart"));
    fs::write(folder.path().join("routes.yaml"), only_cart).unwrap();
    let (code, out, _) = texts(&run(&["explain", path, "-r", "GET http://x.example/other"]));
    assert_eq!(code, Some(1));
    assert!(out.contains("Answered with 404 Not Found"), "{out}");
}

// GRP-07, GRP-10, AMB-40
#[test]
fn explain_says_where_calls_go() {
    let calls = "---\napiVersion: gateway.networking.k8s.io/v1\nkind: GRPCRoute\nmetadata: {name: shop}\n\
                 spec: {parentRefs: [{name: web}], rules: [\n\
                 {matches: [{method: {service: shop.Cart, method: Add}}], sessionPersistence: {cookie: {name: cart}, absoluteTimeout: 1h}, filters: [{type: RequestHeaderModifier, \
                 requestHeaderModifier: {remove: [x-a]}}], backendRefs: [{name: none, port: 80}]},\n\
                 {matches: [{method: {service: shop.Cart}, headers: [{name: x-b, value: c}]}]}]}\n";
    let folder = folder(&[
        ("gateway.yaml", GATEWAY.to_owned()),
        ("routes.yaml", route("shop", &redirect("/web")) + calls),
    ]);
    let path = folder.path().to_str().unwrap();
    let explain = |path_of_call: &str, headers: &[&str]| {
        let request = format!("POST http://x.example{path_of_call}");
        let headers = headers.iter().flat_map(|header| ["-H", header]);
        let args: Vec<_> = ["explain", path, "-r", &request].into_iter().chain(headers).collect();
        texts(&run(&args))
    };
    let grpc = "content-type: application/grpc";
    let (code, out, error) = explain("/shop.Cart/Add", &[grpc, "grpc-timeout: 2S"]);
    assert_eq!(code, Some(1), "{error}");
    for line in [
        "GRPCRoute default/shop/0  host *  Exact shop.Cart/Add  matches[0]: chosen",
        "GRPCRoute default/shop/1  host *  Exact shop.Cart/*  matches[0]: not met: header x-b is \"c\"",
        "Served by rule GRPCRoute default/shop/0 (rules[0], matches[0])",
        "session  cookie cart for /, 3600s at most",
        "filter   {\"type\":\"RequestHeaderModifier\",\"requestHeaderModifier\":{\"remove\":[\"x-a\"]}}",
        "timeout  2s for the request",
        "backend  default/none:80 is invalid, weight 1: its requests get grpc-status 14",
        "Answered with grpc-status 14: none of the backends of the rule can be found",
    ] {
        assert!(out.contains(line), "{line}\n{out}");
    }
    let (_, out, _) = explain("/shop.Order/Add", &[grpc]);
    assert!(out.contains("Answered with grpc-status 12: no rule of the routes"), "{out}");
    assert!(out.contains("GRPCRoute default/shop/0  needs method shop.Cart/Add"), "{out}");
    assert!(out.contains("GRPCRoute default/shop/1  needs method shop.Cart/*, header x-b is \"c\""), "{out}");
    for path_of_call in ["/", "/shop.Cart"] {
        let (_, out, _) = explain(path_of_call, &[grpc]);
        let said =
            format!("  is for no GRPCRoute: these match /Service/Method, and the path is {path_of_call}\n");
        assert!(out.contains(&said) && out.contains("Answered with grpc-status 12"), "{out}");
    }
    // What is no call is not for it.
    let (_, out, _) = explain("/shop.Cart/Add", &[]);
    assert!(!out.contains("is for no GRPCRoute"), "{out}");
    assert!(out.contains("Answered with 404 Not Found"), "{out}");
    assert!(out.contains("GRPCRoute default/shop/0  needs content-type application/grpc\n"), "{out}");
    let of_other = "GRPCRoute default/shop/1  needs content-type application/grpc, header x-b is \"c\"\n";
    assert!(out.contains(of_other), "{out}");
    let (_, call, _) = texts(&run(&["explain", path, "-r", "grpc://x.example/shop.Cart/Add"]));
    assert_eq!(call, explain("/shop.Cart/Add", &[grpc]).1);
    let (code, _, error) = texts(&run(&["explain", path, "-r", "grpcs://x.example/shop.Cart/Add"]));
    assert_eq!(code, Some(2));
    assert!(
        error.contains("nothing is served at this port by this scheme; there is http port 80 of Gateway"),
        "{error}"
    );
}

#[test]
fn problems_are_no_reason_to_doubt_that_a_request_is_served() {
    let lost = |name: &str, parents: &str| {
        route(name, &redirect("/lost")).replace("{name: web}", &format!("{{name: none}}{parents}"))
    };
    let folder = folder(&[
        ("gateway.yaml", GATEWAY.to_owned()),
        ("shop.yaml", route("shop", &redirect("/cart"))),
        ("lost.yaml", lost("one", ", {kind: ListenerSet, name: none}") + &lost("two", "")),
    ]);
    let path = folder.path().to_str().unwrap();
    let explain = |url: &str| texts(&run(&["explain", path, "-r", url]));
    let (code, out, error) = explain("http://x.example/cart");
    assert_eq!(code, Some(0), "{error}");
    let last = "\nBesides, the files have 3 problems in 2 objects, which `gateway check` tells\n";
    assert!(out.ends_with(last), "{out}");

    let (code, out, _) = explain("http://x.example/lost");
    assert_eq!(code, Some(1));
    let last = "\nThe files have 3 problems in 2 objects, which may be why; `gateway check` says more\n";
    assert!(out.ends_with(last), "{out}");

    fs::write(folder.path().join("lost.yaml"), "[").unwrap();
    let (_, out, _) = explain("http://x.example/cart");
    assert!(out.ends_with("\nBesides, the files have 1 problem, which `gateway check` tells\n"), "{out}");
    fs::remove_file(folder.path().join("lost.yaml")).unwrap();
    let (_, out, _) = explain("http://x.example/cart");
    assert!(!out.contains("gateway check"), "{out}");
}

#[test]
fn explain_takes_no_url_for_another() {
    let folder = folder(&[("shop.yaml", GATEWAY.to_owned() + &route("shop", &redirect("/cart")))]);
    let path = folder.path().to_str().unwrap();
    for (url, expected) in [
        (
            "http://x.example:99999/cart",
            "\"x.example:99999\" ends in no port; write host, or host:1 to host:65535",
        ),
        ("http://x.example:/cart", "ends in no port"),
        ("ftp://x.example/cart", "nothing is asked by ftp://; write one of http, https, grpc,"),
        ("x.example/cart", "\"x.example/cart\" is not a URL: invalid format; write it as http://host/path"),
        ("/cart", "/cart is not a whole URL; write it as"),
    ] {
        let request = format!("GET {url}");
        let (code, out, error) = texts(&run(&["explain", path, "-r", &request]));
        assert_ne!(code, Some(0), "{out}");
        assert!(error.contains(expected) || out.contains(expected), "{url}: {out}{error}");
    }
    let (code, out, error) = texts(&run(&["explain", path, "-r", "http://x.example:80/cart"]));
    assert_eq!(code, Some(0), "{out}{error}");
}

// PRF-01, PRF-05, FEA-01
#[test]
fn explain_says_whom_the_filters_of_a_listener_ask_and_goes_on() {
    let service = |name: &str| {
        format!(
            "---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{ports: [{{port: 80}}]}}\n"
        )
    };
    let filter = "filters: {requests: [{type: ExternalAuth, externalAuth: {protocol: HTTP, http: {}, backendRef: \
                  {name: authz, port: 80}}}]}";
    let gateway = GATEWAY.replace("protocol: HTTP}", &format!("protocol: HTTP, {filter}}}"));
    let folder = folder(&[
        ("gateway.yaml", gateway + &service("authz")),
        ("routes.yaml", route("shop", &redirect("/cart"))),
    ]);
    let path = folder.path().to_str().unwrap();
    let explain = |url: &str| texts(&run(&["explain", path, "-r", url]));
    let (code, out, error) = explain("http://x.example/cart");
    assert_eq!(code, Some(0), "{out}{error}");
    assert!(
        out.contains("  passes if default/authz lets it, which a filter of the listener asks\n"),
        "{out}"
    );
    assert!(out.contains("Served by rule default/shop/0"), "{out}");
    let (code, out, _) = explain("http://x.example/other");
    assert_eq!(code, Some(1), "{out}");
    assert!(
        out.contains("passes if default/authz lets it") && out.contains("needs path PathPrefix /cart"),
        "{out}"
    );

    fs::write(
        folder.path().join("gateway.yaml"),
        GATEWAY.replace("protocol: HTTP}", &format!("protocol: HTTP, {filter}}}")),
    )
    .unwrap();
    let (code, out, error) = explain("http://x.example/cart");
    assert_eq!(code, Some(1), "{out}{error}");
    assert!(
        out.contains("Answered with 500 Internal Server Error: a filter of the listener cannot be"),
        "{out}"
    );
}

// MSH-01, MSH-04, MSH-05
#[test]
fn routes_for_services_are_judged_and_explained_where_a_mesh_is_carried_out() {
    let to_service = |name: &str, namespace: &str, path: &str| {
        let parent = "{group: '', kind: Service, name: shop, namespace: default}";
        route(name, &redirect(path))
            .replace(&format!("{{name: {name}}}"), &format!("{{name: {name}, namespace: {namespace}}}"))
            .replace("{name: web}", parent)
    };
    let service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: shop}\n\
                   spec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}\n";
    let routes = to_service("producer", "default", "/cart") + &to_service("consumer", "other", "/items");
    let folder = folder(&[("shop.yaml", service.to_owned() + &routes)]);
    let path = folder.path().to_str().unwrap();
    let (code, out, _) = texts(&run(&["check", path]));
    assert_eq!(code, Some(1));
    assert!(
        out.contains("no mesh is carried out here; name a Gateway, or carry one out (`--mesh`)"),
        "{out}"
    );
    let (code, out, _) = texts(&run(&["check", "--mesh", path]));
    assert_eq!((code, out.as_str()), (Some(0), "3 objects, 2 rules served: 0 errors, 0 warnings\n"));

    let (code, out, error) = texts(&run(&["explain", "--mesh", path, "-r", "http://shop/cart"]));
    assert_eq!(code, Some(1), "the clients of one namespace get 404: {out}{error}");
    let (all, of_other) = out.split_once("of Service default/shop for clients of other\n").expect(&out);
    assert!(all.contains("comes to port 80 of Service default/shop\n"), "{out}");
    assert!(all.contains("Served by rule default/producer/0"), "{out}");
    assert!(of_other.contains("Answered with 404 Not Found"), "{out}");
    assert!(of_other.contains("other/consumer/0  needs path PathPrefix /items"), "{out}");
    let (_, _, error) = texts(&run(&["explain", path, "-r", "http://shop/cart"]));
    assert!(error.contains("nothing is served at all: `gateway check` says why"), "{error}");
}

// GWF-03, GWB-01, BTP-01, TCR-02
#[test]
fn explain_says_what_tls_asks_for_and_of_names_only_where_there_are_some() {
    let signed = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
    let (certificate, key) = (signed.cert.pem(), signed.signing_key.serialize_pem());
    let objects = format!(
        "
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: test}}
spec: {{controllerName: example.com/test}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: web}}
spec:
  gatewayClassName: test
  tls:
    backend: {{clientCertificateRef: {{name: tls}}}}
    frontend: {{default: {{validation: {{caCertificateRefs: [{{group: '', kind: ConfigMap, name: ca}}]}}}}}}
  listeners:
  - {{name: https, port: 443, protocol: HTTPS, tls: {{certificateRefs: [{{name: tls}}]}}}}
  - {{name: tcp, port: 5432, protocol: TCP}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: ca}}
data: {{ca.crt: {certificate:?}}}
---
apiVersion: v1
kind: Service
metadata: {{name: shop}}
spec: {{ports: [{{name: a, port: 80}}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {{name: shop}}
spec:
  targetRefs: [{{group: '', kind: Service, name: shop}}]
  validation: {{hostname: shop.internal, caCertificateRefs: [{{group: '', kind: ConfigMap, name: ca}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: shop, labels: {{kubernetes.io/service-name: shop}}}}
addressType: IPv4
ports: [{{name: a, port: 8443}}]
endpoints: [{{addresses: [10.0.0.7]}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {{name: db}}
spec: {{parentRefs: [{{name: web, sectionName: tcp}}], rules: [{{backendRefs: [{{name: shop, port: 80}}, {{name: gone, port: 81}}]}}]}}
"
    );
    let to_shop = route("shop", "  - backendRefs: [{name: shop, port: 80}]\n")
        .replace("{name: web}", "{name: web, sectionName: https}");
    let secret = secret("tls", &certificate, &key);
    let folder = folder(&[("all.yaml", objects + &to_shop + &secret)]);
    let path = folder.path().to_str().unwrap();
    let (_, out, error) = texts(&run(&["explain", path, "-r", "https://a.example/"]));
    let asked = "which serves every host, to clients with a certificate of an authority that it trusts\n";
    assert!(out.contains(asked), "{out}{error}");
    let tls = "backend  default/shop:80 within TLS for shop.internal by 1 authority, with a client certificate, weight 1";
    assert!(out.contains(tls), "{out}");

    let (_, out, error) = texts(&run(&["explain", path, "-r", "tcp://any:5432"]));
    let expected = "tcp://any:5432
  comes to port 5432 of Gateway default/web
  is taken by listener default/web/tcp

Routes, in order of precedence:
  TCPRoute default/db/0: chosen

Passed on by rule TCPRoute default/db/0
";
    assert!(out.starts_with(expected), "{out}{error}");
    assert!(out.contains("backend  default/gone:81 is invalid, weight 1: its share is rejected\n"), "{out}");
}

// FLT-05, HRB-02, HST-22
#[test]
fn explain_says_so_where_no_request_can_be_served() {
    let service =
        "---\napiVersion: v1\nkind: Service\nmetadata: {name: empty}\nspec: {ports: [{port: 80}]}\n";
    let backend =
        |name: &str, weight| format!("  - backendRefs: [{{name: {name}, port: 80, weight: {weight}}}]\n");
    let folder = folder(&[("gateway.yaml", GATEWAY.to_owned() + service)]);
    let path = folder.path().to_str().unwrap();
    let explain = |rules: &str| {
        fs::write(folder.path().join("routes.yaml"), route("shop", rules)).unwrap();
        texts(&run(&["explain", path, "-r", "GET http://x.example/"]))
    };
    for (rules, answer) in [
        (backend("empty", 1), "Answered with 503 Service Unavailable: no backend of the rule has endpoints"),
        (
            backend("empty", 0),
            "Answered with 500 Internal Server Error: the rule has no backend with a weight",
        ),
        (
            backend("none", 1),
            "Answered with 500 Internal Server Error: none of the backends of the rule can be",
        ),
    ] {
        let (code, out, _) = explain(&rules);
        assert_eq!(code, Some(1), "{out}");
        assert!(out.contains(answer), "{out}");
    }
    let (_, out, _) = explain(&backend("none", 1));
    assert!(out.contains("which may be why; `gateway check` says more"), "{out}");
    // HRB-05: for each reference by itself.
    let two = "  - backendRefs: [{name: empty, port: 80}, {name: none, port: 80}, {name: empty, port: 81}]\n";
    let (_, out, _) = explain(two);
    for (index, line) in [
        (
            1,
            "ResolvedRefs=False/BackendNotFound: there is no Service default/none; write one, or name another",
        ),
        (2, "ResolvedRefs=False/BackendNotFound: Service default/empty has no port 81"),
    ] {
        assert!(out.contains(&format!("\n           spec.rules[0].backendRefs[{index}]")), "{out}");
        assert!(out.contains(line), "{out}");
    }
    assert!(!out.contains("backendRefs[0]"), "{out}");

    let https = GATEWAY.replace(
        "port: 80, protocol: HTTP",
        "port: 443, protocol: HTTPS, hostname: a.example, tls: \
        {certificateRefs: [{name: tls}]}",
    );
    let signed = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
    let secret = secret("tls", &signed.cert.pem(), &signed.signing_key.serialize_pem());
    fs::write(folder.path().join("gateway.yaml"), https + &secret).unwrap();
    fs::write(folder.path().join("routes.yaml"), route("shop", &redirect("/"))).unwrap();
    let explain = |host: &str| texts(&run(&["explain", path, "-r", &format!("GET https://{host}/")]));
    let (code, out, error) = explain("b.example");
    assert_eq!(code, Some(1), "{out}{error}");
    assert!(out.contains("The TLS handshake is refused"), "{out}");
    let (code, out, _) = explain("a.example");
    assert_eq!(code, Some(0), "{out}");
}

// GWT-10
#[test]
fn a_certificate_for_another_name_than_that_of_its_listener_is_said() {
    let gateway = |hostname: &str| {
        let listener = format!(
            "port: 443, protocol: HTTPS, hostname: {hostname}, tls: {{certificateRefs: [{{name: tls}}]}}"
        );
        GATEWAY.replace("port: 80, protocol: HTTP", &listener)
    };
    let signed =
        rcgen::generate_simple_self_signed(["a.example".to_owned(), "*.b.example".to_owned()]).unwrap();
    let secret = secret("tls", &signed.cert.pem(), &signed.signing_key.serialize_pem());
    let folder = folder(&[("secret.yaml", secret), ("routes.yaml", route("shop", &redirect("/")))]);
    let path = folder.path().to_str().unwrap();
    for (hostname, is_covered) in [
        ("a.example", true),
        ("c.b.example", true),
        ("'*.b.example'", true),
        ("c.example", false),
        ("d.c.b.example", false),
    ] {
        fs::write(folder.path().join("gateway.yaml"), gateway(hostname)).unwrap();
        let (code, out, _) = texts(&run(&["check", path]));
        assert_eq!(code, Some(i32::from(!is_covered)), "{hostname}: {out}");
        let expected = format!(
            "warning: Gateway default/web: spec.listeners[0].tls.certificateRefs[0]: Secret default/tls has no certificate for hostname \
             {hostname} of the listener, which clients therefore refuse; it is for a.example, *.b.example; name one with a certificate \
             for {hostname}, or another hostname"
        );
        assert_eq!(out.contains(&expected), !is_covered, "{hostname}: {out}");
    }
}

#[test]
fn a_folder_without_objects_is_not_right() {
    let folder = folder(&[("readme.txt", GATEWAY.to_owned())]);
    let path = folder.path().to_str().unwrap();
    let (code, out, _) = texts(&run(&["check", path]));
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("there is no object in any file that ends in .yaml, .yml or .json"), "{out}");
    assert_eq!(run(&["check", "--allow-warnings", path]).status.code(), Some(0));
}

#[test]
fn wrong_arguments_are_explained() {
    let folder = folder(&[("gateway.yaml", GATEWAY.to_owned())]);
    let path = folder.path().to_str().unwrap();
    for (args, message) in [
        (vec!["check", "/no/such/folder"], "/no/such/folder: there is no such file or folder"),
        (vec!["check"], "<PATH>"),
        (vec!["check", path, "--kubeconfig", "x"], "write --kube in the place of files"),
        (vec!["diff", path, path, "--context", "x"], "write --kube in the place of files"),
        (vec!["diff", "--kube", path, path], "cannot be used with"),
        (vec!["diff", path], "<OLD>"),
        (
            vec!["diff", "--kube", "--namespace", "shop", path],
            "gateway.yaml:7:1: Gateway default/web is outside of the namespaces that are read; name its own with --namespace, too",
        ),
        (vec!["explain", path, "--namespace", "x", "-r", "http://x/"], "write --kube in the place of files"),
        (vec!["run", path, "--port-map", "80"], "write PORT=PORT"),
        (vec!["run", path, "--drain-timeout", "ten"], "is not a duration"),
        (vec!["run", path, "--log", "gateway=loud"], "--log gateway=loud"),
        (vec!["explain", path, "-r", "GET /cart"], "write it as http://host/path"),
        (
            vec!["explain", path, "-r", "GET http://x.example:81/"],
            "there is http port 80 of Gateway default/web",
        ),
        (vec!["explain", path, "-r", "GET http://x.example/", "-H", "novalue"], "write 'name: value'"),
    ] {
        let (code, _, error) = texts(&run(&args));
        assert_eq!(code, Some(2), "{args:?}: {error}");
        assert!(error.contains(message), "{args:?}: {error}");
    }
}

// XBK-05
#[test]
fn what_names_may_lead_to_is_judged_as_it_is_served() {
    let to = "group: gateway.networking.x-k8s.io, kind: XBackend, name: own";
    let backend = "---
apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XBackend
metadata: {name: own}
spec: {type: ExternalHostname, externalHostname: {hostname: localhost}, port: {number: 80}}
";
    let routes = route("own", &format!("  - backendRefs: [{{{to}}}]\n"));
    let folder = folder(&[("gateway.yaml", GATEWAY.to_owned()), ("routes.yaml", routes + backend)]);
    let path = folder.path().to_str().unwrap();
    let check = |args: &[&str]| texts(&run(&[&["check", path], args].concat()));
    let (code, out, _) = check(&[]);
    assert_eq!(code, Some(1), "{out}");
    let expected = "routes.yaml:14:61: warning: XBackend default/own: spec.externalHostname.hostname: localhost leads to the machine";
    assert!(out.contains(expected), "{out}");
    assert!(out.contains("let names lead anywhere (`--external-hostnames any`)"), "{out}");
    let (code, out, _) = check(&["--external-hostnames", "any"]);
    assert_eq!(code, Some(0), "{out}");
    let (code, out, _) = check(&["--external-hostnames", "none"]);
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("ExternalHostname is not supported"), "{out}");
    let explain = ["explain", path, "-r", "GET http://x.example/"];
    let (code, out, _) = texts(&run(&[&explain[..], &["--external-hostnames", "none"]].concat()));
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("backend  XBackend default/own is invalid"), "{out}");
    let (code, out, _) = texts(&run(&explain));
    assert_eq!(code, Some(0), "{out}");
}
