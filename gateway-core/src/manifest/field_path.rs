//! The path of a field, kept on the stack while an object is read and written out only when there is something to say.

use std::fmt;

/// The path of a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum FieldPath<'p> {
    /// The document itself.
    Root,
    /// A field of an object.
    Key(&'p FieldPath<'p>, &'p str),
    /// An entry of a list.
    Index(&'p FieldPath<'p>, usize),
}

// === impl FieldPath ===

impl FieldPath<'_> {
    /// The path without the object that it is in, and with `[]` for every list: what a table of fields is compared with.
    pub(super) fn shape(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Key(FieldPath::Root, key) => (*key).to_owned(),
            Self::Key(parent, key) => format!("{}.{key}", parent.shape()),
            Self::Index(parent, _) => format!("{}[]", parent.shape()),
        }
    }
}

impl fmt::Display for FieldPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            // Keys of labels and annotations have dots and slashes of their own.
            Self::Key(parent, key) if key.contains(['.', '/']) || key.is_empty() => {
                write!(f, "{parent}[{key:?}]")
            }
            Self::Key(FieldPath::Root, key) => f.write_str(key),
            Self::Key(parent, key) => write!(f, "{parent}.{key}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}
