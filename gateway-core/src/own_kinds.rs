//! The embedder's own kinds of objects, and what each is to Routes.
//!
//! Objects of these kinds come from the same manifests as all others, with line, field and last good version, or are put into a
//! [`Translator`](crate::translate::Translator), and stand in [`Resources::own`](crate::api::Resources::own). One that is a backend is what
//! `backendRefs` and mirrors of HTTPRoutes and GRPCRoutes may name, under the same ReferenceGrants as a Service; one that is a filter,
//! what `ExtensionRef` may. What is neither, a policy for example, is for the embedder to read.
//!
//! The surprising case: a backend without addresses is no mistake. What is sent there comes to the client of the gateway as it is, with
//! the [backend](crate::rule::Backend) to say which object is meant; a client that does not know it has to refuse.
//!
//! ```
//! use gateway_core::api::OwnSpec;
//! use gateway_core::apply::Applied;
//! use gateway_core::name::OwnKind;
//! use gateway_core::options::Options;
//! use gateway_core::own_kinds::OwnKinds;
//! use gateway_core::rule::BackendKind;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! struct Bucket {
//!     region: String,
//! }
//!
//! impl OwnSpec for Bucket {
//!     const KIND: &'static OwnKind = &OwnKind::new("example.com", "Bucket", "buckets", &["v1"]);
//! }
//!
//! let text = "
//! apiVersion: gateway.networking.k8s.io/v1
//! kind: Gateway
//! metadata: {name: web}
//! spec: {gatewayClassName: any, listeners: [{name: http, port: 80, protocol: HTTP}]}
//! ---
//! apiVersion: gateway.networking.k8s.io/v1
//! kind: HTTPRoute
//! metadata: {name: photos}
//! spec: {parentRefs: [{name: web}], rules: [{backendRefs: [{group: example.com, kind: Bucket, name: photos}]}]}
//! ---
//! apiVersion: example.com/v1
//! kind: Bucket
//! metadata: {name: photos}
//! spec: {region: north}
//! ";
//! let options = Options { own_kinds: OwnKinds::default().backend::<Bucket>(), ..Options::standalone() };
//! let applied = Applied::from_text(text, "photos.yaml", options);
//! assert!(applied.problems.is_empty(), "{:?}", applied.problems);
//! let backend = applied.table.backends().next().expect("the Bucket is one");
//! assert_eq!((backend.kind, &*backend.service.name), (BackendKind::Own(Bucket::KIND), "photos"));
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::api::{OwnObject, OwnSpec};
use crate::filter::{Extension, ExtensionError};
use crate::manifest::OwnTypes;
use crate::name::OwnKind;

/// The embedder's own kinds.
#[derive(Clone, Default)]
pub struct OwnKinds {
    types: OwnTypes,
    roles: BTreeMap<&'static OwnKind, Role>,
}

/// What objects of a kind are to Routes.
#[derive(Clone)]
enum Role {
    /// A backend, at these addresses.
    Backend(Of<Vec<SocketAddr>>),
    /// A filter.
    Filter(Of<Made>),
}

/// What is found out of an object.
type Of<T> = Arc<dyn Fn(&OwnObject) -> T + Send + Sync>;

/// The filter that an object is, or why it is none.
pub(crate) type Made = Result<Arc<dyn Extension>, ExtensionError>;

// === impl OwnKinds ===

impl OwnKinds {
    /// Adds a kind of backends that the client of the gateway answers for.
    ///
    /// # Panics
    /// If the kind has been added before, or is one of Kubernetes or the Gateway API that is read here; so with all kinds.
    pub fn backend<S: OwnSpec>(self) -> Self {
        self.backend_at::<S>(|_| Vec::new())
    }

    /// Adds a kind of backends at addresses that the object tells: endpoints, as those of a Service. One that tells none is
    /// for the client of the gateway to answer.
    ///
    /// # Panics
    /// As [`backend`](Self::backend) does.
    pub fn backend_at<S: OwnSpec>(
        self,
        addresses: impl Fn(&S) -> Vec<SocketAddr> + Send + Sync + 'static,
    ) -> Self {
        let of_object = move |object: &OwnObject| object.spec().map(&addresses).unwrap_or_default();
        self.with::<S>(Some(Role::Backend(Arc::new(of_object))))
    }

    /// Adds a kind of filters, for the `ExtensionRef` of rules and of their backends; those of listeners are found by
    /// [`extensions`](crate::options::Options::extensions) alone. The filter is made when the object comes or changes; its Routes are compiled again then.
    ///
    /// # Panics
    /// As [`backend`](Self::backend) does.
    pub fn filter<S: OwnSpec>(
        self,
        make: impl Fn(&S) -> Result<Arc<dyn Extension>, ExtensionError> + Send + Sync + 'static,
    ) -> Self {
        let of_object = move |object: &OwnObject| match object.spec() {
            Some(spec) => make(spec),
            None => Err(ExtensionError::Invalid("its spec is of another type".to_owned())),
        };
        self.with::<S>(Some(Role::Filter(Arc::new(of_object))))
    }

    /// Adds a kind that no Route refers to, such as a policy.
    ///
    /// # Panics
    /// As [`backend`](Self::backend) does.
    pub fn other<S: OwnSpec>(self) -> Self {
        self.with::<S>(None)
    }

    fn with<S: OwnSpec>(mut self, role: Option<Role>) -> Self {
        self.types.add::<S>();
        self.roles.extend(role.map(|role| (S::KIND, role)));
        self
    }

    /// The types that read objects of these kinds.
    pub fn types(&self) -> &OwnTypes {
        &self.types
    }

    /// Every kind of backends, by group and name.
    pub(crate) fn backends(&self) -> impl Iterator<Item = &'static OwnKind> + '_ {
        let backends = self.roles.iter().filter(|(_, role)| matches!(role, Role::Backend(_)));
        backends.map(|(kind, _)| *kind)
    }

    /// The kind of backends with this group and name.
    pub(crate) fn find_backend(&self, group: &str, kind: &str) -> Option<&'static OwnKind> {
        self.backends().find(|known| known.as_str() == kind && known.group() == group)
    }

    /// The kind of filters with this group and name.
    pub(crate) fn find_filter(&self, group: &str, kind: &str) -> Option<&'static OwnKind> {
        self.types.find(group, kind).filter(|kind| matches!(self.roles.get(kind), Some(Role::Filter(_))))
    }

    /// The addresses of an object that is a backend.
    pub(crate) fn addresses(&self, object: &OwnObject) -> Vec<SocketAddr> {
        match self.roles.get(object.kind()) {
            Some(Role::Backend(addresses)) => addresses(object),
            Some(Role::Filter(_)) | None => Vec::new(),
        }
    }

    /// The filter that an object is, if it is of a kind of filters.
    pub(crate) fn make_filter(&self, object: &OwnObject) -> Option<Made> {
        match self.roles.get(object.kind())? {
            Role::Filter(make) => Some(make(object)),
            Role::Backend(_) => None,
        }
    }
}

impl fmt::Debug for OwnKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnKinds").field(&self.types).finish()
    }
}
