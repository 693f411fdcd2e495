//! Every case with the gateway of gateway-tower, on sockets: none is skipped.

use std::process::ExitCode;

use conformance::engine::http::HttpEngines;

fn main() -> ExitCode {
    conformance::trials_of_every_case(HttpEngines)
}
