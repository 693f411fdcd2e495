//! Any program that reads a folder of manifests, as an engine.
//!
//! The harness writes the objects of a case into a folder, starts the program, replaces the files as the case goes on, and
//! ends the program with the case. The program may be written in any language. All that it must do:
//! - read the manifests in the folder: a file for each object, in JSON, which is YAML too. They have `creationTimestamp`,
//!   `generation` and `uid`. A new version of a file takes the place of the old one at once; a deleted object has no file;
//! - send requests to the addresses in EndpointSlices, which are on the loopback interface;
//! - listen on `{address}`, at the port of each listener plus `{port-offset}`;
//! - if it carries out a mesh, take connections of workloads at `{mesh}`, an address with its port: each begins with a header of the
//!   PROXY protocol that says who the workload is, by the address of its pod in an EndpointSlice, and where it connects to, which is
//!   the cluster IP and port of a Service, or a pod. What no Route is for goes on there;
//! - if it tells statuses, write them into `{status}`: a `List` of its objects, as JSON or YAML, a new one for each change,
//!   with what others have written into the statuses in the manifests. Half of it, while it is written, is no mistake.
//!
//! What it writes to its output and its standard error is shown where it fails. It is killed with the case.
//!
//! ```
//! use conformance::engine::Engines;
//! use conformance::engine::command::{CommandEngines, CommandOptions};
//! use gateway_core::feature::Feature;
//!
//! let command = "my-gateway --config {manifests} --listen {address} --add-to-ports {port-offset} --status {status}";
//! let mut options = CommandOptions::new(command)?;
//! options.features = [Feature::Gateway, Feature::HttpRoute].into();
//! assert!(CommandEngines::new(options).abilities().statuses);
//!
//! let error = CommandOptions::new("my-gateway {manifest}").unwrap_err();
//! assert!(error.starts_with("{manifest}: there is no such placeholder"));
//! # Ok::<(), String>(())
//! ```

mod folder;
mod process;
mod proxy;
mod status;
mod template;

use std::collections::BTreeSet;
use std::time::Duration;

use gateway_core::feature::Feature;

pub use self::proxy::CommandProxy;
pub use self::template::{Placeholder, Template};

use super::{Abilities, CONTROLLER_NAME, EngineError, Engines, Pace};
use crate::backend::Backends;
use crate::case::Case;
use crate::cluster::deployments;
use crate::loopback;
use crate::wire::Wire;

/// What to start, and how.
#[derive(Clone, Debug)]
pub struct CommandOptions {
    /// The command.
    pub command: Template,
    /// The features that it claims.
    pub features: BTreeSet<Feature>,
    /// The name of its controller: the one in the GatewayClass, and the one that it writes into the statuses of routes.
    pub controller_name: String,
    /// How it gets addresses.
    pub addresses: CommandAddresses,
    /// What it adds to the number of every port. By default nothing if the harness may bind low ports or the command does
    /// not name the placeholder, and else 10000.
    pub port_offset: Option<u16>,
    /// How long it may take until it takes a connection or writes a status.
    pub startup: Duration,
    /// Whether all that it starts ends with it, as where it is a script that starts the program proper; on Unix only. An interrupt
    /// by the keyboard does not come to it then, so that who plays the cases takes that and drops the engine. Not by default.
    pub with_all_it_starts: bool,
}

/// How a program gets addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CommandAddresses {
    /// All its listeners are on `{address}`. Cases in which two Gateways have the same port are unsupported.
    #[default]
    One,
    /// It listens where the `spec.addresses` of each Gateway say. A Gateway that has none is given a loopback address of its
    /// own, which works on Linux only.
    Spec,
}

/// Makes engines that start a program for each case.
#[derive(Clone, Debug)]
pub struct CommandEngines {
    options: CommandOptions,
}

// === impl CommandOptions ===

impl CommandOptions {
    /// The options for this command, see [`Template`]. It claims nothing yet.
    ///
    /// # Errors
    /// What is wrong with the command.
    pub fn new(command: &str) -> Result<Self, String> {
        Ok(Self {
            command: command.parse()?,
            features: BTreeSet::new(),
            controller_name: CONTROLLER_NAME.to_owned(),
            addresses: CommandAddresses::default(),
            port_offset: None,
            startup: Duration::from_secs(10),
            with_all_it_starts: false,
        })
    }

    /// What is added to the number of every port.
    fn offset(&self) -> u16 {
        match self.port_offset {
            Some(offset) => offset,
            None if !self.command.names(Placeholder::PortOffset) || loopback::low_ports() => 0,
            None => 10_000,
        }
    }
}

// === impl CommandEngines ===

impl CommandEngines {
    /// Engines with these options.
    pub fn new(options: CommandOptions) -> Self {
        Self { options }
    }
}

impl Engines for CommandEngines {
    type Engine = Wire<CommandProxy>;

    fn name(&self) -> &str {
        "command"
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            features: self.options.features.clone(),
            controller_name: self.options.controller_name.clone(),
            statuses: self.options.command.names(Placeholder::Status),
            traffic: true,
            pace: Pace::Eventual,
            static_addresses: None,
        }
    }

    async fn start(&self, case: &Case) -> Result<Self::Engine, EngineError> {
        let backends = Backends::start(deployments(case)).await.map_err(EngineError::failed)?;
        let proxy = CommandProxy::new(&self.options, backends.pods().to_vec())?;
        Ok(Wire::new(proxy, backends))
    }
}
