//! Every case with the core, without a network.

use std::process::ExitCode;

use conformance::engine::pure::CoreEngines;

fn main() -> ExitCode {
    conformance::trials(CoreEngines)
}
