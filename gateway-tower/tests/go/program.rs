//! Programs of `conformance/upstream` that are written in Go.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

/// Builds the program in this folder. Without Go there is none, which is said.
pub(crate) async fn build(folder: &str) -> Option<PathBuf> {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("go-{folder}"));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/upstream").join(folder);
    let mut command = Command::new("go");
    command.args(["build", "-mod=readonly", "-o"]).arg(&program).arg(".").current_dir(source);
    let Ok(output) = command.stdin(Stdio::null()).output().await else {
        eprintln!("left out: there is no Go to build {folder} with");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(program)
}
