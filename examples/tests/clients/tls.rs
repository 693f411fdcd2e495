//! Handshakes as openssl makes them: versions, protocols, names and tickets.

use std::fs;
use std::process::Command;

use crate::harness::{Gateway, gateway};
use crate::programs::{Server, free_port, program, route, run, secret, service};

pub(crate) const PROGRAMS: &[&str] = &["openssl"];

pub(crate) fn openssl_shakes_hands_as_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    let of_shop = secret("shop", "shop.example", &certificate, &key);
    // What openssl serves is the page of the sessions that it has.
    let port = free_port();
    let mut server = program("openssl");
    server.args(["s_server", "-www", "-accept", &format!("127.0.0.1:{port}"), "-cert"]).arg(&certificate);
    server.arg("-key").arg(&key);
    let _server = Server::start(server, port);

    let listeners = "{name: https, port: 443, hostname: shop.example, protocol: HTTPS, tls: {certificateRefs: [{name: shop}]}}, \
                     {name: through, port: 6443, protocol: TLS, tls: {mode: Passthrough}}";
    let redirect = "  - filters: [{type: RequestRedirect, requestRedirect: {path: {type: ReplaceFullPath, replaceFullPath: /cart}}}]\n";
    let manifests = gateway(listeners)
        + &of_shop
        + &crate::harness::route("shop", redirect)
        + &route("TLSRoute", "through", "hostnames: [shop.example],", "openssl")
        + &service("openssl", "TCP", port);
    let gateway = Gateway::start(&[("all.yaml", &manifests)], &["--port-map", "6443=0"]);
    let client = |listener: &str, host: &str, more: &[&str]| -> Command {
        let mut client = program("openssl");
        client.args(["s_client", "-connect", &gateway.address(listener).to_string(), "-servername", host]);
        client.args(["-verify_hostname", "shop.example", "-verify_return_error", "-CAfile"]);
        client.arg(&certificate).args(more);
        client
    };
    let request = b"GET / HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\n\r\n";
    let said = |mut command: Command| {
        // It reads on when all is sent.
        let output = run(command.arg("-ign_eof"), request);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{command:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
        said
    };
    let session = folder.path().join("session.pem");
    let session = session.to_str().unwrap();
    for (version, name) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let answer =
            said(client("https", "shop.example", &[version, "-alpn", "http/1.1", "-sess_out", session]));
        for part in [
            "Verify return code: 0 (ok)",
            "ALPN protocol: http/1.1",
            &format!("New, {name}"),
            "HTTP/1.1 302 Found",
            "shop.example/cart",
        ] {
            assert!(answer.contains(part), "{version}: no {part:?} in {answer}");
        }
        // With the ticket of the connection before.
        let answer = said(client("https", "shop.example", &[version, "-sess_in", session]));
        assert!(answer.contains(&format!("Reused, {name}")) && answer.contains("/cart"), "{answer}");
        fs::remove_file(session).unwrap();

        let answer = said(client("through", "shop.example", &[version]));
        assert!(answer.contains("s_server") && answer.contains("HTTP/1.0 200 ok"), "{answer}");
    }
    // A gateway takes HTTP/2 from those who can have either; they are then to speak it, which openssl does not.
    let output = run(&mut client("https", "shop.example", &["-alpn", "http/1.1,h2"]), b"");
    assert!(String::from_utf8_lossy(&output.stdout).contains("ALPN protocol: h2"));
    for (listener, more, why) in [
        ("https", &["-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"][..], "alert handshake failure"),
        ("https", &["-alpn", "spdy/1"], "alert no application protocol"),
        // What no listener and no Route is for; where TLS does not end, nothing is said within it.
        ("https", &["-servername", "other.example"], "alert access denied"),
        ("through", &["-servername", "other.example"], ""),
    ] {
        let output = run(&mut client(listener, "shop.example", more), b"");
        let [said, error] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
        assert!(!output.status.success() && error.contains(why), "{listener} {more:?}: {error}");
        assert!(!said.contains("BEGIN CERTIFICATE"), "{listener} {more:?}: {said}");
    }
}
