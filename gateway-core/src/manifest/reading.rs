//! One object while it is read: what all its nodes share.

use std::cell::{Cell, RefCell};

use super::field_error::FieldError;
use super::tape::Tape;
use super::unknown_field::UnknownField;
use crate::api::Kind;

/// How much of a document may be read by way of an alias, in nodes, where a long text counts for several. What is read grows
/// with the text of the document, but not beyond that.
const MAX_REPEATED: usize = 1_000_000;

/// How many bytes of a repeated text count as one node.
const BYTES_OF_A_NODE: usize = 64;

/// One object that is being read.
pub(super) struct Reading<'r, 't> {
    pub(super) tape: &'r Tape<'t>,
    /// Counts over the whole document.
    pub(super) repeated: &'r Cell<usize>,
    /// The kind of an object of Kubernetes, which may have fields that are passed over.
    pub(super) kind: Option<Kind>,
    pub(super) unknown: RefCell<Vec<UnknownField>>,
    pub(super) most_unknown: usize,
}

// === impl Reading ===

impl<'r, 't> Reading<'r, 't> {
    /// `repeated` counts over all objects of a document; only the first `most_unknown` unknown fields are noted.
    pub(super) fn of(
        tape: &'r Tape<'t>,
        repeated: &'r Cell<usize>,
        kind: Option<Kind>,
        most_unknown: usize,
    ) -> Self {
        Self { tape, repeated, kind, unknown: RefCell::default(), most_unknown }
    }

    /// Counts a node that an alias or a merge key led to.
    pub(super) fn count(&self, repeats: bool) -> Result<(), FieldError> {
        self.count_text(repeats, "")
    }

    /// Counts a text that an alias or a merge key led to.
    pub(super) fn count_text(&self, repeats: bool, text: &str) -> Result<(), FieldError> {
        if repeats {
            self.repeated.set(self.repeated.get() + 1 + text.len() / BYTES_OF_A_NODE);
            if self.repeated.get() > MAX_REPEATED {
                let message = format!("aliases repeat more than {MAX_REPEATED} values; write fewer of them");
                return Err(FieldError::new(message));
            }
        }
        Ok(())
    }
}
