//! The top level of the repository holds the crates, and little else.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

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
