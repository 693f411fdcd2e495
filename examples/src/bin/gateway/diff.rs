//! `gateway diff`
//!
//! Two tables are compared by what they decide, not by how it is written: match by match, at each host of each listener.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use gateway_core::apply::Applied;
use gateway_core::manifest::Severity;
use gateway_core::matching::ValueMatch;
use gateway_core::table::{ListedMatch, RouteTable};

use crate::args::Diff;
use crate::facts::{self, Facts, Place, Served, Unreached};
use crate::load;

pub(crate) fn diff(args: &Diff) -> io::Result<ExitCode> {
    let read = |side: &PathBuf| {
        let paths: Vec<_> = args.with.iter().chain([side]).cloned().collect();
        load::paths(&paths, args.options())
    };
    let (old, new) = match &args.old {
        Some(old) => {
            load::without_cluster(&args.live)?;
            (read(old)?, read(&args.new)?)
        }
        None => load::dry_run(&args.new, &args.live.cluster, args.options())?,
    };
    let mut is_wrong = false;
    for problem in
        old.problems.iter().chain(&new.problems).filter(|problem| problem.severity == Severity::Error)
    {
        is_wrong = true;
        writeln!(io::stderr(), "{problem}")?;
    }
    let text = differences(&old, &new);
    let mut out = io::stdout().lock();
    match &*text {
        "" => writeln!(out, "nothing changes")?,
        text => out.write_all(text.trim_start().as_bytes())?,
    }
    Ok(match (is_wrong, text.is_empty()) {
        (true, _) => ExitCode::from(2),
        (false, true) => ExitCode::SUCCESS,
        (false, false) => ExitCode::FAILURE,
    })
}

/// All that differs, part by part; nothing where there is nothing.
fn differences(old: &Applied, new: &Applied) -> String {
    let mut text = compared("Gateways", &facts::gateways(old), &facts::gateways(new));
    text.push_str(&compared("Listeners", &facts::listeners(old), &facts::listeners(new)));
    let changes = Changes { old: &old.table, new: &new.table, blocks: Vec::new(), positions: HashMap::new() };
    text.push_str(&changes.at(&facts::places(old), &facts::places(new)));
    text.push_str(&compared("Backends", &facts::backends(old), &facts::backends(new)));
    text.push_str(&compared("Conditions", &facts::conditions(old), &facts::conditions(new)));
    text
}

/// Things that come, go, or are not what they were.
fn compared(title: &str, old: &Facts, new: &Facts) -> String {
    let mut text = String::new();
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    for name in names {
        match (old.get(name), new.get(name)) {
            (None, Some(facts)) => {
                let _ = writeln!(text, "  + {name}");
                facts.iter().for_each(|fact| text.push_str(&format!("      {fact}\n")));
            }
            (Some(_), None) => {
                let _ = writeln!(text, "  - {name}");
            }
            (Some(old), Some(new)) if old != new => {
                let _ = writeln!(text, "  ~ {name}");
                text.push_str(&lines(old, new));
            }
            (_, _) => {}
        }
    }
    if text.is_empty() { text } else { format!("\n{title}:\n{text}") }
}

/// The lines that go and those that come. Where these are the same, their order is not.
fn lines(old: &[String], new: &[String]) -> String {
    let without = |lines: &[String], others: &[String]| {
        let mut others = others.to_vec();
        let mut left = lines.to_vec();
        left.retain(|line| match others.iter().position(|other| other == line) {
            Some(position) => {
                others.remove(position);
                false
            }
            None => true,
        });
        left
    };
    let (mut gone, mut come) = (without(old, new), without(new, old));
    if gone.is_empty() && come.is_empty() {
        (gone, come) = (old.to_vec(), new.to_vec());
    }
    let gone = gone.iter().map(|line| format!("      - {line}\n"));
    let come = come.iter().map(|line| format!("      + {line}\n"));
    gone.chain(come).collect()
}

/// What becomes other at hosts of listeners.
struct Changes<'t> {
    old: &'t RouteTable,
    new: &'t RouteTable,
    /// Each change once, with the places where it is.
    blocks: Vec<(String, Vec<String>)>,
    positions: HashMap<String, usize>,
}

// === impl Changes ===

impl Changes<'_> {
    fn at(mut self, old: &[Place], new: &[Place]) -> String {
        let known: HashMap<&str, &Place> = old.iter().map(|place| (&*place.name, place)).collect();
        let still: HashSet<&str> = new.iter().map(|place| &*place.name).collect();
        for place in new {
            let before = known.get(&*place.name);
            self.compare(&place.name, before.map_or(&[], |place| &place.served), &place.served);
            let was = |unreached: &Unreached| {
                let mut known = before.into_iter().flat_map(|place| &place.unreached);
                known.any(|known| known.asked == unreached.asked && known.follows == unreached.follows)
            };
            for Unreached { asked, rule, before, .. } in
                place.unreached.iter().filter(|unreached| !was(unreached))
            {
                let why = format!("gets nothing: rule {before} asks for the same and goes before it");
                self.add(&place.name, format!("  ! {asked} → rule {rule}\n      {why}\n"));
            }
        }
        for place in old.iter().filter(|place| !still.contains(&*place.name)) {
            self.compare(&place.name, &place.served, &[]);
        }
        let mut text = String::new();
        let mut heading: &[String] = &[];
        for (block, places) in &self.blocks {
            if heading != places {
                heading = places;
                let shown = places.iter().take(3).map(String::as_str).collect::<Vec<_>>().join("; ");
                let more = match places.len() {
                    ..=3 => String::new(),
                    more => format!("; and {} more", more - 3),
                };
                let _ = writeln!(text, "\nAt {shown}{more}, in the order of precedence:");
            }
            text.push_str(block);
        }
        text
    }

    /// What comes stands where it will, and what goes before what it went before.
    fn compare(&mut self, place: &str, old: &[Served], new: &[Served]) {
        let will_be: HashMap<&str, &Served> = new.iter().map(|served| (&*served.asked, served)).collect();
        let was: HashMap<&str, (usize, &Served)> =
            old.iter().enumerate().map(|(position, served)| (&*served.asked, (position, served))).collect();
        let mut gone: HashMap<Option<&str>, Vec<&Served>> = HashMap::new();
        let mut waiting = Vec::new();
        for served in old {
            if will_be.contains_key(&*served.asked) {
                gone.insert(Some(&served.asked), std::mem::take(&mut waiting));
            } else {
                waiting.push(served);
            }
        }
        gone.insert(None, waiting);
        for served in new {
            for gone in gone.get(&Some(&*served.asked)).into_iter().flatten() {
                self.gone(place, gone);
            }
            match was.get(&*served.asked) {
                None => self.come(place, served),
                Some((_, before)) if before.follows != served.follows => {
                    let rule = if before.rule == served.rule {
                        served.rule.clone()
                    } else {
                        format!("{}, so far rule {}", served.rule, before.rule)
                    };
                    let lines = lines(&before.follows, &served.follows);
                    self.add(place, format!("  ~ {} → rule {rule}\n{lines}", served.asked));
                }
                Some(_) => {}
            }
        }
        for gone in gone.get(&None).into_iter().flatten() {
            self.gone(place, gone);
        }
        let both: Vec<_> =
            new.iter().filter_map(|served| Some((was.get(&*served.asked)?.0, served))).collect();
        if both.is_sorted_by_key(|(position, _)| *position) {
            return;
        }
        for (index, (position, first)) in both.iter().enumerate() {
            for (_, second) in both[index + 1..].iter().filter(|(other, _)| other < position) {
                if first.follows != second.follows && may_both_be_met(first, second) {
                    let (first, second) = (
                        format!("{} → rule {}", first.asked, first.rule),
                        format!("{} → rule {}", second.asked, second.rule),
                    );
                    self.add(place, format!("  ~ {first}\n      goes before {second}, and went after it\n"));
                }
            }
        }
    }

    fn come(&mut self, place: &str, served: &Served) {
        let before = served.other_rule(self.old, "so far");
        let follows: String = served.follows.iter().map(|line| format!("      {line}\n")).collect();
        self.add(place, format!("  + {} → rule {}{before}\n{follows}", served.asked, served.rule));
    }

    fn gone(&mut self, place: &str, served: &Served) {
        let after = served.other_rule(self.new, "then");
        self.add(place, format!("  - {} → rule {}{after}\n", served.asked, served.rule));
    }

    fn add(&mut self, place: &str, block: String) {
        match self.positions.get(&block) {
            Some(position) => self.blocks[*position].1.push(place.to_owned()),
            None => {
                self.positions.insert(block.clone(), self.blocks.len());
                self.blocks.push((block, vec![place.to_owned()]));
            }
        }
    }
}

// === impl Served ===

impl Served {
    /// Where another table sends what meets this match, if that can be told.
    fn other_rule(&self, table: &RouteTable, when: &str) -> String {
        let rule = self
            .listed
            .as_ref()
            .and_then(|(listener, listed)| facts::rule_for(table, listener, listed, self.is_of_calls));
        rule.map(|rule| format!(", {when} {rule}")).unwrap_or_default()
    }
}

/// Whether one request may meet two matches: their order is of no matter otherwise.
fn may_both_be_met(one: &Served, other: &Served) -> bool {
    let (Some((_, one)), Some((_, other))) = (&one.listed, &other.listed) else { return true };
    let is_expression = |listed: &ListedMatch| listed.example.is_none();
    if one.path != other.path && !is_expression(one) && !is_expression(other) {
        return false;
    }
    let (Some(one), Some(other)) = (&one.conditions, &other.conditions) else { return true };
    let differ = |one: &ValueMatch, other: Option<&ValueMatch>| match (one, other) {
        (ValueMatch::Exact(one), Some(ValueMatch::Exact(other))) => one != other,
        (_, _) => false,
    };
    let methods = one.method().zip(other.method()).is_some_and(|(one, other)| one != other);
    let headers = one
        .headers()
        .iter()
        .any(|header| differ(&header.value, other.header(&header.name).map(|other| &other.value)));
    let params = one
        .query_params()
        .iter()
        .any(|param| differ(&param.value, other.query_param(&param.name).map(|other| &other.value)));
    !(methods || headers || params)
}
