//! Lists the files of the cases, so that they become part of the crate.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("cases");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut files = files(&root)?;
    files.extend(self::files(&root.join("beyond"))?);
    files.retain(|file| file.file_name().is_some_and(|name| name != "base.yaml"));
    files.sort();
    let entries = files.iter().map(|file| {
        let name = file.strip_prefix(&root).expect("it is below the root").display().to_string();
        format!("    ({name:?}, include_str!({file:?})),\n")
    });
    let text = format!("const FILES: &[(&str, &str)] = &[\n{}];\n", entries.collect::<String>());
    fs::write(PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("case_files.rs"), text)
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    println!("cargo:rerun-if-changed={}", folder.display());
    // A folder without files is in no checkout.
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let paths: io::Result<Vec<PathBuf>> = paths.collect();
    Ok(paths?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect())
}
