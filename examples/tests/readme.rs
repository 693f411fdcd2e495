//! The README is true: its lists are those of the code, and its commands do what their comments say.
//!
//! `REWRITE=1 cargo test -p gateway-examples --test readme` writes the lists anew.

mod harness;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use gateway_core::feature::{Feature, SUPPORTED, SUPPORTED_IN_MESHES};
use gateway_core::manifest::{self, Collection};
use gateway_core::name::ObjectName;
use gateway_core::options::Options;
use gateway_core::{lint, translate::translate};
use gateway_examples::echo::EchoBackend;
use harness::{Gateway, PATIENCE};

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")
}

/// Replaces what stands between `<!-- name -->` and `<!-- /name -->`.
fn replace(text: &str, name: &str, inner: &str) -> String {
    let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = text.split_once(&start).expect(name);
    let (_, after) = rest.split_once(&end).expect(name);
    format!("{before}{start}{inner}{end}{after}")
}

/// Names in lines of a readable length.
fn list<'a>(features: impl IntoIterator<Item = &'a Feature>) -> String {
    let mut lines = vec![String::new()];
    for feature in features {
        let line = lines.last_mut().unwrap();
        if line.len() > 100 {
            lines.push(feature.to_string());
        } else {
            line.push_str(if line.is_empty() { "" } else { ", " });
            line.push_str(feature.as_str());
        }
    }
    match lines.join(",\n") {
        none if none.is_empty() => "none of v1.7.0\n".to_owned(),
        list => list + "\n",
    }
}

#[test]
fn the_lists_of_features_are_those_of_the_code() {
    let text = fs::read_to_string(path()).unwrap();
    let wanted = replace(&text, "supported", &list(SUPPORTED));
    let wanted = replace(&wanted, "supported in meshes", &list(SUPPORTED_IN_MESHES));
    let wanted = replace(&wanted, "unsupported", &list(Feature::ALL.iter().filter(|it| !it.is_supported())));
    if std::env::var_os("REWRITE").is_some() {
        fs::write(path(), wanted).unwrap();
    } else {
        assert_eq!(text, wanted, "run `REWRITE=1 cargo test -p gateway-examples --test readme`");
    }
}

#[test]
fn files_that_are_linked_exist() {
    let text = fs::read_to_string(path()).unwrap();
    let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    for link in links.filter(|link| !link.starts_with("http")) {
        assert!(path().with_file_name(link).exists(), "{link}");
    }
}

#[test]
fn the_manifests_are_served_whole() {
    let text = fs::read_to_string(path()).unwrap();
    let blocks = text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let Collection { resources, problems, .. } =
        blocks.map(|block| manifest::read(block, "README.md")).collect();
    assert!(problems.is_empty(), "{problems:?}");

    let options = Options { telemetry_policies: true, ..Options::default() };
    let translation = translate(&resources, &options);
    let causes: Vec<_> = translation.statuses.causes().map(|(.., cause)| cause.to_string()).collect();
    assert!(causes.is_empty(), "{causes:?}");
    let unserved = lint::unserved(&resources, &translation.statuses, &options);
    let said: Vec<_> = translation.diagnostics.iter().chain(&unserved).map(ToString::to_string).collect();
    assert!(said.is_empty(), "{said:?}");

    let mut backends: Vec<_> = translation.table.backends().map(ToString::to_string).collect();
    backends.sort();
    backends.dedup();
    assert_eq!(
        backends,
        ["ServiceImport default/clusters:80", "XBackend default/pods:3000", "default/shop:80"]
    );
    assert!(translation.table.backends().all(|backend| backend.endpoints.len() == 1));
    assert!(translation.table.tracing(&ObjectName::new("default", "web")).is_some());
}

/// The README up to the line with which the smallest manifest begins, and from there on.
fn halves() -> (String, String) {
    let text = fs::read_to_string(path()).unwrap();
    let (of_demo, rest) =
        text.split_once("\nThe smallest manifest that serves something").expect("it is there");
    (of_demo.to_owned(), rest.to_owned())
}

/// The curl commands in a text, each with the text that its answer has.
fn commands(text: &str) -> Vec<(String, String)> {
    let text = text.replace("\\\n", " ");
    let commands = text.lines().filter(|line| line.starts_with("curl "));
    let split = |line: &str| {
        let (command, comment) = line.split_once(" # ").expect(line);
        let (_, wanted) = comment.split_once(" → ").expect(line);
        (command.trim().to_owned(), wanted.to_owned())
    };
    commands.map(split).collect()
}

/// Runs the curl commands in a text, with these places in the place of those that they name, and looks for what their comments say.
fn assert_answers(text: &str, least: usize, places: &[(&str, SocketAddr)]) {
    let commands = commands(text);
    assert!(commands.len() >= least, "{commands:?}");
    for (command, wanted) in commands {
        let here = places.iter().fold(command.clone(), |command, (place, address)| {
            command.replace(place, &format!("localhost:{}", address.port()))
        });
        let start = Instant::now();
        loop {
            let output = Command::new("sh").args(["-c", &here]).output().unwrap();
            let answer = String::from_utf8_lossy(&output.stdout).into_owned();
            if answer.contains(&wanted) {
                break;
            }
            // A mirrored request may take a moment to arrive; all others answer at once.
            assert!(
                command.contains("/received") && start.elapsed() < PATIENCE,
                "{command}\nwanted {wanted}\nfound {answer}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Whether there is curl. The same requests are made by the tests of the gateway; here it is about the lines themselves.
fn has_curl() -> bool {
    let has_curl = Command::new("curl").arg("--version").output().is_ok();
    if !has_curl {
        eprintln!("skipped: curl is not installed");
    }
    has_curl
}

#[test]
fn the_commands_of_the_demo_answer_as_their_comments_say() {
    if !has_curl() {
        return;
    }
    let args = ["--demo", "--port-map", "8080=0", "--port-map", "8443=0"];
    let gateway = Gateway::start(&[], &args);
    let places =
        [("localhost:8080", gateway.address("demo/http")), ("localhost:8443", gateway.address("demo/https"))];
    assert_answers(&halves().0, 15, &places);
}

#[test]
fn the_commands_of_the_smallest_manifest_answer_as_their_comments_say() {
    if !has_curl() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let backend = runtime.block_on(EchoBackend::start("shop")).unwrap();
    let (_, text) = halves();
    let (manifest, rest) =
        text.split_once("```yaml\n").and_then(|(_, rest)| rest.split_once("```")).expect("it is there");
    let manifest = manifest.replace("port: 3000", &format!("port: {}", backend.address().port()));
    let gateway = Gateway::start(&[("shop.yaml", &manifest)], &[]);
    assert_answers(rest, 2, &[("localhost:8080", gateway.address("http"))]);
}
