//! Resources and requests in which everything collides.
//!
//! There are few names, hosts, paths and values, so two routes often want the same request and a request often meets
//! several entries. What is made is what an API server would accept: bad values are those that it lets through.
//!
//! Everything is made of bytes by a [`Source`], so that a property test and a fuzzer drive the same code; fewer and
//! smaller bytes make fewer and simpler things.
//!
//! ```
//! use conformance::generate::{Source, world};
//!
//! let bytes: Vec<u8> = (0..=255).cycle().take(2000).collect();
//! let mut source = Source::new(&bytes);
//! let world = world(&mut source);
//! assert!(!world.resources.gateways.is_empty());
//! let arrival = conformance::generate::arrival(&mut source, &world);
//! assert!(world.resources.gateways.contains_key(&arrival.gateway));
//! ```

mod backends;
mod edits;
mod filters;
mod gateways;
mod grpc_routes;
mod mesh;
pub mod messages;
mod objects;
mod policies;
mod requests;
mod routes;
mod source;
mod streams;
mod words;

use gateway_core::api::{ObjectMeta, Resources, Timestamp};

pub use self::edits::{Edit, edit, options};
pub use self::mesh::{mesh_arrival, mesh_world};
pub use self::requests::arrival;
pub use self::source::Source;
pub use self::streams::{stream_arrival, stream_world};
pub use self::words::HOSTS;

/// The controller whose GatewayClasses count in a [`World`].
pub const CONTROLLER_NAME: &str = "example.com/gateway";

/// Resources, and the choice that they leave open.
#[derive(Clone, Debug)]
pub struct World {
    /// The resources.
    pub resources: Resources,
    /// Whether less specific hostnames are tried when no rule of the most specific one matches.
    pub hostname_fall_through: bool,
}

/// Makes resources.
pub fn world(source: &mut Source<'_>) -> World {
    let mut resources = Resources::default();
    gateways::insert(source, &mut resources);
    backends::insert(source, &mut resources);
    routes::insert(source, &mut resources);
    grpc_routes::insert(source, &mut resources);
    policies::insert(source, &mut resources);
    World { resources, hostname_fall_through: !source.chance(25) }
}

fn metadata(namespace: &str, name: impl Into<String>) -> ObjectMeta {
    ObjectMeta { name: name.into(), namespace: Some(namespace.to_owned()), ..ObjectMeta::default() }
}

fn created(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp::from_unix_seconds(seconds))
}
