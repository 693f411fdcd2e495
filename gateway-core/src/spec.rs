#![doc = include_str!("../docs/spec.md")]

use crate::choices::without_links;

const PAGE: &str = include_str!("../docs/spec.md");

/// The row of a rule: what each column says, behind the title of the column. Nothing if the page has no such rule.
///
/// ```
/// let row = gateway_core::spec::rule("HRM-16").expect("there is one");
/// assert_eq!(row[1..3], [("Level", "MUST".to_owned()), ("Rule", "Nothing matches -> 404.".to_owned())]);
/// ```
pub fn rule(id: &str) -> Option<Vec<(&'static str, String)>> {
    let mut titles = "";
    let mut lines = PAGE.lines().peekable();
    while let Some(line) = lines.next() {
        if lines.peek().is_some_and(|next| next.starts_with("| --- |")) {
            titles = line;
        }
        let anchor = line.strip_prefix("| <a id=\"").and_then(|rest| rest.strip_prefix(id));
        if anchor.is_some_and(|rest| rest.starts_with('"')) {
            return Some(cells(titles).zip(cells(line).map(plain)).collect());
        }
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
