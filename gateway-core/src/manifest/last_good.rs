//! The versions of one manifest, of which the last good one stays in use, object by object.
//!
//! What applies to objects in an API server, which refuses a bad version and keeps the one before, holds here for text:
//! - a version that cannot be parsed to its end, or not be had at all, leaves all objects as they are;
//! - an object that has a field of the wrong type keeps its last good version, and its neighbours are not touched;
//! - a version without any text, which a write that failed leaves behind, changes nothing; one in which nothing is left on purpose has a
//!   comment.
//!
//! What makes an object invalid beyond its types is not looked at here, but by [`apply`](crate::apply).
//!
//! The surprising case: a first version that cannot be parsed as a whole gives what could be read of it, since there is no better one.
//!
//! ```
//! use gateway_core::manifest::LastGood;
//!
//! let service = |port| format!("{{apiVersion: v1, kind: Service, metadata: {{name: a}}, spec: {{ports: [{{port: {port}}}]}}}}");
//! let mut versions = LastGood::default();
//! versions.read(&service("80"), "a.yaml");
//! assert!(versions.manifest().problems.is_empty());
//! versions.read(&service("eighty"), "a.yaml");
//! assert_eq!(versions.manifest().objects.len(), 1);
//! assert!(versions.manifest().problems[0].message.ends_with("the last good version of the object stays in use"));
//! ```

use std::collections::{HashMap, HashSet};

use super::Manifest;
use super::own_types::OwnTypes;
use super::problem::{ManifestProblem, Severity};
use super::rereader::Rereader;
use crate::api::{AnyObject, DEFAULT_NAMESPACE, Kind};
use crate::name::ObjectName;

/// One manifest over its versions: what is used of it, and what is wrong with the present one.
#[derive(Debug, Default)]
pub struct LastGood {
    rereader: Rereader,
    manifest: Manifest,
    /// Whether the objects are those of a version that could be parsed to its end; none before the first.
    is_whole: Option<bool>,
}

// === impl LastGood ===

impl LastGood {
    /// The versions of a manifest that may have objects of these kinds, too.
    pub fn new(own: OwnTypes) -> Self {
        Self { rereader: Rereader::new(own), ..Self::default() }
    }

    /// Reads the next version. `source` is the name of the manifest, for messages; documents that are as they were are not parsed again.
    pub fn read(&mut self, text: &str, source: &str) {
        if text.trim().is_empty() && !self.manifest.objects.is_empty() {
            let message = "the file is empty; delete it, or leave a comment in it, to take its objects out";
            return self.missing(message.to_owned(), source);
        }
        let manifest = self.rereader.read(text, source);
        self.take(manifest);
    }

    /// Takes note that the next version cannot be had, and why.
    pub fn missing(&mut self, message: String, source: &str) {
        let problem = ManifestProblem::for_source(source, message);
        self.take(Manifest { objects: Vec::new(), problems: vec![problem] });
    }

    /// What is used: the objects, perhaps of an older version, and what is wrong with the present one.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn take(&mut self, mut manifest: Manifest) {
        let mut is_whole = !manifest.problems.iter().any(is_of_the_file);
        match self.is_whole {
            Some(true) if !is_whole => {
                for problem in manifest.problems.iter_mut().filter(|problem| is_of_the_file(problem)) {
                    problem.message.push_str("; the last good version of the file stays in use");
                }
                manifest.objects = std::mem::take(&mut self.manifest.objects);
                is_whole = true;
            }
            Some(_) => keep_unreadable_objects(&mut manifest, &self.manifest),
            None => {}
        }
        self.manifest = manifest;
        self.is_whole = Some(is_whole);
    }
}

/// Whether a problem concerns the file as a whole: it could not be read or parsed to its end.
fn is_of_the_file(problem: &ManifestProblem) -> bool {
    problem.severity == Severity::Error && problem.object.is_none()
}

/// Puts the last good version of an object in the place of one that could not be read.
fn keep_unreadable_objects(manifest: &mut Manifest, known: &Manifest) {
    let is_of_an_object =
        |problem: &&mut ManifestProblem| problem.severity == Severity::Error && problem.object.is_some();
    let mut errors = manifest.problems.iter_mut().filter(is_of_an_object).peekable();
    if errors.peek().is_none() {
        return;
    }
    let known: HashMap<String, &AnyObject> =
        known.objects.iter().flat_map(|(object, _)| names(object).map(move |name| (name, object))).collect();
    let mut present: HashSet<(Kind, ObjectName)> =
        manifest.objects.iter().map(|(object, _)| id(object)).collect();
    for problem in errors {
        let Some(object) = problem.object.as_deref().and_then(|name| known.get(name)) else { continue };
        if present.insert(id(object)) {
            problem.message.push_str("; the last good version of the object stays in use");
            manifest.objects.push(((*object).clone(), problem.location.clone()));
        }
    }
}

/// What tells objects apart.
fn id(object: &AnyObject) -> (Kind, ObjectName) {
    let mut key = object.key();
    if key.namespace.is_empty() && object.kind().is_namespaced() {
        key.namespace = DEFAULT_NAMESPACE.into();
    }
    (object.kind(), key)
}

/// The names by which messages may call an object: with its namespace, and without if that is the default one.
fn names(object: &AnyObject) -> impl Iterator<Item = String> {
    let (kind, key) = id(object);
    let short = matches!(&*key.namespace, "" | DEFAULT_NAMESPACE).then(|| format!("{kind} {}", key.name));
    [format!("{kind} {}/{}", key.namespace, key.name)].into_iter().chain(short)
}
