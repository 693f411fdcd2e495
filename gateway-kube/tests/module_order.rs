//! The order of the modules: `lib.rs` lists them so that each imports only what stands before it, and within the folder of
//! a module no files import each other in a circle.

#[path = "../../gateway-core/tests/source_order/mod.rs"]
mod source_order;

use std::path::{Path, PathBuf};

use self::source_order::{circles_in_modules, wrong_imports};

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

#[test]
fn a_module_imports_only_what_stands_before_it() {
    let wrong = wrong_imports(&source(), |_, _| None);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_files_of_a_module_import_each_other_in_no_circle() {
    let wrong = circles_in_modules(&source(), &[]);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
