//! Metrics of connections, handshakes and certificates, and of requests over both versions of HTTP.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway_core::name::ObjectName;
use gateway_core::table::ListenerProtocol;
use gateway_tower::metrics::Metrics;
use gateway_tower::metrics::prometheus_client::encoding::text::encode;
use gateway_tower::metrics::prometheus_client::registry::Registry;
use gateway_tower::serve::ServeOptions;
use gateway_tower::upstream::Upstream;
use gateway_tower::{Connection, Gateway, TableHandle};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tower::Layer;

use crate::stream_table::Streams;
use crate::streams::{all, connect, shouting};
use crate::tls::handshake;
use crate::world::{Client, LONG, Table, World, certificate, echo, get, get2};

/// A server whose gateway counts.
async fn counted(table: &Table, options: ServeOptions) -> (World, Registry) {
    let tables = TableHandle::new(table.build());
    let metrics = Metrics::new(tables.clone());
    let mut registry = Registry::default();
    registry.register_collector(Box::new(metrics.clone()));
    let gateway = Gateway::builder(tables.clone()).metrics(&metrics).client(Upstream::default());
    let options = ServeOptions { observer: Some(Arc::new(metrics.clone())), ..options };
    let services = move |connection: Arc<Connection>| {
        metrics.requests(connection.clone()).layer(gateway.clone().on(connection))
    };
    (World::serving(tables, options, services).await, registry)
}

/// Waits until all these lines are there: a client knows of the end of things before the server has counted it.
async fn until(registry: &Registry, lines: &[&str]) {
    let start = Instant::now();
    loop {
        let mut text = String::new();
        encode(&mut text, registry).unwrap();
        if lines.iter().all(|line| text.lines().any(|known| known == *line)) {
            return;
        }
        assert!(start.elapsed() < LONG, "not all of {lines:#?} in\n{text}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn connections_are_open_until_they_are_closed() {
    let (world, registry) = counted(&Table::new(1, echo().await), ServeOptions::default()).await;
    let port = r#"gateway="default/gateway",network_transport="tcp",port="80""#;
    let [open, accepted] =
        ["open", "accepted_total"].map(|name| format!("gateway_connections_{name}{{{port}}}"));
    until(&registry, &[&format!("{open} 0"), &format!("{accepted} 0")]).await;
    let mut first = Client::http1(world.connect().await).await;
    let mut second = Client::http2(world.connect().await).await;
    first.send(get("/")).await;
    for _ in 0..2 {
        second.send(get2("example.com", "/")).await;
    }
    let requests = "http_server_requests_total{gateway=\"default/gateway\",listener=\"80-0\",route_kind=\"HTTPRoute\",\
                    route=\"default/route\",rule=\"0\",http_request_method=\"GET\",http_response_status_class=\"2xx\"} 3";
    until(&registry, &[&format!("{open} 2"), &format!("{accepted} 2"), requests]).await;
    drop(first);
    until(&registry, &[&format!("{open} 1"), &format!("{accepted} 2")]).await;
    drop(second);
    until(&registry, &[&format!("{open} 0"), &format!("{accepted} 2")]).await;
}

#[tokio::test]
async fn handshakes_are_counted_by_how_they_end() {
    let certificate = certificate(&["a.example"]).read_from(ObjectName::new("default", "a"));
    let table = Table::without_listener(1, echo().await).https(443, Some("a.example"), &certificate);
    let options = ServeOptions { handshake_timeout: Duration::from_millis(200), ..ServeOptions::default() };
    let (world, registry) = counted(&table, options).await;
    assert!(handshake(&world, "a.example", &["h2"]).await.is_ok());
    assert!(handshake(&world, "b.example", &["h2"]).await.is_err());
    assert!(handshake(&world, "a.example", &["h3"]).await.is_err());
    let silent = TcpStream::connect(world.address(443)).await.unwrap();
    let port = r#"gateway="default/gateway",network_transport="tcp",port="443""#;
    let ended = ["completed", "no_listener", "failed", "timed_out"]
        .map(|result| format!("gateway_tls_handshakes_total{{{port},result=\"{result}\"}} 1"));
    until(&registry, &ended.each_ref().map(String::as_str)).await;
    drop(silent);
}

#[tokio::test]
async fn a_certificate_says_when_it_expires() {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
    parameters.not_after = rcgen::date_time_ymd(2031, 2, 3);
    let signed = parameters.self_signed(&key).unwrap();
    let certificate = gateway_core::table::Certificate::new(vec![signed.into()], key.into());
    let certificate = certificate.read_from(ObjectName::new("certs", "a"));
    let table = Table::without_listener(1, echo().await).https(443, None, &certificate);
    let (_world, registry) = counted(&table, ServeOptions::default()).await;
    let expiry = "gateway_certificate_expiry_timestamp_seconds{gateway=\"default/gateway\",listener=\"443-0\",secret=\"certs/a\"} 1927843200";
    until(&registry, &[expiry, "gateway_config_generation 1"]).await;
}

// TCR-06, UDR-03
#[tokio::test]
async fn streams_are_counted_by_where_they_went_and_how_they_ended_for_as_long_as_their_route_is_there() {
    let mut table = Streams::new(1);
    let backend = table.backend(&[shouting("hello ").await]);
    let listener = table.listener(81, "", ListenerProtocol::Tcp);
    table.listener(80, "", ListenerProtocol::Tcp);
    table.route(listener, &[], &[(backend, 1)]);
    let tables = TableHandle::new(table.builder.build());
    let metrics = Metrics::new(tables.clone());
    let mut registry = Registry::default();
    registry.register_collector(Box::new(metrics.clone()));
    let gateway = Gateway::new(tables.clone(), Upstream::default());
    let options =
        ServeOptions { stream_observers: [Arc::new(metrics) as _].into(), ..ServeOptions::default() };
    let services = move |connection: Arc<Connection>| gateway.clone().on(connection);
    let world = World::serving(tables, options, services).await;
    for _ in 0..2 {
        let mut client = connect(&world, 81).await;
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(all(&mut client).await.unwrap(), "hello QUESTION");
    }
    let _ = all(&mut connect(&world, 80).await).await;
    let place = "gateway=\"default/gateway\",listener=\"81-\",route_kind=\"TCPRoute\",route=\"default/route-\",rule=\"0\",\
                 backend=\"default/backend:80\"";
    let refused = r#"gateway_streams_total{gateway="default/gateway",listener="80-",result="no_rule"} 1"#;
    let lines = [
        format!(r#"gateway_streams_total{{{place},result="closed_by_client"}} 2"#),
        format!(r#"gateway_stream_bytes_total{{{place},direction="received"}} 16"#),
        format!(r#"gateway_stream_bytes_total{{{place},direction="sent"}} 28"#),
        format!("gateway_stream_duration_seconds_count{{{place}}} 2"),
        refused.to_owned(),
    ];
    until(&registry, &lines.each_ref().map(String::as_str)).await;

    let mut table = Streams::new(2);
    table.listener(80, "", ListenerProtocol::Tcp);
    world.tables.store(table.builder.build());
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    assert!(text.contains(refused) && !text.contains("route-"), "{text}");
}
