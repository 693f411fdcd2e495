//! All objects that are fit to be translated, and those that are not.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::problem::Problem;
use super::status;
use super::valid::{Valid, Validate, check};
use crate::api::{self, AnyObject, Kind, ObjectMeta, OwnObject, Resources, for_each_kind};
use crate::name::{ObjectName, OwnKind};

/// The objects of the embedder's own kinds.
type OwnObjects = BTreeMap<&'static OwnKind, BTreeMap<ObjectName, Arc<OwnObject>>>;

/// An object that is left out, because an API server would not have stored it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The kind.
    pub kind: Kind,
    /// Namespace and name.
    pub key: ObjectName,
    /// Everything that is wrong with it; at least one entry.
    pub problems: Vec<Problem>,
}

/// The objects that are left out, by kind and then by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AllRejected {
    all: Vec<Rejected>,
    /// The objects themselves, in the same order: one that stays as it is need not be checked again.
    objects: Vec<AnyObject>,
}

macro_rules! validated {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident in $field:ident { $group:expr, $kind:literal, $($rest:tt)* }
    )+) => {
        /// All objects without problems, each kind sorted by namespace and name, and what is wrong with the others.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Validated {
            $(#[doc = concat!("Every ", $kind, ".")] pub $field: BTreeMap<ObjectName, Valid<api::$name>>,)+
            /// Every object of the embedder's own kinds, by kind. Their types are all that there is to keep to.
            pub own: OwnObjects,
            /// The objects that are left out.
            pub rejected: AllRejected,
        }

        /// Checks every object by itself: an invalid one is left out, and no other suffers from it.
        pub fn validate(resources: &Resources) -> Validated {
            let mut validated = Validated::default();
            validated.update(resources);
            validated
        }

        impl Validated {
            /// Takes over the objects as they are now; checks those that are others than before. Gives their names.
            pub fn update(&mut self, resources: &Resources) -> Vec<(Kind, ObjectName)> {
                let mut changed = Vec::new();
                $(for name in differences(&self.$field, &resources.$field, &self.rejected) {
                    let object = resources.$field.get(&name);
                    let problems = put(&mut self.$field, &name, object);
                    self.rejected.set(Kind::$name, &name, problems, object.cloned().map(AnyObject::from));
                    changed.push((Kind::$name, name));
                })+
                changed.extend(own_differences(&self.own, &resources.own));
                self.own.clone_from(&resources.own);
                self.rejected.retain(resources);
                changed
            }

            /// Checks an object, and puts it in the place of the one of its name.
            pub fn insert(&mut self, object: &AnyObject) {
                let (kind, name) = (object.kind(), object.key());
                let problems = match object {
                    $(AnyObject::$name(object) => put(&mut self.$field, &name, Some(object)),)+
                    AnyObject::Own(object) => {
                        self.own.entry(object.kind()).or_default().insert(name.clone(), object.clone());
                        Vec::new()
                    }
                };
                self.rejected.set(kind, &name, problems, Some(object.clone()));
            }

            /// Takes an object away.
            pub fn remove(&mut self, kind: Kind, name: &ObjectName) {
                match kind {
                    $(Kind::$name => _ = self.$field.remove(name),)+
                    Kind::Own(kind) => _ = self.own.get_mut(kind).and_then(|objects| objects.remove(name)),
                }
                self.rejected.set(kind, name, Vec::new(), None);
            }

            /// The names of the objects of this kind, sorted, with their metadata.
            pub(crate) fn metadata(
                &self,
                kind: Kind,
            ) -> Box<dyn Iterator<Item = (&ObjectName, &ObjectMeta)> + '_> {
                match kind {
                    $(Kind::$name => {
                        Box::new(self.$field.iter().map(|(name, object)| (name, &object.metadata)))
                    })+
                    Kind::Own(kind) => {
                        let all = self.own.get(kind).into_iter().flatten();
                        Box::new(all.map(|(name, object)| (name, &object.metadata)))
                    }
                }
            }
        }

        /// What is wrong with an object of any kind.
        pub fn problems(object: &AnyObject) -> Vec<Problem> {
            match object {
                $(AnyObject::$name(object) => check(object).err().unwrap_or_default(),)+
                AnyObject::Own(_) => Vec::new(),
            }
        }

        /// What is wrong with the status of an object of any kind.
        ///
        /// # Spec
        /// [LIM-08](crate::spec#LIM-08), [LIM-09](crate::spec#LIM-09), [LIM-19](crate::spec#LIM-19),
        /// [LIM-20](crate::spec#LIM-20), [LIM-23](crate::spec#LIM-23), [VAL-GW-11](crate::spec#VAL-GW-11),
        /// [VAL-ST-01](crate::spec#VAL-ST-01).
        pub fn status_problems(object: &AnyObject) -> Vec<Problem> {
            match object {
                $(AnyObject::$name(object) => status::problems(object.as_ref()),)+
                AnyObject::Own(_) => Vec::new(),
            }
        }
    };
}

for_each_kind!(validated);

/// The names under which there is another object than before, or one where there was none, or none where there was one.
fn differences<T: Validate>(
    before: &BTreeMap<ObjectName, Valid<T>>,
    now: &BTreeMap<ObjectName, Arc<T>>,
    rejected: &AllRejected,
) -> Vec<ObjectName>
where
    AnyObject: From<Arc<T>>,
{
    let gone = before.keys().filter(|name| !now.contains_key(*name)).cloned();
    let gone: Vec<_> = if before.is_empty() { Vec::new() } else { gone.collect() };
    let other = now.iter().filter(|(name, object)| match before.get(*name) {
        Some(known) => !known.is_same(object),
        None => !rejected.contains(name, object),
    });
    gone.into_iter().chain(other.map(|(name, _)| name.clone())).collect()
}

/// The objects of the embedder's own kinds that are others than before, or new, or gone.
fn own_differences(before: &OwnObjects, now: &OwnObjects) -> BTreeSet<(Kind, ObjectName)> {
    let differ = |these: &OwnObjects, those: &OwnObjects| {
        let all = these.iter().flat_map(|(kind, objects)| objects.iter().map(|object| (*kind, object)));
        let is_other = |(kind, (name, object)): &(&'static OwnKind, (&ObjectName, &Arc<OwnObject>))| {
            those.get(kind).and_then(|objects| objects.get(*name)) != Some(*object)
        };
        all.filter(is_other).map(|(kind, (name, _))| (Kind::Own(kind), name.clone())).collect::<Vec<_>>()
    };
    differ(before, now).into_iter().chain(differ(now, before)).collect()
}

/// Puts an object in its place, unless something is wrong with it.
fn put<T: Validate>(
    valid: &mut BTreeMap<ObjectName, Valid<T>>,
    name: &ObjectName,
    object: Option<&Arc<T>>,
) -> Vec<Problem> {
    match object.map(check) {
        Some(Ok(object)) => {
            valid.insert(name.clone(), object);
            Vec::new()
        }
        Some(Err(problems)) => {
            valid.remove(name);
            problems
        }
        None => {
            valid.remove(name);
            Vec::new()
        }
    }
}

// === impl AllRejected ===

impl AllRejected {
    fn place(&self, kind: Kind, name: &ObjectName) -> Result<usize, usize> {
        self.all.binary_search_by(|known| (known.kind, &known.key).cmp(&(kind, name)))
    }

    /// Whether just this object was rejected.
    fn contains<T: Validate>(&self, name: &ObjectName, object: &Arc<T>) -> bool
    where
        AnyObject: From<Arc<T>>,
    {
        // Hardly any object is.
        let place = if self.all.is_empty() { Err(0) } else { self.place(T::KIND_ID, name) };
        place.is_ok_and(|place| self.objects[place] == AnyObject::from(object.clone()))
    }

    /// The objects of a kind that are left out, with what is wrong with each.
    pub(crate) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&Rejected, &AnyObject)> {
        self.all.iter().zip(&self.objects).filter(move |(rejected, _)| rejected.kind == kind)
    }

    /// What is wrong with the object of this name now: nothing, for one that is valid or gone.
    fn set(&mut self, kind: Kind, name: &ObjectName, problems: Vec<Problem>, object: Option<AnyObject>) {
        let found = self.place(kind, name);
        if let Ok(place) = found {
            self.all.remove(place);
            self.objects.remove(place);
        }
        if let (false, Some(object)) = (problems.is_empty(), object) {
            let place = found.unwrap_or_else(|place| place);
            self.all.insert(place, Rejected { kind, key: name.clone(), problems });
            self.objects.insert(place, object);
        }
    }

    /// Forgets objects that are not there any more.
    fn retain(&mut self, resources: &Resources) {
        let there: Vec<bool> =
            self.all.iter().map(|known| resources.get(known.kind, &known.key).is_some()).collect();
        let mut keep = there.iter();
        self.objects.retain(|_| keep.next().is_some_and(|there| *there));
        let mut keep = there.iter();
        self.all.retain(|_| keep.next().is_some_and(|there| *there));
    }
}

impl Deref for AllRejected {
    type Target = [Rejected];

    fn deref(&self) -> &[Rejected] {
        &self.all
    }
}

impl IntoIterator for AllRejected {
    type Item = Rejected;
    type IntoIter = std::vec::IntoIter<Rejected>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.into_iter()
    }
}

impl<'r> IntoIterator for &'r AllRejected {
    type Item = &'r Rejected;
    type IntoIter = std::slice::Iter<'r, Rejected>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.iter()
    }
}

// === impl Rejected ===

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} is invalid", self.kind, self.key)?;
        for (position, problem) in self.problems.iter().enumerate() {
            write!(f, "{}{problem}", if position == 0 { ": " } else { "; " })?;
        }
        Ok(())
    }
}
