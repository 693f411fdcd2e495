//! Locations of an object's fields, for problems that were found after it was read.

use std::collections::HashMap;

use super::problem::ManifestProblem;
use super::tape::{Documents, NodeId, Place, Tape, Value};

/// Moves each problem from the place of its object to that of its field, or of the nearest thing around it that is written.
///
/// `text` is the manifest that the objects were read from. A problem without a field, or with one that is no path, stays
/// where it is, and so does one whose object does not begin at its place.
///
/// ```
/// use gateway_core::manifest::{self, ManifestProblem, Severity};
///
/// let text = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports:\n  - port: 80\n  - port: 0\n";
/// let (object, location) = manifest::read(text, "a.yaml").objects.remove(0);
/// let mut problems: Vec<_> = gateway_core::validate::problems(&object)
///     .into_iter()
///     .map(|problem| ManifestProblem {
///         severity: Severity::Error,
///         location: location.clone(),
///         object: None,
///         field: Some(problem.field.to_string()),
///         message: problem.message,
///     })
///     .collect();
/// manifest::locate(text, &mut problems);
/// assert_eq!(problems[0].location.to_string(), "a.yaml:7:11");
/// ```
pub fn locate(text: &str, problems: &mut [ManifestProblem]) {
    let mut wanted: HashMap<(u32, u32), Vec<&mut ManifestProblem>> = HashMap::new();
    for problem in problems.iter_mut().filter(|problem| problem.field.is_some()) {
        wanted.entry((problem.location.line, problem.location.column)).or_default().push(problem);
    }
    let mut documents = Documents::of(text);
    let mut tape = Tape::default();
    while !wanted.is_empty()
        && let Some(document) = documents.next(&mut tape)
    {
        if document.is_err() {
            continue;
        }
        for object in tape.objects() {
            let Place { line, column } = tape.node(object).place;
            for problem in wanted.remove(&(line, column)).into_iter().flatten() {
                let field = problem.field.as_deref().unwrap_or_default();
                let Place { line, column } = tape.node(nearest(&tape, object, field)).place;
                (problem.location.line, problem.location.column) = (line, column);
            }
        }
    }
}

/// The value at a path such as `spec.rules[0].name` or `metadata.labels["a.b/c"]`; if that is not written, the nearest thing
/// around it that is.
pub(super) fn nearest(tape: &Tape<'_>, object: NodeId, path: &str) -> NodeId {
    let mut at = object;
    let mut rest = path;
    while !rest.is_empty() {
        let (next, behind) = step(tape, at, rest);
        match next {
            Some(next) => (at, rest) = (next, behind),
            None => break,
        }
    }
    at
}

/// The value that the first step of a path leads to, and the rest of the path.
fn step<'p>(tape: &Tape<'_>, at: NodeId, path: &'p str) -> (Option<NodeId>, &'p str) {
    if let Some(quoted) = path.strip_prefix("[\"") {
        let (key, rest) = quoted.split_once("\"]").unwrap_or((quoted, ""));
        return (tape.value(at, key), rest);
    }
    if let Some(index) = path.strip_prefix('[') {
        let (index, rest) = index.split_once(']').unwrap_or((index, ""));
        return (index.parse().ok().and_then(|index| entry(tape, at, index)), rest);
    }
    let path = path.strip_prefix('.').unwrap_or(path);
    let (key, rest) = path.split_at(path.find(['.', '[']).unwrap_or(path.len()));
    (tape.value(at, key), rest)
}

fn entry(tape: &Tape<'_>, list: NodeId, index: usize) -> Option<NodeId> {
    let (list, node) = tape.resolve(list);
    let Value::Sequence { end } = node.value else { return None };
    let mut at = tape.first_in(list);
    for _ in 0..index {
        if at == end {
            return None;
        }
        at = tape.after(at);
    }
    (at != end).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::super::problem::{Location, Severity};
    use super::*;

    fn located(text: &str, line: u32, column: u32, field: &str) -> String {
        let location = Location { source: "a.yaml".into(), line, column };
        let field = Some(field.to_owned());
        let mut problems = [ManifestProblem {
            severity: Severity::Error,
            location,
            object: None,
            field,
            message: String::new(),
        }];
        locate(text, &mut problems);
        problems[0].location.to_string()
    }

    #[test]
    fn a_problem_moves_to_its_field_or_to_what_is_around_it() {
        let text = "a: 1\n---\nkind: b\nlist:\n- {x: [1, 2]}\n- labels: {a.b/c: d}\n---\nitems:\n- kind: e\n  f: g\n";
        for (line, column, field, expected) in [
            (3, 1, "kind", "a.yaml:3:7"),
            (3, 1, "list[0].x[1]", "a.yaml:5:11"),
            (3, 1, "list[1].labels[\"a.b/c\"]", "a.yaml:6:19"),
            (3, 1, "list[1].labels[\"x\"]", "a.yaml:6:11"),
            (3, 1, "list[7].x", "a.yaml:5:3"),
            (3, 1, "spec.rules[0]", "a.yaml:3:1"),
            (9, 3, "f", "a.yaml:10:6"),
            (4, 2, "kind", "a.yaml:4:2"),
            (3, 1, "listener a.b", "a.yaml:3:1"),
            (3, 1, "list[", "a.yaml:5:3"),
        ] {
            assert_eq!(located(text, line, column, field), expected, "{field}");
        }
    }

    #[test]
    fn a_broken_document_is_passed_over() {
        assert_eq!(located("a: [\n---\nb: {c: d}\n", 3, 1, "b.c"), "a.yaml:3:8");
    }
}
