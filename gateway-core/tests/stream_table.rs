//! Tables for what is passed on as it comes, written by hand: which listener and which route take a connection.

mod by_hand;

use std::net::SocketAddr;

use gateway_core::hostname::{Host, Hostname};
use gateway_core::name::{Age, BackendId, ObjectName, RouteKind};
use gateway_core::rule::{Backend, BackendProtocol, BackendRef, BackendTarget};
use gateway_core::table::{
    CandidateOutcome, FrontendOwner, ListenerId, ListenerProtocol, ListenerTls, NoMatch, NoStream, Opening,
    RouteTable, TieBreaker, Transport,
};

use self::by_hand::{ByHand, ask_on};

const TLS: RouteKind = RouteKind::Tls;

fn terminate() -> ListenerProtocol {
    ListenerProtocol::TlsTerminate(ListenerTls { certificates: [].into(), clients: None })
}

/// A backend that is not asked for its endpoints.
fn some() -> [BackendRef; 1] {
    [BackendRef { target: BackendTarget::Unresolved, weight: 1 }]
}

/// The route that takes a connection with this server name, or why none does.
fn ask(table: &RouteTable, port: u16, server_name: Option<&str>) -> String {
    let name = ObjectName::new("default", "gateway");
    let frontend = table.frontend(FrontendOwner::Gateway(&name), Transport::Tcp, port).expect("it listens");
    let server_name = server_name.map(|name| Host::from_name(name).expect(name));
    let found = table.find_stream(frontend, server_name.as_ref());
    let explanation = table.explain_stream(frontend, server_name.as_ref());
    assert_eq!(explanation.decision, found, "explain decides as find does");
    match found {
        Ok(matched) => {
            let first = &explanation.candidates[0];
            assert_eq!((first.rule, &first.outcome), (matched.rule, &CandidateOutcome::Chosen));
            table.stream_rule(matched.rule).id.route.name.name.to_string()
        }
        Err(no_stream) => no_stream.in_table(table),
    }
}

// HST-08, TLR-05, TLR-06, TLR-13
#[test]
fn the_server_name_picks_the_listener_and_then_the_route_with_the_most_specific_hostname() {
    let mut table = ByHand::new();
    let narrow = table.listener("narrow", 443, "*.a.example", ListenerProtocol::TlsPassthrough);
    let wide = table.listener("wide", 443, "*.example", ListenerProtocol::TlsPassthrough);
    for (listener, name, hostnames) in [
        (narrow, "exact", &["x.a.example"][..]),
        (narrow, "longer", &["*.y.a.example"]),
        (narrow, "shorter", &["*.example"]),
        (wide, "other", &["b.example", "*.b.example"]),
    ] {
        table.stream(listener, (TLS, name, None), hostnames, some());
    }
    let table = table.build();
    for (server_name, expected) in [
        (Some("x.a.example"), "exact"),
        (Some("X.A.example."), "exact"),
        (Some("z.y.a.example"), "longer"),
        (Some("y.a.example"), "shorter"),
        (Some("b.example"), "other"),
        (Some("z.b.example"), "other"),
        // Isolation: what the listener of the name has not, no other serves.
        (Some("c.example"), "no route that is attached to listener default/gateway/wide takes it"),
        (Some("example"), "no listener of this port has the server name"),
        (None, "no listener of this port has the server name"),
    ] {
        assert_eq!(ask(&table, 443, server_name), expected, "{server_name:?}");
    }
}

// TLR-05, HST-14 as of v1.7.0: the rank is that of the hostname as the Route has it.
#[test]
fn of_routes_for_one_name_the_oldest_has_it_and_the_others_are_shown() {
    let mut table = ByHand::new();
    let listener = table.listener("tls", 443, "a.example", terminate());
    let wild = table.stream(listener, (TLS, "older-and-wider", Some(1)), &["*.example"], some());
    let young = table.stream(listener, (TLS, "younger", Some(3)), &["a.example"], some());
    let old = table.stream(listener, (TLS, "old", Some(2)), &["a.example"], some());
    let mut builder = table.builder;
    let before = builder.table();
    assert_eq!(ask(&before, 443, Some("a.example")), "old");
    let name = ObjectName::new("default", "gateway");
    let frontend = before.frontend(FrontendOwner::Gateway(&name), Transport::Tcp, 443).expect("it listens");
    let host = Host::from_name("a.example").expect("a name");
    let explanation = before.explain_stream(frontend, Some(&host));
    assert_eq!(
        explanation.in_table(&before),
        "taken by listener default/gateway/tls, which serves a.example
  TLSRoute default/old/0  host a.example: chosen
  TLSRoute default/younger/0  host a.example: matches, but comes later: a newer route
  TLSRoute default/older-and-wider/0  host *.example: matches, but comes later: a less specific hostname
passed on by rule TLSRoute default/old/0"
    );
    let shown: Vec<_> =
        explanation.candidates.into_iter().map(|candidate| (candidate.rule, candidate.outcome)).collect();
    use CandidateOutcome::{Chosen, Outranked};
    assert_eq!(
        shown,
        [(old, Chosen), (young, Outranked(TieBreaker::Age)), (wild, Outranked(TieBreaker::Hostname))]
    );

    // What changes: the age, the hostnames, the routes that there are.
    let name = ObjectName::new("default", "younger");
    builder.replace_stream_route(young, Age::new(Some(0), &name), (**before.stream_rule(young)).clone());
    assert_eq!(ask(&builder.table(), 443, Some("a.example")), "younger");
    builder.attach_stream_to(young, []);
    assert_eq!(ask(&builder.table(), 443, Some("a.example")), "old");
    builder.remove_stream_route(old);
    assert_eq!(ask(&builder.table(), 443, Some("a.example")), "older-and-wider");
    builder.remove_stream_route(wild);
    let none = "no route that is attached to listener default/gateway/tls takes it";
    assert_eq!(ask(&builder.table(), 443, Some("a.example")), none);
    let hostname: Hostname = "a.example".parse().expect("a hostname");
    builder.attach_stream_to(young, [(listener, vec![hostname])]);
    assert_eq!(ask(&builder.table(), 443, Some("a.example")), "younger");
    assert_eq!(ask(&before, 443, Some("a.example")), "old", "a table is never another");
    builder.remove_listener(listener);
    assert_eq!(builder.table().frontends().count(), 0);
}

// TLR-06
#[test]
fn a_listener_for_every_name_needs_one_all_the_same() {
    let mut table = ByHand::new();
    let listener = table.listener("tls", 443, "", ListenerProtocol::TlsPassthrough);
    table.stream(listener, (TLS, "every", None), &[], some());
    let table = table.build();
    assert_eq!(ask(&table, 443, Some("a.example")), "every");
    assert_eq!(
        ask(&table, 443, None),
        "the client has sent no server name, and listener default/gateway/tls needs one"
    );
}

// TLR-11, AMB-44, HST-20
#[test]
fn listeners_for_requests_and_for_streams_share_a_port() {
    let mut table = ByHand::new();
    let https = table.https("https", 443, "*.web.example");
    let passed = table.listener("passed", 443, "db.example", ListenerProtocol::TlsPassthrough);
    let ended = table.listener("ended", 443, "mail.example", terminate());
    table.serve(https, "web", &["a.web.example"], &[("rule", &["/"])]);
    for (listener, name) in [(passed, "db"), (ended, "mail")] {
        table.stream(listener, (TLS, name, None), &[&format!("{name}.example")], some());
    }
    let table = table.build();
    let (_, frontend) = table.frontends().next().expect("there is one");
    assert_eq!((frontend.opening(), frontend.takes_requests()), (Opening::Tls, true));
    assert_eq!(ask(&table, 443, Some("db.example")), "db");
    assert_eq!(ask(&table, 443, Some("mail.example")), "mail");
    assert_eq!(ask(&table, 443, Some("a.web.example")), "listener default/gateway/https takes requests");
    assert_eq!(ask_on(&table, 443, Some("a.web.example"), "https://a.web.example/"), "rule");
    // A host that is passed through is that of no listener for requests: another connection would not help.
    let misdirected = ask_on(&table, 443, Some("a.web.example"), "https://db.example/");
    assert_eq!(misdirected, NoMatch::NoListener.status().as_u16().to_string());
    assert_eq!(ask_on(&table, 443, Some("db.example"), "https://db.example/"), "404");
}

// GWL-05, TCR-03, UDR-03
#[test]
fn tcp_and_udp_have_ports_of_their_own_and_the_oldest_route_has_all_of_it() {
    let mut table = ByHand::new();
    let tcp = table.listener("tcp", 53, "", ListenerProtocol::Tcp);
    let udp = table.listener("udp", 53, "", ListenerProtocol::Udp);
    for (listener, kind) in [(tcp, RouteKind::Tcp), (udp, RouteKind::Udp)] {
        table.stream(listener, (kind, &format!("young-{kind}"), Some(2)), &[], some());
        table.stream(listener, (kind, &format!("old-{kind}"), Some(1)), &[], some());
    }
    let table = table.build();
    assert_eq!(ask(&table, 53, None), "old-TCPRoute");
    let name = ObjectName::new("default", "gateway");
    let frontend = table.frontend(FrontendOwner::Gateway(&name), Transport::Udp, 53).expect("it listens");
    let found = table.find_stream(frontend, None).expect("a route takes it");
    assert_eq!(&*table.stream_rule(found.rule).id.route.name.name, "old-UDPRoute");
    assert_eq!(table.frontends().map(|(_, it)| it.opening()).collect::<Vec<_>>(), [Opening::Bytes; 2]);
}

// TLR-07, TCR-06, TCR-07, UDR-04, UDR-06, AMB-20
#[test]
fn each_backend_has_its_share_and_one_that_cannot_take_it_loses_it() {
    let mut table = ByHand::new();
    let listener = table.listener("tcp", 9000, "", ListenerProtocol::Tcp);
    let mut backend = |name: &str, endpoints: &[SocketAddr]| {
        table.builder.backend(Backend {
            service: ObjectName::new("default", name),
            port: 1,
            protocol: BackendProtocol::default(),
            endpoints: endpoints.iter().copied().map(Into::into).collect(),
            ..Backend::default()
        })
    };
    let there = backend("there", &[([10, 0, 0, 1], 1).into()]);
    let empty = backend("empty", &[]);
    let to = |target, weight| BackendRef { target, weight };
    let refs = [
        to(BackendTarget::Backend(there), 5),
        to(BackendTarget::Unresolved, 3),
        to(BackendTarget::Backend(empty), 2),
        to(BackendTarget::Backend(there), 0),
    ];
    let route = table.stream(listener, (RouteKind::Tcp, "r", None), &[], refs);
    let nothing = table.builder.backend(Backend {
        service: ObjectName::new("default", "other"),
        port: 1,
        protocol: BackendProtocol::default(),
        ..Backend::default()
    });
    let table = table.build();
    let shares = shares(&table, listener, route);
    let unresolved = NoStream::Unresolved { rule: route, position: 1 };
    assert_eq!(shares, [(Ok(there), 500), (Err(unresolved), 300), (Err(NoStream::NoEndpoints(empty)), 200)]);
    assert_ne!(nothing, there);

    let mut table = ByHand::new();
    let listener = table.listener("tcp", 9000, "", ListenerProtocol::Tcp);
    let route = table.stream(listener, (RouteKind::Tcp, "r", None), &[], [to(BackendTarget::Unresolved, 0)]);
    let matched = gateway_core::table::MatchedStream { listener, rule: route };
    assert_eq!(table.build().stream_backend(matched, 0), Err(NoStream::NoBackend));
}

/// What becomes of a thousand connections, in the order in which it first comes.
fn shares(
    table: &RouteTable,
    listener: ListenerId,
    rule: gateway_core::table::StreamRuleId,
) -> Vec<(Result<BackendId, NoStream>, usize)> {
    let matched = gateway_core::table::MatchedStream { listener, rule };
    let mut shares: Vec<(Result<BackendId, NoStream>, usize)> = Vec::new();
    for i in 0..1000 {
        // In the middle of each thousandth.
        let became = table.stream_backend(matched, (u64::MAX / 1000) * i + u64::MAX / 2000);
        match shares.iter_mut().find(|(known, _)| *known == became) {
            Some((_, count)) => *count += 1,
            None => shares.push((became, 1)),
        }
    }
    shares
}
