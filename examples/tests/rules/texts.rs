//! Every id leads to its text: a rule to `gateway-core/docs/spec.md`, a choice to `choices.md`.
//!
//! On pages, and in the documentation that rustdoc shows, an id is a link. `REWRITE=1` makes links of those that are none.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::{fs, mem};

use super::{CRATES, expect, files, read, root, rules};

const RULES: &str = "gateway-core/docs/spec.md";
const CHOICES: &str = "gateway-core/docs/choices.md";

/// What a page that rustdoc shows puts before the path of another page.
const REPOSITORY: &str = "https://github.com/gateway-api-rs/gateway/blob/main";

/// No line of a comment is made longer than this by a link.
const WIDTH: usize = 130;

/// The sources with documentation for users, each with the name of gateway-core in it.
const DOCUMENTED: [(&str, &str); 5] = [
    ("gateway-core/src", "crate"),
    ("gateway-tower/src", "gateway_core"),
    ("gateway-kube/src", "gateway_core"),
    ("conformance/src", "gateway_core"),
    ("examples/src", "gateway_core"),
];

// === ids ===

/// Whether a word is an id, such as `HRM-20`, `VAL-HR-01` or `CND-100`, of a rule that there is or not.
fn is_id(word: &str) -> bool {
    let mut parts = word.rsplit('-');
    let number = parts.next().unwrap_or_default();
    let letters: Vec<_> = parts.collect();
    let is_capital = |part: &&str| part.bytes().all(|byte| byte.is_ascii_uppercase());
    matches!(number.len(), 2 | 3)
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && matches!(letters.len(), 1 | 2)
        && letters.iter().all(|part| matches!(part.len(), 2 | 3) && is_capital(part))
}

/// The ids of a text, each with its place.
fn ids(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    // A word is a part of the text, so that its place follows from where both begin.
    words.filter(|word| is_id(word)).map(move |word| (word.as_ptr().addr() - text.as_ptr().addr(), word))
}

/// A line with its ids as links, except in code, in a link and in an anchor.
fn linked(line: &str, target: impl Fn(&str) -> Option<String>) -> String {
    let mut linked = String::new();
    let mut done = 0;
    for (place, id) in ids(line) {
        let before = &line[..place];
        let in_code = before.matches('`').count() % 2 == 1;
        let in_link = before.matches('[').count() > before.matches(']').count() || before.ends_with('#');
        let in_anchor = before.ends_with("<a id=\"") || before.ends_with("\"></a>");
        if let (false, Some(target)) = (in_code || in_link || in_anchor, target(id)) {
            linked += &line[done..place];
            linked += &format!("[{id}]({target})");
            done = place + id.len();
        }
    }
    linked + &line[done..]
}

/// A line of a page or of documentation.
struct Line<'a> {
    /// What stands before its text.
    mark: &'a str,
    text: String,
    /// Whether links have made it longer.
    longer: bool,
}

impl Line<'_> {
    /// How many words of a text have room in the line, which begins with so many spaces.
    fn room(&self, indent: usize, words: &[String]) -> usize {
        let mut width = self.mark.len() + indent;
        let fits = words.iter().take_while(|word| {
            width += word.len() + 1;
            width <= WIDTH + 1
        });
        fits.count().max(1)
    }

    /// Whether the line goes on with the paragraph of the one before, whose text is indented like this.
    fn goes_on(&self, mark: &str, indent: usize) -> bool {
        let content = self.text.trim_start();
        let begins_something = |c: char| matches!(c, '-' | '*' | '|' | '#' | '>') || c.is_ascii_digit();
        let begins_something = content.starts_with(begins_something)
            || content.starts_with("```")
            || content.starts_with('[') && content.contains("]: ");
        let is_indented = self.text.len() - content.len() == indent;
        self.mark == mark && is_indented && !content.is_empty() && !begins_something
    }
}

/// How far the text of an item of a list is from where the item begins.
fn item(content: &str) -> usize {
    let digits = content.bytes().take_while(u8::is_ascii_digit).count();
    match &content[digits..] {
        rest if digits == 0 && rest.starts_with("- ") => 2,
        rest if digits > 0 && rest.starts_with(". ") => digits + 2,
        _ => 0,
    }
}

/// No line is wider for its links than [`WIDTH`]: what it has no room for begins the next one of its paragraph. Rows of tables
/// stay as they are.
fn wrapped(lines: &[Line<'_>]) -> String {
    let mut wrapped = String::new();
    let mut rest: Vec<String> = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        let content = line.text.trim_start();
        if !line.longer && rest.is_empty() || content.starts_with('|') {
            writeln!(wrapped, "{}{}", line.mark, line.text).unwrap();
            continue;
        }
        let mut indent = line.text.len() - content.len();
        let hanging = indent + item(content);
        let mut words: Vec<_> = rest.drain(..).chain(content.split(' ').map(str::to_owned)).collect();
        while !words.is_empty() {
            let room = line.room(indent, &words);
            let later = words.split_off(room.min(words.len()));
            writeln!(wrapped, "{}{:indent$}{}", line.mark, "", words.join(" ")).unwrap();
            words = later;
            indent = hanging;
            if !words.is_empty() && lines.get(i + 1).is_some_and(|next| next.goes_on(line.mark, hanging)) {
                rest = mem::take(&mut words);
            }
        }
    }
    wrapped
}

/// Whether rustdoc shows the documentation in a line: that of a module, or of an item that is not private in so many words.
fn is_shown(lines: &[&str], at: usize) -> bool {
    if lines[at].trim_start().starts_with("//!") {
        return true;
    }
    let mut after = lines[at..].iter().map(|line| line.trim_start());
    let mut in_attribute = false;
    let item = after.find(|line| {
        in_attribute |= line.starts_with("#[");
        let is_code = !in_attribute && !line.starts_with("//");
        in_attribute &= !line.ends_with(']');
        is_code
    });
    let Some(item) = item else { return false };
    // The block that the item is in.
    let begins_block = |line: &&&str| line.starts_with(|c: char| c.is_ascii_alphabetic());
    let block = lines[..at].iter().rev().find(begins_block).copied().unwrap_or_default();
    let of_trait = block.starts_with("pub trait ") || block.starts_with("impl") && block.contains(" for ");
    let members = ["fn ", "async fn ", "const ", "type "];
    let others = ["pub(", "struct ", "enum ", "static ", "trait ", "mod ", "impl", "unsafe ", "macro_rules!"];
    let is_indented = lines[at].starts_with(' ');
    let is_member = members.iter().any(|keyword| item.starts_with(keyword));
    !(others.iter().any(|keyword| item.starts_with(keyword)) || is_member && !(is_indented && of_trait))
}

// === texts ===

/// The ids that have a text, by the page that it stands on.
pub(crate) struct Texts {
    rules: BTreeSet<String>,
    choices: BTreeSet<String>,
}

impl Texts {
    pub(crate) fn read() -> Self {
        let page = read(RULES);
        let rules: Vec<_> = page
            .lines()
            .filter_map(|line| line.strip_prefix("| <a id=\"")?.split_once("\"></a>"))
            .inspect(|(id, row)| assert!(row.starts_with(id), "the anchor {id} is before its id: {row}"))
            .map(|(id, _)| id.to_owned())
            .collect();
        let page = read(CHOICES);
        let headings = page.lines().filter_map(|line| line.strip_prefix("### ")?.split_once(':'));
        let choices = headings.map(|(id, _)| id.to_owned()).collect();
        let count = rules.len();
        let rules: BTreeSet<_> = rules.into_iter().collect();
        assert_eq!(rules.len(), count, "every rule stands in {RULES} once");
        Self { rules, choices }
    }

    /// The page that has the text: the choice where the id is that of a question, the rule otherwise.
    fn page(&self, id: &str) -> Option<&'static str> {
        let is_question = ["AMB-", "CON-", "MSG-"].iter().any(|family| id.starts_with(family));
        if is_question && self.choices.contains(id) {
            Some(CHOICES)
        } else if self.rules.contains(id) {
            Some(RULES)
        } else {
            self.choices.contains(id).then_some(CHOICES)
        }
    }

    /// A line of a page with its ids as links.
    pub(crate) fn linked_on(&self, page: &str, line: &str) -> String {
        linked(line, |id| {
            let has_text = self.page(id)?;
            Some(match page {
                RULES if self.rules.contains(id) => format!("#{id}"),
                CHOICES if self.choices.contains(id) => format!("#{id}"),
                RULES | CHOICES => format!("{REPOSITORY}/{has_text}#{id}"),
                _ if page.starts_with("gateway-core/docs/") => {
                    format!("{}#{id}", has_text.strip_prefix("gateway-core/docs/").unwrap())
                }
                _ => format!("{}{has_text}#{id}", "../".repeat(page.matches('/').count())),
            })
        })
    }

    /// A page with its ids as links, except in headings, comments and code.
    pub(crate) fn linked_page(&self, page: &str, text: &str) -> String {
        let mut in_code = false;
        let lines = text.lines().map(|line| {
            in_code ^= line.starts_with("```");
            let is_text = !in_code && !line.starts_with('#') && !line.starts_with("<!--");
            let linked = if is_text { self.linked_on(page, line) } else { line.to_owned() };
            Line { mark: "", longer: linked != line, text: linked }
        });
        wrapped(&lines.collect::<Vec<_>>())
    }

    /// A source with the ids of its documentation as links.
    fn linked_source(&self, core: &str, text: &str) -> String {
        let mut in_code = false;
        let mut in_tests = false;
        let mut marked = false;
        let all: Vec<_> = text.lines().collect();
        let lines = all.iter().enumerate().map(|(at, &line)| {
            // A module in another file says nothing about the rest of this one.
            in_tests |= marked && !line.ends_with(';');
            marked = line.trim() == "#[cfg(test)]";
            let code = line.trim_start();
            let is_documentation = (code.starts_with("///") || code.starts_with("//!")) && !in_tests;
            let (mark, text) =
                if is_documentation { line.split_at(line.len() - code.len() + 3) } else { (line, "") };
            in_code = is_documentation && (in_code ^ text.trim_start().starts_with("```"));
            let target = |id: &str| {
                let module = if self.page(id)? == RULES { "spec" } else { "choices" };
                Some(format!("{core}::{module}#{id}"))
            };
            let is_shown = is_documentation && !in_code && ids(text).next().is_some() && is_shown(&all, at);
            let linked = if is_shown { linked(text, target) } else { text.to_owned() };
            Line { mark, longer: linked != text, text: linked }
        });
        wrapped(&lines.collect::<Vec<_>>())
    }
}

fn name(file: &Path) -> &str {
    file.strip_prefix(root()).unwrap().to_str().unwrap()
}

// === what is looked at ===

#[test]
fn every_id_has_its_text() {
    let texts = Texts::read();
    let folders: Vec<_> = CRATES.into_iter().chain([".github"]).collect();
    let mut all = files(&folders, &[".rs", ".yaml", ".yml", ".md", ".txt", ".toml"], &["upstream"]);
    all.extend(["README.md", "CHANGELOG.md"].map(|page| root().join(page)));
    let mut without = Vec::new();
    for file in all {
        let text = fs::read_to_string(&file).unwrap();
        let unknown = ids(&text).filter(|(_, id)| texts.page(id).is_none());
        without.extend(unknown.map(|(_, id)| format!("{} {id}", name(&file))));
    }
    assert!(without.is_empty(), "write the text into {RULES} or {CHOICES}, or correct the id: {without:#?}");
}

#[test]
fn the_list_of_rules_and_their_texts_agree() {
    let page = read(RULES);
    let texts = Texts::read();
    let listed = rules();
    for rule in &listed {
        assert!(texts.rules.contains(&rule.id), "{RULES} has no text for {}", rule.id);
        let row = page.lines().find(|line| line.contains(&format!("</a>{} |", rule.id))).unwrap();
        let level = row.split('|').nth(2).unwrap().trim().trim_end_matches('!');
        if ["MUST", "SHOULD", "MAY", "IMPL", "SCHEMA", "TEST"].contains(&level) && rule.level != "-" {
            assert_eq!(rule.level, level, "the level of {} in rules.txt and in {RULES}", rule.id);
        }
    }
    let listed: BTreeSet<_> = listed.into_iter().map(|rule| rule.id).collect();
    let is_question = |id: &&String| id.starts_with("AMB-") || id.starts_with("CON-");
    let missing: Vec<_> = texts.rules.difference(&listed).filter(|id| !is_question(id)).collect();
    assert!(missing.is_empty(), "rules.txt lacks {missing:?}");
}

#[test]
fn ids_in_documentation_and_on_pages_are_links() {
    let texts = Texts::read();
    for (folder, core) in DOCUMENTED {
        for file in files(&[folder], &[".rs"], &["bin"]) {
            let text = fs::read_to_string(&file).unwrap();
            expect(name(&file), &texts.linked_source(core, &text));
        }
    }
    let mut pages = files(&["conformance", "examples", "fuzz", ".github"], &[".md"], &[]);
    pages.extend([RULES, "README.md", "CHANGELOG.md"].map(|page| root().join(page)));
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        expect(name(&page), &texts.linked_page(name(&page), &text));
    }
}

#[test]
fn ids_become_links_where_they_are_read() {
    let texts = Texts { rules: ["HRM-01".to_owned()].into(), choices: ["AMB-01".to_owned()].into() };
    let source = "//! HRM-01, `HRM-01`, [AMB-01](x#AMB-01)\n// HRM-01\n    /// AMB-01 and HRM-02\n/// ```\n/// HRM-01\n/// ```\n\
        pub fn f() {}\n/// HRM-01\nfn g() {}\n#[cfg(test)]\nmod tests {\n    /// HRM-01\n}\n";
    assert_eq!(
        texts.linked_source("crate", source),
        source
            .replace("//! HRM-01,", "//! [HRM-01](crate::spec#HRM-01),")
            .replace("/// AMB-01", "/// [AMB-01](crate::choices#AMB-01)")
    );
    let page = "# HRM-01\n| <a id=\"HRM-01\"></a>HRM-01 | AMB-01 |\n```text\nHRM-01\n```\n";
    let links = page.replace("| AMB-01 |", &format!("| [AMB-01]({REPOSITORY}/{CHOICES}#AMB-01) |"));
    assert_eq!(texts.linked_page(RULES, page), links);
    assert_eq!(texts.linked_on("a/b.md", "HRM-01"), format!("[HRM-01](../{RULES}#HRM-01)"));

    // What has no room begins the next line of the paragraph, and no other.
    let words = |count| "words ".repeat(count).trim_end().to_owned();
    let long =
        format!("    /// - {} HRM-01 end\n    ///   of it.\n    /// - next\n    pub f: u8,\n", words(18));
    assert_eq!(
        texts.linked_source("crate", &long),
        format!(
            "    /// - {}\n    ///   [HRM-01](crate::spec#HRM-01) end of it.\n    /// - next\n    pub f: u8,\n",
            words(18)
        )
    );
}
