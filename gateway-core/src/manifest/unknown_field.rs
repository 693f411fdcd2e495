//! Fields that a type does not have: most often typing errors.

use super::field_path::FieldPath;
use super::tape::Place;
use super::{former_field, misplaced_field};
use crate::api::{EXPERIMENTAL_GROUP, GATEWAY_GROUP, Kind};

/// A field that the type does not have.
#[derive(Debug)]
pub(super) struct UnknownField {
    pub(super) path: String,
    pub(super) place: Place,
    pub(super) meant: Option<&'static str>,
    /// What is written instead, if it was a field once.
    pub(super) way_out: Option<&'static str>,
    /// Where it belongs, if there is such a field elsewhere.
    pub(super) place_for_it: Option<&'static str>,
    /// The fields that there are in its place.
    pub(super) known: &'static [&'static str],
}

// === impl UnknownField ===

impl UnknownField {
    /// The field at this path of an object of the kind, beside fields that are known. The object itself is no field.
    pub(super) fn of(
        path: &FieldPath<'_>,
        kind: Option<Kind>,
        place: Place,
        known: &'static [&'static str],
    ) -> Option<Self> {
        let FieldPath::Key(_, key) = path else { return None };
        let (meant, shape) = (closest(key, known.iter().copied()), path.shape());
        let way_out = former_field::way_out(&shape);
        let place_for_it = kind.and_then(|kind| misplaced_field::way_out(kind, &shape));
        let is_read_whole = kind.is_some_and(|kind| is_read_whole(kind, &shape));
        let known = if is_read_whole { known } else { &[] };
        Some(Self { path: path.to_string(), place, meant, way_out, place_for_it, known })
    }
}

/// Whether the fields that are known at a path are all that there are: those of `spec`, but not in the kinds of Kubernetes.
pub(super) fn is_read_whole(kind: Kind, shape: &str) -> bool {
    let is_read = matches!(kind, Kind::Own(_)) || [GATEWAY_GROUP, EXPERIMENTAL_GROUP].contains(&kind.group());
    is_read && (shape == "spec" || shape.starts_with("spec."))
}

/// The known word that may have been meant: at most two letters away in any case, or longer by what was left out at its end.
///
/// ```
/// use gateway_core::manifest::closest;
///
/// assert_eq!(closest("sohp", ["shop", "cart"]), Some("shop"));
/// assert_eq!(closest("shop-v2", ["cart"]), None);
/// ```
pub fn closest<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    // Long keys are no typing errors, and the distance costs the product of the lengths.
    if written.len() > 64 {
        return None;
    }
    let most = if written.len() < 5 { 1 } else { 2 };
    let written_lower = written.to_lowercase();
    known
        .into_iter()
        .filter(|name| name.len() <= 2 * 64)
        .map(|name| (distance(&written_lower, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= most || written.len() > 5 && name.starts_with(written))
        .min()
        .map(|(_, name)| name)
}

/// Whether this word may have been meant to be that one.
pub(super) fn is_near(written: &str, meant: &'static str) -> bool {
    closest(written, [meant]).is_some()
}

/// How many letters have to be added, removed or changed, or exchanged with the next one.
pub(super) fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    // The row before the last one, the last one, and the present one.
    let mut rows = [vec![0; to.len() + 1], vec![0; to.len() + 1], (0..=to.len()).collect::<Vec<usize>>()];
    for i in 1..=from.len() {
        rows.rotate_left(1);
        let [before, last, row] = &mut rows;
        row[0] = i;
        for j in 1..=to.len() {
            let changed = last[j - 1] + usize::from(from[i - 1] != to[j - 1]);
            row[j] = changed.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
    }
    rows[2][to.len()]
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
            ("naem", Some("name")),
            ("backend", Some("backendRefs")),
            ("time", None),
            ("na", None),
            ("forwardTo", None),
            ("", None),
            ("größe", None),
        ];
        for (written, meant) in cases {
            assert_eq!(closest(written, KNOWN.iter().copied()), meant, "{written}");
        }
        assert_eq!(closest(&"n".repeat(100_000), KNOWN.iter().copied()), None);
    }
}
