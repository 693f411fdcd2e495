//! The steps of a case, one after the other.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::bytes::BytesStep;
use super::distribution::{DistributionStep, MirrorShareStep};
use super::grpc::GrpcStep;
use super::http::HttpStep;
use super::mesh::MeshStep;
use super::object_ref::{Name, ObjectRef};
use super::status::StatusStep;
use super::stream::{TcpStep, UdpStep};
use super::websocket::WebSocketStep;

/// A step: something is done, or something must be so. What must be so is waited for.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
#[expect(clippy::large_enum_variant, reason = "a case has a handful of steps, which are read once")]
pub enum Step {
    /// `ready`: these Gateways and ListenerSets are Accepted and Programmed, every listener of theirs is Accepted, Programmed
    /// and ResolvedRefs, every condition is about the object as it is now, and a Gateway has an address.
    Ready(Vec<ObjectRef>),
    /// `accepted`: these routes have `Accepted=True/Accepted` for every parent that they name.
    Accepted(Vec<ObjectRef>),
    /// `resolved`: these routes have `ResolvedRefs=True/ResolvedRefs` for every parent that they name.
    Resolved(Vec<ObjectRef>),
    /// `notAccepted`: these routes have no parents in their status, or one with `Accepted=False`.
    NotAccepted(Vec<ObjectRef>),
    /// `noRoutes`: these Gateways have no listener status, or one with no attached routes.
    NoRoutes(Vec<ObjectRef>),
    /// `status`: a status says this.
    Status(StatusStep),
    /// `infrastructure`: what was made for a Gateway carries these labels and annotations.
    Infrastructure(InfrastructureStep),
    /// `apply`: these objects of the case, which were held back until now, come into being, at least a second after all
    /// others.
    Apply(Vec<ObjectRef>),
    /// `delete`: these objects go.
    Delete(Vec<ObjectRef>),
    /// `patch`: an object changes.
    Patch(PatchStep),
    /// `http`: requests and answers.
    Http(HttpStep),
    /// `grpc`: calls and answers.
    Grpc(GrpcStep),
    /// `websocket`: a conversation.
    WebSocket(WebSocketStep),
    /// `tcp`: connections.
    Tcp(TcpStep),
    /// `udp`: datagrams.
    Udp(UdpStep),
    /// `bytes`: what is on the wire.
    Bytes(BytesStep),
    /// `mesh`: requests within a mesh.
    Mesh(MeshStep),
    /// `distribution`: how many requests spread.
    Distribution(DistributionStep),
    /// `mirrorShare`: how many of many requests are copied.
    MirrorShare(MirrorShareStep),
}

/// A change of one object.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PatchStep {
    /// The object.
    pub object: ObjectRef,
    /// A JSON merge patch (RFC 7386): fields are replaced, `null` removes one, a list is replaced whole.
    pub merge: Value,
}

/// What the things made for a Gateway must carry.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct InfrastructureStep {
    /// The Gateway.
    pub of: Name,
    /// Labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

macro_rules! steps {
    ($($key:ident: $variant:ident($content:ty),)+) => {
        /// A step as it is written: an object with one field.
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Written { $($key: Option<$content>,)+ }

        impl TryFrom<Written> for Step {
            type Error = String;

            fn try_from(written: Written) -> Result<Self, String> {
                let mut steps = Vec::new();
                $(steps.extend(written.$key.map(Step::$variant));)+
                match steps.len() {
                    1 => Ok(steps.remove(0)),
                    0 => Err("a step says one of these: ".to_owned() + &Step::KEYS.join(", ")),
                    _ => Err("a step does one thing; make two steps of it".to_owned()),
                }
            }
        }

        impl Step {
            /// The keys that steps are written with.
            pub const KEYS: &[&str] = &[$(key(stringify!($key)),)+];

            /// The key that the step is written with.
            pub fn key(&self) -> &'static str {
                match self { $(Self::$variant(_) => key(stringify!($key)),)+ }
            }
        }
    };
}

steps! {
    ready: Ready(Vec<ObjectRef>),
    accepted: Accepted(Vec<ObjectRef>),
    resolved: Resolved(Vec<ObjectRef>),
    not_accepted: NotAccepted(Vec<ObjectRef>),
    no_routes: NoRoutes(Vec<ObjectRef>),
    status: Status(StatusStep),
    infrastructure: Infrastructure(InfrastructureStep),
    apply: Apply(Vec<ObjectRef>),
    delete: Delete(Vec<ObjectRef>),
    patch: Patch(PatchStep),
    http: Http(HttpStep),
    grpc: Grpc(GrpcStep),
    websocket: WebSocket(WebSocketStep),
    tcp: Tcp(TcpStep),
    udp: Udp(UdpStep),
    bytes: Bytes(BytesStep),
    mesh: Mesh(MeshStep),
    distribution: Distribution(DistributionStep),
    mirror_share: MirrorShare(MirrorShareStep),
}

/// The written form of a field's name.
const fn key(field: &'static str) -> &'static str {
    match field.as_bytes() {
        b"not_accepted" => "notAccepted",
        b"no_routes" => "noRoutes",
        b"mirror_share" => "mirrorShare",
        _ => field,
    }
}
