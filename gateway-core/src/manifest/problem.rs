//! Problems of a manifest, each with its location.

use std::fmt;
use std::sync::Arc;

use crate::one_line::OneLine;

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
    /// Something was ignored that its author may have meant.
    Warning,
    /// A document or an object could not be read.
    Error,
}

/// Something that is wrong with a manifest. Whatever else the file holds is read all the same.
///
/// Displayed as one line: place, severity, object, field, what is wrong and the way out. Control characters, which names of objects and
/// of files may have, are shown as their escapes.
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
    pub fn for_source(source: impl Into<Arc<str>>, message: impl Into<String>) -> Self {
        let location = Location { source: source.into(), line: 1, column: 1 };
        Self { severity: Severity::Error, location, object: None, field: None, message: message.into() }
    }
}

impl fmt::Display for ManifestProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: ", OneLine(&self.location), self.severity)?;
        if let Some(object) = &self.object {
            write!(f, "{}: ", OneLine(object))?;
        }
        if let Some(field) = &self.field {
            write!(f, "{}: ", OneLine(field))?;
        }
        write!(f, "{}", OneLine(&self.message))
    }
}

impl std::error::Error for ManifestProblem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_one_line_whatever_the_names_are() {
        let problem = ManifestProblem {
            severity: Severity::Error,
            location: Location { source: "a\nb.yaml".into(), line: 3, column: 5 },
            object: Some("HTTPRoute default/a\nerror".to_owned()),
            field: Some("metadata.labels[\u{1b}]".to_owned()),
            message: "there is no Service default/a\r\nb".to_owned(),
        };
        assert_eq!(
            problem.to_string(),
            "a\\nb.yaml:3:5: error: HTTPRoute default/a\\nerror: metadata.labels[\\u{1b}]: there is no Service default/a\\r\\nb"
        );
    }
}
