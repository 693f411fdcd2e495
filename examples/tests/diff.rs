//! `gateway diff`: what would be decided otherwise.

mod harness;

use std::fs;
use std::path::Path;

use harness::{GATEWAY, SHOP, route, run};

/// A rule for this match, to these backends.
fn rule(matches: &str, backends: &str) -> String {
    let backends: Vec<_> = backends.split(' ').map(|name| format!("{{name: {name}, port: 80}}")).collect();
    format!("  - matches: [{{{matches}}}]\n    backendRefs: [{}]\n", backends.join(", "))
}

/// Runs `diff` on two manifests, beside those of the Gateway and the Services.
fn diff(old: &str, new: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let cart = SHOP.replace("shop", "cart").replace("127.0.0.1", "127.0.0.2");
    let both = path("both.yaml", &[GATEWAY, SHOP, &cart].concat());
    let output = run(&["diff", &path("old.yaml", old), &path("new.yaml", new), "--with", &both]);
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.code(), text.replace(&format!("{}/", folder.path().display()), ""))
}

#[track_caller]
fn assert_diff(old: &str, new: &str, expected: &str) {
    let (code, text) = diff(old, new);
    assert_eq!(text, expected);
    assert_eq!(code, Some(i32::from(expected != "nothing changes\n")));
}

#[test]
fn what_comes_goes_and_changes_is_told_by_host_in_the_order_of_precedence() {
    let old = route("shop", &(rule("path: {value: /old}", "cart") + &rule("method: GET", "shop")));
    let new = route(
        "shop",
        &[
            rule("path: {value: /cart}, headers: [{name: x, value: \"1\"}]", "cart"),
            rule("path: {type: RegularExpression, value: /i.*}", "cart"),
            rule("method: GET", "shop cart"),
            rule("method: GET", "cart"),
        ]
        .concat(),
    );
    assert_diff(
        &old,
        &new,
        "At default/web/http, host *, in the order of precedence:
  + RegularExpression /i.* → rule default/shop/1
      backend default/cart:80, weight 1
  + PathPrefix /cart, header x is \"1\" → rule default/shop/0, so far rule default/shop/1
      backend default/cart:80, weight 1
  - PathPrefix /old → rule default/shop/0, then rule default/shop/2
  ~ PathPrefix /, method is GET → rule default/shop/2, so far rule default/shop/1
      + backend default/cart:80, weight 1
  ! PathPrefix /, method is GET → rule default/shop/3
      gets nothing: rule default/shop/2 asks for the same and goes before it
",
    );
}

#[test]
fn what_only_moves_is_no_change_and_what_goes_before_something_else_is_one() {
    let header = |name: &str, to: &str| rule(&format!("headers: [{{name: {name}, value: \"1\"}}]"), to);
    let path = |path: &str, to: &str| rule(&format!("path: {{value: {path}}}"), to);
    for (old, new) in [
        (path("/a", "shop") + &path("/b", "cart"), path("/b", "cart") + &path("/a", "shop")),
        (header("a", "shop") + &header("b", "shop"), header("b", "shop") + &header("a", "shop")),
        (path("/", "shop"), format!("  - name: all\n    {}", path("/", "shop").trim_start_matches("  - "))),
    ] {
        assert_diff(&route("shop", &old), &route("shop", &new), "nothing changes\n");
    }
    let (a, b) = (header("a", "shop"), header("b", "cart"));
    assert_diff(
        &route("shop", &(a.clone() + &b)),
        &route("shop", &(b + &a)),
        "At default/web/http, host *, in the order of precedence:
  ~ PathPrefix /, header b is \"1\" → rule default/shop/0
      goes before PathPrefix /, header a is \"1\" → rule default/shop/1, and went after it
",
    );
}

#[test]
fn hosts_listeners_backends_filters_and_conditions_are_compared() {
    let shop = route("shop", &rule("path: {value: /}", "shop"));
    let two_hosts = shop.replace("  parentRefs", "  hostnames: [a.example, b.example]\n  parentRefs");
    let host = |host: &str| shop.replace("  parentRefs", &format!("  hostnames: [{host}]\n  parentRefs"));
    assert_diff(
        &two_hosts,
        &host("b.example"),
        "At default/web/http, host a.example, in the order of precedence:
  - PathPrefix / → rule default/shop/0, then no rule
",
    );
    let redirect = "filters: [{type: RequestRedirect, requestRedirect: {port: 8080}}]";
    let redirected = route("shop", &format!("  - {redirect}\n"));
    let (code, text) = diff(&shop, &redirected);
    assert_eq!(code, Some(1));
    for said in [
        "~ PathPrefix / → rule default/shop/0\n",
        "- backend default/shop:80, weight 1\n",
        "+ filter {",
        "- default/shop:80\n",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let lost = shop.replace("[{name: web}]", "[{name: web, sectionName: absent}]");
    let (code, text) = diff(&shop, &lost);
    assert_eq!(code, Some(1));
    for said in [
        "- PathPrefix / → rule default/shop/0, then no rule\n",
        "- HTTPRoute default/shop parent web\n",
        "+ HTTPRoute default/shop parent default/web/absent\n      Accepted=False/NoMatchingParent",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let absent = route("shop", &rule("path: {value: /}", "absent"));
    let (_, text) = diff(&shop, &absent);
    for said in [
        "+ backend default/absent:80, which is invalid, weight 1\n",
        "+ answered with 500 Internal Server Error: none of the backends of the rule can be found\n",
        "- ResolvedRefs=True/ResolvedRefs",
        "+ ResolvedRefs=False/BackendNotFound: there is no Service default/absent",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let second = "---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: second}
spec:
  gatewayClassName: example
  listeners: [{name: tcp, port: 81, protocol: TCP}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {name: tcp}
spec: {parentRefs: [{name: second}], rules: [{backendRefs: [{name: shop, port: 80}]}]}
";
    let (_, text) = diff(&shop, &(shop.clone() + second));
    for said in [
        "+ default/second/tcp\n      TCP, port 81 of Gateway default/second\n",
        "At default/second/tcp, host *, in the order of precedence:\n  + everything → rule TCPRoute default/tcp/0\n",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn a_manifest_that_is_wrong_is_told_apart_from_one_that_differs() {
    let shop = route("shop", &rule("path: {value: /}", "shop"));
    let (code, text) = diff(&shop, &shop.replace("value: /", "value: none"));
    assert_eq!(code, Some(2));
    assert!(text.contains("new.yaml:") && text.contains("error: HTTPRoute default/shop: "), "{text}");
    let absent = Path::new("absent.yaml").to_str().unwrap();
    let output = run(&["diff", absent, absent]);
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("absent.yaml: there is no such file"), "{error}");
}
