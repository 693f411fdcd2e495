//! Every conformance case that the example gateway claims to pass, on the program itself.
//!
//! This is what an implementation in any language does, and one in Rust that is a program: the harness writes manifests into
//! a folder, the program reads them, binds its ports, and writes statuses into a file.

use std::process::ExitCode;
use std::time::Duration;

use conformance::engine::command::{CommandEngines, CommandOptions};
use conformance::run::Settings;
use gateway_core::feature::{Feature, SUPPORTED, SUPPORTED_IN_MESHES};

const COMMAND: &str = concat!(
    env!("CARGO_BIN_EXE_gateway"),
    " run {manifests} --address {address} --port-offset {port-offset} --write-status {status}",
    " --controller-name conformance.gateway-api.rs/controller --mesh {mesh} --mesh-destination proxy-protocol"
);

fn main() -> ExitCode {
    let mut options = CommandOptions::new(COMMAND).expect("the placeholders are those that there are");
    options.features = SUPPORTED.iter().chain(SUPPORTED_IN_MESHES).copied().collect();
    // The program asks authorization services, and has no filters of its own.
    options.features.remove(&Feature::GatewayListenerFilters);
    // Without a cluster there is nothing to make a Service in.
    options.features.remove(&Feature::GatewayInfrastructure);
    options.features.remove(&Feature::GatewayAddressRoutabilityCluster);
    // A file that changes is noticed soon after.
    let settings = Settings { poll: Duration::from_millis(10), ..Settings::default() };
    conformance::trials_with(CommandEngines::new(options), settings)
}
