//! One file over its versions.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::time::{Duration, SystemTime};
use std::{fs, io};

use gateway_core::manifest::{self, LastGood, Location, Manifest, ManifestProblem, OwnTypes};

/// Two writes within this time may leave the same modification time behind.
const CLOCK_TICK: Duration = Duration::from_millis(20);

/// A file and what it has.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) version: Version,
    versions: LastGood,
    /// Where fields are, by the line and column of their object, as far as they were asked for.
    places: HashMap<(u32, u32, String), (u32, u32)>,
}

/// Tells versions of a file apart.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Version {
    pub(super) stamp: Stamp,
    /// Of the text, or of the reason why there is none.
    pub(super) hash: u64,
}

/// Tells versions of a file apart without reading them, most of the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Unknown where the file was written so lately that the next write could leave the same time behind.
    pub(super) modified: Option<SystemTime>,
    pub(super) length: u64,
    inode: u64,
}

// === impl File ===

impl File {
    /// A file that may have objects of these kinds, too. Nothing of it has been read.
    pub(super) fn new(own: OwnTypes) -> Self {
        Self { versions: LastGood::new(own), ..Self::default() }
    }

    /// Takes the next version, as [`read_text`] gave it.
    pub(super) fn read(&mut self, path: &Path, text: Result<String, String>, version: Version) {
        let source = path.display().to_string();
        match text {
            Ok(text) => self.versions.read(&text, &source),
            Err(message) => self.versions.missing(message, &source),
        }
        self.version = version;
        self.places.clear();
    }

    /// What is used of it: its objects, perhaps of an older version, and what is wrong with the present one.
    pub(super) fn manifest(&self) -> &Manifest {
        self.versions.manifest()
    }

    /// Moves problems of the file to the places of their fields.
    pub(super) fn locate(&mut self, path: &Path, problems: &mut [ManifestProblem]) {
        let key = |problem: &ManifestProblem| {
            let Location { line, column, .. } = problem.location;
            problem.field.clone().map(|field| (line, column, field))
        };
        let keys: Vec<_> = problems.iter().map(key).collect();
        if keys.iter().flatten().any(|key| !self.places.contains_key(key)) {
            let text = read_text(path, self.version.stamp);
            // Else it has changed since, and is read again soon.
            if hash(&text) == self.version.hash
                && let Ok(text) = text
            {
                let mut located = problems.to_vec();
                manifest::locate(&text, &mut located);
                let places = located.iter().map(|problem| (problem.location.line, problem.location.column));
                self.places.extend(keys.iter().cloned().zip(places).filter_map(|(key, at)| Some((key?, at))));
            }
        }
        for (problem, key) in problems.iter_mut().zip(&keys) {
            if let Some((line, column)) = key.as_ref().and_then(|key| self.places.get(key)) {
                (problem.location.line, problem.location.column) = (*line, *column);
            }
        }
    }
}

/// The text of a file, or the reason why there is none.
pub(super) fn read_text(path: &Path, stamp: Stamp) -> Result<String, String> {
    if stamp.length > manifest::MAX_BYTES as u64 {
        let max = manifest::MAX_BYTES;
        return Err(format!(
            "the file has {} bytes, more than the {max} that are read; split it",
            stamp.length
        ));
    }
    match fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err("not valid YAML: the text is not UTF-8; save it as UTF-8".to_owned())
        }
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

/// Tells texts apart.
pub(super) fn hash(text: &Result<String, String>) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

// === impl Stamp ===

impl Stamp {
    pub(super) fn from_metadata(metadata: &fs::Metadata) -> Self {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let inode = 0;
        let settled = |modified: &SystemTime| modified.elapsed().is_ok_and(|age| age >= CLOCK_TICK);
        Self { modified: metadata.modified().ok().filter(settled), length: metadata.len(), inode }
    }
}
