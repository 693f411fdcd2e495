//! Functions for fuzzers and property tests: each takes bytes and panics if something is wrong.
//!
//! | target | what must hold |
//! | --- | --- |
//! | [`find`] | core and reference agree on what becomes of generated requests, with generated resources |
//! | [`streams`] | the same of generated connections and datagrams |
//! | [`mesh`] | the same of generated requests of workloads to Services |
//! | [`edits`] | a translator that takes generated edits gives what a translation from nothing gives |
//! | [`rewrite`] | they agree on paths that are replaced, with any text as path, prefix and replacement |
//! | [`hostname`] | they agree on which hostname matches which host, with any text as either |
//! | [`requests`] | of each message of a client at most one reaches a backend, by the rule that serves what the backend sees |
//! | [`answers`] | of each answer of a backend at most one reaches the client, and nothing of it is the answer to another request |
//! | [`authorization`] | a request passes only where an authorization service said so over gRPC, in one whole message |
//! | [`client_hello`] | a ClientHello is read alike in whatever pieces it comes |
//! | [`proxy_header`] | a header of the PROXY protocol too; what was read is written and read again |
//! | [`manifest`] | any text is read without panic, what was read is written and read again as it was, and translated |
//!
//! For what is your own, in three lines of a target of your own:
//!
//! | function | what must hold |
//! | --- | --- |
//! | [`filter`] | what you say of a request with a filter of yours in its way, and of the same request without |
//! | [`compare_engine`], [`compare_decisions`] | your engine and the reference agree, where [`find`] has the core |

mod agreement;
mod edits;
#[cfg(feature = "messages")]
mod first_bytes;
mod hostname;
mod manifest;
#[cfg(feature = "messages")]
mod messages;
mod own_filter;
mod rewrite;
mod sessions;

pub use self::agreement::{
    Compared, Disagreement, MeshDisagreement, any_order, compare, compare_decisions, compare_engine,
    compare_mesh, compare_streams, find, mesh, streams,
};
pub use self::edits::{Divergence, Followed, edits, follow};
#[cfg(feature = "messages")]
pub use self::first_bytes::{client_hello, proxy_header};
pub use self::hostname::hostname;
pub use self::manifest::manifest;
#[cfg(feature = "messages")]
pub use self::messages::{
    Answered, Carried, Message, answers, authorization, carry_answer, carry_requests, requests,
};
pub use self::own_filter::{Filtered, filter};
pub use self::rewrite::rewrite;

/// The part of fuzzed input that is text.
fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
