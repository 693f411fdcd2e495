//! The backends of cases: what they answer, without saying how the question comes to them.
//!
//! [`echo`] tells the client what the backend got, in the form that upstream's backends have. [`HttpBackend`] is one pod
//! that echoes, fails first or dawdles when the request asks for it, and remembers what it received. Engines without a
//! network call it as it is; those with one run [`Backends`].

mod behaviour;
mod check;
mod echo;
mod pods;
mod received;

mod running;

mod bytes;
mod datagram;
mod grpc;
mod grpc_message;
mod http;
mod tcp;
mod tls;

pub use self::behaviour::{HttpBackend, Served};
pub use self::check::check;
pub use self::echo::{Tls, echo, read_echo};
pub use self::pods::{BackendPort, VirtualBackends};
pub use self::received::Received;
pub use self::running::Backends;

pub(crate) use self::datagram::{DatagramAnswer, LONGEST as LONGEST_DATAGRAM};
pub(crate) use self::grpc::GrpcBackend;
pub(crate) use self::grpc_message::{EchoRequest, EchoResponse};
pub(crate) use self::tcp::{GREETING, TestAnswer};
pub(crate) use self::tls::pem;
