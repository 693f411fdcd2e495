//! Every case with the plain reference, without a network.

use std::process::ExitCode;

use conformance::engine::pure::ReferenceEngines;

fn main() -> ExitCode {
    conformance::trials(ReferenceEngines)
}
