//! The tests of each rule, in `gateway-core/docs/rules.md` and the last lines of the entries in `choices.md`.
//!
//! Both are made of the ids that stand in comments above tests and rows of tests. They are compared with what is there;
//! `REWRITE=1 cargo test -p gateway-examples --test rules` writes them anew, and makes links of ids in documentation.
//!
//! A rule that only repeats others says so in `rules.txt`, as in `as VAL-GW-01 VAL-GW-02`: their tests are its tests.

mod texts;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use conformance::case::cases;
use gateway_core::feature::{Feature, SUPPORTED, SUPPORTED_IN_MESHES};

use self::texts::Texts;

/// Where tests are looked for.
const CRATES: [&str; 6] =
    ["gateway-core", "gateway-tower", "gateway-kube", "conformance", "fuzz", "examples"];

/// How many tests of a rule are named.
const MAX_NAMED: usize = 4;

/// Id to the names of its tests.
type Tests = BTreeMap<String, BTreeSet<String>>;

/// A line of `rules.txt`.
struct Rule {
    id: String,
    level: String,
    topic: String,
    reason: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Compares a file with what it should be, or writes it.
fn expect(path: &str, wanted: &str) {
    let found = read(path);
    if found != wanted && std::env::var_os("REWRITE").is_some() {
        // In one step: another test may be reading it.
        let new = root().join(format!("{path}.new"));
        fs::write(&new, wanted).unwrap();
        fs::rename(&new, root().join(path)).unwrap();
        return;
    }
    let first = found.lines().zip(wanted.lines()).position(|(a, b)| a != b);
    let line = first.unwrap_or_else(|| found.lines().count().min(wanted.lines().count()));
    assert!(
        found == wanted,
        "{path} is stale from line {} on; run `REWRITE=1 cargo test -p gateway-examples --test rules`\n found: {}\nwanted: {}",
        line + 1,
        found.lines().nth(line).unwrap_or_default(),
        wanted.lines().nth(line).unwrap_or_default(),
    );
}

// === the list of rules ===

fn rules() -> Vec<Rule> {
    let text = read("gateway-core/docs/rules.txt");
    let rule = |line: &str| {
        let columns: Vec<_> = line.split('|').map(str::trim).collect();
        let [id, level, topic, reason] = columns[..] else { panic!("four columns: {line}") };
        Rule { id: id.into(), level: level.into(), topic: topic.into(), reason: reason.into() }
    };
    text.lines().filter(|line| !line.starts_with('#')).map(rule).collect()
}

// === tests and their ids ===

/// The files below folders with one of the endings, without those in folders that are passed over.
fn files(folders: &[&str], endings: &[&str], passed_over: &[&str]) -> Vec<PathBuf> {
    let mut folders: Vec<_> = folders.iter().map(|name| root().join(name)).collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir()
                && !matches!(name, "target" | "corpus" | "artifacts")
                && !passed_over.contains(&name)
            {
                folders.push(path);
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn sources() -> Vec<PathBuf> {
    // The cases are asked below, and what the reference and these tests say shows nothing about what is served.
    files(&CRATES, &[".rs", ".yaml"], &["cases", "reference", "rules"])
}

/// The ids in a text: letters, perhaps more letters, a number, with a hyphen between. `A to B` stands for all between.
fn ids(text: &str, known: &BTreeSet<String>) -> Vec<String> {
    let words: Vec<&str> = text
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .filter(|word| !word.is_empty())
        .collect();
    let mut found = Vec::new();
    for (i, word) in words.iter().enumerate() {
        if known.contains(*word) {
            found.push((*word).to_owned());
        }
        if let [from, "to", to] = words[i..words.len().min(i + 3)]
            && known.contains(from)
            && let (Some((a, from)), Some((b, to))) = (from.rsplit_once('-'), to.rsplit_once('-'))
            && let (true, Ok(from), Ok(to)) = (a == b, from.parse::<u32>(), to.parse::<u32>())
        {
            found
                .extend((from..=to).map(|number| format!("{a}-{number:02}")).filter(|id| known.contains(id)));
        }
    }
    found
}

fn tests(known: &BTreeSet<String>) -> Tests {
    let mut tests = Tests::new();
    for file in sources() {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(root()).unwrap().to_str().unwrap();
        if name.ends_with(".yaml") {
            // A case or a golden file: its comments.
            let comments = text.lines().filter_map(|line| line.trim_start().strip_prefix('#'));
            for id in comments.flat_map(|comment| ids(comment, known)) {
                tests.entry(id).or_default().insert(format!("`{name}`"));
            }
        } else {
            rust_tests(name, &text, known, &mut tests);
        }
    }
    // Only a case that runs shows something.
    let supported: BTreeSet<Feature> = SUPPORTED.iter().chain(SUPPORTED_IN_MESHES).copied().collect();
    for case in cases().iter().filter(|case| case.features.is_subset(&supported)) {
        for id in case.rules.iter().filter(|id| known.contains(*id)) {
            tests.entry(id.clone()).or_default().insert(format!("case {}", case.name));
        }
    }
    tests
}

/// The tests of a Rust file: all of it if it is one of tests, else what stands behind `#[cfg(test)]`.
fn rust_tests(name: &str, text: &str, known: &BTreeSet<String>, tests: &mut Tests) {
    let mut in_tests = name.contains("/tests/") || name.ends_with("/tests.rs");
    // The ids that wait for the next function, and the function that is open, with its closing line.
    let mut waiting = Vec::new();
    let mut open: Option<(String, String)> = None;
    let mut marked = false;
    for line in text.lines() {
        // A module in another file says nothing about the rest of this one.
        in_tests |= marked && !line.ends_with(';');
        marked = line.trim() == "#[cfg(test)]";
        if !in_tests {
            continue;
        }
        let code = line.trim_start();
        let found = ids(code, known);
        match &open {
            Some((function, end)) => {
                for id in found {
                    tests.entry(id).or_default().insert(format!("`{name}` {function}"));
                }
                if line == end {
                    open = None;
                }
            }
            None => {
                waiting.extend(found);
                let signature = code.strip_prefix("pub ").unwrap_or(code);
                let signature = signature.strip_prefix("async ").unwrap_or(signature);
                if let Some(function) = signature.strip_prefix("fn ") {
                    let function: String =
                        function.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                    let in_name = function.to_uppercase().replace('_', "-");
                    waiting.extend(known.iter().filter(|id| in_name.contains(id.as_str())).cloned());
                    for id in waiting.drain(..) {
                        tests.entry(id).or_default().insert(format!("`{name}` {function}"));
                    }
                    if !line.ends_with('}') {
                        let indent = &line[..line.len() - code.len()];
                        open = Some((function, format!("{indent}}}")));
                    }
                } else if code.is_empty() {
                    // A comment that is followed by nothing belongs to the file as a whole.
                    for id in waiting.drain(..) {
                        tests.entry(id).or_default().insert(format!("`{name}`"));
                    }
                }
            }
        }
    }
}

fn named(tests: &BTreeSet<String>) -> String {
    let mut named = tests.iter().take(MAX_NAMED).cloned().collect::<Vec<_>>().join("; ");
    if tests.len() > MAX_NAMED {
        write!(named, "; and {} more", tests.len() - MAX_NAMED).unwrap();
    }
    named
}

// === what is written ===

#[test]
fn the_table_of_rules_names_the_test_of_each_or_the_reason_why_there_is_none() {
    let rules = rules();
    let known: BTreeSet<String> = rules.iter().map(|rule| rule.id.clone()).collect();
    assert_eq!(known.len(), rules.len(), "every rule stands in rules.txt once");
    let mut tests = tests(&known);
    for rule in rules
        .iter()
        .filter(|rule| rule.reason.starts_with("as ") && !tests.contains_key(&rule.id))
        .collect::<Vec<_>>()
    {
        let repeated = ids(&rule.reason, &known);
        if repeated.iter().all(|id| tests.contains_key(id)) {
            tests.insert(rule.id.clone(), [format!("see {}", repeated.join(", "))].into());
        }
    }
    let tests = tests;
    let texts = Texts::read();

    let (shown, open): (Vec<_>, Vec<_>) = rules.iter().partition(|rule| tests.contains_key(&rule.id));
    let mut page = format!(
        "<!-- Made by `examples/tests/rules` of rules.txt and the comments above tests; do not edit. -->\n\
         # Rules of the specification and the tests that show them\n\n\
         Of {} rules, {} are shown by a test, and {} are not, each for the reason that it has.\n",
        rules.len(),
        shown.len(),
        open.len()
    );
    let mut section = "";
    for rule in &rules {
        let (prefix, _) = rule.id.rsplit_once('-').unwrap();
        if prefix != section {
            write!(page, "\n## {prefix}\n\n| rule | level | about | shown by |\n| --- | --- | --- | --- |\n")
                .unwrap();
            section = prefix;
        }
        let shown = match tests.get(&rule.id) {
            Some(tests) => named(tests),
            None => format!("**no test**: {}", rule.reason),
        };
        let row = format!("| {} | {} | {} | {shown} |", rule.id, rule.level, rule.topic);
        writeln!(page, "{}", texts.linked_on("gateway-core/docs/rules.md", &row)).unwrap();
    }
    expect("gateway-core/docs/rules.md", &page);

    let list = read("gateway-core/docs/rules.txt");
    let reasons_that_hold = list.lines().map(|line| match line.split_once('|') {
        Some((id, _)) if tests.contains_key(id.trim()) && !line.contains("| as ") => {
            let (rule, _) = line.rsplit_once('|').unwrap();
            format!("{rule}|\n")
        }
        Some(_) | None => format!("{line}\n"),
    });
    expect("gateway-core/docs/rules.txt", &reasons_that_hold.collect::<String>());

    let silent: Vec<_> = open.iter().filter(|rule| rule.reason.is_empty()).map(|rule| &rule.id).collect();
    assert!(
        silent.is_empty(),
        "write the reason why there is no test into rules.txt, or the test: {silent:?}"
    );
}

#[test]
fn every_choice_names_the_test_that_shows_it() {
    let path = "gateway-core/docs/choices.md";
    let page = read(path);
    let headings = page.lines().filter_map(|line| line.strip_prefix("### "));
    let known: BTreeSet<String> =
        headings.clone().filter_map(|heading| heading.split_once(':')).map(|(id, _)| id.to_owned()).collect();
    let choices = known.len();
    assert_eq!(choices, headings.count(), "every choice stands on the page once, as `### ID: title`");
    let rules = rules().into_iter().map(|rule| rule.id);
    let known: BTreeSet<String> = known.into_iter().chain(rules).collect();
    let tests = tests(&known);

    let mut wanted = String::new();
    let mut id = String::new();
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("### ") {
            id = heading.split_once(':').map_or(String::new(), |(id, _)| id.to_owned());
            let anchor = format!("<a id=\"{id}\"></a>\n\n");
            if !wanted.ends_with(&anchor) {
                wanted.push_str(&anchor);
            }
        } else if let Some(other) = line.strip_prefix("<!-- as ") {
            // It is what that rule or choice is about.
            id = ids(other, &known).into_iter().next().expect(line);
        }
        match (line.starts_with("Shown by: "), tests.get(&id)) {
            (true, Some(tests)) => writeln!(wanted, "Shown by: {}.", named(tests)).unwrap(),
            (true, None) => writeln!(wanted, "Shown by: no test yet.").unwrap(),
            (false, _) => writeln!(wanted, "{line}").unwrap(),
        }
    }
    let wanted = Texts::read().linked_page(path, &wanted);
    assert_eq!(wanted.matches("\nShown by: ").count(), choices, "every choice has a line `Shown by: `");
    expect(path, &wanted);
    assert!(!wanted.contains("no test yet"), "write a test for every choice, or leave the choice out");
}

#[test]
fn ids_are_found_in_comments_and_names_of_tests_only() {
    let known: BTreeSet<String> =
        ["HRM-01", "HRM-02", "HRM-03", "VAL-HR-10", "LIM-01"].map(str::to_owned).into();
    let text = "// HRM-01\nfn f() {}\n#[cfg(test)]\nmod more;\n// HRM-01\nfn g() {}\n#[cfg(test)]\nmod tests {\n    // HRM-02 to HRM-03, HRM-4711\n    #[test]\n    fn a() {\n        let row = 1; // VAL-HR-10\n    }\n\n    #[test]\n    fn lim_01_is_a_limit() {\n    }\n}";
    let mut tests = Tests::new();
    rust_tests("core/src/x.rs", text, &known, &mut tests);
    let found: Vec<_> = tests.iter().map(|(id, tests)| (id.as_str(), named(tests))).collect();
    let a = "`core/src/x.rs` a".to_owned();
    let b = "`core/src/x.rs` lim_01_is_a_limit".to_owned();
    assert_eq!(found, [("HRM-02", a.clone()), ("HRM-03", a.clone()), ("LIM-01", b), ("VAL-HR-10", a)]);
}
