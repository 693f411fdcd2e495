//! Reasons for which nothing is measured, each with the way out.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitStatus;

use thiserror::Error;

#[derive(Debug, Error)]
pub(crate) enum Error {
    #[allow(dead_code, reason = "Linux makes none")]
    #[error("this is measured on Linux only, where /proc says what CPU time a program takes")]
    NotLinux,
    #[error(
        "two CPUs are needed, one for the proxy alone, and this process may run on {0}: \
         start it without `taskset`, or give the container or the machine more"
    )]
    TooFewCores(usize),
    #[error("--envoy {}: {error}; the path of the program Envoy is wanted, as `command -v envoy` says it", .path.display())]
    NoPeer { path: PathBuf, error: io::Error },
    #[error("{name} cannot be started: {error}")]
    Start { name: &'static str, error: io::Error },
    #[error(
        "{name} ended before it listened on {address}, with {status}; if another program has taken the port, \
         begin anew, and another one is chosen; it said:\n{said}"
    )]
    Ended { name: &'static str, address: SocketAddr, status: ExitStatus, said: String },
    #[error(
        "{name} does not listen on {address} after {seconds} s; if the machine is busy, begin anew when it is not; it said:\n{said}"
    )]
    Deaf { name: &'static str, address: SocketAddr, seconds: u64, said: String },
    #[error(
        "{case}: a request through {name} failed: {error}; a comparison with errors in it is none: see what {name} said, \
         and leave the case out with --cases if it cannot serve that:\n{said}"
    )]
    Request { case: String, name: &'static str, error: io::Error, said: String },
    #[error("{case}: {name} answered no request in {seconds} s; give it more with --seconds")]
    NoAnswer { case: String, name: &'static str, seconds: u64 },
    #[error(transparent)]
    System(#[from] io::Error),
}
