//! A walk through folders.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{fs, io};

use gateway_core::manifest::ManifestProblem;

use super::file::Stamp;

/// How deep folders are searched.
const MAX_DEPTH: usize = 32;

/// How many files are read.
const MAX_FILES: usize = 100_000;

/// A walk through folders.
#[derive(Default)]
pub(super) struct Search {
    pub(super) found: BTreeMap<PathBuf, Stamp>,
    /// The folders and files that were visited, without symbolic links: each is visited once.
    visited: HashSet<PathBuf>,
    /// What could not be looked at: whether there are files is not known.
    pub(super) unreadable: Vec<PathBuf>,
    pub(super) problems: Vec<ManifestProblem>,
}

// === impl Search ===

impl Search {
    /// Follows symbolic links: Kubernetes mounts a ConfigMap as links to files in a folder that it swaps.
    pub(super) fn path(&mut self, path: &Path, depth: usize, named: bool) {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound && named => {
                return self.problem(path, "there is no such file or folder".to_owned());
            }
            // Gone between two looks, or a link to nowhere: as good as deleted.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => return self.unreadable(path, &error),
        };
        let is_manifest = || matches!(extension(path), Some("yaml" | "yml" | "json"));
        if metadata.is_file() && (named || is_manifest()) {
            if self.first_visit(path) {
                if self.found.len() == MAX_FILES {
                    return self.problem(path, format!("passed over: there are more than {MAX_FILES} files"));
                }
                self.found.insert(path.to_owned(), Stamp::from_metadata(&metadata));
            }
        } else if metadata.is_dir() {
            if !self.first_visit(path) {
                return;
            }
            if depth == MAX_DEPTH {
                return self.problem(path, format!("passed over: folders are searched {MAX_DEPTH} deep"));
            }
            self.folder(path, depth);
        } else if named && !metadata.is_file() {
            self.problem(
                path,
                "passed over: it is neither a file nor a folder; write what it gives into a file".to_owned(),
            );
        }
    }

    fn folder(&mut self, folder: &Path, depth: usize) {
        let entries = fs::read_dir(folder).and_then(|entries| {
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()
        });
        match entries {
            Ok(mut entries) => {
                // Of two ways to the same file the first counts, and so the order must not be left to chance.
                entries.sort();
                for entry in entries {
                    // Hidden entries are editors' and Kubernetes's own (`..data`), reached by links where they are meant.
                    if !entry.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) {
                        self.path(&entry, depth + 1, false);
                    }
                }
            }
            // Gone since it was found.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.unreadable(folder, &error),
        }
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        self.problem(path, format!("cannot be read: {error}; what is known of it stays in use"));
        self.unreadable.push(path.to_owned());
    }

    /// What was named to the program and is no longer there.
    pub(super) fn gone(&mut self, root: &Path) {
        self.problem(root, "is gone; what is known of it stays in use".to_owned());
        self.unreadable.push(root.to_owned());
    }

    fn first_visit(&mut self, path: &Path) -> bool {
        self.visited.insert(path.canonicalize().unwrap_or_else(|_| path.to_owned()))
    }

    fn problem(&mut self, path: &Path, message: String) {
        self.problems.push(ManifestProblem::for_source(path.display().to_string(), message));
    }
}

fn extension(path: &Path) -> Option<&str> {
    path.extension().and_then(OsStr::to_str)
}
