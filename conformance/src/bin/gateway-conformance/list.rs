//! `list`: which cases there are.

use std::io::Write;
use std::process::ExitCode;

use conformance::case::Case;
use serde_json::{Value, json};

use crate::args::List;
use crate::choose::chosen;
use crate::{Trouble, load};

/// Lists the cases.
pub(crate) fn list(args: &List, out: &mut impl Write) -> Result<ExitCode, Trouble> {
    let cases = load::cases(&args.choice.folders)?;
    let cases = chosen(&cases, &args.choice)?.cases;
    if args.json {
        let cases: Vec<Value> = cases.into_iter().map(in_json).collect();
        writeln!(out, "{:#}", Value::Array(cases))?;
        return Ok(ExitCode::SUCCESS);
    }
    let width = cases.iter().map(|case| case.name.len()).max().unwrap_or_default();
    for case in cases {
        let provisional = if case.provisional { " (provisional)" } else { "" };
        let (name, features) = (&case.name, features(case));
        writeln!(out, "{name:<width$}  {}{provisional}; {features}", profiles(case))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The profiles that a case counts for, by level: `core in GATEWAY-HTTP`.
pub(crate) fn profiles(case: &Case) -> String {
    if case.is_beyond() {
        return "beyond".to_owned();
    }
    let mut text = String::new();
    let mut last = None;
    for (profile, level) in case.profiles() {
        if last == Some(level) {
            text.push_str(&format!(" {profile}"));
        } else {
            let separator = if last.is_some() { ", " } else { "" };
            text.push_str(&format!("{separator}{} in {profile}", level.as_str()));
        }
        last = Some(level);
    }
    if text.is_empty() { "in no profile".to_owned() } else { text }
}

/// The features that a case needs.
pub(crate) fn features(case: &Case) -> String {
    let names: Vec<&str> = case.features.iter().map(|feature| feature.as_str()).collect();
    names.join(" ")
}

fn in_json(case: &Case) -> Value {
    let profiles: Vec<Value> = case
        .profiles()
        .map(|(profile, level)| json!({"name": profile.as_str(), "class": level.as_str()}))
        .collect();
    json!({
        "name": case.name,
        "summary": case.summary,
        "source": case.source,
        "beyond": case.is_beyond(),
        "provisional": case.provisional,
        "features": case.features.iter().map(|feature| feature.as_str()).collect::<Vec<_>>(),
        "profiles": profiles,
    })
}
