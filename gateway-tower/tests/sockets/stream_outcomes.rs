//! Outcomes of streams at their end: told to observers, in the access log, in metrics.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use gateway_core::rule::BackendTarget;
use gateway_core::table::ListenerProtocol;
use gateway_tower::access_log::StreamLog;
use gateway_tower::observe::ObserveStreams;
use gateway_tower::outcome::{StreamEnd, StreamOutcome};
use gateway_tower::serve::{DatagramOptions, ServeOptions, StreamOptions};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use crate::datagrams;
use crate::lines::Lines;
use crate::stream_table::{Streams, tcp};
use crate::streams::{abort, all, connect, nobody, secure, shouting, terminate};
use crate::tls::handshake;
use crate::world::{LONG, World, certificate, raw_backend};

/// Sends on what it is told, in short.
#[derive(Debug)]
struct Teller(UnboundedSender<Told>);

#[derive(Debug, PartialEq)]
struct Told {
    result: &'static str,
    /// The listener, the rule and the backend.
    place: [Option<String>; 3],
    has_endpoint: bool,
    received: u64,
    sent: u64,
    server_name: Option<Arc<str>>,
    reason: Option<String>,
}

impl ObserveStreams for Teller {
    fn ended(&self, stream: &StreamOutcome) {
        assert!(stream.generation > 0, "some table has decided: {stream:?}");
        let told = Told {
            result: stream.end.as_str(),
            place: [
                stream.listener.as_ref().map(ToString::to_string),
                stream.rule.as_ref().map(|rule| rule.id.to_string()),
                stream.backend.as_ref().map(ToString::to_string),
            ],
            has_endpoint: stream.endpoint.is_some(),
            received: stream.received,
            sent: stream.sent,
            server_name: stream.server_name.clone(),
            reason: match &stream.end {
                StreamEnd::Refused(_, why) => Some(why.clone()),
                _ => None,
            },
        };
        let _ = self.0.send(told);
    }
}

/// Options with an observer, and what it is told.
fn observed(options: ServeOptions) -> (ServeOptions, UnboundedReceiver<Told>) {
    let (sender, told) = unbounded_channel();
    (ServeOptions { stream_observers: [Arc::new(Teller(sender)) as _].into(), ..options }, told)
}

#[track_caller]
fn next(told: &mut UnboundedReceiver<Told>) -> impl Future<Output = Told> {
    let at = std::panic::Location::caller();
    async move {
        let next = timeout(LONG, told.recv()).await;
        next.unwrap_or_else(|_| panic!("nothing is told at {at}")).expect("the server is there")
    }
}

/// A stream of the one route at this port that had an endpoint.
fn served(port: u16, result: &'static str, received: u64, sent: u64) -> Told {
    let [listener, rule, backend] =
        [format!("default/gateway/{port}-"), "default/route-/0".into(), "default/backend:80".into()];
    Told {
        result,
        place: [Some(listener), Some(rule), Some(backend)],
        has_endpoint: true,
        received,
        sent,
        server_name: None,
        reason: None,
    }
}

/// One that is closed by the client after this was said and answered in upper case.
async fn talk(mut stream: TcpStream, greeting: &str) {
    stream.read_exact(&mut vec![0; greeting.len()]).await.unwrap();
    stream.write_all(b"question").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(all(&mut stream).await.unwrap(), "QUESTION");
}

// TCR-03
#[tokio::test]
async fn which_side_ended_a_connection_is_told_with_what_went_through_it() {
    let (options, mut told) = observed(ServeOptions::default());
    let world = tcp(&[shouting("hello ").await], options).await;
    talk(connect(&world, 81).await, "hello ").await;
    assert_eq!(next(&mut told).await, served(81, "closed_by_client", 8, 14));

    let mut client = connect(&world, 81).await;
    client.read_exact(&mut [0; 6]).await.unwrap();
    abort(client);
    assert_eq!(next(&mut told).await, served(81, "reset_by_client", 0, 6));

    let (options, mut told) = observed(ServeOptions::default());
    let closing = raw_backend(|mut stream| async move {
        let _ = stream.read_u8().await;
        let _ = stream.write_all(b"bye").await;
    });
    let world = tcp(&[closing.await], options).await;
    let mut client = connect(&world, 81).await;
    client.write_all(b"x").await.unwrap();
    assert_eq!(all(&mut client).await.unwrap(), "bye");
    drop(client);
    assert_eq!(next(&mut told).await, served(81, "closed_by_backend", 1, 3));

    let (options, mut told) = observed(ServeOptions::default());
    let aborting = raw_backend(|mut stream| async move {
        let _ = stream.read_u8().await;
        abort(stream);
    });
    let world = tcp(&[aborting.await], options).await;
    let mut client = connect(&world, 81).await;
    client.write_all(b"x").await.unwrap();
    assert_eq!(all(&mut client).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(next(&mut told).await, served(81, "reset_by_backend", 1, 0));
}

#[tokio::test]
async fn what_is_quiet_or_cut_is_told_so() {
    let mut streams = StreamOptions::default();
    streams.tunnel.idle = Some(Duration::from_millis(100));
    let (options, mut told) = observed(ServeOptions { streams, ..ServeOptions::default() });
    let world = tcp(&[shouting("hello").await], options).await;
    let mut quiet = connect(&world, 81).await;
    assert_eq!(all(&mut quiet).await.unwrap(), "hello");
    assert_eq!(next(&mut told).await, served(81, "idle", 0, 5));

    let (options, mut told) = observed(ServeOptions::default());
    let world = tcp(&[shouting("hello").await], options).await;
    let mut stays = connect(&world, 81).await;
    stays.read_exact(&mut [0; 5]).await.unwrap();
    assert_eq!(world.server.drain(Duration::ZERO).await.cut, 1);
    assert_eq!(next(&mut told).await, served(81, "cut", 0, 5));
}

// TCR-06
#[tokio::test]
async fn a_connection_that_goes_nowhere_is_told_with_the_reason() {
    let (options, mut told) = observed(ServeOptions::default());
    let mut table = Streams::new(1);
    table.listener(80, "", ListenerProtocol::Tcp);
    let unresolved = table.listener(81, "", ListenerProtocol::Tcp);
    let empty = table.listener(82, "", ListenerProtocol::Tcp);
    let weightless = table.listener(83, "", ListenerProtocol::Tcp);
    let unreachable = table.listener(84, "", ListenerProtocol::Tcp);
    let (nothing, nobody) = (table.backend(&[]), table.backend(&[nobody().await]));
    table.route(unresolved, &[], &[(BackendTarget::Unresolved, 1)]);
    table.route(empty, &[], &[(nothing, 1)]);
    table.route(weightless, &[], &[(nothing, 0)]);
    table.route(unreachable, &[], &[(nobody, 1)]);
    let world = table.start(options).await;
    let backend = "default/backend:80";
    for (port, result, rule, backend, reason) in [
        (
            80,
            "no_rule",
            false,
            None,
            Some("no route that is attached to listener default/gateway/80- takes it"),
        ),
        (
            81,
            "unresolved_backend",
            true,
            None,
            Some("the reference to the backend that it fell to is invalid"),
        ),
        (
            82,
            "no_endpoints",
            true,
            Some(backend),
            Some("port 80 of Service default/backend has no endpoints"),
        ),
        (83, "no_backend", true, None, Some("the rule has no backend with a weight")),
        (84, "unreachable", true, Some(backend), None),
    ] {
        let _ = all(&mut connect(&world, port).await).await;
        let expected = Told {
            place: [
                Some(format!("default/gateway/{port}-")),
                rule.then(|| "default/route-/0".into()),
                backend.map(str::to_owned),
            ],
            has_endpoint: result == "unreachable",
            reason: reason.map(str::to_owned),
            ..served(port, result, 0, 0)
        };
        assert_eq!(next(&mut told).await, expected);
    }
}

// TLR-06, TLR-11
#[tokio::test]
async fn of_a_stream_of_tls_the_server_name_is_told_and_what_went_through_as_it_was_passed_on() {
    let (options, mut told) = observed(ServeOptions::default());
    let [of_gateway, of_backend] = [["end.example"], ["pass.example"]].map(|names| certificate(&names));
    let mut table = Streams::new(1);
    let pass = table.listener(443, "pass.example", ListenerProtocol::TlsPassthrough);
    let end = table.listener(443, "end.example", terminate(&of_gateway));
    let encrypted = table.backend(&[secure(&of_backend, "secret").await]);
    let plain = table.backend(&[shouting("plain").await]);
    table.route(pass, &["pass.example"], &[(encrypted, 1)]);
    table.route(end, &["end.example"], &[(plain, 1)]);
    let world = table.start(options).await;
    let talk = async |name: &'static str| {
        let mut stream = handshake(&world, name, &[]).await.expect(name);
        stream.write_all(b" hears").await.unwrap();
        stream.shutdown().await.unwrap();
        assert!(all(&mut stream).await.unwrap().ends_with(" HEARS"));
    };
    talk("end.example").await;
    let ended = next(&mut told).await;
    assert_eq!((ended.result, ended.received, ended.sent), ("closed_by_client", 6, 11), "within TLS");
    assert_eq!(ended.server_name.as_deref(), Some("end.example"));
    talk("pass.example").await;
    let passed = next(&mut told).await;
    assert_eq!(passed.server_name.as_deref(), Some("pass.example"));
    assert_eq!(passed.place[1].as_deref(), Some("default/route-pass.example/0"));
    assert!(passed.received > 200 && passed.sent > 500, "with the handshake: {passed:?}");

    assert!(handshake(&world, "unknown.example", &[]).await.is_err());
    let unknown = next(&mut told).await;
    assert_eq!((unknown.result, unknown.server_name.as_deref()), ("no_listener", Some("unknown.example")));
    assert_eq!(unknown.place, [const { None }; 3]);

    // A client that goes in the middle of the handshake.
    let mut config = crate::tls::any_certificate();
    config.alpn_protocols.clear();
    let mut hello = Vec::new();
    let mut tls = rustls::ClientConnection::new(Arc::new(config), "end.example".try_into().unwrap()).unwrap();
    tls.write_tls(&mut hello).unwrap();
    let mut client = connect(&world, 443).await;
    client.write_all(&hello).await.unwrap();
    client.read_u8().await.unwrap();
    drop(client);
    let broken = next(&mut told).await;
    assert_eq!((broken.result, broken.has_endpoint), ("handshake_failed", false));
    assert_eq!(broken.place[1].as_deref(), Some("default/route-end.example/0"));
}

/// A server of datagrams with these options, and what is told of its flows.
async fn udp(
    to: &[(std::net::SocketAddr, u32)],
    datagrams: DatagramOptions,
) -> (World, UnboundedReceiver<Told>) {
    let (options, told) = observed(ServeOptions { datagrams, ..ServeOptions::default() });
    (datagrams::table(1, to).start(options).await, told)
}

// UDR-03
#[tokio::test]
async fn a_flow_is_told_of_when_it_is_given_up() {
    let quiet = DatagramOptions { idle_timeout: Duration::from_millis(500), ..DatagramOptions::default() };
    let (world, mut told) = udp(&[(datagrams::backend("a", 2).await, 1)], quiet).await;
    let client = datagrams::client(&world).await;
    let answer = datagrams::ask(&client, "one").await.unwrap();
    assert_eq!(next(&mut told).await, served(82, "idle", 3, 2 * answer.len() as u64));

    // No answer has been answered.
    let narrow = DatagramOptions { max_flows: 1, ..DatagramOptions::default() };
    let (world, mut told) = udp(&[(datagrams::backend("a", 1).await, 1)], narrow).await;
    for _ in 0..2 {
        datagrams::ask(&datagrams::client(&world).await, "x").await.unwrap();
    }
    assert_eq!(next(&mut told).await.result, "displaced");

    let (gone, other) = (datagrams::backend("a", 1).await, datagrams::backend("b", 1).await);
    let (world, mut told) = udp(&[(gone, 1)], DatagramOptions::default()).await;
    let client = datagrams::client(&world).await;
    datagrams::ask(&client, "x").await.unwrap();
    let stored = world.tables.store(datagrams::table(2, &[(other, 1)]).builder.build());
    world.server.reached(stored).await;
    assert!(datagrams::ask(&client, "x").await.unwrap().starts_with("b "));
    assert_eq!(next(&mut told).await.result, "moved");
    assert_eq!(world.server.drain(LONG).await.cut, 0);
    assert_eq!(next(&mut told).await.result, "cut");

    let gone = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (world, mut told) = udp(&[(gone, 1)], DatagramOptions::default()).await;
    let client = datagrams::client(&world).await;
    // The kernel says so with the second, and the third would begin another.
    for _ in 0..3 {
        assert_eq!(datagrams::ask(&client, "x").await, None);
    }
    assert_eq!(next(&mut told).await.result, "reset_by_backend");
}

// UDR-04
#[tokio::test]
async fn a_datagram_that_begins_no_flow_is_not_told_of() {
    let (options, mut told) = observed(ServeOptions::default());
    let mut table = Streams::new(1);
    let listener = table.listener(82, "", ListenerProtocol::Udp);
    let tcp = table.listener(81, "", ListenerProtocol::Tcp);
    table.route(listener, &[], &[(BackendTarget::Unresolved, 1)]);
    table.route(tcp, &[], &[(BackendTarget::Unresolved, 1)]);
    let world = table.start(options).await;
    assert_eq!(datagrams::ask(&datagrams::client(&world).await, "x").await, None);
    let _ = all(&mut connect(&world, 81).await).await;
    assert_eq!(next(&mut told).await.place[0].as_deref(), Some("default/gateway/81-"), "the first told");
}

#[tokio::test]
async fn the_access_log_has_a_line_for_each_stream() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(tracing::Level::INFO)
        .with_writer(lines.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let (options, mut told) = observed(ServeOptions::default());
    // In this order: when the second is told, the line is there.
    let observers = std::iter::once(Arc::new(StreamLog) as _).chain(options.stream_observers.iter().cloned());
    let options = ServeOptions { stream_observers: observers.collect(), ..options };
    let backend = shouting("hello ").await;
    let mut table = Streams::new(7);
    let tcp = table.listener(81, "", ListenerProtocol::Tcp);
    table.listener(80, "", ListenerProtocol::Tcp);
    let to = table.backend(&[backend]);
    table.route(tcp, &[], &[(to, 1)]);
    let world = table.start(options).await;
    let client = connect(&world, 81).await;
    let peer = client.local_addr().unwrap().to_string();
    talk(client, "hello ").await;
    next(&mut told).await;
    let _ = all(&mut connect(&world, 80).await).await;
    next(&mut told).await;

    let text = lines.take();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let lines: Vec<_> = lines.iter().filter(|line| line["target"] == "access").collect();
    let [served, refused] = lines[..] else { panic!("{text}") };
    for (field, value) in [
        ("peer", json!(peer)),
        ("transport", json!("tcp")),
        ("bytes_received", json!(8)),
        ("bytes", json!(14)),
        ("complete", json!(true)),
        ("listener", json!("default/gateway/81-")),
        ("route_kind", json!("TCPRoute")),
        ("route", json!("default/route-")),
        ("rule", json!("0")),
        ("generation", json!(7)),
        ("backend", json!("default/backend:80")),
        ("endpoint", json!(backend.to_string())),
        ("result", json!("closed_by_client")),
        ("reason", Value::Null),
    ] {
        assert_eq!(served[field], value, "{field} of {served}");
    }
    assert!(served["duration_ms"].is_f64(), "{served}");
    let reason = "no route that is attached to listener default/gateway/80- takes it";
    assert_eq!((&refused["result"], &refused["reason"]), (&json!("no_rule"), &json!(reason)));
    assert_eq!((&refused["complete"], &refused["endpoint"]), (&json!(false), &Value::Null));
}
