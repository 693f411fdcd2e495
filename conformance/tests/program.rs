//! The program from outside: what it writes, and with which code it ends.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

const CASE: &str = "\
apiVersion: conformance.gateway-api.rs/v1
kind: Case
name: ShopExactPath
source: conformance/tests/claims-to-be-of-upstream.go
summary: An exact path matches what it says and nothing else.
features: [Gateway, HTTPRoute]
steps:
- http:
    to: {gateway: same-namespace}
    requests:
    - {path: /cart, expect: {backend: infra-backend-v1}}
    - {path: /cart/1, expect: {status: 404}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: gateway-conformance-infra}
spec:
  parentRefs: [{name: same-namespace}]
  rules:
  - matches: [{path: {type: Exact, value: /cart}}]
    backendRefs: [{name: infra-backend-v1, port: 8080}]
";

fn program(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway-conformance"));
    command.args(arguments).output().expect("the program can be started")
}

/// The code that it ended with, its output and its messages.
fn result(arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = program(arguments);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// A folder with one case of its own.
fn folder(case: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("shop")).unwrap();
    fs::write(folder.path().join("shop/exact-path.yaml"), case).unwrap();
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn list_tells_what_there_is() {
    let (code, list, _) = result(&["list", "--profile", "gateway-http", "--case", "httproutem*"]);
    assert_eq!(code, 0);
    assert!(list.lines().any(|line| line.starts_with("HTTPRouteMatching ")), "{list}");
    assert!(list.contains("core in GATEWAY-HTTP; Gateway HTTPRoute"), "{list}");
    assert!(list.lines().all(|line| line.starts_with("HTTPRouteM")), "{list}");

    assert_eq!(result(&["list", "--profile", "gateway-http", "httproutem*"]).1, list);
    // By upstream's own options.
    assert_eq!(
        result(&["list", "--conformance-profiles", "GATEWAY-HTTP,gateway-http", "--run-test", "HTTPRouteM*"])
            .1,
        list
    );

    let (_, json, _) = result(&["list", "--json", "--case", "HTTPRouteMatching"]);
    let cases: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(cases[0]["name"], "HTTPRouteMatching");
    assert_eq!(cases[0]["profiles"], serde_json::json!([{"name": "GATEWAY-HTTP", "class": "core"}]));
    assert_eq!(cases[1], Value::Null);

    let (_, beyond, _) = result(&["list", "--json", "--beyond-only"]);
    let beyond: Vec<Value> = serde_json::from_str(&beyond).unwrap();
    assert!(beyond.iter().all(|case| case["beyond"] == true && case["profiles"] == serde_json::json!([])));
}

#[test]
fn show_writes_a_case_that_check_accepts() {
    let (code, case, _) = result(&["show", "httprouteMatching"]);
    assert_eq!(code, 0);
    assert!(case.starts_with("# core in GATEWAY-HTTP\n# needs Gateway HTTPRoute\napiVersion: "), "{case}");
    let folder = folder(&case);
    assert_eq!(result(&["check", text(folder.path())]), (0, String::new(), String::new()));
}

#[test]
fn check_says_where_something_is_wrong() {
    let folder = folder(&CASE.replace("status: 404", "staus: 404").replace("/cart/1", "cart"));
    let file = folder.path().join("shop/exact-path.yaml");
    let (code, problems, _) = result(&["check", text(&file)]);
    assert_eq!(code, 1);
    let place = format!("{}:12:", text(&file));
    assert!(problems.lines().any(|line| line.starts_with(&place)), "{problems}");
    assert!(problems.contains("did you mean `status`?"), "{problems}");
    for (text, said) in [("a: [", "not valid YAML"), ("kind: Shop", "apiVersion: required, but missing")] {
        fs::write(&file, text).unwrap();
        let (code, problems, _) = result(&["check", self::text(&file)]);
        assert_eq!((code, problems.lines().count()), (1, 1), "{problems}");
        assert!(problems.contains(said), "{problems}");
    }
}

#[test]
fn what_is_not_there_is_a_wrong_command_line() {
    for (arguments, message) in [
        (&["show", "httproutematchi"][..], "did you mean HTTPRouteMatching or "),
        (
            &["run", "--case", "Teapot"],
            "--case: there is no case Teapot; `gateway-conformance list` shows all",
        ),
        (
            &["run", "HTTPRouteMatchin"],
            "there is no case HTTPRouteMatchin; did you mean HTTPRouteMatching or ",
        ),
        (&["list", "HTTPRouteMathing"], "did you mean HTTPRouteMatching?"),
        (
            &["list", "HTTPRouteMatching,httprouteCORS"],
            "name each by itself, and as a whole: HTTPRouteMatching HTTPRouteCORS",
        ),
        (&["list", "--skip", "HTTPRouteMatching/Simple GET"], "and as a whole: HTTPRouteMatching\n"),
        (
            &["run", "--features", "HTTPRouteCORS", "Gateway,HTTPRoute"],
            "there is no case Gateway,HTTPRoute; write features with commas and no spaces between them",
        ),
        (&["run", "--case", "HTTPRouteMatching", "--beyond-only"], "no case is left"),
        (&["run", "--feature", "CORS"], "did you mean HTTPRouteCORS?"),
        (&["run", "--engine", "teapot"], "core"),
        (&["run", "--compare", "no/such/log"], "--compare no/such/log: "),
        (&["check", "no/such/file.yaml"], "no/such/file.yaml cannot be read"),
        (&["run", "--engine", "command", "--all-features"], "--command <TEMPLATE>"),
        (
            &["run", "--command", "my-gateway {manifests}"],
            "say it, as in --supported-features Gateway,HTTPRoute, or with --all-features",
        ),
        (
            &["run", "--command", "my-gateway {manifests}", "--all-features", "--statuses-only"],
            "--statuses-only: the command does not name {status}",
        ),
        (
            &["run", "--engine", "tower", "--command", "my-gateway {manifests}"],
            "--command is for --engine command",
        ),
        (&["run", "--context", "mine"], "--context and --echo-image are for --engine cluster"),
        (
            &["run", "--command", "my-gateway {manifests}", "--all-features", "--gateway-class", "mine"],
            "are for --engine cluster; write that, or leave them out",
        ),
        (&["run", "--parallel", "0"], "write 1 or more"),
        (&["run", "--required-consecutive-successes", "0"], "write 1 or more"),
        // Before anything runs.
        (
            &["run", "--engine", "http", "--report", "no/such/folder/r"],
            "no/such/folder/r cannot be written: No such",
        ),
        (&["run", "--engine", "http", "--junit", "."], ". cannot be written: "),
        (
            &["run", "--command", "my-gateway {config}", "--all-features"],
            "{config}: there is no such placeholder",
        ),
    ] {
        let (code, _, error) = result(arguments);
        assert_eq!(code, 2, "{arguments:?}");
        assert!(error.contains(message), "{arguments:?}: {error}");
    }
}

#[test]
fn a_folder_without_cases_is_a_wrong_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = text(folder.path());
    for arguments in [&["check", path][..], &["run", "--cases", path]] {
        let (code, _, error) = result(arguments);
        assert_eq!(code, 2, "{arguments:?}");
        assert!(error.contains("no file in this folder ends in .yaml or .yml"), "{arguments:?}: {error}");
    }
}

#[test]
fn a_case_of_ones_own_may_not_have_a_name_that_is_taken() {
    let folder = folder(&CASE.replace("ShopExactPath", "HTTPRouteMatching"));
    let (code, _, error) = result(&["list", "--cases", text(folder.path())]);
    assert_eq!(code, 2);
    assert!(error.contains("exact-path.yaml: there is a case HTTPRouteMatching already"), "{error}");
}

#[test]
fn a_run_writes_its_reports() {
    let folder = folder(CASE);
    let file = |name: &str| text(&folder.path().join(name)).to_owned();
    let (report, junit, markdown) = (file("report.yaml"), file("junit.xml"), file("summary.md"));
    let (code, table, progress) = result(&[
        "run",
        "--engine",
        "core",
        "--case",
        "HTTPRouteMatching",
        "--case",
        "ShopExactPath",
        "--cases",
        text(folder.path()),
        "--report",
        &report,
        "--junit",
        &junit,
        "--markdown",
        &markdown,
        "--project",
        "shop",
        "--url",
        "example.com/shop",
    ]);
    assert_eq!(code, 0, "{table}{progress}");
    assert!(table.contains("GATEWAY-HTTP  core           1       0        0              0\n"), "{table}");
    assert!(table.contains("beyond                       1       0        0              0\n"), "{table}");
    assert!(progress.contains("passed         HTTPRouteMatching\n"), "{progress}");
    assert!(progress.contains("needs --organization, --url, --version, --contact too"), "{progress}");
    assert!(progress.contains("--url is to be absolute"), "{progress}");
    assert!(
        progress.contains("GATEWAY-HTTP would be listed as not conformant"),
        "most are skipped: {progress}"
    );

    let report = fs::read_to_string(report).unwrap();
    assert!(report.contains("project: shop\n") && report.contains("Passed: 1\n"), "{report}");
    assert!(report.contains("result: partial\n"), "the other cases count as skipped: {report}");
    assert!(!report.contains("ShopExactPath"), "it is not of upstream whatever it says: {report}");
    assert!(
        fs::read_to_string(junit).unwrap().contains("<testcase name=\"ShopExactPath\" classname=\"beyond\"")
    );
    assert!(fs::read_to_string(markdown).unwrap().contains("| GATEWAY-HTTP | core | 1 | 0 | 0 | 0 |"));
}

#[test]
fn a_failure_is_explained_and_ends_with_its_code() {
    let folder = folder(&CASE.replace("status: 404", "status: 403"));
    let cases = text(folder.path());
    let (code, table, said) = result(&["run", "--cases", cases, "ShopExactPath"]);
    assert_eq!(code, 1);
    assert!(said.contains("`gateway-conformance show CASE` shows what is sent"), "{said}");
    assert!(table.contains("FAILED ShopExactPath"), "{table}");
    for part in ["steps[0].http.requests[1]", "/cart/1", "403", "404"] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let arguments =
        ["run", "--cases", cases, "--case", "HTTPRouteMatching", "--case", "Shop*", "--skip", "shop*"];
    let (code, table, _) = result(&arguments);
    assert_eq!(code, 0, "{table}");
    assert!(table.contains("beyond                       0       0        1              0\n"), "{table}");
}

#[test]
fn what_is_not_claimed_is_not_supported() {
    let arguments = ["run", "--case", "HTTPRouteMatching", "--exempt-features", "HTTPRoute,HTTPRouteCORS"];
    let (code, table, _) = result(&arguments);
    assert_eq!(code, 0);
    assert!(table.contains("GATEWAY-HTTP  core           0       0        0              1\n"), "{table}");
}

#[test]
fn statuses_can_be_looked_at_alone() {
    let run = |more: &[&str]| result(&[&["run", "--profile", "gateway-tcp", "--no-beyond"], more].concat());
    let (code, table, _) = run(&["--statuses-only"]);
    assert_eq!(code, 0, "{table}");
    assert!(table.contains("GATEWAY-TCP   core          15       0        5              0\n"), "{table}");
    let (code, table, _) = run(&["--statuses-only", "--exempt-features", "TCPRoute"]);
    assert_eq!(code, 0, "{table}");
    assert!(table.contains("GATEWAY-TCP   core          12       0        0              8\n"), "{table}");
}

#[test]
fn verdicts_are_compared_with_those_of_upstreams_suite() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("suite");
    let run = |written: &str| {
        fs::write(&log, written).unwrap();
        result(&["run", "--case", "HTTPRouteMatching", "--compare", text(&log)])
    };
    let (code, table, _) = run("    --- PASS: TestConformance/HTTPRouteMatching (0.10s)\n");
    assert_eq!(code, 0, "{table}");
    assert!(table.contains("1 verdicts are alike, 0 differ"), "{table}");
    let (code, table, _) = run("    --- FAIL: TestConformance/HTTPRouteMatching (60.10s)\n");
    assert_eq!(code, 1, "{table}");
    assert!(table.contains("HTTPRouteMatching: the suite failed it; the case: passed\n"), "{table}");
    let (code, _, error) = run("ok\n");
    assert_eq!(code, 2);
    assert!(error.contains("no test is in it"), "{error}");
}

#[test]
fn a_run_whose_output_nothing_reads_ends_with_its_verdicts() {
    let folder = folder(&CASE.replace("status: 404", "status: 403"));
    let report = folder.path().join("report.yaml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway-conformance"));
    command.args(["run", "--cases", text(folder.path()), "ShopExactPath", "--report", text(&report)]);
    let mut running = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    drop(running.stdout.take());
    assert_eq!(running.wait().unwrap().code(), Some(1));
    assert!(report.exists());
}

#[cfg(unix)]
#[test]
fn a_run_that_is_interrupted_tells_what_it_knows_and_leaves_no_program_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (script, pulse) = (folder.path().join("gateway.sh"), folder.path().join("pulse"));
    // What a program starts goes with it.
    let beats = format!("sh -c 'while true; do echo >> {}; sleep 0.02; done'\n", text(&pulse));
    fs::write(&script, beats).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway-conformance"));
    let template = format!("sh {} {{manifests}}", text(&script));
    command.args(["run", "HTTPRouteMatching", "--command", &template, "--features", "Gateway,HTTPRoute"]);
    command.args(["--report", text(&folder.path().join("report.yaml"))]);
    let running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let length = || fs::metadata(&pulse).map_or(0, |file| file.len());
    while length() == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let id = running.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let Output { status, stdout, stderr } = running.wait_with_output().unwrap();
    let (table, said) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert_eq!(status.code(), Some(130), "{said}");
    assert!(said.ends_with("interrupted after 0 of 1 cases; no report is written\n"), "{said}");
    assert!(table.contains("each case once               0       0        0              0\n"), "{table}");
    assert!(!folder.path().join("report.yaml").exists());
    let before = length();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(length(), before);
}

#[test]
fn a_program_that_cannot_start_is_no_result() {
    let (code, table, error) =
        result(&["run", "--command", "no-such-gateway {manifests}", "--features", "HTTPRoute"]);
    assert_eq!((code, table.as_str()), (3, ""));
    assert!(error.contains("the engine command cannot start: no-such-gateway cannot be started"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_program_that_listens_nowhere_is_no_result() {
    let waits = ["run", "--command", "sh -c 'exec sleep 60' {manifests}", "--startup-timeout", "200ms"];
    let (code, table, error) = result(&[&waits[..], &["--features", "Gateway,HTTPRoute"]].concat());
    assert_eq!((code, table.as_str()), (3, ""));
    assert!(error.contains("cannot start: no connection was taken at 127."), "{error}");
}
