//! Every case with the gateway of gateway-tower, on sockets.

use std::process::ExitCode;

use conformance::engine::http::HttpEngines;

fn main() -> ExitCode {
    conformance::trials(HttpEngines)
}
