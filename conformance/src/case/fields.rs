//! The fields of a case, found out from the types that it is read into, so that none is missing in `docs/cases.md`.
//!
//! serde tells a deserializer the names of a struct's fields before it reads any. [`Probe`] is a deserializer that goes
//! down to one place in the types and stops there with these names; going to all places finds all of them. Types that are
//! read through another one, which serde calls untagged, keep their fields to themselves and are named in the test.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};

/// Names that belong together: the fields of a struct or the variants of an enumeration.
pub(super) type Names = &'static [&'static str];

/// All that there is to write in `T`: the fields of every struct, and the variants of every enumeration.
pub(super) fn names<T: for<'de> Deserialize<'de>>() -> (BTreeSet<Names>, BTreeSet<Names>) {
    let (mut fields, mut variants) = (BTreeSet::new(), BTreeSet::new());
    let mut places = vec![Vec::new()];
    while let Some(place) = places.pop() {
        match T::deserialize(Probe { place: &place }).err() {
            Some(Found::Fields(names)) => {
                fields.insert(names);
                places.extend(names.iter().map(|name| [place.as_slice(), &[*name]].concat()));
            }
            Some(Found::Variants(names)) => drop(variants.insert(names)),
            Some(Found::Nothing) | None => {}
        }
    }
    (fields, variants)
}

/// Goes to a place, as the names of the fields that lead there.
#[derive(Clone, Copy)]
struct Probe<'p> {
    place: &'p [&'static str],
}

/// What is at the place. An error, because nothing is read.
#[derive(Debug)]
enum Found {
    Fields(Names),
    Variants(Names),
    Nothing,
}

/// The one field that leads to the place, or the one member of a list.
struct One<'p> {
    key: Option<&'static str>,
    probe: Probe<'p>,
}

// === impl Probe ===

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Found;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Found> {
        Err(Found::Nothing)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Found> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Found> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Found> {
        visitor.visit_seq(One { key: None, probe: self })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Found> {
        visitor.visit_map(One { key: Some("anything"), probe: self })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: Names,
        visitor: V,
    ) -> Result<V::Value, Found> {
        match self.place.split_first() {
            None => Err(Found::Fields(fields)),
            Some((key, place)) => visitor.visit_map(One { key: Some(key), probe: Probe { place } }),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: Names,
        _: V,
    ) -> Result<V::Value, Found> {
        Err(Found::Variants(variants))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple
        tuple_struct identifier ignored_any
    }
}

// === impl One ===

impl<'de> MapAccess<'de> for One<'_> {
    type Error = Found;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Found> {
        self.key.take().map(|key| seed.deserialize(StrDeserializer::new(key))).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Found> {
        seed.deserialize(self.probe)
    }
}

impl<'de> SeqAccess<'de> for One<'_> {
    type Error = Found;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Found> {
        seed.deserialize(self.probe).map(Some)
    }
}

// === impl Found ===

impl Error for Found {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Nothing
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Found {}

#[cfg(test)]
mod tests {
    use super::super::{Base, Step, Written, base};
    use super::*;

    const DOCS: &str = include_str!("../../docs/cases.md");

    /// The names in the first column of each table.
    fn tables() -> Vec<BTreeSet<&'static str>> {
        let mut tables = vec![BTreeSet::new()];
        for line in DOCS.lines() {
            match line.strip_prefix("| `").and_then(|rest| rest.split_once("` |")) {
                Some((name, _)) => drop(tables.last_mut().unwrap().insert(name)),
                None => tables.push(BTreeSet::new()),
            }
        }
        tables.retain(|table| !table.is_empty());
        tables
    }

    #[test]
    fn every_struct_has_a_table_with_exactly_its_fields() {
        let (mut fields, _) = names::<Written>();
        // These are read through another type.
        fields.extend([&["oneOf"] as Names, &["set"]]);
        fields.insert(&["is", "message", "observedGeneration", "lastTransitionTime"]);
        assert!(fields.len() > 25, "the fields of all steps are found: {fields:#?}");
        assert!(fields.iter().any(|names| names == &Step::KEYS), "{fields:#?}");
        let tables = tables();
        for names in &fields {
            let wanted: BTreeSet<&str> = names.iter().copied().collect();
            assert!(
                tables.contains(&wanted),
                "docs/cases.md has no table with exactly these fields: {names:?}"
            );
        }
        for table in &tables {
            let is_known = |names: &Names| names.iter().copied().collect::<BTreeSet<_>>() == *table;
            assert!(fields.iter().any(is_known), "docs/cases.md describes what does not exist: {table:?}");
        }
    }

    #[test]
    fn every_variant_is_named() {
        let (_, variants) = names::<Written>();
        assert!(variants.iter().any(|names| names.contains(&"HTTP/1.1")), "{variants:#?}");
        for name in variants.iter().copied().flatten() {
            assert!(DOCS.contains(&format!("`{name}`")), "docs/cases.md does not name {name:?}");
        }
    }

    #[test]
    fn every_example_is_a_case() {
        let examples: Vec<&str> =
            DOCS.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert!(examples.len() > 10);
        for example in examples {
            let text = match example.starts_with("apiVersion") {
                true => example.to_owned(),
                // A list of steps.
                false => format!(
                    "apiVersion: {}\nkind: Case\nname: Example\nsummary: An example.\nfeatures: [Gateway, Mesh]\nsteps:\n{example}{OBJECTS}",
                    super::super::API_VERSION
                ),
            };
            if let Err(problems) = super::super::read(&text, "example") {
                let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
                panic!("{text}\n{}", problems.join("\n"));
            }
        }
    }

    /// What the lists of steps are about.
    const OBJECTS: &str = "
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: gateway-conformance-infra}
spec: {parentRefs: [{name: same-namespace}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: late, namespace: gateway-conformance-infra}
spec: {parentRefs: [{name: same-namespace}]}
";

    #[test]
    fn every_backend_of_the_base_is_named() {
        let Base { deployments, .. } = base();
        for deployment in deployments {
            assert!(
                DOCS.contains(&format!("`{}`", deployment.name)),
                "docs/cases.md does not name {}",
                deployment.name
            );
        }
    }
}
