//! CPU time of a request through `gateway run`, and through Envoy beside it: one core for the proxy, another one for the load and the
//! backend.
//!
//! `cargo bench -p gateway-examples --bench beside -- --envoy /usr/bin/envoy`; with `--help` in place of that it says what is measured, and how.
//! Its parts are tested in `examples/tests/beside.rs`.

#[path = "../../tests/harness/mod.rs"]
mod harness;
#[path = "../../../gateway-kube/benches/routes/process.rs"]
pub(crate) mod process;

pub(crate) mod case;
pub(crate) mod certificate;
mod configuration;
pub(crate) mod cores;
pub(crate) mod error;
pub(crate) mod http1;
mod http2;
pub(crate) mod backend;
pub(crate) mod load;
pub(crate) mod proxy;
pub(crate) mod slice;
pub(crate) mod table;
pub(crate) mod args;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use self::args::Args;
use self::certificate::Certificate;
use self::cores::Cores;
use self::error::Error;
use self::proxy::Program;
use self::slice::Slice;
use self::table::Table;

fn main() -> ExitCode {
    // Only `cargo bench` says --bench; with --test nothing is to be measured.
    let is_said = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    if !is_said("--bench") || is_said("--test") {
        eprintln!("nothing is measured but with `cargo bench`");
        return ExitCode::SUCCESS;
    }
    match compare(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("beside: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(args: &Args) -> Result<(), Error> {
    let cores = Cores::find()?;
    let mut programs = vec![args.gateway.clone().map_or_else(Program::own, Program::Gateway)];
    if let Some(path) = &args.envoy {
        eprintln!("Envoy {}", proxy::version(path)?);
        programs.insert(0, Program::Envoy(path.clone()));
    }
    eprintln!("the proxy on CPU {}, the load and the backend on CPU {}", cores.proxy, cores.load);
    cores::stay_on(cores.load)?;
    let certificate = Certificate::new();
    let time = Duration::from_secs(args.seconds);

    let mut table = Table::new(&programs);
    for case in args.cases.iter().copied() {
        let mut slices = vec![Vec::new(); programs.len()];
        for round in 1..=args.rounds {
            for (program, slices) in programs.iter().zip(&mut slices) {
                eprint!("{} {round}/{} {}: ", case.name(), args.rounds, program.name());
                let slice = Slice::measure(program, case, cores, &certificate, time)
                    .inspect_err(|_| eprintln!("failed"))?;
                eprintln!("{:.1} µs of CPU a request, {:.0} requests/s", slice.cpu, slice.rate);
                slices.push(slice);
            }
        }
        table.add(case, &slices);
    }
    write!(io::stdout(), "{table}")?;
    Ok(())
}
