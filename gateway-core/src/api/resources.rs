//! All objects that a translation looks at, by kind and key.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::kind::{AnyObject, Kind, for_each_kind};
use super::own::OwnObject;
use crate::name::{ObjectName, OwnKind};

macro_rules! resources {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident in $field:ident { $group:expr, $kind:literal, $($rest:tt)* }
    )+) => {
        /// All objects that a translation looks at, each kind sorted by namespace and name.
        ///
        /// Objects are shared, not copied: a clone costs a pointer for each object.
        ///
        /// ```
        /// use gateway_core::api::{Namespace, ObjectMeta, Resources};
        /// use gateway_core::name::ObjectName;
        ///
        /// let mut resources = Resources::default();
        /// let metadata = ObjectMeta { name: "shop".to_owned(), ..ObjectMeta::default() };
        /// resources.insert(Namespace { metadata }.into());
        /// assert!(resources.namespaces.contains_key(&ObjectName::cluster("shop")));
        /// ```
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Resources {
            $(#[doc = concat!("Every ", $kind, ".")] pub $field: BTreeMap<ObjectName, Arc<super::$name>>,)+
            /// Every object of the embedder's own kinds, by kind.
            pub own: BTreeMap<&'static OwnKind, BTreeMap<ObjectName, Arc<OwnObject>>>,
            repeated: BTreeSet<(Kind, ObjectName)>,
        }

        impl Resources {
            /// Adds an object, in the place of the one of its kind and name, and gives that back.
            ///
            /// A namespaced object without a namespace is put into [`DEFAULT_NAMESPACE`](super::DEFAULT_NAMESPACE); the namespace of a
            /// cluster-scoped object is dropped. An API server does both.
            pub fn insert(&mut self, mut object: AnyObject) -> Option<AnyObject> {
                object.settle_namespace();
                let key = object.key();
                self.repeated.remove(&(object.kind(), key.clone()));
                match object {
                    $(AnyObject::$name(object) => self.$field.insert(key, object).map(AnyObject::$name),)+
                    AnyObject::Own(object) => {
                        self.own.entry(object.kind()).or_default().insert(key, object).map(AnyObject::Own)
                    }
                }
            }

            /// Removes an object, and gives it back.
            pub fn remove(&mut self, kind: Kind, key: &ObjectName) -> Option<AnyObject> {
                self.repeated.remove(&(kind, key.clone()));
                match kind {
                    $(Kind::$name => self.$field.remove(key).map(AnyObject::$name),)+
                    Kind::Own(kind) => {
                        let objects = self.own.get_mut(kind)?;
                        let removed = objects.remove(key).map(AnyObject::Own);
                        if objects.is_empty() {
                            self.own.remove(kind);
                        }
                        removed
                    }
                }
            }

            /// Whether there is an object of this kind and key.
            pub fn contains(&self, kind: Kind, key: &ObjectName) -> bool {
                match kind {
                    $(Kind::$name => self.$field.contains_key(key),)+
                    Kind::Own(kind) => self.own.get(kind).is_some_and(|objects| objects.contains_key(key)),
                }
            }

            /// The object of this kind and key.
            pub fn get(&self, kind: Kind, key: &ObjectName) -> Option<AnyObject> {
                match kind {
                    $(Kind::$name => self.$field.get(key).cloned().map(AnyObject::$name),)+
                    Kind::Own(kind) => self.own.get(kind)?.get(key).cloned().map(AnyObject::Own),
                }
            }

            /// Every object, by kind and then by key.
            pub fn iter(&self) -> impl Iterator<Item = AnyObject> + '_ {
                let objects = std::iter::empty();
                $(let objects = objects.chain(self.$field.values().cloned().map(AnyObject::$name));)+
                objects.chain(self.own.values().flat_map(BTreeMap::values).cloned().map(AnyObject::Own))
            }

            /// The names of the objects of this kind, sorted.
            pub fn names(&self, kind: Kind) -> Box<dyn Iterator<Item = &ObjectName> + '_> {
                match kind {
                    $(Kind::$name => Box::new(self.$field.keys()),)+
                    Kind::Own(kind) => Box::new(self.own.get(kind).into_iter().flat_map(BTreeMap::keys)),
                }
            }

            /// How many objects there are.
            pub fn len(&self) -> usize {
                self.own.values().map(BTreeMap::len).sum::<usize>() $(+ self.$field.len())+
            }
        }
    };
}

for_each_kind!(resources);

// === impl Resources ===

impl Resources {
    /// The objects of which there were several where they were collected, and of which the first stayed.
    pub fn repeated(&self) -> &BTreeSet<(Kind, ObjectName)> {
        &self.repeated
    }

    /// Whether there is no object at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Each object takes the place of the one of its kind and name, as with [`insert`](Resources::insert).
impl Extend<AnyObject> for Resources {
    fn extend<I: IntoIterator<Item = AnyObject>>(&mut self, objects: I) {
        for object in objects {
            self.insert(object);
        }
    }
}

/// Of several objects with the same kind, namespace and name the first stays. The others are
/// [remembered](Resources::repeated), and a translation says so.
impl FromIterator<AnyObject> for Resources {
    fn from_iter<I: IntoIterator<Item = AnyObject>>(objects: I) -> Self {
        let mut resources = Self::default();
        for mut object in objects {
            object.settle_namespace();
            let (kind, key) = (object.kind(), object.key());
            if resources.contains(kind, &key) {
                resources.repeated.insert((kind, key));
            } else {
                resources.insert(object);
            }
        }
        resources
    }
}
