//! The seeds of the fuzz targets and the inputs that once broke something, replayed.

use std::fs;
use std::path::Path;

use conformance::fuzzing;

/// A fuzz target by name.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 12] = [
    ("answers", fuzzing::answers),
    ("authorization", fuzzing::authorization),
    ("client_hello", fuzzing::client_hello),
    ("edits", fuzzing::edits),
    ("find", |bytes| {
        fuzzing::find(bytes);
    }),
    ("hostname", fuzzing::hostname),
    ("manifest", fuzzing::manifest),
    ("mesh", fuzzing::mesh),
    ("proxy_header", fuzzing::proxy_header),
    ("requests", fuzzing::requests),
    ("rewrite", fuzzing::rewrite),
    ("streams", fuzzing::streams),
];

#[test]
fn every_input_that_is_kept_still_passes() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    for (name, target) in TARGETS {
        let mut replayed = 0;
        for folder in ["corpus", "crashes"] {
            // A target may never have had a crash; that it has seeds is asserted below.
            for entry in fs::read_dir(fuzz.join(folder).join(name)).into_iter().flatten() {
                let path = entry.unwrap().path();
                let bytes = fs::read(&path).unwrap();
                eprintln!("{}", path.display());
                target(&bytes);
                replayed += 1;
            }
        }
        assert!(replayed > 0, "there are no seeds for {name}");
    }
}

#[test]
fn every_target_is_replayed() {
    let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/fuzz_targets");
    let mut names: Vec<_> = fs::read_dir(targets)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert_eq!(names, TARGETS.map(|(name, _)| name));
}
