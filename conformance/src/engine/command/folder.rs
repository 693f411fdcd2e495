//! Manifests in a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::{fs, io};

use gateway_core::api::{AnyObject, Kind, Resources};
use tempfile::TempDir;

/// How many bytes of an object's name are in the name of its file.
const LONGEST_NAME: usize = 100;

/// A folder with a file for each object. It is removed when dropped.
#[derive(Debug)]
pub(super) struct Folder {
    root: TempDir,
    /// What is written in each file.
    files: BTreeMap<String, String>,
}

// === impl Folder ===

impl Folder {
    pub(super) fn new() -> io::Result<Self> {
        let folder = Self { root: tempfile::tempdir()?, files: BTreeMap::new() };
        fs::create_dir(folder.manifests())?;
        Ok(folder)
    }

    /// Where the manifests are.
    pub(super) fn manifests(&self) -> PathBuf {
        self.root.path().join("manifests")
    }

    /// Where the statuses come to be.
    pub(super) fn status(&self) -> PathBuf {
        self.root.path().join("status")
    }

    /// Writes the files of objects that have changed, and removes those of objects that are gone.
    pub(super) fn write(&mut self, resources: &Resources) -> io::Result<()> {
        let mut seen = BTreeSet::new();
        for object in resources.iter() {
            let (name, text) = (file_name(&object), manifest(&object));
            if self.files.get(&name) != Some(&text) {
                replace(self.root.path(), &self.manifests().join(&name), &text)?;
                self.files.insert(name.clone(), text);
            }
            seen.insert(name);
        }
        let gone: Vec<String> = self.files.keys().filter(|name| !seen.contains(*name)).cloned().collect();
        for name in gone {
            fs::remove_file(self.manifests().join(&name))?;
            self.files.remove(&name);
        }
        Ok(())
    }
}

/// Puts a new file in the place of another, so that no reader gets half of it.
fn replace(root: &Path, path: &Path, text: &str) -> io::Result<()> {
    let new = root.join("new");
    fs::write(&new, text)?;
    fs::rename(new, path)
}

/// The object with the status that it had in the case: other controllers may have written into it.
fn manifest(object: &AnyObject) -> String {
    let value = serde_json::to_value(object).expect("every object can be written as JSON");
    format!("{value:#}\n")
}

fn file_name(object: &AnyObject) -> String {
    let (kind, key) = (object.kind(), object.key());
    let mut name = match &*key.namespace {
        "" => key.name.to_string(),
        namespace => format!("{namespace}.{}", key.name),
    };
    if name.len() > LONGEST_NAME {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        // Names of objects have no other letters than ASCII.
        name = format!("{}.{:016x}", name.get(..LONGEST_NAME).unwrap_or_default(), hasher.finish());
    }
    format!("{}.{name}.json", kind_name(kind))
}

fn kind_name(kind: Kind) -> String {
    kind.as_str().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    use gateway_core::manifest;

    fn resources(yaml: &str) -> Resources {
        manifest::read(yaml, "test.yaml").objects.into_iter().map(|(object, _)| object).collect()
    }

    fn files(folder: &Folder) -> BTreeMap<String, String> {
        let files = fs::read_dir(folder.manifests()).unwrap().map(|file| file.unwrap());
        files
            .map(|file| (file.file_name().into_string().unwrap(), fs::read_to_string(file.path()).unwrap()))
            .collect()
    }

    const TWO: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: cart, namespace: shop}
spec: {}
status: {parents: [{parentRef: {name: a}, controllerName: example.com/other, conditions: []}]}
";

    #[test]
    fn the_files_are_those_of_the_objects() {
        let mut folder = Folder::new().unwrap();
        folder.write(&resources(TWO)).unwrap();
        let written = files(&folder);
        let names: Vec<_> = written.keys().map(String::as_str).collect();
        assert_eq!(names, ["httproute.shop.cart.json", "namespace.shop.json"]);
        assert!(written["httproute.shop.cart.json"].contains("example.com/other"), "others wrote a status");
        let text: String = written.values().map(|text| format!("---\n{text}")).collect();
        assert_eq!(resources(&text).iter().count(), 2);

        let (first, _) = TWO.split_once("---").unwrap();
        folder.write(&resources(&first.replace("name: shop", "name: shop, labels: {a: b}"))).unwrap();
        let written = files(&folder);
        assert_eq!(written.len(), 1);
        assert!(written["namespace.shop.json"].contains("labels"));
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let mut folder = Folder::new().unwrap();
        let yaml: String = ["a", "b"]
            .map(|end| {
                format!(
                    "---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {}{end}}}\n",
                    "x".repeat(250)
                )
            })
            .concat();
        folder.write(&resources(&yaml)).unwrap();
        assert_eq!(files(&folder).len(), 2);
    }
}
