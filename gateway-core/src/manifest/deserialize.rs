//! serde over a [`Tape`](super::tape::Tape), as strict as an API server.
//!
//! Three things that a general YAML deserializer does not do make this one worth its lines:
//! - a string field does not take `8080` or `yes` without quotes, because a cluster would refuse them;
//! - every error knows the path of its field, and where that is written;
//! - an unknown field is noted, with the known field that may have been meant.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::field_error::FieldError;
use super::field_path::FieldPath;
use super::merge;
use super::reading::Reading;
use super::scalar::Scalar;
use super::tape::{NodeId, Value};
use super::unknown_field::{UnknownField, is_read_whole};
use super::unread::is_unread;

// === impl Reading ===

impl<'r, 't> Reading<'r, 't> {
    /// Reads the object, and says which fields are unknown.
    pub(super) fn object<'de, S: DeserializeSeed<'de>>(
        self,
        node: NodeId,
        seed: S,
    ) -> (Result<S::Value, FieldError>, Vec<UnknownField>) {
        let path = FieldPath::Root;
        let reader =
            NodeReader { reading: &self, node, path: &path, key: node, siblings: &[], repeats: false };
        let result = seed.deserialize(reader).map_err(|error| reader.locate(error));
        (result, self.unknown.into_inner())
    }
}

/// Reads one node.
#[derive(Clone, Copy)]
struct NodeReader<'r, 't> {
    reading: &'r Reading<'r, 't>,
    node: NodeId,
    path: &'r FieldPath<'r>,
    /// The key in front of the node; the node itself if it has none.
    key: NodeId,
    /// The fields that the surrounding object has.
    siblings: &'static [&'static str],
    /// Whether an alias led here.
    repeats: bool,
}

// === impl NodeReader ===

impl<'r, 't> NodeReader<'r, 't> {
    /// The node that is meant, its value, and whether an alias led to it.
    fn value(&self) -> (NodeId, &'r Value<'t>, bool) {
        let (target, node) = self.reading.tape.resolve(self.node);
        (target, &node.value, self.repeats || target != self.node)
    }

    fn is_unread(&self) -> bool {
        self.reading.kind.is_some_and(|kind| is_unread(kind, &self.path.shape()))
    }

    fn locate(&self, error: FieldError) -> FieldError {
        error.at(self.path, self.reading.tape.node(self.node).place)
    }

    fn expected(&self, what: &str) -> FieldError {
        FieldError::new(self.mismatch(what))
    }

    fn mismatch(&self, what: &str) -> String {
        let found = match self.value().1 {
            Value::Plain(text) => Scalar::of(text).describe(),
            Value::Text(_) => "a string",
            Value::Sequence { .. } => "a list",
            Value::Mapping { .. } | Value::Alias(_) => "an object",
        };
        format!("expected {what}, found {found}")
    }

    fn string<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, FieldError> {
        let (_, value, repeats) = self.value();
        match value {
            Value::Text(text) => {
                self.reading.count_text(repeats, text)?;
                visitor.visit_str(text)
            }
            Value::Plain(text) => match Scalar::of(text) {
                Scalar::Text => {
                    self.reading.count_text(repeats, text)?;
                    visitor.visit_str(text)
                }
                Scalar::Null => Err(self.expected("a string")),
                other @ (Scalar::Bool(_) | Scalar::Signed(_) | Scalar::Unsigned(_) | Scalar::Float(_)) => {
                    let found = other.describe();
                    Err(FieldError::new(format!("expected a string, found {found}; put it in quotes")))
                }
            },
            Value::Sequence { .. } | Value::Mapping { .. } | Value::Alias(_) => {
                Err(self.expected("a string"))
            }
        }
    }

    fn number<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, FieldError> {
        match self.value().1 {
            Value::Plain(text) => match Scalar::of(text) {
                Scalar::Signed(number) => visitor.visit_i64(number),
                Scalar::Unsigned(number) => visitor.visit_u64(number),
                Scalar::Float(_) => {
                    Err(FieldError::new("expected a whole number; write it without a fraction".to_owned()))
                }
                Scalar::Text => Err(Self::no_number()),
                Scalar::Null | Scalar::Bool(_) => Err(self.expected("a number")),
            },
            Value::Text(text) if matches!(Scalar::of(text), Scalar::Signed(_) | Scalar::Unsigned(_)) => {
                Err(FieldError::new("expected a number, found a string; leave out the quotes".to_owned()))
            }
            Value::Text(_) => Err(Self::no_number()),
            Value::Sequence { .. } | Value::Mapping { .. } | Value::Alias(_) => {
                Err(self.expected("a number"))
            }
        }
    }

    /// A text where a number is expected, and no number in quotes.
    fn no_number() -> FieldError {
        FieldError::new("expected a number, found a string; write it in digits".to_owned())
    }

    /// Something else where an object with these fields is expected.
    fn no_object(&self, known: &[&str]) -> FieldError {
        let said = self.mismatch("an object");
        FieldError::new(match known {
            [_, ..] if self.reading.kind.is_some_and(|kind| is_read_whole(kind, &self.path.shape())) => {
                format!("{said}; its fields are {}", known.join(", "))
            }
            _ => said,
        })
    }

    fn fields<'de, V: Visitor<'de>>(
        &self,
        known: &'static [&'static str],
        names: Names,
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        let (node, value, repeats) = self.value();
        let &Value::Mapping { end, merges } = value else { return Err(self.no_object(known)) };
        let entries = match merges {
            false => Entries::Written { next: self.reading.tape.first_in(node), end },
            true => Entries::Merged(merge::entries(self.reading, self.path, node)?.into_iter()),
        };
        let seen = match names {
            Names::Fixed => None,
            Names::Free => Some(HashMap::new()),
        };
        let repeats = repeats || merges;
        let read = visitor.visit_map(Fields { reader: *self, repeats, known, entries, entry: None, seen });
        read.map_err(|error| self.at_second(error))
    }

    /// Moves an error about a field that is written twice to the second one.
    fn at_second(&self, error: FieldError) -> FieldError {
        let tape = self.reading.tape;
        match error.doubled().and_then(|field| Some((field, tape.twice(self.node, field)?))) {
            Some((field, (first, again))) => {
                let path = FieldPath::Key(self.path, field);
                let (first, again) = (tape.node(first).place, tape.node(again).place);
                FieldError::twice(first, again).at(&path, again)
            }
            None => error,
        }
    }
}

/// Whether the names of an object's fields belong to its type, which then looks after duplicates, or are data.
#[derive(Clone, Copy)]
enum Names {
    Fixed,
    Free,
}

impl<'de> Deserializer<'de> for NodeReader<'_, '_> {
    type Error = FieldError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.value().1 {
            Value::Text(_) => self.string(visitor),
            Value::Plain(text) => match Scalar::of(text) {
                Scalar::Null => visitor.visit_unit(),
                Scalar::Bool(value) => visitor.visit_bool(value),
                Scalar::Signed(number) => visitor.visit_i64(number),
                Scalar::Unsigned(number) => visitor.visit_u64(number),
                Scalar::Float(number) => visitor.visit_f64(number),
                Scalar::Text => self.string(visitor),
            },
            Value::Sequence { .. } => self.deserialize_seq(visitor),
            Value::Mapping { .. } => self.deserialize_map(visitor),
            Value::Alias(_) => unreachable!("resolved"),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        if let Value::Plain(text) = self.value().1
            && let Scalar::Bool(value) = Scalar::of(text)
        {
            return visitor.visit_bool(value);
        }
        Err(self.expected("true or false"))
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        self.number(visitor)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        self.number(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        self.number(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        self.string(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        self.string(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.value().1 {
            Value::Plain(text) if Scalar::of(text) == Scalar::Null => visitor.visit_none(),
            Value::Plain(_)
            | Value::Text(_)
            | Value::Sequence { .. }
            | Value::Mapping { .. }
            | Value::Alias(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        let (node, value, repeats) = self.value();
        let &Value::Sequence { end } = value else {
            return Err(FieldError::new(self.mismatch("a list") + "; write `- ` before each entry"));
        };
        let next = self.reading.tape.first_in(node);
        visitor.visit_seq(Items { reader: self, repeats, next, end, index: 0 })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        self.fields(&[], Names::Free, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        self.fields(fields, Names::Fixed, visitor)
    }

    /// Only enums whose variants have no content: their names.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        let (node, _, _) = self.value();
        let text = self.reading.tape.text(node).ok_or_else(|| self.expected("a string"))?;
        let name: StrDeserializer<'_, FieldError> = text.into_deserializer();
        visitor.visit_enum(name)
    }

    /// Only a field that the type does not have is ignored.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        let mut unknown = self.reading.unknown.borrow_mut();
        if unknown.len() < self.reading.most_unknown && !self.is_unread() {
            let place = self.reading.tape.node(self.key).place;
            unknown.extend(UnknownField::of(self.path, self.reading.kind, place, self.siblings));
        }
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u8 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
}

// === lists ===

/// The entries of a list.
struct Items<'r, 't> {
    reader: NodeReader<'r, 't>,
    repeats: bool,
    next: NodeId,
    end: NodeId,
    index: usize,
}

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = FieldError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, FieldError> {
        if self.next == self.end {
            return Ok(None);
        }
        let NodeReader { reading, path, .. } = self.reader;
        reading.count(self.repeats)?;
        let path = FieldPath::Index(path, self.index);
        let entry = NodeReader {
            reading,
            node: self.next,
            path: &path,
            key: self.next,
            siblings: &[],
            repeats: self.repeats,
        };
        let value = seed.deserialize(entry).map_err(|error| entry.locate(error))?;
        self.next = reading.tape.after(self.next);
        self.index += 1;
        Ok(Some(value))
    }
}

// === objects ===

/// The fields of an object.
struct Fields<'r, 't> {
    reader: NodeReader<'r, 't>,
    repeats: bool,
    known: &'static [&'static str],
    entries: Entries,
    entry: Option<(&'r str, NodeId, NodeId)>,
    seen: Option<HashMap<&'r str, NodeId>>,
}

/// Where the fields come from.
enum Entries {
    /// From the text, in its order.
    Written { next: NodeId, end: NodeId },
    /// From several objects.
    Merged(std::vec::IntoIter<(NodeId, NodeId)>),
}

impl<'r> Fields<'r, '_> {
    fn next(&mut self) -> Option<(NodeId, NodeId)> {
        match &mut self.entries {
            Entries::Written { next, end } => {
                if next == end {
                    return None;
                }
                let key = *next;
                let value = self.reader.reading.tape.after(key);
                *next = self.reader.reading.tape.after(value);
                Some((key, value))
            }
            Entries::Merged(entries) => entries.next(),
        }
    }

    fn key(&self, key: NodeId) -> Result<&'r str, FieldError> {
        let tape = self.reader.reading.tape;
        tape.text(key).ok_or_else(|| {
            FieldError::new("a key has to be a string".to_owned()).at(self.reader.path, tape.node(key).place)
        })
    }
}

impl<'de> MapAccess<'de> for Fields<'_, '_> {
    type Error = FieldError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, FieldError> {
        let Some((key, value)) = self.next() else { return Ok(None) };
        let text = self.key(key)?;
        let NodeReader { reading, path, .. } = self.reader;
        let repeats = self.repeats || matches!(reading.tape.node(key).value, Value::Alias(_));
        reading.count_text(repeats, text)?;
        if let Some(seen) = &mut self.seen {
            match seen.entry(text) {
                Entry::Vacant(entry) => {
                    entry.insert(key);
                }
                Entry::Occupied(first) => {
                    let path = FieldPath::Key(path, text);
                    let (first, again) =
                        (reading.tape.node(*first.get()).place, reading.tape.node(key).place);
                    return Err(FieldError::twice(first, again).at(&path, again));
                }
            }
        }
        self.entry = Some((text, key, value));
        let text: StrDeserializer<'_, FieldError> = text.into_deserializer();
        seed.deserialize(text).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, FieldError> {
        let (name, key, node) = self.entry.take().expect("serde asks for a value after its key");
        let NodeReader { reading, path, .. } = self.reader;
        let path = FieldPath::Key(path, name);
        let value =
            NodeReader { reading, node, path: &path, key, siblings: self.known, repeats: self.repeats };
        seed.deserialize(value).map_err(|error| value.locate(error))
    }
}
