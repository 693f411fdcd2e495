#![doc = include_str!("../docs/choices.md")]

const PAGE: &str = include_str!("../docs/choices.md");

/// The question behind an id and what was chosen, without links. Nothing if the page has no such id.
///
/// ```
/// let choice = gateway_core::choices::choice("AMB-03").expect("there is one");
/// assert!(choice.starts_with("Is `%2F` a slash?\n\nNo. "));
/// ```
pub fn choice(id: &str) -> Option<String> {
    let sections = PAGE.split("\n### ").skip(1);
    let (_, section) =
        sections.filter_map(|section| section.split_once(": ")).find(|(found, _)| *found == id)?;
    let end = ["\nShown by: ", "\n<!-- ", "\n<a id=\""].iter().filter_map(|end| section.find(end)).min();
    Some(without_links(section[..end.unwrap_or(section.len())].trim_end()))
}

/// A text of a page with the texts of its links alone.
pub(crate) fn without_links(text: &str) -> String {
    let mut rest = text;
    let mut plain = String::new();
    while let Some((link, after)) = rest.split_once("](") {
        let (before, text) = link.rsplit_once('[').unwrap_or(("", link));
        plain.push_str(before);
        plain.push_str(text);
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    plain + rest
}
