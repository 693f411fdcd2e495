//! The `gateway` program, end to end: real files, real sockets, a process of its own.

mod harness;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use gateway_examples::echo::EchoBackend;
use harness::{GATEWAY, Gateway, PATIENCE, get, get_with, route, secret, send, service};
use http::Request;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A gateway with one route, whose rules lead to these backends.
async fn gateway(backends: &[&str], rules: &str) -> (Gateway, Vec<EchoBackend>) {
    let mut running = Vec::new();
    for name in backends {
        running.push(EchoBackend::start(*name).await.unwrap());
    }
    let services: String = running.iter().map(service).collect();
    let routes = route("main", rules);
    let files = [("gateway.yaml", GATEWAY), ("services.yaml", &services), ("routes.yaml", &routes)];
    (Gateway::start(&files, &[]), running)
}

// HRM-01, HRM-04, HRM-05, HRM-08, HRM-12, HRM-15, HRM-16, HRM-20
#[tokio::test]
async fn path_header_query_and_method_decide() {
    let (gateway, _backends) = gateway(
        &["prefix", "exact", "regex", "header", "query", "method"],
        "
  - matches: [{path: {type: PathPrefix, value: /shop}}]
    backendRefs: [{name: prefix, port: 80}]
  - matches: [{path: {type: Exact, value: /shop/cart}}]
    backendRefs: [{name: exact, port: 80}]
  - matches: [{path: {type: RegularExpression, value: '/item/[0-9]+'}}]
    backendRefs: [{name: regex, port: 80}]
  - matches: [{path: {value: /shop}, headers: [{name: X-Version, value: beta}]}]
    backendRefs: [{name: header, port: 80}]
  - matches: [{path: {value: /shop}, queryParams: [{name: version, value: beta}]}]
    backendRefs: [{name: query, port: 80}]
  - matches: [{path: {value: /shop}, method: POST}]
    backendRefs: [{name: method, port: 80}]
",
    )
    .await;
    let address = gateway.address("http");
    for (path, headers, backend) in [
        ("/shop", &[][..], "prefix"),
        ("/shop/other", &[], "prefix"),
        ("/shop/cart", &[], "exact"),
        ("/shop/cart/1", &[], "prefix"),
        ("/item/12", &[], "regex"),
        ("/shop", &[("x-version", "beta")], "header"),
        ("/shop", &[("x-version", "BETA")], "prefix"),
        ("/shop?version=beta", &[], "query"),
        ("/shop?version=beta", &[("x-version", "beta")], "header"),
    ] {
        assert_eq!(get_with(address, path, headers).await.backend(), backend, "{path} {headers:?}");
    }
    let post = Request::post("/shop").header("host", "x.example").body("an order").unwrap();
    let answer = send(address, post).await;
    assert_eq!((answer.backend().as_str(), &answer.json()["bodyBytes"]), ("method", &Value::from(8)));
    for path in ["/", "/shopping", "/item/x"] {
        assert_eq!(get(address, path).await.status, 404, "{path}");
    }
}

// HRM-11
#[tokio::test]
async fn the_host_header_can_be_matched_by_name() {
    let rules =
        to("shop", "/").replace("value: /}", "value: /}, headers: [{name: Host, value: 'a.example:81'}]");
    let (gateway, _backends) = gateway(&["shop"], &rules).await;
    let ask =
        |host: &str| send(gateway.address("http"), Request::get("/").header("host", host).body("").unwrap());
    assert_eq!(ask("a.example:81").await.status, 200);
    assert_eq!(ask("a.example").await.status, 404);
}

// FRD-01, FRD-05, FRW-01, FRW-03, FHM-01, FHM-02, FHM-03, FHM-08
#[tokio::test]
async fn redirects_rewrites_and_header_modifiers_are_carried_out() {
    let (gateway, _backends) = gateway(
        &["shop"],
        "
  - matches: [{path: {value: /old}}]
    filters:
    - type: RequestRedirect
      requestRedirect: {scheme: https, statusCode: 301, path: {type: ReplacePrefixMatch, replacePrefixMatch: /new}}
  - matches: [{path: {value: /api/v1}}]
    filters:
    - type: URLRewrite
      urlRewrite: {hostname: internal.example, path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}
    backendRefs: [{name: shop, port: 80}]
  - matches: [{path: {value: /headers}}]
    filters:
    - type: RequestHeaderModifier
      requestHeaderModifier: {set: [{name: x-set, value: new}], add: [{name: x-add, value: more}], remove: [x-remove]}
    - type: ResponseHeaderModifier
      responseHeaderModifier: {set: [{name: x-set, value: answer}], remove: [x-backend]}
    backendRefs: [{name: shop, port: 80}]
",
    )
    .await;
    let address = gateway.address("http");
    let answer = get(address, "/old/cart?item=1").await;
    assert_eq!(answer.status, 301);
    assert_eq!(answer.header("location"), Some("https://www.example.com/new/cart?item=1"));

    let seen = get(address, "/api/v1/items?page=2").await.json();
    assert_eq!(
        (&seen["path"], &seen["query"], &seen["host"]),
        (&"/items".into(), &"page=2".into(), &"internal.example".into())
    );

    let headers = [("x-set", "old"), ("x-add", "one"), ("x-remove", "secret"), ("x-keep", "kept")];
    let answer = get_with(address, "/headers", &headers).await;
    let seen = &answer.json()["headers"];
    assert_eq!(
        (&seen["x-set"], &seen["x-add"], &seen["x-keep"]),
        (&"new".into(), &"one, more".into(), &"kept".into())
    );
    assert_eq!(seen["x-remove"], Value::Null);
    assert_eq!((answer.header("x-set"), answer.header("x-backend")), (Some("answer"), None));
}

// FCO-01, FCO-02, FCO-03, FCO-04, FCO-08, FCO-09, FCO-14
#[tokio::test]
async fn preflights_are_answered_and_requests_of_other_origins_get_no_permission() {
    let (gateway, backends) = gateway(
        &["shop"],
        "
  - filters:
    - type: CORS
      cors: {allowOrigins: ['https://*.example.com'], allowMethods: [GET, PUT], allowCredentials: true, maxAge: 600}
    backendRefs: [{name: shop, port: 80}]
",
    )
    .await;
    let address = gateway.address("http");
    let preflight = |origin: &str| {
        let request = Request::options("/").header("host", "x.example").header("origin", origin);
        request.header("access-control-request-method", "PUT").body("").unwrap()
    };
    let answer = send(address, preflight("https://app.example.com")).await;
    assert!(matches!(answer.status, 200 | 204), "{answer:?}");
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example.com"));
    assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
    assert_eq!(answer.header("access-control-max-age"), Some("600"));
    assert!(answer.header("access-control-allow-methods").unwrap().contains("PUT"));
    let answer = send(address, preflight("https://evil.example")).await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert_eq!(backends[0].total(), 0, "no preflight reaches a backend");

    let answer = get_with(address, "/", &[("origin", "https://app.example.com")]).await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (200, Some("https://app.example.com"))
    );
    let answer = get_with(address, "/", &[("origin", "https://evil.example")]).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, None));
}

// FMR-01, FMR-05
#[tokio::test]
async fn mirrored_requests_reach_the_other_backend_too() {
    let (gateway, backends) = gateway(
        &["shop", "audit"],
        "
  - filters:
    - {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: x-before, value: 'yes'}]}}
    - {type: RequestMirror, requestMirror: {backendRef: {name: audit, port: 80}}}
    backendRefs: [{name: shop, port: 80}]
",
    )
    .await;
    let post = Request::post("/order").header("host", "x.example").body("an order").unwrap();
    assert_eq!(send(gateway.address("http"), post).await.backend(), "shop");
    let audit = &backends[1];
    tokio::time::timeout(PATIENCE, async {
        while audit.total() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the mirror receives the request");
    let seen = &audit.received()[0];
    assert_eq!((&seen["path"], &seen["bodyBytes"]), (&"/order".into(), &8.into()));
    assert_eq!(seen["headers"]["x-before"], "yes");
}

// HRB-03, HRB-04, HRB-10, HRB-12
#[tokio::test]
async fn weights_share_the_requests_and_bad_backends_keep_their_share() {
    let (gateway, _backends) = gateway(
        &["stable", "canary", "unused"],
        "
  - matches: [{path: {value: /split}}]
    backendRefs: [{name: stable, port: 80, weight: 7}, {name: canary, port: 80, weight: 3}, {name: unused, port: 80, weight: 0}]
  - matches: [{path: {value: /half}}]
    backendRefs: [{name: stable, port: 80}, {name: nowhere, port: 80}]
",
    )
    .await;
    let address = gateway.address("http");
    let mut counts = BTreeMap::new();
    for _ in 0..200 {
        *counts.entry(get(address, "/split").await.backend()).or_insert(0) += 1;
    }
    // Less likely than one in a thousand billion to be outside of these by chance.
    assert!((90..190).contains(&counts["stable"]), "{counts:?}");
    assert_eq!(counts["stable"] + counts["canary"], 200);
    let mut statuses = BTreeMap::new();
    for _ in 0..100 {
        *statuses.entry(get(address, "/half").await.status).or_insert(0) += 1;
    }
    assert!(statuses[&200] > 15 && statuses[&500] > 15, "{statuses:?}");
}

// TMO-01, TMO-02, RTY-01, RTY-02, RTY-03
#[tokio::test]
async fn timeouts_end_requests_and_retries_try_again() {
    let (gateway, _backends) = gateway(
        &["shop"],
        "
  - matches: [{path: {value: /slow}}]
    timeouts: {request: 50ms}
    backendRefs: [{name: shop, port: 80}]
  - matches: [{path: {value: /attempt}}]
    timeouts: {backendRequest: 50ms}
    backendRefs: [{name: shop, port: 80}]
  - matches: [{path: {value: /retried}}]
    retry: {codes: [503], attempts: 2, backoff: 1ms}
    backendRefs: [{name: shop, port: 80}]
",
    )
    .await;
    let address = gateway.address("http");
    assert_eq!(get(address, "/slow/delay?ms=60000").await.status, 504);
    assert_eq!(get(address, "/attempt/delay?ms=60000").await.status, 504);
    assert_eq!(get(address, "/slow/now").await.status, 200);
    assert_eq!(get(address, "/retried/flaky?fail=2&key=a").await.status, 200);
    assert_eq!(get(address, "/retried/flaky?fail=3&key=b").await.status, 503);
}

// SES-05: replicas that have one key understand each other's sessions, and no other gateway does.
#[tokio::test]
async fn a_session_is_known_to_all_gateways_with_its_key() {
    let backend = EchoBackend::start("shop").await.unwrap();
    let services = service(&backend);
    let rules = "  - sessionPersistence: {cookie: {name: cart}}\n    backendRefs: [{name: shop, port: 80}]";
    let routes = route("main", rules);
    let files = [("gateway.yaml", GATEWAY), ("services.yaml", &services), ("routes.yaml", &routes)];
    let keys = tempfile::tempdir().unwrap();
    let started = |secret: &str| {
        let key = keys.path().join(secret);
        fs::write(&key, format!("{secret}\n")).unwrap();
        Gateway::start(&files, &["--session-key", key.to_str().unwrap()])
    };
    let replicas = [started("a-secret-of-the-gateways"), started("a-secret-of-the-gateways")];
    let others = [started("a-secret-of-another-one"), Gateway::start(&files, &[])];
    let first = get(replicas[0].address("http"), "/").await;
    let cookie = first.header("set-cookie").expect("a session begins").split(';').next().unwrap();
    assert!(cookie.starts_with("cart="), "{cookie}");
    for gateway in &replicas {
        let again = get_with(gateway.address("http"), "/", &[("cookie", cookie)]).await;
        assert_eq!((again.status, again.header("set-cookie")), (200, None));
    }
    for gateway in &others {
        let again = get_with(gateway.address("http"), "/", &[("cookie", cookie)]).await;
        assert!(again.header("set-cookie").is_some_and(|other| !other.starts_with(cookie)));
    }
}

// BPR-07
#[tokio::test]
async fn a_websocket_echoes_through_the_gateway() {
    let (gateway, _backends) = gateway(&["chat"], "  - backendRefs: [{name: chat, port: 80}]").await;
    let url = format!("ws://{}/room", gateway.address("http"));
    let (mut socket, response) = tokio_tungstenite::connect_async(url).await.unwrap();
    assert_eq!(response.status(), 101);
    for text in ["hello", "again"] {
        socket.send(text.into()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap().into_text().unwrap().as_str(), text);
    }
    let large = vec![7u8; 300_000];
    socket.send(large.clone().into()).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap().into_data(), large);
}

// GWT-10, HST-08, HST-20
#[tokio::test]
async fn https_ends_here_and_a_connection_for_another_listener_gets_421() {
    let backend = EchoBackend::start("shop").await.unwrap();
    let certified =
        rcgen::generate_simple_self_signed(["a.example".to_owned(), "b.example".to_owned()]).unwrap();
    let tls = harness::gateway(
        "{name: a, port: 443, protocol: HTTPS, hostname: a.example, tls: {certificateRefs: [{name: certificate}]}},
        {name: b, port: 443, protocol: HTTPS, hostname: b.example, tls: {certificateRefs: [{name: certificate}]}}",
    ) + &secret("certificate", &certified.cert.pem(), &certified.signing_key.serialize_pem());
    let routes = route("main", "  - backendRefs: [{name: shop, port: 80}]");
    let files =
        [("gateway.yaml", tls.as_str()), ("services.yaml", &service(&backend)), ("routes.yaml", &routes)];
    let gateway = Gateway::start(&files, &[]);
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certified.cert.der().clone()).unwrap();
    let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let stream = TcpStream::connect(gateway.address("a")).await.unwrap();
    let stream = connector.connect("a.example".try_into().unwrap(), stream).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    for (host, status) in [("a.example", 200), ("b.example", 421), ("c.example", 404)] {
        sender.ready().await.unwrap();
        let request = Request::get("/").header("host", host);
        let response =
            sender.send_request(request.body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap()).await;
        assert_eq!(harness::answer(response.unwrap()).await.status, status, "{host}");
    }
}

fn to(backend: &str, path: &str) -> String {
    format!("  - matches: [{{path: {{value: {path}}}}}]\n    backendRefs: [{{name: {backend}, port: 80}}]")
}

#[tokio::test]
async fn changed_files_are_served_without_a_restart_and_open_connections_stay() {
    let (gateway, _backends) = gateway(&["old", "new"], &to("old", "/shop")).await;
    let address = gateway.address("http");
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut ask = async || {
        sender.ready().await.unwrap();
        let request = Request::get("/shop")
            .header("host", "x.example")
            .body(http_body_util::Empty::<bytes::Bytes>::new());
        harness::answer(sender.send_request(request.unwrap()).await.unwrap()).await.backend()
    };
    assert_eq!(ask().await, "old");
    gateway.write("routes.yaml", route("main", &to("new", "/shop")));
    gateway.until(address, "/shop", |answer| answer.backend() == "new").await;
    assert_eq!(ask().await, "new", "on the same connection");
    gateway.wait_for_line("changed HTTPRoute default/main");

    // A new listener is bound, and an old one is closed.
    gateway.write("gateway.yaml", GATEWAY.replace("name: http, port: 80", "name: other, port: 443"));
    gateway.wait_for_line("changed Gateway default/web");
    let start = std::time::Instant::now();
    while TcpStream::connect(address).await.is_ok() {
        assert!(start.elapsed() < PATIENCE, "the old port is still open");
    }
}

#[tokio::test]
async fn a_bad_edit_keeps_what_was_good_and_says_what_is_wrong_and_where() {
    let (gateway, _backends) = gateway(&["shop"], &to("shop", "/shop")).await;
    let address = gateway.address("http");
    gateway.write("second.yaml", route("second", &to("shop", "/second")));
    gateway.until(address, "/second", |answer| answer.status == 200).await;
    let good = route("main", &to("shop", "/shop"));
    for (name, text, place, message) in [
        (
            "not YAML",
            good.replace("kind: HTTPRoute", "kind: [HTTPRoute"),
            "routes.yaml:",
            "the last good version of the file stays in use",
        ),
        (
            "a wrong type",
            good.replace("port: 80", "port: eighty"),
            "routes.yaml:2:1: error: HTTPRoute main: spec.rules[0].backendRefs[0].port",
            "the last good version of the object stays in use",
        ),
        (
            "against a rule",
            good.replace("/shop", "shop"),
            "routes.yaml:8:30: error: HTTPRoute default/main: spec.rules[0].matches[0].path.value",
            "the last good version stays in use",
        ),
        ("not UTF-8", String::new(), "routes.yaml:1:1", "not UTF-8"),
    ] {
        let said = gateway.lines().len();
        match text.as_str() {
            "" => gateway.write("routes.yaml", b"\xff\xfe\xfd"),
            text => gateway.write("routes.yaml", text),
        }
        // The files around it are followed all the same.
        gateway.write("second.yaml", route("second", &to("shop", &format!("/after-{}", said))));
        gateway.until(address, &format!("/after-{said}"), |answer| answer.status == 200).await;
        let line = gateway.wait_for_line_after(said, place.split(':').next().unwrap());
        let line = if line.contains(message) { line } else { gateway.wait_for_line_after(said, message) };
        assert!(line.contains(message), "{name}: {line}");
        assert!(line.contains("routes.yaml:"), "{name}: {line}");
        assert_eq!(get(address, "/shop").await.status, 200, "{name}");
    }
    gateway.write("routes.yaml", route("main", &to("shop", "/again")));
    gateway.until(address, "/again", |answer| answer.status == 200).await;
    assert_eq!(get(address, "/shop").await.status, 404);
}

#[tokio::test]
async fn a_deleted_file_takes_its_objects_with_it_and_an_emptied_one_does_not() {
    let (gateway, _backends) = gateway(&["shop"], &to("shop", "/shop")).await;
    let address = gateway.address("http");
    gateway.write("second.yaml", route("second", &to("shop", "/second")));
    gateway.until(address, "/second", |answer| answer.status == 200).await;
    fs::remove_file(gateway.path("second.yaml")).unwrap();
    gateway.until(address, "/second", |answer| answer.status == 404).await;
    assert_eq!(get(address, "/shop").await.status, 200);
    // In place, as `> routes.yaml` does, and as a write does for which there is no room.
    fs::write(gateway.path("routes.yaml"), "").unwrap();
    gateway.wait_for_line("the file is empty");
    assert_eq!(get(address, "/shop").await.status, 200);
    fs::write(gateway.path("routes.yaml"), route("main", &to("shop", "/other"))).unwrap();
    gateway.until(address, "/other", |answer| answer.status == 200).await;
    assert_eq!(get(address, "/shop").await.status, 404);
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_kubernetes_mounts_is_followed_when_its_link_is_swapped() {
    use std::os::unix::fs::symlink;
    let (gateway, _backends) = gateway(&["shop"], &to("shop", "/shop")).await;
    let address = gateway.address("http");
    for (version, path) in [("..v1", "/one"), ("..v2", "/two")] {
        fs::create_dir(gateway.path(version)).unwrap();
        fs::write(gateway.path(version).join("mounted.yaml"), route("mounted", &to("shop", path))).unwrap();
    }
    symlink("..v1", gateway.path("..data")).unwrap();
    symlink("..data/mounted.yaml", gateway.path("mounted.yaml")).unwrap();
    gateway.until(address, "/one", |answer| answer.status == 200).await;
    symlink("..v2", gateway.path("..data_tmp")).unwrap();
    fs::rename(gateway.path("..data_tmp"), gateway.path("..data")).unwrap();
    gateway.until(address, "/two", |answer| answer.status == 200).await;
    assert_eq!(get(address, "/one").await.status, 404);
}

#[tokio::test]
async fn of_two_files_with_the_same_route_the_first_stays_and_both_are_named() {
    let (gateway, _backends) = gateway(&["shop"], &to("shop", "/first")).await;
    gateway.write("second.yaml", route("main", &to("shop", "/second")));
    let line = gateway.wait_for_line("HTTPRoute default/main: metadata.name");
    assert!(line.contains("second.yaml:2:1") && line.contains("routes.yaml:2:1"), "{line}");
    assert_eq!(get(gateway.address("http"), "/second").await.status, 404);
}

// HRM-06, GEN-14, VAL-ST-05
#[tokio::test]
async fn whatever_is_written_the_good_routes_are_served() {
    let (gateway, _backends) = gateway(&["shop"], &to("shop", "/shop")).await;
    let address = gateway.address("http");
    let rule = |path: &str| {
        format!(
            "  - matches: [{{path: {{type: RegularExpression, value: '{path}'}}}}]\n    backendRefs: [{{name: shop, port: 80}}]"
        )
    };
    let document =
        |kind: &str| format!("---\napiVersion: example.com/v1\nkind: {kind}\nmetadata: {{name: x}}\n");
    let alias_bomb = {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..12 {
            let previous = format!("*a{}", i - 1);
            text.push_str(&format!("a{i}: &a{i} [{}]\n", vec![previous; 9].join(", ")));
        }
        format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: x}}\nspec:\n  {}",
            text.replace('\n', "\n  ")
        )
    };
    for (name, text) in [
        ("an unknown kind", document("Deployment")),
        (
            "an unknown kind of the group",
            document("HTTPRout").replace("example.com", "gateway.networking.k8s.io"),
        ),
        (
            "10 MB of one string",
            format!(
                "{}data: {{x: '{}'}}\n",
                document("ConfigMap").replace("example.com/", ""),
                "x".repeat(10 << 20)
            ),
        ),
        ("10 MB of documents", document("Deployment").repeat((10 << 20) / 60)),
        ("10 MB of brackets", "[".repeat(10 << 20)),
        ("aliases of aliases", alias_bomb),
        ("a pattern that explodes", route("bomb", &rule("/((a{1000}){1000}){1000}"))),
        ("a pattern that is none", route("none", &rule("/(["))),
        (
            "an unknown filter",
            route("filter", "  - filters: [{type: Teleport}]\n    backendRefs: [{name: shop, port: 80}]"),
        ),
        ("a very deep document", "a: ".to_owned() + &"{a: ".repeat(100_000)),
        ("binary", "\u{0}\u{1}\u{2}".to_owned()),
    ] {
        let said = gateway.lines().len();
        gateway.write("bad.yaml", &text);
        // Read after the bad one, whatever order they are noticed in: files are read by name.
        gateway.write("zz.yaml", route("after", &to("shop", &format!("/after-{said}"))));
        gateway.until(address, &format!("/after-{said}"), |answer| answer.status == 200).await;
        assert_eq!(get(address, "/shop").await.status, 200, "{name}");
    }
}

// AMB-16
#[tokio::test]
async fn whatever_is_sent_the_next_client_is_served() {
    let (gateway, backends) = gateway(&["shop"], &to("shop", "/")).await;
    let address = gateway.address("http");
    let long = format!("GET / HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "x".repeat(1 << 20));
    let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "x: y\r\n".repeat(10_000));
    for (name, bytes) in [
        ("no HTTP", b"\x00\x01\x02\x03 hello\r\n\r\n".as_slice()),
        ("no host", b"GET / HTTP/1.1\r\n\r\n"),
        ("two hosts", b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n"),
        ("a bad host", b"GET / HTTP/1.1\r\nhost: a b\r\n\r\n"),
        ("two lengths", b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"),
        (
            "a length and chunks",
            b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        ("a bad chunk", b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n"),
        ("a header that is too long", long.as_bytes()),
        ("too many headers", many.as_bytes()),
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // A refusal may come, and the connection be closed, before all is sent.
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect(name);
        let answer = String::from_utf8_lossy(&answer);
        let refused = answer.is_empty()
            || ["400", "404", "431", "502"]
                .iter()
                .any(|status| answer.starts_with(&format!("HTTP/1.1 {status}")));
        assert!(refused || name == "a length and chunks", "{name}: {answer}");
        assert_eq!(get(address, "/").await.status, 200, "{name}");
    }
    assert!(backends[0].total() >= 9, "the good requests were served");
}

#[tokio::test]
async fn requests_under_way_are_answered_before_it_ends() {
    let (gateway, _backends) = gateway(&["shop"], &to("shop", "/")).await;
    let address = gateway.address("http");
    let slow = tokio::spawn(async move { get(address, "/delay?ms=700").await.status });
    // Its request must be under way.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    gateway.terminate();
    gateway.wait_for_line("ending; requests under way have 10s");
    assert_eq!(slow.await.unwrap(), 200);
    assert!(TcpStream::connect(address).await.is_err(), "nothing new is taken");
    assert!(gateway.ended().success());
}

#[tokio::test]
async fn the_admin_port_tells_what_is_counted() {
    let backend = EchoBackend::start("shop").await.unwrap();
    let routes =
        |path: &str| route("main", &(to("shop", path) + "\n    name: shop\n" + &to("nowhere", "/bad")));
    let (services, rules) = (service(&backend), routes("/shop"));
    let files = [("gateway.yaml", GATEWAY), ("services.yaml", &services), ("routes.yaml", &rules)];
    let gateway = Gateway::start(&files, &["--admin", "127.0.0.1:0"]);
    let (address, admin) = (gateway.address("http"), gateway.admin());
    for path in ["/shop/1", "/shop/2", "/bad", "/none"] {
        get(address, path).await;
    }
    let head = r#"gateway="default/web",listener="http""#;
    let main = format!(r#"{head},route_kind="HTTPRoute",route="default/main""#);
    let get = r#"http_request_method="GET",http_response_status_class"#;
    let expected = [
        format!(r#"http_server_requests_total{{{head},{get}="4xx"}} 1"#),
        format!(r#"http_server_requests_total{{{main},rule="0",rule_name="shop",{get}="2xx"}} 2"#),
        format!(r#"http_server_requests_total{{{main},rule="1",{get}="5xx"}} 1"#),
        format!(r#"gateway_refused_requests_total{{{head},reason="no_rule"}} 1"#),
        format!(
            r#"gateway_refused_requests_total{{{main},rule="1",backend="default/nowhere:80",reason="unresolved_backend"}} 1"#
        ),
        format!(
            "http_client_request_duration_seconds_count{{{main},rule=\"0\",rule_name=\"shop\",backend=\"default/shop:80\",\
             http_response_status_class=\"2xx\"}} 2"
        ),
        r#"gateway_connections_accepted_total{gateway="default/web",network_transport="tcp",port="80"} 4"#
            .to_owned(),
        "gateway_config_generation 1".to_owned(),
        "gateway_config_served_duration_seconds_count 0".to_owned(),
    ];
    let has_all =
        |body: &str, lines: &[String]| lines.iter().all(|line| body.lines().any(|known| known == line));
    let answer = gateway.until(admin, "/metrics", |answer| has_all(&answer.body, &expected)).await;
    assert_eq!(
        answer.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    assert!(answer.body.ends_with("# EOF\n"));

    gateway.write("routes.yaml", routes("/other"));
    let expected =
        ["gateway_config_generation 2", "gateway_config_served_duration_seconds_count 1"].map(str::to_owned);
    gateway.until(admin, "/metrics", |answer| has_all(&answer.body, &expected)).await;
}

#[tokio::test]
async fn one_thread_is_enough_and_the_admin_port_and_the_access_log_tell_how_it_goes() {
    let backend = EchoBackend::start("shop").await.unwrap();
    let files = [
        ("gateway.yaml", GATEWAY.to_owned()),
        ("services.yaml", service(&backend)),
        (
            "routes.yaml",
            route("main", &(to("shop", "/shop") + "\n    name: shop\n" + &to("nowhere", "/bad"))),
        ),
    ];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    let gateway =
        Gateway::start(&files, &["--threads", "1", "--admin", "127.0.0.1:0", "--access-log", "json"]);
    let (address, admin) = (gateway.address("http"), gateway.admin());
    assert_eq!(get(admin, "/healthz").await.status, 200);
    gateway.until(admin, "/readyz", |answer| answer.status == 200).await;
    assert!(get(admin, "/status").await.body.contains("default/web/http"));

    get(address, "/shop/1?a=b").await;
    get(address, "/bad").await;
    get(address, "/none").await;
    let lines: Vec<Value> =
        gateway.access_log(3).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected = [
        (200, "backend", Some("default/main"), Some("shop"), None),
        (500, "gateway", Some("default/main"), Some("1"), Some("the reference to the backend is invalid")),
        (404, "gateway", None, None, Some("no rule of the routes attached to the listener matches")),
    ];
    for (line, (status, answered_by, route, rule, reason)) in lines.iter().zip(expected) {
        assert_eq!((&line["status"], &line["answered_by"]), (&status.into(), &answered_by.into()), "{line}");
        assert_eq!(
            (line["route"].as_str(), line["rule"].as_str(), line["reason"].as_str()),
            (route, rule, reason),
            "{line}"
        );
        assert_eq!(
            (&line["listener"], &line["generation"]),
            (&"default/web/http".into(), &1.into()),
            "{line}"
        );
    }
    assert_eq!((&lines[0]["path"], &lines[0]["query"]), (&"/shop/1".into(), &"a=b".into()));
    assert_eq!(lines[0]["backend"], "default/shop:80");
    assert_eq!(lines[1]["backend"], "default/nowhere:80");
    assert_eq!(lines[0]["endpoint"], backend.address().to_string());
    assert!(lines[0]["bytes"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn streams_have_lines_and_are_counted_by_their_route() {
    let backend = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = backend.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = backend.accept().await {
            let mut question = Vec::new();
            let _ = stream.read_to_end(&mut question).await;
            let _ = stream.write_all(b"answer").await;
        }
    });
    let manifest = format!(
        "{}
---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {{name: db}}
spec:
  parentRefs: [{{name: web}}]
  rules: [{{backendRefs: [{{name: db, port: 5432}}]}}]
---
apiVersion: v1
kind: Service
metadata: {{name: db}}
spec: {{ports: [{{port: 5432}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: db, labels: {{kubernetes.io/service-name: db}}}}
addressType: IPv4
ports: [{{port: {}}}]
endpoints: [{{addresses: [{}]}}]
",
        GATEWAY.replace("{name: http, port: 80, protocol: HTTP}", "{name: tcp, port: 80, protocol: TCP}"),
        endpoint.port(),
        endpoint.ip(),
    );
    let gateway =
        Gateway::start(&[("all.yaml", &manifest)], &["--admin", "127.0.0.1:0", "--access-log", "json"]);
    let mut client = TcpStream::connect(gateway.address("tcp")).await.unwrap();
    client.write_all(b"ask").await.unwrap();
    client.shutdown().await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "answer");
    let line: Value = serde_json::from_str(&gateway.access_log(1)[0]).unwrap();
    for (field, expected) in [
        ("transport", "tcp".into()),
        ("listener", "default/web/tcp".into()),
        ("route", "default/db".into()),
        ("backend", "default/db:5432".into()),
        ("endpoint", endpoint.to_string().into()),
        ("bytes_received", 3.into()),
        ("bytes", 6.into()),
        ("result", Value::from("closed_by_client")),
    ] {
        assert_eq!(line[field], expected, "{field} of {line}");
    }
    let place = r#"{gateway="default/web",listener="tcp",route_kind="TCPRoute",route="default/db",rule="0",backend="default/db:5432""#;
    let lines = [
        format!(r#"gateway_streams_total{place},result="closed_by_client"}} 1"#),
        format!(r#"gateway_stream_bytes_total{place},direction="received"}} 3"#),
    ];
    gateway
        .until(gateway.admin(), "/metrics", |answer| lines.iter().all(|line| answer.body.contains(line)))
        .await;
}

#[tokio::test]
async fn a_line_of_text_has_a_backend_with_its_kind_in_quotes() {
    let to_pods = "  - backendRefs: [{group: gateway.networking.x-k8s.io, kind: XBackend, name: pods}]";
    let pods = "
apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XBackend
metadata: {name: pods}
spec: {type: EndpointSelector, endpointSelector: {matchLabels: {app: shop}}, port: {number: 3101}}
";
    let routes = route("main", to_pods);
    let files = [("gateway.yaml", GATEWAY), ("pods.yaml", pods), ("routes.yaml", routes.as_str())];
    let gateway = Gateway::start(&files, &["--access-log", "text"]);
    assert_eq!(get(gateway.address("http"), "/").await.status, 503, "there are no Pods");
    let lines = gateway.access_log(1);
    assert!(lines[0].contains(" backend=\"XBackend default/pods:3101\" "), "{lines:?}");
}

#[tokio::test]
async fn what_every_connection_lacks_is_said_once_without_being_asked_for() {
    let files = [("gateway.yaml", GATEWAY)];
    let gateway = Gateway::start(&files, &["--accept-proxy-protocol"]);
    for _ in 0..2 {
        let mut client = TcpStream::connect(gateway.address("http")).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: a.example\r\n\r\n").await.unwrap();
        assert!(!matches!(client.read(&mut [0; 1]).await, Ok(1)));
    }
    gateway.wait_for_line("a connection that begins with no PROXY header is closed");
    let said = gateway.lines();
    assert_eq!(said.iter().filter(|line| line.contains("no PROXY header")).count(), 1, "{said:#?}");
}

#[test]
fn what_is_said_for_a_file_has_no_colours_and_tells_tcp_from_udp() {
    let listeners = "[{name: tcp, port: 53, protocol: TCP}, {name: udp, port: 53, protocol: UDP}]";
    let gateway = GATEWAY.replace("[{name: http, port: 80, protocol: HTTP}]", listeners);
    let gateway =
        Gateway::start(&[("gateway.yaml", &gateway)], &["--port-map", "53=0", "--log", "gateway_tower=info"]);
    let addresses = ["tcp", "udp"].map(|name| {
        let row = gateway.wait_for_line(&format!("default/web/{name} "));
        row.split_whitespace().nth(2).unwrap().parse::<SocketAddr>().expect(&row)
    });
    assert_ne!(addresses[0], addresses[1]);
    for (transport, address) in ["tcp", "udp"].into_iter().zip(addresses) {
        let bound = gateway.wait_for_line(&format!("bound address={address} "));
        assert!(bound.contains(&format!(" transport={transport} gateway=default/web port=53")), "{bound}");
    }
}

// GEN-01
#[tokio::test]
async fn statuses_are_written_into_a_file_when_they_are_true() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("status.json");
    let started = EchoBackend::start("shop").await.unwrap();
    let route = route("main", &to("shop", "/"));
    let files = [("gateway.yaml", GATEWAY), ("services.yaml", &service(&started)), ("route.yaml", &route)];
    let gateway = Gateway::start(&files, &["--write-status", file.to_str().unwrap()]);
    let until = |looked_for: &dyn Fn(&Value) -> bool| {
        let start = std::time::Instant::now();
        loop {
            let text = fs::read_to_string(&file).unwrap_or_default();
            if let Ok(list) = serde_json::from_str::<Value>(&text)
                && looked_for(&list)
            {
                return list;
            }
            assert!(start.elapsed() < PATIENCE, "{text}");
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    };
    let list = until(&|list| list["items"][2]["kind"] == "HTTPRoute");
    let status = &list["items"][1]["status"];
    assert_eq!(status["addresses"][0]["value"], "127.0.0.1");
    assert_eq!(status["listeners"][0]["attachedRoutes"], 1);
    assert_eq!(get(gateway.address("http"), "/").await.status, 200);

    fs::remove_file(gateway.path("route.yaml")).unwrap();
    until(&|list| list["items"][1]["status"]["listeners"][0]["attachedRoutes"] == 0);
    assert_eq!(get(gateway.address("http"), "/").await.status, 404);
}

#[cfg(unix)]
#[tokio::test]
async fn clients_that_do_nothing_leave_open_files_for_backends() {
    let backend = EchoBackend::start("only").await.unwrap();
    let routes = route("main", "  - backendRefs: [{name: only, port: 80}]");
    let services = service(&backend);
    let files = [("gateway.yaml", GATEWAY), ("services.yaml", &*services), ("routes.yaml", &*routes)];
    let gateway = Gateway::start_with_open_files(64, 128, &files, &[]);
    gateway.wait_for_line("clients get at most 64 connections");
    let address = gateway.address("http");
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(TcpStream::connect(address).await.unwrap());
    }
    // So that the gateway has accepted what it does accept.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let first = &mut idle[0];
    first.write_all(b"GET / HTTP/1.1\r\nhost: example.com\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(PATIENCE, first.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

// XBK-05
#[tokio::test]
async fn a_name_that_is_not_found_is_said_in_the_status_in_metrics_and_in_the_log() {
    let to = "group: gateway.networking.x-k8s.io, kind: XBackend, name: pay";
    let backend = "---
apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XBackend
metadata: {name: pay}
spec: {type: ExternalHostname, externalHostname: {hostname: nowhere.invalid}, port: {number: 80}}
";
    let routes = route("main", &format!("  - backendRefs: [{{{to}}}]\n")) + backend;
    let files = [("gateway.yaml", GATEWAY), ("routes.yaml", &routes)];
    let gateway = Gateway::start(&files, &["--admin", "127.0.0.1:0"]);
    let admin = gateway.admin();
    // Whatever it says before, it is ready once the name was looked up, and not earlier.
    gateway.until(admin, "/readyz", |answer| answer.status == 200).await;
    let status = get(admin, "/status").await.body;
    let row =
        status.lines().find(|line| line.starts_with("nowhere.invalid")).unwrap_or_else(|| panic!("{status}"));
    assert!(row.contains("  default/pay  leads nowhere, requests are answered with 503: "), "{row}");
    let metrics = get(admin, "/metrics").await.body;
    let series = r#"gateway_name_lookups_total{backend="XBackend default/pay:80",result=""#;
    assert!(metrics.lines().any(|line| line.starts_with(series)), "{metrics}");
    let line = gateway.wait_for_line("the name is not found");
    for part in ["XBackend default/pay", "spec.externalHostname.hostname", "nowhere.invalid", "503"] {
        assert!(line.contains(part), "{part}: {line}");
    }
}
