//! Manifests in files and folders, read again when they change, each with its last good version.
//!
//! Behaves like an API server that somebody applies the files to:
//! - a file that cannot be parsed, or cannot be read, keeps the objects of its last good version, and so do all files in a folder
//!   that cannot be read;
//! - an object that has a field of the wrong type keeps its last good version, and its neighbours are not touched;
//! - so does a file that is emptied, which a write that failed leaves behind; one in which nothing is left on purpose has a comment;
//! - a file that leaves a folder takes its objects with it, but what was named to the program and is gone stays in use: a file
//!   by itself, or a folder as a whole, as when a volume is not there;
//! - of two objects with the same kind, namespace and name the one in the first file stays, in the order of the paths.
//!
//! What makes an object invalid beyond its types is not looked at here, see [`crate::state`].
//!
//! The surprising case: a file that is new and cannot be parsed as a whole gives what could be read of it, since there is no
//! better version of it.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! use gateway_examples::files::FileStore;
//!
//! std::fs::write(folder.path().join("shop.yaml"), "
//! apiVersion: v1
//! kind: Namespace
//! metadata: {name: shop}
//! ")?;
//! let mut files = FileStore::new(vec![folder.path().to_owned()]);
//! assert_eq!(files.rescan().len(), 1, "one file changed");
//! assert_eq!(files.collection().resources.namespaces.len(), 1);
//! assert!(files.rescan().is_empty(), "and none since");
//! # Ok::<(), std::io::Error>(())
//! ```

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{fmt, fs, io};

use gateway_core::api::{AnyObject, DEFAULT_NAMESPACE, Kind};
use gateway_core::manifest::{self, Collection, Location, Manifest, ManifestProblem, Severity};
use gateway_core::name::ObjectName;

use crate::documents::Documents;

/// How deep folders are searched.
const MAX_DEPTH: usize = 32;

/// How many files are read.
const MAX_FILES: usize = 100_000;

/// Two writes within this time may leave the same modification time behind.
const CLOCK_TICK: Duration = Duration::from_millis(20);

/// Manifests in files, as of the last [`rescan`](Self::rescan).
#[derive(Debug, Default)]
pub struct FileStore {
    roots: Vec<PathBuf>,
    builtin: Vec<Manifest>,
    files: BTreeMap<PathBuf, File>,
    /// What is wrong with the folders, as opposed to the files.
    folder_problems: Vec<ManifestProblem>,
}

/// A file and what it has.
#[derive(Debug)]
struct File {
    version: Version,
    documents: Documents,
    /// What is used of it: its objects, perhaps of an older version, and what is wrong with the present one.
    manifest: Manifest,
    /// Whether the objects are those of a version that could be parsed to its end.
    whole: bool,
    /// Where fields are, by the line and column of their object, as far as somebody asked.
    places: HashMap<(u32, u32, String), (u32, u32)>,
}

/// Tells versions of a file apart.
#[derive(Clone, Copy, Debug)]
struct Version {
    stamp: Stamp,
    /// Of the text, or of the reason why there is none.
    hash: u64,
}

/// Tells versions of a file apart without reading them, most of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    /// Unknown where the file was written so lately that the next write could leave the same time behind.
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

/// A file that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileChange {
    /// It is new, or changed.
    Read(PathBuf),
    /// It is gone.
    Gone(PathBuf),
}

// === impl FileStore ===

impl FileStore {
    /// A store of these files and folders, and of the folders within; nothing is read before the first
    /// [`rescan`](Self::rescan).
    pub fn new(roots: Vec<PathBuf>) -> Self {
        Self { roots, ..Self::default() }
    }

    /// Adds a manifest that is in no file. It goes before the files.
    pub fn add_builtin(&mut self, text: &str, name: &str) {
        self.builtin.push(manifest::read(text, name));
    }

    /// The files and folders that the store was made for.
    pub fn roots(&self) -> &[PathBuf] {
        &self.roots
    }

    /// How many files it holds.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether it holds no file.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Looks at every file, and reads those that are new or changed.
    pub fn rescan(&mut self) -> Vec<FileChange> {
        let mut search = Search::default();
        for root in &self.roots {
            let known = self.files.keys().any(|path| path.starts_with(root));
            if known && matches!(root.try_exists(), Ok(false)) {
                search.gone(root);
            } else {
                search.path(root, 0, true);
            }
        }
        self.folder_problems = search.problems;
        let mut changes = Vec::new();
        self.files.retain(|path, _| {
            let stays = search.found.contains_key(path)
                || search.unreadable.iter().any(|place| path.starts_with(place));
            if !stays {
                changes.push(FileChange::Gone(path.clone()));
            }
            stays
        });
        for (path, stamp) in search.found {
            let is_known = |file: &File| file.version.stamp == stamp && stamp.modified.is_some();
            if self.files.get(&path).is_some_and(is_known) {
                continue;
            }
            let text = read_text(&path, stamp);
            let hash = hash(&text);
            if let Some(known) = self.files.get_mut(&path)
                && known.version.hash == hash
            {
                known.version.stamp = stamp;
                continue;
            }
            let known = self.files.remove(&path);
            let file = File::of(&path, text, Version { stamp, hash }, known);
            changes.push(FileChange::Read(path.clone()));
            self.files.insert(path, file);
        }
        changes.sort();
        changes
    }

    /// The files that are empty now and were not before the next [`rescan`](Self::rescan).
    ///
    /// A program that rewrites a file in place empties it first. A watcher of files waits a moment before it looks at
    /// such a file, and says that it is empty.
    pub fn just_emptied(&self) -> bool {
        self.files.iter().any(|(path, file)| {
            file.version.stamp.length > 0 && fs::metadata(path).is_ok_and(|metadata| metadata.len() == 0)
        })
    }

    /// Moves problems from the places of their objects to those of their fields, as far as the files are as they were read.
    ///
    /// A file is read for it once: what was found is known until the file changes.
    pub fn locate(&mut self, problems: &mut [ManifestProblem]) {
        problems.sort_by(|a, b| a.location.source.cmp(&b.location.source));
        for problems in problems.chunk_by_mut(|a, b| a.location.source == b.location.source) {
            let source = problems[0].location.source.clone();
            let path = Path::new(&*source);
            if let Some(file) = self.files.get_mut(path) {
                file.locate(path, problems);
            }
        }
    }

    /// What is wrong with folders and with whole files, as of the last [`rescan`](Self::rescan).
    pub fn problems(&self) -> &[ManifestProblem] {
        &self.folder_problems
    }

    /// Everything that the files hold, as one set of resources.
    pub fn collection(&self) -> Collection {
        let mut collection = Collection::default();
        collection.extend(self.builtin.iter().cloned());
        collection.extend(self.files.values().map(|file| file.manifest.clone()));
        collection.problems.splice(0..0, self.folder_problems.iter().cloned());
        collection
    }
}

/// A walk through folders.
#[derive(Default)]
struct Search {
    found: BTreeMap<PathBuf, Stamp>,
    /// The folders and files that were visited, without symbolic links: each is visited once.
    visited: HashSet<PathBuf>,
    /// What could not be looked at: whether there are files is not known.
    unreadable: Vec<PathBuf>,
    problems: Vec<ManifestProblem>,
}

// === impl Search ===

impl Search {
    /// Follows symbolic links: Kubernetes mounts a ConfigMap as links to files in a folder that it swaps.
    fn path(&mut self, path: &Path, depth: usize, named: bool) {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
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
                self.found.insert(path.to_owned(), Stamp::of(&metadata));
            }
        } else if metadata.is_dir() && self.first_visit(path) {
            if depth == MAX_DEPTH {
                return self.problem(path, format!("passed over: folders are searched {MAX_DEPTH} deep"));
            }
            self.folder(path, depth);
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
    fn gone(&mut self, root: &Path) {
        self.problem(root, "is gone; what is known of it stays in use".to_owned());
        self.unreadable.push(root.to_owned());
    }

    fn first_visit(&mut self, path: &Path) -> bool {
        self.visited.insert(path.canonicalize().unwrap_or_else(|_| path.to_owned()))
    }

    fn problem(&mut self, path: &Path, message: String) {
        self.problems.push(problem(path, message));
    }
}

fn extension(path: &Path) -> Option<&str> {
    path.extension().and_then(OsStr::to_str)
}

// === impl File ===

impl File {
    /// A version of a file; `known` is the version before.
    fn of(path: &Path, text: Result<String, String>, version: Version, known: Option<File>) -> Self {
        let (mut documents, known) = match known {
            Some(File { documents, manifest, whole, version: _, places: _ }) => {
                (documents, Some((manifest, whole)))
            }
            None => (Documents::default(), None),
        };
        let had_objects = known.as_ref().is_some_and(|(manifest, _)| !manifest.objects.is_empty());
        let mut manifest = match text {
            Ok(text) if text.trim().is_empty() && had_objects => {
                let message =
                    "the file is empty; delete it, or leave a comment in it, to take its objects out";
                Manifest { objects: Vec::new(), problems: vec![problem(path, message.to_owned())] }
            }
            Ok(text) => documents.read(&text, &path.display().to_string()),
            Err(message) => Manifest { objects: Vec::new(), problems: vec![problem(path, message)] },
        };
        let mut whole = !manifest.problems.iter().any(is_of_the_file);
        match known {
            Some((known, true)) if !whole => {
                for problem in manifest.problems.iter_mut().filter(|problem| is_of_the_file(problem)) {
                    problem.message.push_str("; the last good version of the file stays in use");
                }
                manifest.objects = known.objects;
                whole = true;
            }
            Some((known, _)) => keep_unreadable_objects(&mut manifest, &known),
            None => {}
        }
        Self { version, documents, manifest, whole, places: HashMap::new() }
    }

    /// Moves problems of the file to the places of their fields.
    fn locate(&mut self, path: &Path, problems: &mut [ManifestProblem]) {
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

fn read_text(path: &Path, stamp: Stamp) -> Result<String, String> {
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

fn hash(text: &Result<String, String>) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn problem(path: &Path, message: String) -> ManifestProblem {
    let source = path.display().to_string().into();
    ManifestProblem {
        severity: Severity::Error,
        location: Location { source, line: 1, column: 1 },
        object: None,
        field: None,
        message,
    }
}

// === impl Stamp ===

impl Stamp {
    fn of(metadata: &fs::Metadata) -> Self {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let inode = 0;
        let settled = |modified: &SystemTime| modified.elapsed().is_ok_and(|age| age >= CLOCK_TICK);
        Self { modified: metadata.modified().ok().filter(settled), length: metadata.len(), inode }
    }
}

// === impl FileChange ===

impl fmt::Display for FileChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(path) => write!(f, "{} read", path.display()),
            Self::Gone(path) => write!(f, "{} gone", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use tempfile::{TempDir, tempdir};

    fn namespace(name: &str) -> String {
        format!("---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n")
    }

    fn service(name: &str, port: &str) -> String {
        format!(
            "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\nspec:\n  ports:\n  - port: {port}\n"
        )
    }

    struct Folder {
        folder: TempDir,
        store: FileStore,
    }

    impl Folder {
        fn new() -> Self {
            let folder = tempdir().unwrap();
            let store = FileStore::new(vec![folder.path().to_owned()]);
            Self { folder, store }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn write(&self, name: &str, text: impl AsRef<[u8]>) {
            let path = self.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            // Renamed into place, so that the stamp differs however fast two writes follow each other.
            let new = self.path(".new");
            fs::write(&new, text).unwrap();
            fs::rename(new, path).unwrap();
        }

        /// The names of the objects after another look, and the messages.
        fn look(&mut self) -> (Vec<String>, Vec<String>) {
            self.store.rescan();
            let Collection { resources, problems, .. } = self.store.collection();
            let names = resources.iter().map(|object| object.key().to_string()).collect();
            let folder = format!("{}/", self.folder.path().display());
            (names, problems.iter().map(|problem| problem.to_string().replace(&folder, "")).collect())
        }
    }

    #[test]
    fn reads_manifests_of_every_ending_in_folders_within_folders_and_only_when_they_change() {
        let mut folder = Folder::new();
        folder.write("a.yaml", namespace("a"));
        folder.write("b/c/d.yml", namespace("d"));
        folder.write("b/e.json", r#"{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "e"}}"#);
        folder.write("notes.txt", "not: [a manifest");
        folder.write(".hidden.yaml", "not: [a manifest");
        assert_eq!(folder.look(), (vec!["a".into(), "d".into(), "e".into()], vec![]));
        assert_eq!(folder.store.len(), 3);
        folder.write("b/c/d.yml", namespace("f"));
        assert_eq!(folder.store.rescan(), [FileChange::Read(folder.path("b/c/d.yml"))]);
        fs::remove_file(folder.path("a.yaml")).unwrap();
        assert_eq!(folder.store.rescan(), [FileChange::Gone(folder.path("a.yaml"))]);
        assert_eq!(folder.look().0, ["e", "f"]);
    }

    #[test]
    fn a_file_that_is_named_may_have_any_ending() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("manifest");
        fs::write(&path, namespace("a")).unwrap();
        let mut store = FileStore::new(vec![path]);
        store.rescan();
        assert_eq!(store.collection().resources.len(), 1);
    }

    #[test]
    fn a_file_that_cannot_be_parsed_keeps_its_last_good_version_and_says_where() {
        let mut folder = Folder::new();
        folder.write("a.yaml", namespace("a") + &namespace("b"));
        folder.write("c.yaml", namespace("c"));
        folder.look();
        for broken in [
            namespace("a").replace("metadata:", "metadata: ["),
            "just text".to_owned(),
            "apiVersion: v1\nmetadata: {name: a}".to_owned(),
        ] {
            folder.write("a.yaml", &broken);
            folder.write("c.yaml", namespace("d"));
            let (names, problems) = folder.look();
            assert_eq!(names, ["a", "b", "d"], "{broken}");
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].starts_with("a.yaml:"), "{problems:?}");
            assert!(
                problems[0].ends_with("; the last good version of the file stays in use"),
                "{problems:?}"
            );
        }
        folder.write("a.yaml", b"\xff\xfe");
        assert_eq!(folder.look().0, ["a", "b", "d"]);
        folder.write("a.yaml", namespace("e"));
        assert_eq!(folder.look(), (vec!["d".into(), "e".into()], vec![]));
    }

    #[test]
    fn a_new_file_that_cannot_be_parsed_gives_what_could_be_read() {
        let mut folder = Folder::new();
        folder.write("a.yaml", namespace("a") + "---\nkind: [\n" + &namespace("b"));
        let (names, problems) = folder.look();
        assert!(names.contains(&"a".to_owned()), "{names:?}");
        assert_eq!(problems.len(), 1, "{problems:?}");
    }

    #[test]
    fn an_object_with_a_field_of_the_wrong_type_keeps_its_last_good_version() {
        let mut folder = Folder::new();
        folder.write("a.yaml", service("a", "80") + &service("b", "80"));
        folder.look();
        folder.write("a.yaml", service("a", "eighty") + &service("b", "81") + &service("c", "none"));
        let (names, problems) = folder.look();
        assert_eq!(names, ["default/a", "default/b"]);
        let ports = |store: &FileStore| -> Vec<i64> {
            let services = store.collection().resources.services;
            services.values().map(|service| service.spec.ports[0].port.into()).collect()
        };
        assert_eq!(ports(&folder.store), [80, 81]);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].contains("Service a: spec.ports[0].port"), "{problems:?}");
        assert!(problems[0].ends_with("; the last good version of the object stays in use"), "{problems:?}");
        assert!(!problems[1].contains("last good"), "there is none of c: {problems:?}");
        folder.write("a.yaml", service("b", "81"));
        assert_eq!(folder.look(), (vec!["default/b".into()], vec![]), "a deleted object is gone");
    }

    #[test]
    fn a_file_that_is_emptied_keeps_its_last_good_version_and_says_so() {
        let mut folder = Folder::new();
        folder.write("a.yaml", namespace("a"));
        folder.write("b.yaml", namespace("b"));
        folder.write("empty.yaml", "");
        assert_eq!(
            folder.look(),
            (vec!["a".into(), "b".into()], vec![]),
            "one that never had any is no problem"
        );
        for empty in ["", "\n \n"] {
            folder.write("a.yaml", empty);
            let (names, problems) = folder.look();
            assert_eq!(names, ["a", "b"]);
            assert!(problems.len() == 1 && problems[0].contains("the file is empty"), "{problems:?}");
            assert!(
                problems[0].ends_with("; the last good version of the file stays in use"),
                "{problems:?}"
            );
        }
        folder.write("a.yaml", namespace("c"));
        assert_eq!(folder.look(), (vec!["b".into(), "c".into()], vec![]));
        folder.write("a.yaml", "");
        assert!(folder.store.just_emptied());
        fs::remove_file(folder.path("a.yaml")).unwrap();
        folder.write("b.yaml", "# nothing left\n");
        assert_eq!(folder.look(), (vec![], vec![]), "on purpose");
    }

    #[test]
    fn what_was_named_and_is_gone_stays_in_use() {
        let mut folder = Folder::new();
        folder.write("one.yaml", namespace("one"));
        folder.write("within/a.yaml", namespace("a"));
        folder.write("within/b.yaml", namespace("b"));
        folder.store = FileStore::new(vec![folder.path("one.yaml"), folder.path("within")]);
        folder.look();
        fs::remove_file(folder.path("within/b.yaml")).unwrap();
        assert_eq!(folder.look(), (vec!["a".into(), "one".into()], vec![]));
        fs::remove_file(folder.path("one.yaml")).unwrap();
        fs::rename(folder.path("within"), folder.path("elsewhere")).unwrap();
        let (names, problems) = folder.look();
        assert_eq!(names, ["a", "one"]);
        assert!(
            problems.len() == 2 && problems.iter().all(|problem| problem.contains("is gone")),
            "{problems:?}"
        );
        folder.write("one.yaml", namespace("two"));
        fs::rename(folder.path("elsewhere"), folder.path("within")).unwrap();
        assert_eq!(folder.look(), (vec!["a".into(), "two".into()], vec![]));
    }

    #[test]
    fn where_fields_are_is_looked_up_once_for_each_version_of_a_file() {
        let mut folder = Folder::new();
        folder.write("a.yaml", service("a", "80") + "\n");
        folder.look();
        let problem = |store: &FileStore| {
            let (_, location) = &store.files.values().next().unwrap().manifest.objects[0];
            ManifestProblem {
                severity: Severity::Error,
                location: location.clone(),
                object: None,
                field: Some("spec.ports[0].port".to_owned()),
                message: String::new(),
            }
        };
        let (mut first, mut second) = (problem(&folder.store), problem(&folder.store));
        folder.store.locate(std::slice::from_mut(&mut first));
        assert_ne!(first, second, "it was moved");
        fs::remove_file(folder.path("a.yaml")).unwrap();
        folder.store.locate(std::slice::from_mut(&mut second));
        assert_eq!(first, second, "without the file");
    }

    #[test]
    fn of_two_files_with_the_same_object_the_first_stays() {
        let mut folder = Folder::new();
        folder.write("b.yaml", service("a", "81"));
        folder.write("a.yaml", service("a", "80"));
        let (names, problems) = folder.look();
        assert_eq!(names, ["default/a"]);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].contains("b.yaml") && problems[0].contains("a.yaml"), "{problems:?}");
        assert_eq!(
            folder.store.collection().resources.services.values().next().unwrap().spec.ports[0].port,
            80
        );
    }

    #[cfg(unix)]
    #[test]
    fn follows_links_as_kubernetes_swaps_them_and_reads_each_file_once() {
        use std::os::unix::fs::symlink;
        let mut folder = Folder::new();
        folder.write("..2026_1/shop.yaml", namespace("a"));
        folder.write("..2026_2/shop.yaml", namespace("b"));
        symlink("..2026_1", folder.path("..data")).unwrap();
        symlink("..data/shop.yaml", folder.path("shop.yaml")).unwrap();
        symlink("shop.yaml", folder.path("again.yaml")).unwrap();
        symlink(".", folder.path("loop")).unwrap();
        symlink("nowhere", folder.path("broken.yaml")).unwrap();
        assert_eq!(folder.look(), (vec!["a".into()], vec![]));
        symlink("..2026_2", folder.path("..data_tmp")).unwrap();
        fs::rename(folder.path("..data_tmp"), folder.path("..data")).unwrap();
        assert_eq!(folder.look(), (vec!["b".into()], vec![]));
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_cannot_be_read_keeps_what_is_known_of_its_files() {
        use std::os::unix::fs::symlink;
        let mut folder = Folder::new();
        folder.write("a.yaml", namespace("a"));
        folder.write("within/b.yaml", namespace("b"));
        folder.look();
        // A link to itself cannot be read by anyone, as opposed to a folder without permissions.
        fs::rename(folder.path("within"), folder.path(".moved")).unwrap();
        symlink("within", folder.path("within")).unwrap();
        let (names, problems) = folder.look();
        assert_eq!(names, ["a", "b"]);
        assert!(
            problems.len() == 1 && problems[0].contains("what is known of it stays in use"),
            "{problems:?}"
        );
        fs::remove_file(folder.path("within")).unwrap();
        assert_eq!(
            folder.look(),
            (vec!["a".into()], vec![]),
            "a folder that is gone takes its files with it"
        );
    }

    #[test]
    fn a_file_that_is_too_large_is_not_read() {
        let mut folder = Folder::new();
        let file = fs::File::create(folder.path("a.yaml")).unwrap();
        file.set_len(manifest::MAX_BYTES as u64 + 1).unwrap();
        let (names, problems) = folder.look();
        assert!(names.is_empty());
        assert!(problems[0].contains("split it"), "{problems:?}");
    }
}
