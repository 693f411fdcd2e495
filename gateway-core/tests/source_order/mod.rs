//! The order of modules and of the files within them, as their source text has it.
//!
//! Looks at the text, not at what a compiler resolves: every `crate::module` outside of comments counts, also in unit tests,
//! since a part of a crate that is built alone is built with its tests. Between files, unit tests do not count: one may set
//! up with a neighbour what the file itself knows nothing of.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The modules in the order in which `lib.rs` lists them.
pub(crate) fn modules(source: &Path) -> Vec<String> {
    let lib = fs::read_to_string(source.join("lib.rs")).unwrap();
    let declared = lib.lines().filter_map(|line| {
        let line = line.strip_prefix("pub ").unwrap_or(line);
        line.strip_prefix("mod ")?.strip_suffix(';').map(str::to_owned)
    });
    declared.collect()
}

/// The files of a module: `name.rs`, or everything below `name/`.
pub(crate) fn files(source: &Path, module: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = Vec::new();
    match source.join(format!("{module}.rs")) {
        file if file.exists() => files.push(file),
        _ => folders.push(source.join(module)),
    }
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}

/// A text without its comments.
fn code(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The modules of this crate that a text names: `crate::name` and `crate::{name, other::thing}`.
pub(crate) fn imports(text: &str) -> BTreeSet<String> {
    names_after(&code(text), "crate::")
}

/// The names that stand right behind a path, alone or in a group.
fn names_after(code: &str, path: &str) -> BTreeSet<String> {
    let word = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let mut found = BTreeSet::new();
    for (position, path) in code.match_indices(path) {
        // The end of a longer path is another one.
        if code[..position].ends_with(|c: char| c == ':' || c == '_' || c.is_alphanumeric()) {
            continue;
        }
        let rest = &code[position + path.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.insert(word(rest));
            continue;
        };
        // The members of the group, split at the commas that are not in a group within.
        let (mut depth, mut start) = (0, true);
        for (i, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                c if start && !c.is_whitespace() => {
                    found.insert(word(&group[i..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    found
}

/// The code of each file of a folder, without unit tests, by the name of its module; `mod.rs` is left out. What stands in
/// a folder within belongs to the file that has its name, and comes with how many folders further down it is.
pub(crate) fn files_of_folder(folder: &Path) -> BTreeMap<String, Vec<(usize, String)>> {
    let mut files: BTreeMap<String, Vec<(usize, String)>> = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            let below = files_of_folder(&path).into_values().flatten();
            files.entry(name).or_default().extend(below.map(|(depth, code)| (depth + 1, code)));
        } else if name != "mod" {
            let text = fs::read_to_string(&path).unwrap();
            let (text, _tests) = text.split_once("\n#[cfg(test)]\nmod tests {").unwrap_or((&text, ""));
            files.entry(name).or_default().push((0, code(text)));
        }
    }
    files
}

/// Which other files of the folder each one imports, by `super::` or by the module's own path.
///
/// An item that `mod.rs` passes on is that of the file which declares it.
pub(crate) fn imports_within(
    module: &str,
    files: &BTreeMap<String, Vec<(usize, String)>>,
) -> BTreeMap<String, BTreeSet<String>> {
    let declares = |code: &str, item: &str| {
        ["struct", "enum", "trait", "type", "const", "static", "fn"].iter().any(|keyword| {
            code.match_indices(&format!("{keyword} {item}")).any(|(position, found)| {
                let rest = &code[position + found.len()..];
                !rest.starts_with(|c: char| c == '_' || c.is_alphanumeric())
            })
        })
    };
    let owner = |item: &String| match files.contains_key(item) {
        true => Some(item.clone()),
        false => {
            let declares = |parts: &Vec<(usize, String)>| parts.iter().any(|(_, code)| declares(code, item));
            let mut owners = files.iter().filter(|(_, parts)| declares(parts)).map(|(name, _)| name.clone());
            // What is declared nowhere is an item of `mod.rs`; a name that is there twice is no item of the module.
            owners.next().filter(|_| owners.next().is_none())
        }
    };
    let of_file = |(name, parts): (&String, &Vec<(usize, String)>)| {
        let names = parts.iter().flat_map(|(depth, code)| {
            let relative = names_after(code, &"super::".repeat(depth + 1));
            relative.into_iter().chain(names_after(code, &format!("crate::{module}::")))
        });
        let others = names.filter(|item| !item.is_empty()).filter_map(|item| owner(&item));
        (name.clone(), others.filter(|other| other != name).collect())
    };
    files.iter().map(of_file).collect()
}

/// The files that import themselves by way of others, each with those of its imports that lead back to it.
pub(crate) fn circles(imports: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let reaches = |from: &String, to: &String| {
        let mut seen = BTreeSet::from([from]);
        let mut open = vec![from];
        while let Some(file) = open.pop() {
            open.extend(imports[file].iter().filter(|next| seen.insert(next)));
        }
        seen.contains(to)
    };
    let edges = imports.iter().flat_map(|(file, others)| others.iter().map(move |other| (file, other)));
    let in_circle = edges.filter(|(file, other)| reaches(other, file));
    in_circle.map(|(file, other)| format!("{file} → {other}")).collect()
}

/// Imports of a module that stands later in `lib.rs`, and what `forbidden` says of a module and one that it imports.
pub(crate) fn wrong_imports(source: &Path, forbidden: impl Fn(&str, &str) -> Option<String>) -> Vec<String> {
    let modules = modules(source);
    assert!(modules.len() >= 7, "lib.rs lists its modules one a line: {modules:?}");
    let position = |name: &str| modules.iter().position(|module| module == name);
    let mut wrong = Vec::new();
    for (i, module) in modules.iter().enumerate() {
        for file in files(source, module) {
            for import in imports(&fs::read_to_string(&file).unwrap()) {
                if position(&import).is_some_and(|j| j > i) {
                    wrong.push(format!(
                        "{}: {module} imports {import}, which stands after it",
                        file.display()
                    ));
                }
                wrong.extend(forbidden(module, &import).map(|why| format!("{}: {why}", file.display())));
            }
        }
    }
    wrong
}

/// Imports that are part of a circle between files of one module, but for those of the modules in `not_yet`.
pub(crate) fn circles_in_modules(source: &Path, not_yet: &[&str]) -> Vec<String> {
    let folders = modules(source).into_iter().filter(|module| source.join(module).is_dir());
    let mut wrong = Vec::new();
    for module in folders.filter(|module| !not_yet.contains(&module.as_str())) {
        let files = files_of_folder(&source.join(&module));
        let circles = circles(&imports_within(&module, &files));
        wrong.extend(circles.into_iter().map(|edge| format!("{module}: {edge} is part of a circle")));
    }
    wrong
}
