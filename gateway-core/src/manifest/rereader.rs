//! A manifest read again, of which most documents are as they were.
//!
//! In a file with ten thousand routes usually one has changed. The text is split where YAML begins a new document, and a
//! document whose text is known is not parsed a second time. Its objects stay the same in memory too, so that those
//! who compare them are done at once. A text is known by two hashes with seeds of their own, which take less room than it.
//!
//! ```
//! use gateway_core::manifest::Rereader;
//!
//! let namespace = |name| format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n");
//! let mut rereader = Rereader::default();
//! rereader.read(&[namespace("a"), namespace("b")].join("---\n"), "x.yaml");
//! let manifest = rereader.read(&[namespace("new"), namespace("b")].join("---\n"), "x.yaml");
//! assert_eq!(rereader.parsed(), 1, "only what is new");
//! assert_eq!(manifest.objects[1].1.to_string(), "x.yaml:5:1");
//! ```

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use super::own_types::OwnTypes;
use super::problem::{Location, ManifestProblem, Severity};
use super::{MAX_BYTES, MAX_PROBLEMS, Manifest, read_with};

/// The documents of the version of a manifest that was read last.
#[derive(Debug, Default)]
pub struct Rereader {
    /// By the hashes of their text; lines are counted from the beginning of each.
    known: HashMap<[u64; 2], Manifest>,
    own: OwnTypes,
    seeds: [RandomState; 2],
    parsed: usize,
}

// === impl Rereader ===

impl Rereader {
    /// A reader of manifests that may have objects of these kinds, too.
    pub fn new(own: OwnTypes) -> Self {
        Self { own, ..Self::default() }
    }

    /// Reads a manifest as [`read_with`] does.
    pub fn read(&mut self, text: &str, source: &str) -> Manifest {
        self.parsed = 0;
        if text.len() > MAX_BYTES || text.starts_with('%') || text.contains("\n%") {
            // Too much to be read at all, or with a directive that belongs to the document behind it.
            self.known.clear();
            return read_with(text, source, &self.own);
        }
        let before = std::mem::take(&mut self.known);
        let mut all = Manifest::default();
        let mut line = 0;
        for document in split(text) {
            let hashes = self.seeds.each_ref().map(|seed| seed.hash_one(document));
            let known = self.known.get(&hashes).or_else(|| before.get(&hashes));
            let read = match known {
                Some(known) => known.clone(),
                None => {
                    self.parsed += 1;
                    let mut read = read_with(document, source, &self.own);
                    // Most documents have one object, for which a growing list makes room for four.
                    read.objects.shrink_to_fit();
                    read
                }
            };
            all.objects
                .extend(read.objects.iter().map(|(object, place)| (object.clone(), below(place, line))));
            let place = |problem: &ManifestProblem| below(&problem.location, line);
            all.problems.extend(
                read.problems
                    .iter()
                    .map(|problem| ManifestProblem { location: place(problem), ..problem.clone() }),
            );
            self.known.insert(hashes, read);
            line += document.bytes().filter(|byte| *byte == b'\n').count() as u32;
        }
        bound(&mut all.problems);
        all
    }

    /// How many documents had to be parsed in the last [`read`](Self::read).
    pub fn parsed(&self) -> usize {
        self.parsed
    }
}

/// The place that is `lines` further down.
fn below(place: &Location, lines: u32) -> Location {
    Location { line: place.line + lines, ..place.clone() }
}

/// Cuts before every line that begins a document.
///
/// Nothing within a document can look like that: YAML forbids it even in quoted text and in blocks.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let is_marker = |at: usize| {
        let rest = &text.as_bytes()[at..];
        rest.starts_with(b"---") && rest.get(3).is_none_or(u8::is_ascii_whitespace)
    };
    let starts = text.match_indices("\n---").map(|(at, _)| at + 1).filter(move |at| is_marker(*at));
    let mut start = 0;
    starts.chain([text.len()]).map(move |end| {
        let document = &text[start..end];
        start = end;
        document
    })
}

/// Of too many problems the first stay, as when the text is read at once.
fn bound(problems: &mut Vec<ManifestProblem>) {
    if problems.len() > MAX_PROBLEMS {
        problems.truncate(MAX_PROBLEMS);
        if let Some(last) = problems.last_mut() {
            last.severity = Severity::Error;
            (last.object, last.field) = (None, None);
            last.message = format!("there are more than {MAX_PROBLEMS} problems; the others are not shown");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::read;

    const SERVICE: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 80}]}\n";

    /// Everything about a manifest that can be seen.
    fn shown(manifest: &Manifest) -> (Vec<String>, Vec<String>) {
        let objects = manifest.objects.iter().map(|(object, place)| format!("{place} {object:?}")).collect();
        (objects, manifest.problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn it_is_as_if_the_text_were_read_at_once() {
        let bad = SERVICE.replace("80", "eighty");
        let mut rereader = Rereader::default();
        for text in [
            "".to_owned(),
            "---\n---\n\n---".to_owned(),
            SERVICE.to_owned(),
            format!("---\n{SERVICE}---\n# nothing\n--- # a comment\n{SERVICE}...\n---\n{bad}"),
            format!("--- {{apiVersion: v1, kind: Namespace, metadata: {{name: a}}}}\n---\r\n{SERVICE}"),
            format!("{SERVICE}---x: 1\n"),
            format!("{SERVICE}\ntext: |\n  ---\n ---\n---\n{bad}"),
            format!("%YAML 1.2\n---\n{SERVICE}"),
            format!("{SERVICE}...\n%YAML 1.2\n---\n{bad}"),
            format!("{SERVICE}---\nkind: [\n---\n{SERVICE}"),
            format!("\u{feff}{SERVICE}---\n{SERVICE}"),
            format!("{{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{}]}}", "\n---\n"),
        ] {
            // Twice, the second time with everything known.
            for _ in 0..2 {
                assert_eq!(shown(&rereader.read(&text, "x")), shown(&read(&text, "x")), "{text:?}");
            }
        }
    }

    #[test]
    fn only_documents_with_a_new_text_are_parsed() {
        let service = |i: usize| SERVICE.replace("name: s", &format!("name: s{i}"));
        let mut rereader = Rereader::default();
        let text: String = (0..100).map(|i| format!("---\n{}", service(i))).collect();
        rereader.read(&text, "x");
        assert_eq!(rereader.parsed(), 100);
        rereader.read(&text, "x");
        assert_eq!(rereader.parsed(), 0);
        let changed = text.replace("name: s50}", "name: other}") + "---\n" + &service(100);
        assert_eq!(rereader.read(&changed, "x").objects.len(), 101);
        assert_eq!(rereader.parsed(), 2);
        rereader.read("", "x");
        rereader.read(&text, "x");
        assert_eq!(rereader.parsed(), 100, "only the last version is known");
    }

    #[test]
    fn problems_are_bounded_over_all_documents() {
        let text = format!("---\n{}", SERVICE.replace("80", "eighty")).repeat(MAX_PROBLEMS + 5);
        let manifest = Rereader::default().read(&text, "x");
        assert_eq!(manifest.problems.len(), MAX_PROBLEMS);
        assert!(manifest.problems.last().unwrap().message.contains("more than"));
    }
}
