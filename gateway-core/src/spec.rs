#![doc = include_str!("../docs/spec.md")]

use crate::choices::without_links;

const PAGE: &str = include_str!("../docs/spec.md");

/// What stands in a cell in the place of the text of the one above it.
const SAME: &str = "same";

/// The row of a rule: what each column says, behind the title of the column. Nothing if the page has no such rule.
///
/// A cell in which "same" stands has the text of the one above it.
///
/// ```
/// let row = gateway_core::spec::rule("HRM-16").expect("there is one");
/// assert_eq!(row[1..3], [("Level", "MUST".to_owned()), ("Rule", "Nothing matches -> 404.".to_owned())]);
/// ```
pub fn rule(id: &str) -> Option<Vec<(&'static str, String)>> {
    let mut titles = "";
    let mut above = Vec::new();
    let mut lines = PAGE.lines().peekable();
    while let Some(line) = lines.next() {
        if lines.peek().is_some_and(|next| next.starts_with("| --- |")) {
            titles = line;
        }
        let Some(anchor) = line.strip_prefix("| <a id=\"") else { continue };
        let row = cells(line).enumerate().map(|(column, cell)| match above.get(column) {
            Some(&said) if cell == SAME => said,
            _ => cell,
        });
        let row: Vec<_> = row.collect();
        if anchor.strip_prefix(id).is_some_and(|rest| rest.starts_with('"')) {
            return Some(cells(titles).zip(row.into_iter().map(plain)).collect());
        }
        above = row;
    }
    None
}

fn cells(row: &str) -> impl Iterator<Item = &str> {
    row.trim_matches('|').split('|').map(str::trim)
}

/// A cell without its anchor and its links.
fn plain(cell: &str) -> String {
    without_links(cell.rsplit_once("</a>").map_or(cell, |(_, text)| text))
}
