//! A document of any other type, read as strictly as an object.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::locate::nearest;
use super::reading::Reading;
use super::tape::{Documents, Place, Tape};
use super::{Location, MAX_PROBLEMS, ManifestProblem, Severity};

/// A document of a type that is not of Kubernetes, and where each of its fields is written.
#[derive(Debug)]
pub struct Document<'t, T> {
    /// What the document says, unless it cannot be read.
    pub value: Option<T>,
    /// What is wrong, in the order of the text.
    pub problems: Vec<ManifestProblem>,
    source: Arc<str>,
    tape: Tape<'t>,
}

/// Reads the first document of a text as strictly as [`read`](super::read) reads objects: a field that the type does not
/// have is a warning, a string needs quotes where it would be a number, and every problem has its place.
///
/// ```
/// use gateway_core::manifest;
///
/// #[derive(serde::Deserialize)]
/// struct Step { port: u16 }
/// #[derive(serde::Deserialize)]
/// struct Plan { steps: Vec<Step> }
///
/// let plan = manifest::document::<Plan>("steps:\n- {port: 80}\n- {port: high}\n", "plan.yaml");
/// assert!(plan.value.is_none());
/// let error = "plan.yaml:3:10: error: steps[1].port: expected a number, found a string; write it in digits";
/// assert_eq!(plan.problems[0].to_string(), error);
/// assert_eq!(plan.place("steps[0].port").to_string(), "plan.yaml:2:10");
/// ```
pub fn document<'t, T: DeserializeOwned>(text: &'t str, source: &str) -> Document<'t, T> {
    let mut tape = Tape::default();
    let mut document =
        Document { value: None, problems: Vec::new(), source: source.into(), tape: Tape::default() };
    match Documents::of(text).next(&mut tape) {
        Some(Err(broken)) => document.problem(Severity::Error, broken.place, "", broken.message),
        Some(Ok(())) | None => match tape.root() {
            Some(root) => {
                let repeated = Cell::new(0);
                let reading = Reading::of(&tape, &repeated, None, MAX_PROBLEMS);
                let (value, unknown) = reading.object(root, PhantomData::<T>);
                for field in unknown {
                    let message = match field.meant {
                        Some(meant) => format!("there is no such field; did you mean `{meant}`?"),
                        None => "there is no such field".to_owned(),
                    };
                    document.problem(Severity::Warning, field.place, &field.path, message);
                }
                match value {
                    Ok(value) => document.value = Some(value),
                    Err(error) => {
                        let (message, field, place) = error.into_parts();
                        document.problem(Severity::Error, place, &field, message);
                    }
                }
            }
            None => {
                let message = "the document is empty".to_owned();
                document.problem(Severity::Error, Place { line: 1, column: 1 }, "", message);
            }
        },
    }
    document.tape = tape;
    document
}

// === impl Document ===

impl<T> Document<'_, T> {
    /// Where the value of a field is written, such as `steps[0].port`; where the nearest thing around it is, if it is not
    /// written at all.
    pub fn place(&self, path: &str) -> Location {
        let nearest = self.tape.root().map(|root| nearest(&self.tape, root, path));
        let place = nearest.map_or(Place { line: 1, column: 1 }, |node| self.tape.node(node).place);
        self.location(place)
    }

    fn location(&self, place: Place) -> Location {
        Location { source: self.source.clone(), line: place.line, column: place.column }
    }

    fn problem(&mut self, severity: Severity, place: Place, field: &str, message: String) {
        let field = Some(field.to_owned()).filter(|field| !field.is_empty());
        let location = self.location(place);
        self.problems.push(ManifestProblem { severity, location, object: None, field, message });
    }
}
