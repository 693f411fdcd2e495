//! All objects that are fit to be translated, and those that are not.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::problem::Problem;
use super::status;
use super::valid::{Valid, Validate, check};
use crate::api::{self, AnyObject, Kind, Resources, for_each_kind};
use crate::name::ObjectName;

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

macro_rules! validated {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident in $field:ident { $group:expr, $kind:literal, $($rest:tt)* }
    )+) => {
        /// All objects without problems, each kind sorted by namespace and name, and what is wrong with the others.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Validated {
            $(#[doc = concat!("Every ", $kind, ".")] pub $field: BTreeMap<ObjectName, Valid<api::$name>>,)+
            /// The objects that are left out, by kind and then by key.
            pub rejected: Vec<Rejected>,
        }

        /// Checks every object by itself: an invalid one is left out, and no other suffers from it.
        pub fn validate(resources: &Resources) -> Validated {
            let mut rejected = Vec::new();
            Validated {
                $($field: sift(&resources.$field, &mut rejected),)+
                rejected,
            }
        }

        /// What is wrong with an object of any kind.
        pub fn problems(object: &AnyObject) -> Vec<Problem> {
            match object { $(AnyObject::$name(object) => check(object).err().unwrap_or_default(),)+ }
        }

        /// What is wrong with the status of an object of any kind.
        ///
        /// # Spec
        /// LIM-08, LIM-09, LIM-19, LIM-20, LIM-23, VAL-GW-11, VAL-ST-01.
        pub fn status_problems(object: &AnyObject) -> Vec<Problem> {
            match object { $(AnyObject::$name(object) => status::problems(object.as_ref()),)+ }
        }
    };
}

for_each_kind!(validated);

/// The objects without problems; the others go to `rejected`.
fn sift<T: Validate>(
    objects: &BTreeMap<ObjectName, Arc<T>>,
    rejected: &mut Vec<Rejected>,
) -> BTreeMap<ObjectName, Valid<T>> {
    let valid = objects.iter().filter_map(|(key, object)| match check(object) {
        Ok(valid) => Some((key.clone(), valid)),
        Err(problems) => {
            rejected.push(Rejected { kind: T::KIND_ID, key: key.clone(), problems });
            None
        }
    });
    // The keys come in order, from which a map is built in linear time.
    valid.collect()
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
