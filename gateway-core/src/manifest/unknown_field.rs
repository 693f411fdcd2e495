//! Fields that a type does not have: most often typing errors.

use super::field_path::FieldPath;
use super::former_field;
use super::tape::Place;

/// A field that the type does not have.
#[derive(Debug)]
pub(super) struct UnknownField {
    pub(super) path: String,
    pub(super) place: Place,
    pub(super) meant: Option<&'static str>,
    /// What is written instead, if it was a field once.
    pub(super) way_out: Option<&'static str>,
}

// === impl UnknownField ===

impl UnknownField {
    /// The field at this path, beside fields that are known. The object itself is no field.
    pub(super) fn of(path: &FieldPath<'_>, place: Place, known: &'static [&'static str]) -> Option<Self> {
        let FieldPath::Key(_, key) = path else { return None };
        let (meant, way_out) = (closest(key, known), former_field::way_out(&path.shape()));
        Some(Self { path: path.to_string(), place, meant, way_out })
    }
}

/// The known field that may have been meant: at most two letters away, in any case.
fn closest(written: &str, known: &'static [&'static str]) -> Option<&'static str> {
    // Long keys are no typing errors, and the distance costs the product of the lengths.
    if written.len() > 64 {
        return None;
    }
    let most = if written.len() < 5 { 1 } else { 2 };
    known
        .iter()
        .map(|name| (distance(&written.to_lowercase(), &name.to_lowercase()), *name))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, name)| name)
}

/// How many letters have to be added, removed or changed.
pub(super) fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (removed, from) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = removed + 1;
        for (at, to) in to.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[at + 1];
            row[at + 1] = changed.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_known_field_is_the_one_that_was_meant() {
        const KNOWN: &[&str] = &["name", "matches", "filters", "backendRefs", "timeouts"];
        let cases = [
            ("backendRef", Some("backendRefs")),
            ("backendrefs", Some("backendRefs")),
            ("bakcendRefs", Some("backendRefs")),
            ("match", Some("matches")),
            ("nam", Some("name")),
            ("nme", Some("name")),
            ("na", None),
            ("forwardTo", None),
            ("", None),
            ("größe", None),
        ];
        for (written, meant) in cases {
            assert_eq!(closest(written, KNOWN), meant, "{written}");
        }
        assert_eq!(closest(&"n".repeat(100_000), KNOWN), None);
    }
}
