//! The interface of a control plane: it takes objects and tells what has become of them.

use gateway_core::api::AnyObject;
use gateway_core::name::ObjectName;

use super::{EngineError, Infrastructure};
use crate::case::ObjectRef;
use crate::exchange::Exchange;

/// The part of an implementation that takes objects and tells what has become of them.
///
/// [`Engine`](super::Engine) adds how requests are carried, and [`Proxy`](crate::wire::Proxy) where it listens for them.
pub trait ControlPlane: Send + Sync {
    /// Creates objects, or replaces those that are there. All of one call are there before any of them counts.
    fn apply(&mut self, objects: Vec<AnyObject>) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// Deletes an object.
    fn delete(&mut self, object: &ObjectRef) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// The object as it is stored now, with its status; nothing if there is no such object.
    fn object(
        &self,
        object: &ObjectRef,
    ) -> impl Future<Output = Result<Option<AnyObject>, EngineError>> + Send;

    /// What was made for a Gateway: ServiceAccounts, Services or Pods that carry its name.
    fn infrastructure(
        &self,
        _gateway: &ObjectName,
    ) -> impl Future<Output = Result<Vec<Infrastructure>, EngineError>> + Send {
        async { Err(EngineError::unsupported("no infrastructure is made for Gateways")) }
    }

    /// Why an exchange went where it went, if that can be told.
    fn explain(&self, _exchange: &Exchange) -> Option<String> {
        None
    }
}
