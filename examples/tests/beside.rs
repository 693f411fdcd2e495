//! The parts of the benchmark `beside`: its load and its backend, with a gateway between them and without, and what it reads and writes.

#[path = "../benches/beside/main.rs"]
#[allow(dead_code, reason = "the benchmark is a program")]
mod beside;

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use clap::{CommandFactory, Parser, ValueEnum};

use self::beside::args::Args;
use self::beside::backend::Backend;
use self::beside::case::{Answer, Case, Exchange, Messages};
use self::beside::certificate::Certificate;
use self::beside::cores::Cores;
use self::beside::load::Load;
use self::beside::process;
use self::beside::proxy::{self, Program, Proxy};
use self::beside::slice::Slice;
use self::beside::table::Table;

/// Sends until so many requests are answered, or one fails.
async fn answered(
    exchange: Exchange,
    address: SocketAddr,
    certificate: &Certificate,
    wanted: u64,
) -> io::Result<()> {
    let mut load = Load::start(exchange, address, certificate);
    let mut answered = 0;
    while answered < wanted {
        answered += load.go_on(Duration::from_millis(5)).await?;
    }
    Ok(())
}

#[tokio::test]
async fn every_case_is_answered_through_a_gateway() {
    let certificate = Certificate::new();
    for case in Case::value_variants() {
        let exchange = case.exchange();
        let backend = Backend::start(exchange.answer).unwrap();
        let gateway = Proxy::start(&Program::own(), exchange, backend.address(), &certificate).unwrap();
        let wanted = 2 * (exchange.connections * exchange.at_once) as u64;
        let all = answered(exchange, gateway.address(), &certificate, wanted).await;
        all.unwrap_or_else(|error| panic!("{case:?}: {error}: {}", gateway.said()));
    }
}

#[tokio::test]
async fn an_answer_that_is_not_whole_ends_the_load() {
    let certificate = Certificate::new();
    for case in [Case::Unary, Case::Http1] {
        let exchange = case.exchange();
        let answer = match exchange.answer {
            Answer::Call(messages) => Answer::Call(Messages { size: messages.size - 1, ..messages }),
            Answer::Http1(bytes) => Answer::Http1(bytes - 1),
        };
        let backend = Backend::start(answer).unwrap();
        let error = answered(exchange, backend.address(), &certificate, u64::MAX).await.unwrap_err();
        let (bytes, wanted) = (answer.bytes(), exchange.answer.bytes());
        assert_eq!(error.to_string(), format!("an answer with {bytes} bytes in place of {wanted}"));
    }
}

#[tokio::test]
async fn an_answer_that_says_that_something_failed_ends_the_load() {
    let certificate = Certificate::new();
    for (case, wanted) in [
        // Of gRPC the status is in the trailers, with 200 before them.
        (Case::Unary, "an answer with 0 bytes in place of 69"),
        (Case::Http2ToHttp1, "an answer with another status than 200"),
        (Case::Http1, "HTTP/1.1 503 Service Unavailable"),
    ] {
        let exchange = case.exchange();
        // Nothing listens there any more.
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let gateway = Proxy::start(&Program::own(), exchange, gone, &certificate).unwrap();
        let error = answered(exchange, gateway.address(), &certificate, u64::MAX).await.unwrap_err();
        assert!(error.to_string().contains(wanted), "{case:?}: {error}");
    }
}

#[test]
fn a_peer_that_is_not_there_or_ends_is_told_with_the_way_out() {
    let error = proxy::version(Path::new("/nowhere/envoy")).unwrap_err().to_string();
    assert!(error.starts_with("--envoy /nowhere/envoy: ") && error.contains("command -v envoy"), "{error}");
    let error = proxy::version(Path::new("true")).unwrap_err().to_string();
    assert!(error.contains("that says no version"), "{error}");
    let (exchange, certificate) = (Case::Unary.exchange(), Certificate::new());
    let backend = Backend::start(exchange.answer).unwrap();
    let ends = Program::Envoy("false".into());
    let error = Proxy::start(&ends, exchange, backend.address(), &certificate).err().unwrap().to_string();
    assert!(error.contains("Envoy ended before it listened") && error.contains("begin anew"), "{error}");
}

#[test]
fn the_proxy_has_a_core_to_itself_where_that_can_be() {
    let of_two_threads = |cpu: usize| cpu / 2;
    for (allowed, wanted) in [
        (&[][..], None),
        (&[3], None),
        (&[0, 1], Some((0, 1))),
        (&[0, 1, 2, 3], Some((0, 2))),
        (&[1, 2], Some((1, 2))),
    ] {
        let found = Cores::among(allowed, of_two_threads).map(|cores| (cores.proxy, cores.load));
        assert_eq!(found, wanted, "{allowed:?}");
    }
}

#[test]
fn the_cpu_time_is_found_behind_any_name() {
    for name in ["gateway", "a b", "of (all) 1 2", ") 9 9 9 9 9 9 9 9 9 9 9 9 9 9"] {
        let stat = format!("77 ({name}) S 1 77 77 0 -1 4194304 500 0 0 0 123 45 6 7 20 0 3 0 99 1 1");
        assert_eq!(process::cpu(&stat), Duration::from_millis(1680), "{name}");
    }
}

#[test]
fn the_table_has_medians_and_the_ratio() {
    let slices = |figures: &[(f64, f64)]| -> Vec<Slice> {
        figures.iter().map(|&(cpu, rate)| Slice { cpu, rate }).collect()
    };
    let mut table = Table::new(&[Program::Envoy("envoy".into()), Program::own()]);
    let peer = slices(&[(16.0, 50_000.0), (99.0, 10_000.0), (15.0, 60_000.0)]);
    table.add(Case::Unary, &[peer, slices(&[(8.0, 90_000.0), (9.0, 80_000.0)])]);
    let lines: Vec<Vec<String>> = table
        .to_string()
        .lines()
        .map(|line| {
            line.split("  ").map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
        })
        .collect();
    let titles = ["case", "Envoy µs", "gateway µs", "ratio", "Envoy req/s", "gateway req/s"];
    assert_eq!(lines, [titles, ["unary", "16.0", "8.5", "0.53", "50000", "85000"]]);
}

#[test]
fn cases_are_named_on_the_command_line() {
    Args::command().debug_assert();
    let args = |words: &str| Args::try_parse_from(words.split(' '));
    assert_eq!(args("beside --bench").unwrap().cases, Case::value_variants());
    let some = args("beside --cases http2-to-http1,stream-1k --rounds 1 --bench").unwrap();
    assert_eq!(some.cases, [Case::Http2ToHttp1, Case::Stream1k]);
    let error = args("beside --cases unay").unwrap_err().to_string();
    assert!(error.contains("unary"), "{error}");
    for wrong in ["--rounds 0", "--seconds 0"] {
        assert!(args(&format!("beside {wrong}")).is_err(), "{wrong}");
    }
}
