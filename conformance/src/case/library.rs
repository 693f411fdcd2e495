//! The cases that come with the crate.

use std::sync::LazyLock;

use super::{Case, read};

include!(concat!(env!("OUT_DIR"), "/case_files.rs"));

/// Every case that comes with the crate: those of upstream by name, then those beyond.
///
/// # Panics
/// Never: the files are part of the crate, and a test reads each.
pub fn cases() -> &'static [Case] {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
        let read = |(source, text): &(&str, &str)| {
            read(text, source).unwrap_or_else(|problems| {
                let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
                panic!("{}", problems.join("\n"))
            })
        };
        let mut cases: Vec<Case> = FILES.iter().map(read).collect();
        cases.sort_by(|a, b| (a.is_beyond(), &a.name).cmp(&(b.is_beyond(), &b.name)));
        cases
    });
    &CASES
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::collections::BTreeSet;

    #[test]
    fn every_case_can_be_read_and_has_a_name_of_its_own() {
        let problems: Vec<String> = FILES
            .iter()
            .filter_map(|(source, text)| read(text, source).err())
            .flatten()
            .map(|problem| problem.to_string())
            .collect();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
        let names: BTreeSet<&str> = cases().iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names.len(), cases().len());
    }
}
