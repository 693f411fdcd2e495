//! `gateway run` between programs that others wrote: the servers, and the clients that come with them, psql, libpq as psycopg
//! brings it, redis-cli, dig, grpcio and openssl.
//!
//! A test is ignored where its programs are not installed, and says which; `.ci/run clients` installs them.

#[path = "../harness/mod.rs"]
mod harness;
mod programs;
mod names;
mod postgresql;
mod redis;
mod rpc;
mod tls;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use crate::programs::missing;

/// The name of a test, what it needs, and the test.
type Test = (&'static str, &'static [&'static str], fn());

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let tests: [Test; 7] = [
        ("psql_through_a_tcp_route", postgresql::PROGRAMS, postgresql::psql_through_a_tcp_route),
        ("libpq_through_tls_routes", postgresql::DIRECT_PROGRAMS, postgresql::libpq_through_tls_routes),
        ("redis_cli_through_a_tcp_route", redis::PROGRAMS, redis::redis_cli_through_a_tcp_route),
        ("redis_cli_through_tls_routes", redis::PROGRAMS, redis::redis_cli_through_tls_routes),
        ("dig_through_a_udp_and_a_tcp_route", names::PROGRAMS, names::dig_through_a_udp_and_a_tcp_route),
        ("grpcio_through_a_grpc_route", rpc::PROGRAMS, rpc::grpcio_through_a_grpc_route),
        ("openssl_shakes_hands_as_it_is_told", tls::PROGRAMS, tls::openssl_shakes_hands_as_it_is_told),
    ];
    let trials = tests.map(|(name, programs, test)| {
        let missing = missing(programs);
        if !missing.is_empty() {
            eprintln!("{name} is ignored: {} not installed", missing.join(", "));
        }
        let run = move || {
            test();
            Ok(())
        };
        Trial::test(name, run).with_ignored_flag(!missing.is_empty())
    });
    libtest_mimic::run(&arguments, trials.into()).exit_code()
}
