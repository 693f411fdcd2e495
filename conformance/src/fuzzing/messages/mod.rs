//! Messages in both directions, through the server and the client of `gateway-tower` and all that is between them.
//!
//! What comes out of either end is read by a reader that takes nothing but what RFC 9112 lets a sender write. The first byte of
//! the input says how the rest is sent; from 128 on, the rest makes messages of odd pieces.

mod answers;
mod authorization;
mod gateway;
mod requests;
mod strict;

pub use self::answers::{Answered, answers, carry_answer};
pub use self::authorization::authorization;
pub use self::requests::{Carried, carry_requests, requests};
pub use self::strict::Message;
