//! The resources that tests of whole translations begin with.

use gateway_core::api::Resources;
use gateway_core::manifest;

/// The resources that these documents are.
///
/// # Panics
/// When something is wrong with one of them: the test itself is.
#[track_caller]
pub(crate) fn resources(yaml: &str) -> Resources {
    let read = manifest::read(yaml, "test.yaml");
    assert!(read.problems.is_empty(), "the test itself is wrong: {:#?}", read.problems);
    read.objects.into_iter().map(|(object, _)| object).collect()
}
