#![doc = include_str!("../docs/choices.md")]

const PAGE: &str = include_str!("../docs/choices.md");

/// The question behind an id and what was chosen, as the page has it. Nothing if the page has no such id.
///
/// ```
/// let choice = gateway_core::choices::choice("AMB-03").expect("there is one");
/// assert!(choice.starts_with("Is `%2F` a slash?\n\nNo. "));
/// ```
pub fn choice(id: &str) -> Option<&'static str> {
    let sections = PAGE.split("\n### ").skip(1);
    let (_, section) =
        sections.filter_map(|section| section.split_once(": ")).find(|(found, _)| *found == id)?;
    let end = ["\nShown by: ", "\n<!-- ", "\n<a id=\""].iter().filter_map(|end| section.find(end)).min();
    Some(section[..end.unwrap_or(section.len())].trim_end())
}
