//! The public API of a library as a list, one item a line with its signature.
//!
//! What `derive` and the compiler make, and what all types have, is left out, so that a difference of two lists can be read. That a
//! derived trait is gone, cargo-semver-checks notices.

use std::error::Error;

use public_api::Builder;

fn main() -> Result<(), Box<dyn Error>> {
    let json = std::env::args_os().nth(1).ok_or("name the file that rustdoc wrote as JSON")?;
    let api = Builder::from_rustdoc_json(json)
        .omit_auto_derived_impls(true)
        .omit_auto_trait_impls(true)
        .omit_blanket_impls(true)
        .build()?;
    print!("{api}");
    Ok(())
}
