//! Cases: those that come with the program, and those on disk.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use conformance::case::{self, Case};

use crate::Trouble;

/// The cases that come with the program, then those of the folders, by name.
///
/// A case from disk is beyond upstream's whatever it says of itself: a report in upstream's name is about upstream's cases.
pub(crate) fn cases(folders: &[PathBuf]) -> Result<Vec<Case>, Trouble> {
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    known
        .extend(case::cases().iter().map(|case| (case.name.clone(), "the cases of this program".to_owned())));
    let mut own = Vec::new();
    for folder in folders {
        for file in files(folder)? {
            let source = file.display().to_string();
            let text = text(&file)?;
            let mut case = case::read(&text, &source).map_err(|problems| {
                let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
                Trouble::Usage(format!("{source} is no case:\n{}", problems.join("\n")))
            })?;
            if let Some(other) = known.insert(case.name.clone(), source.clone()) {
                let name = &case.name;
                let message = format!("{source}: there is a case {name} already, in {other}");
                return Err(Trouble::Usage(message));
            }
            case.source = None;
            own.push(case);
        }
    }
    own.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(case::cases().iter().cloned().chain(own).collect())
}

/// The text of a file.
pub(crate) fn text(file: &Path) -> Result<String, Trouble> {
    fs::read_to_string(file).map_err(|error| unreadable(file, &error))
}

/// The file itself, or the YAML files in the folder and below, by name: at least one.
pub(crate) fn files(path: &Path) -> Result<Vec<PathBuf>, Trouble> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    match below(path)? {
        found if found.is_empty() => {
            let message = format!("{}: no file in this folder ends in .yaml or .yml", path.display());
            Err(Trouble::Usage(message))
        }
        found => Ok(found),
    }
}

/// The YAML files in the folder and below, by name.
fn below(path: &Path) -> Result<Vec<PathBuf>, Trouble> {
    let entries = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, io::Error>>);
    let mut paths: Vec<PathBuf> =
        entries.map_err(|error| unreadable(path, &error))?.iter().map(fs::DirEntry::path).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            found.extend(below(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            found.push(path);
        }
    }
    Ok(found)
}

fn unreadable(path: &Path, error: &io::Error) -> Trouble {
    Trouble::Usage(format!("{} cannot be read: {error}", path.display()))
}
