//! The order of the modules: `lib.rs` lists them so that each imports only what stands before it. Within the folder of a
//! module there is an order too: no files import each other in a circle.

mod source_order;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use self::source_order::{circles, circles_in_modules, imports, imports_within, wrong_imports};

/// The modules that requests are served with; they never see a resource as written.
const SERVING: [&str; 5] = ["matching", "filter", "rule", "table", "exchange"];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

#[test]
fn a_module_imports_only_what_stands_before_it() {
    let wrong = wrong_imports(&source(), |module, import| {
        let as_written = import == "api" && SERVING.contains(&module);
        as_written.then(|| format!("{module} must not know the resources as written"))
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_files_of_a_module_import_each_other_in_no_circle() {
    let wrong = circles_in_modules(&source(), &[]);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_circle_is_found_by_each_of_its_imports() {
    let file = |name: &str, code: &str| (name.to_owned(), vec![(0, code.to_owned())]);
    let files = BTreeMap::from([
        file("a", "use super::b::B;\nuse super::super::d::D;\npub struct A;"),
        file("b", "use super::{C, E};"),
        file("c", "use crate::m::{a, d::D};\npub struct C;"),
        file("d", "pub struct D;"),
    ]);
    let imports = imports_within("m", &files);
    assert_eq!(imports["c"], ["a", "d"].map(str::to_owned).into());
    assert_eq!(circles(&imports), ["a → b", "b → c", "c → a"]);
}

#[test]
fn imports_are_found_in_every_form() {
    let text = "use crate::name::Age;\nuse crate::{\n    hostname::{Host, self},\n    table,\n};\n/// [`crate::api`]\nfn f(x: &crate::rule::Rule) {}";
    let found: Vec<_> = imports(text).into_iter().collect();
    assert_eq!(found, ["hostname", "name", "rule", "table"]);
}
