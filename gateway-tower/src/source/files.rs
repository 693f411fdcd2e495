//! Manifests in files and folders.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, fs};

use gateway_core::manifest::{self, Collection, Manifest, ManifestProblem, OwnTypes};

use super::file::{File, Version, hash, read_text};
use super::search::Search;

/// Manifests in files, as of the last [`rescan`](Self::rescan).
#[derive(Debug, Default)]
pub struct Files {
    roots: Vec<PathBuf>,
    /// The embedder's own kinds that the files may have.
    own: OwnTypes,
    builtin: Vec<Manifest>,
    files: BTreeMap<PathBuf, File>,
    /// What is wrong with the folders, as opposed to the files.
    folder_problems: Vec<ManifestProblem>,
}

/// A file that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FileChange {
    /// It is new, or changed.
    Read(PathBuf),
    /// It is gone.
    Gone(PathBuf),
}

// === impl Files ===

impl Files {
    /// A store of these files and folders, and of the folders within; nothing is read before the first
    /// [`rescan`](Self::rescan).
    pub fn new(roots: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        Self { roots: roots.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// The same files, which may have objects of these kinds, too. A [`Source`](super::Source) says it by its options.
    pub fn own_types(self, own: OwnTypes) -> Self {
        Self { own, ..self }
    }

    /// Adds a manifest that is in no file. It goes before the files.
    pub fn add_builtin(&mut self, text: &str, name: &str) {
        self.builtin.push(manifest::read_with(text, name, &self.own));
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
            changes.push(FileChange::Read(path.clone()));
            let file = self.files.entry(path.clone()).or_insert_with(|| File::new(self.own.clone()));
            file.read(&path, text, Version { stamp, hash });
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
        collection.extend(self.files.values().map(|file| file.manifest().clone()));
        collection.problems.splice(0..0, self.folder_problems.iter().cloned());
        collection
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

    use gateway_core::manifest::Severity;
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
        store: Files,
    }

    impl Folder {
        fn new() -> Self {
            let folder = tempdir().unwrap();
            let store = Files::new(vec![folder.path().to_owned()]);
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
        let mut store = Files::new(vec![path]);
        store.rescan();
        assert_eq!(store.collection().resources.len(), 1);
    }

    #[test]
    fn what_is_named_and_not_there_is_said_until_it_is() {
        let mut folder = Folder::new();
        folder.store = Files::new([folder.path("a.yaml")]);
        assert_eq!(
            folder.look(),
            (vec![], vec!["a.yaml:1:1: error: there is no such file or folder".into()])
        );
        folder.write("a.yaml", namespace("a"));
        assert_eq!(folder.look(), (vec!["a".into()], vec![]));
    }

    #[test]
    fn what_is_neither_a_file_nor_a_folder_is_said_where_it_is_named() {
        let mut folder = Folder::new();
        folder.store = Files::new(["/dev/null"]);
        let (names, problems) = folder.look();
        assert!(names.is_empty() && problems.len() == 1, "{problems:?}");
        assert!(problems[0].contains("neither a file nor a folder"), "{problems:?}");
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
        let ports = |store: &Files| -> Vec<i64> {
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
        folder.store = Files::new(vec![folder.path("one.yaml"), folder.path("within")]);
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
        let problem = |store: &Files| {
            let (_, location) = &store.files.values().next().unwrap().manifest().objects[0];
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
