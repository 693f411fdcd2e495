//! Errors of reading an object: the field, and what is wrong with it.

use std::fmt;

use serde::de;

use super::field_path::FieldPath;
use super::tape::Place;

/// What is said of a field that has to be there.
pub(super) const MISSING: &str = "required, but missing; write it";

/// Why an object could not be read.
#[derive(Debug)]
pub(super) struct FieldError {
    message: String,
    /// The field below the path that the message is about, if it is not the path itself.
    below: Option<&'static str>,
    /// Whether that field is written twice.
    is_twice: bool,
    at: Option<(String, Place)>,
}

// === impl FieldError ===

impl FieldError {
    pub(super) fn new(message: String) -> Self {
        Self { message, below: None, is_twice: false, at: None }
    }

    /// A key that was written before.
    pub(super) fn twice(first: Place, again: Place) -> Self {
        Self::new(format!("written twice, the first time {}; keep one", again.back_to(first)))
    }

    /// The field below the present object that is written twice, if that is what is wrong.
    pub(super) fn doubled(&self) -> Option<&'static str> {
        self.below.filter(|_| self.is_twice && self.at.is_none())
    }

    /// Adds where it is, unless a place further inside is known.
    pub(super) fn at(mut self, path: &FieldPath<'_>, place: Place) -> Self {
        if self.at.is_none() {
            let path = match self.below.take() {
                Some(field) => FieldPath::Key(path, field).to_string(),
                None => path.to_string(),
            };
            self.at = Some((path, place));
        }
        self
    }

    /// The message, the path of the field, and the place.
    pub(super) fn into_parts(self) -> (String, String, Place) {
        let (path, place) = self.at.unwrap_or_default();
        (self.message, path, place)
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FieldError {}

/// The messages name types as a user knows them, and never repeat a value: it may be a private key.
impl de::Error for FieldError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let found = match found {
            de::Unexpected::Bool(_) => "true or false",
            de::Unexpected::Unsigned(_) | de::Unexpected::Signed(_) | de::Unexpected::Float(_) => "a number",
            de::Unexpected::Str(_) | de::Unexpected::Char(_) | de::Unexpected::Bytes(_) => "a string",
            de::Unexpected::Seq => "a list",
            de::Unexpected::Unit | de::Unexpected::Option => "nothing",
            _ => "an object",
        };
        Self::new(format!("expected {expected}, found {found}"))
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!("expected {}, found a value out of range", range(&expected.to_string())))
    }

    fn missing_field(field: &'static str) -> Self {
        Self { below: Some(field), ..Self::new(MISSING.to_owned()) }
    }

    fn duplicate_field(field: &'static str) -> Self {
        // Where both are, the reader of the object knows.
        Self { below: Some(field), is_twice: true, ..Self::new("written twice; keep one".to_owned()) }
    }
}

/// The range of a number in words.
fn range(rust_type: &str) -> String {
    match rust_type {
        "u16" => format!("a number from 0 to {}", u16::MAX),
        "i32" => format!("a number from {} to {}", i32::MIN, i32::MAX),
        other => other.to_owned(),
    }
}
