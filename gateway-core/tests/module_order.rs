//! The order of the modules: `lib.rs` lists them so that each imports only what stands before it.
//!
//! Looks at the source text, not at what a compiler resolves: every `crate::module` outside of comments counts, also in
//! unit tests, since `--no-default-features` builds the serving half alone, with its tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules that requests are served with; they never see a resource as written.
const SERVING: [&str; 5] = ["matching", "filter", "rule", "table", "exchange"];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The modules in the order in which `lib.rs` lists them.
fn modules() -> Vec<String> {
    let lib = fs::read_to_string(source().join("lib.rs")).unwrap();
    let declared = lib.lines().filter_map(|line| {
        let line = line.strip_prefix("pub ").unwrap_or(line);
        line.strip_prefix("mod ")?.strip_suffix(';').map(str::to_owned)
    });
    declared.collect()
}

/// The files of a module: `name.rs`, or everything below `name/`.
fn files(module: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = Vec::new();
    match source().join(format!("{module}.rs")) {
        file if file.exists() => files.push(file),
        _ => folders.push(source().join(module)),
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

/// The modules of this crate that a text names: `crate::name` and `crate::{name, other::thing}`.
fn imports(text: &str) -> BTreeSet<String> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let word = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let mut found = BTreeSet::new();
    for (position, prefix) in code.match_indices("crate::") {
        let rest = &code[position + prefix.len()..];
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

#[test]
fn a_module_imports_only_what_stands_before_it() {
    let modules = modules();
    assert!(modules.len() >= 7, "lib.rs lists its modules one a line: {modules:?}");
    let position = |name: &str| modules.iter().position(|module| module == name);
    let mut wrong = Vec::new();
    for (i, module) in modules.iter().enumerate() {
        for file in files(module) {
            for import in imports(&fs::read_to_string(&file).unwrap()) {
                if position(&import).is_some_and(|j| j > i) {
                    wrong.push(format!(
                        "{}: {module} imports {import}, which stands after it",
                        file.display()
                    ));
                }
                if import == "api" && SERVING.contains(&module.as_str()) {
                    wrong
                        .push(format!("{}: {module} must not know the resources as written", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn imports_are_found_in_every_form() {
    let text = "use crate::name::Age;\nuse crate::{\n    hostname::{Host, self},\n    table,\n};\n/// [`crate::api`]\nfn f(x: &crate::rule::Rule) {}";
    let found: Vec<_> = imports(text).into_iter().collect();
    assert_eq!(found, ["hostname", "name", "rule", "table"]);
}
