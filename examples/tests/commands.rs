//! `gateway check` and `gateway explain`, and what the program says of wrong arguments.

mod harness;

use std::fs;

use harness::{GATEWAY, route, run};

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
    assert_eq!((code, out.as_str()), (Some(0), "3 objects, 1 rules served: 0 errors, 0 warnings\n"));
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
        "HTTPRoute default/both parent set Accepted=True/Accepted",
        "HTTPRoute default/extra parent web/extra Accepted=False/NoMatchingParent",
        "HTTPRoute default/extra parent set/extra Accepted=False/NoMatchingListenerHostname",
        "HTTPRoute default/port parent set Accepted=True/Accepted",
        "HTTPRoute default/port parent web Accepted=True/Accepted",
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
    assert!(out.contains("`gateway check` says more"), "{out}");

    let https = GATEWAY.replace(
        "port: 80, protocol: HTTP",
        "port: 443, protocol: HTTPS, hostname: a.example, tls: \
        {certificateRefs: [{name: tls}]}",
    );
    let signed = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
    let secret = format!(
        "---\napiVersion: v1\nkind: Secret\nmetadata: {{name: tls}}\ntype: kubernetes.io/tls\nstringData:\n  tls.crt: {:?}\n  tls.key: {:?}\n",
        signed.cert.pem(),
        signed.signing_key.serialize_pem()
    );
    fs::write(folder.path().join("gateway.yaml"), https + &secret).unwrap();
    fs::write(folder.path().join("routes.yaml"), route("shop", &redirect("/"))).unwrap();
    let explain = |host: &str| texts(&run(&["explain", path, "-r", &format!("GET https://{host}/")]));
    let (code, out, error) = explain("b.example");
    assert_eq!(code, Some(1), "{out}{error}");
    assert!(out.contains("The TLS handshake is refused"), "{out}");
    let (code, out, _) = explain("a.example");
    assert_eq!(code, Some(0), "{out}");
}

#[test]
fn wrong_arguments_are_explained() {
    let folder = folder(&[("gateway.yaml", GATEWAY.to_owned())]);
    let path = folder.path().to_str().unwrap();
    for (args, message) in [
        (vec!["check", "/no/such/folder"], "/no/such/folder: there is no such file or folder"),
        (vec!["check"], "<PATH>"),
        (vec!["run", path, "--port-map", "80"], "write PORT=PORT"),
        (vec!["run", path, "--drain-timeout", "ten"], "is not a duration"),
        (vec!["run", path, "--log", "gateway=loud"], "--log gateway=loud"),
        (vec!["explain", path, "-r", "GET /cart"], "write it as http://host/path"),
        (vec!["explain", path, "-r", "GET http://x.example:81/"], "there is http port 80 of default/web"),
        (vec!["explain", path, "-r", "GET http://x.example/", "-H", "novalue"], "write 'name: value'"),
    ] {
        let (code, _, error) = texts(&run(&args));
        assert_eq!(code, Some(2), "{args:?}: {error}");
        assert!(error.contains(message), "{args:?}: {error}");
    }
}
