//! One path for each public item of each library, and one type for each name.
//!
//! `RUSTDOC_JSON` names the folder with what rustdoc has written of the crates as JSON, for which it takes a nightly toolchain;
//! `.ci/run docs` makes it. Without it there is nothing to look at.
#![cfg(feature = "resources")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

/// The libraries, with an item that must be found in each.
const CRATES: [(&str, &str); 4] = [
    ("gateway_core", "gateway_core::table::RouteTable"),
    ("gateway_tower", "gateway_tower::serve::Server"),
    ("gateway_kube", "gateway_kube::controller::Controller"),
    ("conformance", "conformance::engine::Engine"),
];

/// What rustdoc has written of a library, where it has.
fn written(name: &str) -> Option<Value> {
    let Some(folder) = std::env::var_os("RUSTDOC_JSON") else {
        eprintln!("left out: RUSTDOC_JSON names no folder; `.ci/run docs` makes one");
        return None;
    };
    let path = Path::new(&folder).join(name).with_extension("json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(serde_json::from_str(&text).unwrap())
}

#[test]
fn no_public_item_has_two_paths() {
    let mut wrong = Vec::new();
    for (name, item) in CRATES {
        let Some(json) = written(name) else { return };
        let paths = paths(name, &json);
        assert!(paths.values().any(|paths| paths.contains(item)), "{item} is not found");
        wrong.extend(paths.into_values().filter(|paths| paths.len() > 1));
    }
    assert!(wrong.is_empty(), "make the module private, or take the export out of its parent: {wrong:#?}");
}

#[test]
fn a_name_is_that_of_one_type_and_of_the_one_as_written() {
    let Some(json) = written("gateway_core") else { return };
    let is_type = |id: &str| {
        ["struct", "enum", "trait"].iter().any(|kind| json["index"][id]["inner"][kind].is_object())
    };
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (id, paths) in paths("gateway_core", &json) {
        for path in paths.into_iter().filter(|path| is_type(&id) && !path.starts_with("gateway_core::api::"))
        {
            names.entry(path.rsplit("::").next().unwrap_or_default().to_owned()).or_default().push(path);
        }
    }
    assert!(names.contains_key("GatewayStatus"), "it is found");
    let wrong: Vec<_> = names.into_values().filter(|paths| paths.len() > 1).collect();
    assert!(wrong.is_empty(), "only a type of `api` may have the name of another: {wrong:#?}");
}

/// The paths of each public item, by the number that rustdoc gave it.
fn paths(crate_name: &str, json: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let index = json["index"].as_object().expect("an index");
    let mut paths: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    // Modules whose contents are still to be looked at, with their paths.
    let mut modules = vec![(json["root"].to_string(), crate_name.to_owned())];
    let mut seen = BTreeSet::new();
    while let Some((module, path)) = modules.pop() {
        if !seen.insert((module.clone(), path.clone())) {
            continue;
        }
        let Some(items) = index.get(&module).and_then(|module| module["inner"]["module"]["items"].as_array())
        else {
            continue;
        };
        for id in items.iter().map(Value::to_string) {
            let Some(item) = index.get(&id).filter(|item| item["visibility"] == "public") else { continue };
            let import = &item["inner"]["use"];
            let (id, name) = match import.is_object() {
                true => (import["id"].to_string(), import["name"].as_str()),
                false => (id, item["name"].as_str()),
            };
            let Some(name) = name else { continue };
            // What another crate has is that one's.
            let Some(target) = index.get(&id) else { continue };
            let path = if import["is_glob"] == true { path.clone() } else { format!("{path}::{name}") };
            if target["inner"]["module"].is_object() {
                modules.push((id.clone(), path.clone()));
            }
            if import["is_glob"] != true {
                paths.entry(id).or_default().insert(path);
            }
        }
    }
    paths
}

#[test]
fn an_item_that_is_imported_from_a_public_module_has_two_paths() {
    let json = serde_json::json!({
        "root": 0,
        "index": {
            "0": {"name": "it", "visibility": "public", "inner": {"module": {"items": [1, 2, 3, 6]}}},
            "1": {"name": "open", "visibility": "public", "inner": {"module": {"items": [4]}}},
            "2": {"name": "closed", "visibility": "crate", "inner": {"module": {"items": [5]}}},
            "3": {"name": null, "visibility": "public", "inner": {"use": {"name": "A", "id": 4, "is_glob": false}}},
            "4": {"name": "A", "visibility": "public", "inner": {"struct": {}}},
            "5": {"name": "B", "visibility": "public", "inner": {"struct": {}}},
            "6": {"name": null, "visibility": "public", "inner": {"use": {"name": "B", "id": 5, "is_glob": false}}},
        },
    });
    let paths = paths("it", &json);
    let of = |id: &str| paths[id].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!((of("4"), of("5")), (vec!["it::A", "it::open::A"], vec!["it::B"]));
}
