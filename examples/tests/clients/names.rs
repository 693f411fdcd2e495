//! DNS: datagrams with answers that are larger than what was asked, and the same over TCP.

use crate::harness::{Gateway, gateway};
use crate::programs::{Server, free_port, program, route, said, service};

pub(crate) const PROGRAMS: &[&str] = &["dnsmasq", "dig"];

pub(crate) fn dig_through_a_udp_and_a_tcp_route() {
    let port = free_port();
    let large = "0123456789abcdef".repeat(12);
    let mut dnsmasq = program("dnsmasq");
    dnsmasq.args(["--no-daemon", "--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--bind-interfaces"]);
    dnsmasq.args(["--listen-address=127.0.0.1", "--user=", "--pid-file=", &format!("--port={port}")]);
    dnsmasq.args(["--edns-packet-max=4096", "--address=/shop.example/192.0.2.7"]);
    dnsmasq.arg(format!("--txt-record=large.example{}", format!(",{large}").repeat(10)));
    let _server = Server::start(dnsmasq, port);

    let manifests = gateway("{name: udp, port: 53, protocol: UDP}, {name: tcp, port: 54, protocol: TCP}")
        + &route("UDPRoute", "udp", "", "names")
        + &route("TCPRoute", "tcp", "", "names-tcp")
        + &service("names", "UDP", port)
        + &service("names-tcp", "TCP", port);
    let args = ["--port-map", "53=0", "--port-map", "54=0"];
    let gateway = Gateway::start(&[("all.yaml", &manifests)], &args);
    for (listener, how) in [("udp", "+notcp"), ("tcp", "+tcp")] {
        let address = gateway.address(listener);
        let dig = |what: &[&str]| {
            let mut dig = program("dig");
            dig.args(["@127.0.0.1", "-p", &address.port().to_string(), how, "+tries=1", "+bufsize=4096"]);
            dig.args(["+short", "+ignore"]).args(what);
            said(dig, b"")
        };
        assert_eq!(dig(&["a.shop.example", "A"]), "192.0.2.7\n", "{listener}");
        let expected = vec![format!("{large:?}"); 10].join(" ") + "\n";
        assert_eq!(dig(&["large.example", "TXT"]), expected, "{listener}");
        // A hundred questions of one client.
        let names: Vec<String> = (0..100).map(|number| format!("n{number}.shop.example")).collect();
        let questions: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(dig(&questions), "192.0.2.7\n".repeat(100), "{listener}");
    }
}
