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
