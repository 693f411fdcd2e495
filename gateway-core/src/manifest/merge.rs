//! Merge keys: `<<: *base` puts the entries of one object into another.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::field_error::FieldError;
use super::field_path::FieldPath;
use super::reading::Reading;
use super::tape::{NodeId, Value};

/// How deep merge keys may refer to objects with merge keys.
const MAX_DEPTH: usize = 16;

/// The entries of an object: its own, then those of the objects that it merges, each key once.
pub(super) fn entries(
    reading: &Reading<'_, '_>,
    path: &FieldPath<'_>,
    object: NodeId,
) -> Result<Vec<(NodeId, NodeId)>, FieldError> {
    let mut merge = Merge { reading, path, entries: Vec::new(), seen: HashMap::new() };
    merge.object(object, 0)?;
    Ok(merge.entries)
}

/// Collects the entries of an object with merge keys.
struct Merge<'r, 't> {
    reading: &'r Reading<'r, 't>,
    path: &'r FieldPath<'r>,
    entries: Vec<(NodeId, NodeId)>,
    /// Where each key is, first.
    seen: HashMap<&'r str, NodeId>,
}

// === impl Merge ===

impl Merge<'_, '_> {
    /// An object's own entries come before those that it merges, whatever their order in the text.
    fn object(&mut self, object: NodeId, depth: usize) -> Result<(), FieldError> {
        let tape = self.reading.tape;
        let (object, node) = tape.resolve(object);
        let Value::Mapping { end, .. } = node.value else {
            return Err(FieldError::new("`<<` has to refer to an object or a list of objects".to_owned()));
        };
        if depth > MAX_DEPTH {
            return Err(FieldError::new(format!("merge keys are nested more than {MAX_DEPTH} times")));
        }
        let mut merged = Vec::new();
        let mut at = tape.first_in(object);
        while at != end {
            self.reading.count(true)?;
            let value = tape.after(at);
            match &tape.node(at).value {
                Value::Plain(key) if key == "<<" => merged.push(value),
                _ => {
                    let key = tape
                        .text(at)
                        .ok_or_else(|| FieldError::new("a key has to be a string".to_owned()))?;
                    match self.seen.entry(key) {
                        Entry::Vacant(entry) => {
                            entry.insert(at);
                            self.entries.push((at, value));
                        }
                        Entry::Occupied(first) if depth == 0 => {
                            let path = FieldPath::Key(self.path, key);
                            let (first, again) = (tape.node(*first.get()).place, tape.node(at).place);
                            return Err(FieldError::twice(first, again).at(&path, again));
                        }
                        // An object's own entry stands before one that it merges.
                        Entry::Occupied(_) => {}
                    }
                }
            }
            at = tape.after(value);
        }
        for value in merged {
            let (value, node) = tape.resolve(value);
            match node.value {
                Value::Sequence { end } => {
                    let mut at = tape.first_in(value);
                    while at != end {
                        self.object(at, depth + 1)?;
                        at = tape.after(at);
                    }
                }
                Value::Mapping { .. } | Value::Plain(_) | Value::Text(_) | Value::Alias(_) => {
                    self.object(value, depth + 1)?;
                }
            }
        }
        Ok(())
    }
}
