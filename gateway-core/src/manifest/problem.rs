//! Problems of a manifest, each with its location.

use std::fmt;
use std::sync::Arc;

/// A place in a file, or a source that has no lines, such as a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The name of the file, as it was given to [`read`](super::read).
    pub source: Arc<str>,
    /// The line, from 1; 0 where the source has none.
    pub line: u32,
    /// The column in characters, from 1; 0 where the source has no lines.
    pub column: u32,
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something was passed over that routing does not look at.
    Info,
    /// Something was ignored that somebody may have meant.
    Warning,
    /// A document or an object could not be read.
    Error,
}

/// Something that is wrong with a manifest. Whatever else the file holds is read all the same.
///
/// Displayed as one line: place, severity, object, field, what is wrong and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestProblem {
    /// How bad it is.
    pub severity: Severity,
    /// Where it is.
    pub location: Location,
    /// The object, as `HTTPRoute shop/cart`; absent if the text could not be parsed that far.
    pub object: Option<String>,
    /// The path of the field, as `spec.rules[0].name`.
    pub field: Option<String>,
    /// What is wrong, and the way out.
    pub message: String,
}

// === impl Location ===

impl Location {
    /// A source that has no lines.
    pub fn without_lines(source: impl Into<Arc<str>>) -> Self {
        Self { source: source.into(), line: 0, column: 0 }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.source),
            line => write!(f, "{}:{line}:{}", self.source, self.column),
        }
    }
}

// === impl Severity ===

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

// === impl ManifestProblem ===

impl ManifestProblem {
    /// An error that concerns a source as a whole: a file that cannot be read, say.
    pub fn of_source(source: impl Into<Arc<str>>, message: impl Into<String>) -> Self {
        let location = Location { source: source.into(), line: 1, column: 1 };
        Self { severity: Severity::Error, location, object: None, field: None, message: message.into() }
    }
}

impl fmt::Display for ManifestProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: ", self.location, self.severity)?;
        if let Some(object) = &self.object {
            write!(f, "{object}: ")?;
        }
        if let Some(field) = &self.field {
            write!(f, "{field}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for ManifestProblem {}
