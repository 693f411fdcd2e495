//! Every case with the tower stack, without sockets.

use std::process::ExitCode;

use conformance::engine::tower::TowerEngines;

fn main() -> ExitCode {
    conformance::trials(TowerEngines)
}
