//! Mutants: engines with one fault each, to see that the cases find it.
//!
//! A case that nothing can fail shows nothing. So there is a list of [`mutants`], each a mistake that implementations make:
//! a prefix that ends in the middle of a path segment, an expression that is not anchored, a grant that is not asked for. A
//! [`Mutated`] engine is a good one with one of them, and a test demands that some case fails because of it.
//!
//! The fault sits outside of the engine, where what it reads or says can be changed on the way: objects are misread, requests
//! are mistaken for others, answers and statuses come out wrong. Precedence is the exception: there, the good engine is asked
//! about every match entry alone, and the mutant puts those that match into another order.

mod answers;
mod backends;
mod calls;
mod certificates;
mod engine;
mod external_auth;
mod kinds;
mod listener_filters;
mod meshes;
mod objects;
mod order;
mod requests;
mod service_imports;
mod sessions;
mod statuses;

use gateway_core::api::AnyObject;

use crate::case::{GrpcCode, HttpRequest, ObjectRef, Way};
use crate::exchange::HttpAnswer;

pub use self::engine::{Mutated, MutatedEngine};
pub use self::order::{Entry, RIGHT_ORDER};

/// A mistake that an implementation can make.
#[derive(Clone, Copy, Debug)]
pub struct Mutant {
    /// What it does wrong, in a few words.
    pub name: &'static str,
    /// The fault itself.
    pub fault: Fault,
}

/// Where a mutant goes wrong.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// It misreads an object.
    Object(fn(&mut AnyObject)),
    /// It takes a request for another one. The objects say what is configured.
    Request(fn(&[AnyObject], &mut HttpRequest)),
    /// It takes a request of a workload for one that goes another way.
    Way(fn(&mut Way, &HttpRequest)),
    /// It answers wrongly.
    Answer(fn(&mut HttpAnswer)),
    /// It ends calls with another code: what should be the first is the second.
    Code(GrpcCode, GrpcCode),
    /// It writes something wrong into a status.
    Status(fn(&mut AnyObject)),
    /// It prefers other match entries: the first in this order serves.
    Order(fn(&Entry, &Entry) -> std::cmp::Ordering),
    /// It makes objects up.
    Extra(fn() -> Vec<AnyObject>),
    /// It does not notice when such an object is deleted.
    Deaf(fn(&ObjectRef) -> bool),
    /// It does not notice when such an object changes.
    Blind(fn(&ObjectRef) -> bool),
    /// It sends this many copies where it should send one.
    Copies(usize),
}

/// Every mutant.
pub fn mutants() -> Vec<Mutant> {
    [
        order::MUTANTS,
        objects::MUTANTS,
        requests::MUTANTS,
        answers::MUTANTS,
        statuses::MUTANTS,
        calls::MUTANTS,
        kinds::MUTANTS,
        listener_filters::MUTANTS,
        certificates::MUTANTS,
        meshes::MUTANTS,
        service_imports::MUTANTS,
        sessions::MUTANTS,
        external_auth::MUTANTS,
        backends::MUTANTS,
        engine::MUTANTS,
    ]
    .concat()
}
