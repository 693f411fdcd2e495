//! The layout of the repository: its top level, the paths in the guide for contributors, and the titles of modules.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn the_top_level_holds_the_crates_and_little_else() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let ignored = fs::read_to_string(root.join(".gitignore")).unwrap();
    let entries: BTreeSet<String> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.') && !ignored.lines().any(|line| line == format!("/{name}")))
        .collect();
    let expected = [
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "README.md",
        "conformance",
        "examples",
        "fuzz",
        "gateway-core",
        "gateway-kube",
        "gateway-tower",
    ];
    assert_eq!(entries, expected.map(str::to_owned).into());
}

#[test]
fn the_guide_for_contributors_names_files_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let guide = fs::read_to_string(root.join(".github/CONTRIBUTING.md")).unwrap();
    let in_code = guide.split('`').skip(1).step_by(2);
    let is_path = |text: &&str| text.contains('/') && !text.contains(' ') && !text.starts_with('/');
    let links = guide.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
    let linked = links.filter_map(|link| link.strip_prefix("../"));
    let missing: Vec<_> =
        in_code.filter(is_path).chain(linked).filter(|path| !root.join(path).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(
        guide.matches("\n### Add ").count() >= 5,
        "a rule, a condition, a filter, a kind of Route, a case"
    );
}

/// All `.rs` files in a folder and below, but for what is built.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let is_written = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name != "target" && !name.starts_with('.')
    };
    let below = folders.into_iter().filter(is_written).flat_map(|folder| sources(&folder));
    files.into_iter().filter(|path| path.extension().is_some_and(|it| it == "rs")).chain(below).collect()
}

#[test]
fn the_title_of_a_module_is_no_question() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let questions = [
        "What", "How", "Why", "Which", "Who", "Whom", "Whose", "Where", "When", "Whether", "In which",
        "By what",
    ];
    let mut titles = 0;
    for path in sources(root) {
        let text = fs::read_to_string(&path).unwrap();
        let Some(title) = text.lines().find_map(|line| line.strip_prefix("//! ")) else { continue };
        titles += 1;
        let question =
            questions.iter().find(|it| title.strip_prefix(**it).is_some_and(|rest| rest.starts_with(' ')));
        let path = path.strip_prefix(root).unwrap().display();
        assert_eq!(
            question, None,
            "{path}: {title:?}: say what the module is, as \"Conditions of a listener\""
        );
    }
    assert!(titles > 900, "only {titles} titles were found");
}
