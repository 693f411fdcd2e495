//! Objects of the embedder's own kinds: as backends, and as filters.

use std::collections::BTreeMap;

use super::usage::Usage;
use crate::api::OwnObject;
use crate::condition::Reason;
use crate::filter::ExtensionError;
use crate::finding::Finding;
use crate::name::{ObjectName, OwnKind};
use crate::own_kinds::{Made, OwnKinds};
use crate::rule::{Backend, BackendKind, BackendProtocol};
use crate::validate::Validated;

/// The filters that objects are, or why they are none. Each is made once for a version of its object, since filters are told apart by
/// where they are.
#[derive(Debug, Default)]
pub(crate) struct OwnFilters {
    made: BTreeMap<(&'static OwnKind, ObjectName), Made>,
}

/// Objects of the embedder's own kinds, as references find them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnObjects<'r> {
    pub(crate) kinds: &'r OwnKinds,
    pub(crate) valid: &'r Validated,
    pub(crate) filters: &'r OwnFilters,
}

// === impl OwnFilters ===

impl OwnFilters {
    /// Those of all objects.
    pub(crate) fn new(kinds: &OwnKinds, valid: &Validated) -> Self {
        let mut filters = Self::default();
        for (kind, objects) in &valid.own {
            objects.keys().for_each(|name| _ = filters.update(kind, name, kinds, valid));
        }
        filters
    }

    /// Makes the filter of an object that changed. Says whether there is one, or was.
    pub(crate) fn update(
        &mut self,
        kind: &'static OwnKind,
        name: &ObjectName,
        kinds: &OwnKinds,
        valid: &Validated,
    ) -> bool {
        let object = valid.own.get(kind).and_then(|objects| objects.get(name));
        let key = (kind, name.clone());
        match object.and_then(|object| kinds.make_filter(object)) {
            Some(made) => {
                self.made.insert(key, made);
                true
            }
            None => self.made.remove(&key).is_some(),
        }
    }
}

// === impl OwnObjects ===

impl<'r> OwnObjects<'r> {
    /// The filter that a reference leads to; none where it is to no kind of filters.
    pub(crate) fn filter(self, namespace: &str, (group, kind, name): (&str, &str, &str)) -> Option<Made> {
        let kind = self.kinds.find_filter(group, kind)?;
        let found = self.filters.made.get(&(kind, scoped(kind, namespace, name)));
        Some(found.cloned().unwrap_or(Err(ExtensionError::NotFound)))
    }

    /// The backend that an object is for what is sent there, if it is there and can be used.
    ///
    /// # Errors
    /// Why it cannot.
    pub(super) fn backend(
        self,
        kind: &'static OwnKind,
        name: &ObjectName,
        port: u16,
        usage: Usage,
    ) -> Result<Backend, Finding> {
        let Some(object) = self.find(kind, name) else {
            let message = format!("there is no {kind} {name}; write one, or name another");
            return Err(
                Finding::whole(Reason::BackendNotFound, message).because_of(kind.as_str(), name.clone())
            );
        };
        let addresses = self.kinds.addresses(object);
        let protocol = match usage {
            Usage::Http => BackendProtocol::Http1,
            Usage::Grpc => BackendProtocol::H2c,
            _ if !addresses.is_empty() => BackendProtocol::default(),
            _ => {
                let what = usage.as_str();
                let message =
                    format!("{kind} {name} has no addresses, and takes no {what}; refer to a Service");
                return Err(Finding::whole(Reason::UnsupportedProtocol, message));
            }
        };
        let endpoints = addresses.into_iter().map(Into::into).collect();
        let (service, kind) = (name.clone(), BackendKind::Own(kind));
        Ok(Backend { service, kind, port, protocol, endpoints, ..Backend::default() })
    }

    fn find(self, kind: &'static OwnKind, name: &ObjectName) -> Option<&'r OwnObject> {
        self.valid.own.get(kind)?.get(name).map(|object| &**object)
    }
}

/// The name of an object of this kind that something in a namespace refers to.
pub(super) fn scoped(kind: &OwnKind, namespace: &str, name: &str) -> ObjectName {
    match kind.is_namespaced() {
        true => ObjectName::new(namespace, name),
        false => ObjectName::cluster(name),
    }
}
