//! Programs as engines: a small gateway, which is this test itself, and programs that do not work.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use conformance::case::{Case, cases};
use conformance::engine::command::{CommandAddresses, CommandEngines, CommandOptions};
use conformance::engine::{CONTROLLER_NAME, ControlPlane, Engines};
use conformance::outcome::Verdict;
use conformance::run::{Settings, run_case};
use gateway_core::api::{AnyObject, Resources};
use gateway_core::feature::Feature;
use gateway_core::manifest;
use gateway_core::options::Options;
use gateway_core::table::RouteTable;
use gateway_core::translate::translate;
use gateway_tower::client::BackendTlsOptions;
use gateway_tower::serve::{Addresses, ServeOptions, Server, TlsOptions};
use gateway_tower::upstream::{Upstream, UpstreamOptions};
use gateway_tower::{Connection, Gateway, TableHandle};
use libtest_mimic::{Arguments, Failed, Trial};
use rustls::crypto::ring;
use tokio::runtime::Runtime;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = Runtime::new().expect("the system gives threads to a test");
    if let [_, word, manifests, address, offset] = &arguments[..]
        && word == "serve"
    {
        runtime.block_on(serve(Path::new(manifests), address, offset));
    }
    let handle = runtime.handle().clone();
    let trial = |name: &str, test: fn(&tokio::runtime::Handle) -> Result<(), Failed>| {
        let handle = handle.clone();
        Trial::test(name, move || test(&handle))
    };
    let mut trials = vec![
        trial("a_program_serves_cases", |handle| handle.block_on(a_program_serves_cases())),
        trial("what_a_program_wrote_explains_an_answer", |handle| {
            handle.block_on(what_a_program_wrote_explains_an_answer())
        }),
        trial("two_gateways_with_one_port_need_addresses", |handle| {
            handle.block_on(two_gateways_with_one_port_need_addresses())
        }),
        trial("a_program_that_is_not_there_is_named", |handle| {
            handle.block_on(a_program_that_is_not_there_is_named())
        }),
    ];
    if cfg!(unix) {
        trials.push(trial("the_last_words_of_a_program_are_shown", |handle| {
            handle.block_on(the_last_words_of_a_program_are_shown())
        }));
        trials.push(trial("statuses_are_read", |handle| handle.block_on(statuses_are_read())));
        trials.push(trial("a_program_that_listens_nowhere_is_told", |handle| {
            handle.block_on(a_program_that_listens_nowhere_is_told())
        }));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A gateway that looks at the folder all the time.
async fn serve(manifests: &Path, address: &str, offset: &str) -> ! {
    let tables = TableHandle::new(RouteTable::builder(0).build());
    let provider = Arc::new(ring::default_provider());
    let backend_tls = BackendTlsOptions::new(provider.clone()).expect("ring has all that TLS needs");
    let upstream = UpstreamOptions { tls: Some(backend_tls.clone()), ..UpstreamOptions::default() };
    let gateway = Gateway::new(tables.clone(), Upstream::new(upstream));
    let mut addresses = Addresses::all_on(address.parse().expect("an address"));
    addresses.port_offset = offset.parse().expect("a number");
    writeln!(std::io::stdout(), "on {address}").expect("the harness reads it");
    let services = move |connection: Arc<Connection>| gateway.clone().on(connection);
    let tls = TlsOptions::new(provider).expect("ring has all that TLS needs");
    let options = ServeOptions { tls: Some(tls), backend_tls: Some(backend_tls), ..ServeOptions::default() };
    let server = Server::start(&tables, addresses, options, services).await;
    let _server = server.expect("without listeners there is nothing to be bound");
    let options = Options { controller_name: CONTROLLER_NAME.to_owned(), ..Options::default() };
    let mut known = String::new();
    loop {
        let text = read(manifests);
        if text != known {
            let read = manifest::read(&text, "manifests");
            let resources: Resources = read.objects.into_iter().map(|(object, _)| object).collect();
            tables.store(translate(&resources, &options).table);
            known = text;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// All files in a folder; one that goes in this moment is not there.
fn read(folder: &Path) -> String {
    let files = std::fs::read_dir(folder).expect("the folder can be read");
    let mut paths: Vec<_> = files.filter_map(|file| Some(file.ok()?.path())).collect();
    paths.sort();
    let texts = paths.iter().filter_map(|path| std::fs::read_to_string(path).ok());
    texts.map(|text| format!("---\n{text}")).collect()
}

fn options(command: &str) -> CommandOptions {
    let mut options = CommandOptions::new(command).expect("a command");
    options.features = [Feature::Gateway, Feature::HttpRoute, Feature::ReferenceGrant].into();
    options
}

fn this_program() -> CommandOptions {
    let program = std::env::current_exe().expect("the test has a path");
    options(&format!("'{}' serve {{manifests}} {{address}} {{port-offset}}", program.display()))
}

fn case(name: &str) -> &'static Case {
    cases().iter().find(|case| case.name == name).expect("there is such a case")
}

async fn verdict(options: &CommandOptions, name: &str) -> Verdict {
    let engines = CommandEngines::new(options.clone());
    run_case(&engines, case(name), &Settings::default()).await.verdict
}

fn check(holds: bool, found: &impl std::fmt::Debug) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(format!("{found:?}").into()) }
}

async fn a_program_serves_cases() -> Result<(), Failed> {
    for name in ["HTTPRouteExactPathMatching", "HTTPRouteHTTPSListener"] {
        let verdict = verdict(&this_program(), name).await;
        check(verdict == Verdict::Passed, &verdict)?;
    }
    Ok(())
}

async fn what_a_program_wrote_explains_an_answer() -> Result<(), Failed> {
    let text = &case("HTTPRouteExactPathMatching").text;
    let other = text.replacen("infra-backend-v1}", "infra-backend-v2}", 1);
    check(*other != **text, text)?;
    let other = conformance::case::read(&other, "other.yaml").map_err(|problems| format!("{problems:?}"))?;
    let settings = Settings { consistency: Duration::from_millis(200), ..Settings::default() };
    let report = run_case(&CommandEngines::new(this_program()), &other, &settings).await;
    let Verdict::Failed(finding) = &report.verdict else { return check(false, &report) };
    let explains = |text: &str| text.starts_with("the last lines that it wrote:\n  on ");
    check(finding.explanation.as_deref().is_some_and(explains), &report)
}

async fn two_gateways_with_one_port_need_addresses() -> Result<(), Failed> {
    let name = "HTTPRouteMultipleGateways";
    let skipped = verdict(&this_program(), name).await;
    let says_why = |why: &String| why.contains("same-namespace") && why.contains("port 80");
    check(matches!(&skipped, Verdict::Skipped(why) if says_why(why)), &skipped)?;
    let own = CommandOptions { addresses: CommandAddresses::Spec, ..this_program() };
    let verdict = verdict(&own, name).await;
    let expected = if cfg!(target_os = "linux") {
        verdict == Verdict::Passed
    } else {
        matches!(verdict, Verdict::Skipped(_))
    };
    check(expected, &verdict)
}

async fn a_program_that_is_not_there_is_named() -> Result<(), Failed> {
    let verdict = verdict(&options("no-such-gateway {manifests}"), "HTTPRouteExactPathMatching").await;
    let names = |got: &str| got.contains("no-such-gateway cannot be started");
    check(matches!(&verdict, Verdict::Failed(finding) if names(&finding.got)), &verdict)
}

async fn the_last_words_of_a_program_are_shown() -> Result<(), Failed> {
    let command = "sh -c 'echo no such option: $0 >&2; exit 2' {manifests}";
    let verdict = verdict(&options(command), "HTTPRouteExactPathMatching").await;
    let words = |got: &str| got.contains("exit code 2") && got.contains("  no such option: /");
    check(matches!(&verdict, Verdict::Failed(finding) if words(&finding.got)), &verdict)
}

async fn a_program_that_listens_nowhere_is_told() -> Result<(), Failed> {
    let mut options = options("sh -c 'echo I wait; exec sleep 60' {manifests}");
    options.startup = Duration::from_millis(200);
    let name = "HTTPRouteExactPathMatching";
    let told = |got: &str| {
        got.starts_with("no connection was taken at 127.")
            && got.ends_with("--startup-timeout changes; the last lines that it wrote:\n  I wait")
    };
    let found = verdict(&options, name).await;
    check(matches!(&found, Verdict::Failed(finding) if told(&finding.got)), &found)?;
    options.command = "sh -c 'exec sleep 60' {manifests} {status}".parse()?;
    let told = |got: &str| got.starts_with("no status was written, and no connection was taken at 127.");
    let found = verdict(&options, name).await;
    check(matches!(&found, Verdict::Failed(finding) if told(&finding.got)), &found)?;

    // One that is for other Routes may find no listener that it could serve.
    options.command = "sh -c 'exec sleep 60' {manifests}".parse()?;
    options.features = [Feature::Gateway, Feature::TlsRoute].into();
    let engines = CommandEngines::new(options);
    let mut engine = engines.start(case(name)).await?;
    Ok(engine.apply(case(name).objects.clone()).await?)
}

async fn statuses_are_read() -> Result<(), Failed> {
    let class = r#"{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "GatewayClass", "metadata": {"name": "gateway-conformance"}, "spec": {"controllerName": "a.b/c"},
        "status": {"conditions": [], "supportedFeatures": [{"name": "HTTPRoute"}]}}]}"#;
    // The placeholders of shells and of commands are the same letters, so the text comes from a file.
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("class.json");
    std::fs::write(&file, class)?;
    // A program may not put the whole of it there at once.
    let written = format!("echo [ > $1; sleep 0.1; cp {} $1; exec sleep 60", file.display());
    let command = format!("sh -c '{written}' {{manifests}} {{status}}");
    let engines = CommandEngines::new(options(&command));
    check(engines.abilities().statuses, &"statuses")?;
    let mut engine = engines.start(case("HTTPRouteExactPathMatching")).await?;
    engine.apply(Vec::new()).await?;
    let name = "GatewayClass gateway-conformance".parse()?;
    match engine.object(&name).await? {
        Some(AnyObject::GatewayClass(class)) => {
            check(class.spec.controller_name == CONTROLLER_NAME, &class)?;
            check(class.status.supported_features.len() == 1, &class)
        }
        other => check(false, &other),
    }
}
