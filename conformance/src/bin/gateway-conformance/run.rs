//! `run`: the cases against an engine.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use conformance::case::{Case, base};
use conformance::engine::command::{CommandAddresses, CommandEngines, CommandOptions, Placeholder};
use conformance::engine::http::HttpEngines;
use conformance::engine::pure::{CoreEngines, CoreStatusEngines, ReferenceEngines};
use conformance::engine::tower::TowerEngines;
use conformance::engine::{ControlPlane, EngineError, Engines};
use conformance::outcome::{CaseReport, Verdict};
use conformance::report::{
    self, Comparison, ConformanceReport, Implementation, ReportSettings, Results, StatusResult, SuiteVerdicts,
};
use conformance::run::{Event, Settings, run_all};
use gateway_core::api::{AnyObject, Kind};
use gateway_core::feature::Profile;

use crate::args::{AddressesName, ClusterArgs, EngineName, ImplementationArgs, ProgramArgs, ReportArgs, Run};
use crate::choose::{Chosen, chosen};
use crate::claims::{Claiming, claimed};
use crate::progress::Progress;
use crate::{Trouble, cluster, load};

/// The exit code where the program was interrupted, which shells have for it, too.
const INTERRUPTED: u8 = 130;

/// Runs the cases.
pub(crate) fn run(args: &Run, out: &mut impl Write) -> Result<ExitCode, Trouble> {
    // The cases live as long as the program: they are shared with tasks that are not waited for when it ends.
    let cases: &'static [Case] = load::cases(&args.choice.folders)?.leak();
    let chosen = chosen(cases, &args.choice)?;
    belong_to_the_engine(args)?;
    let ReportArgs { report, junit, markdown, .. } = &args.reports;
    [report, junit, markdown].into_iter().flatten().try_for_each(|file| can_be_written(file))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Trouble::Start(format!("there is no runtime: {error}")))?;
    match args.engine {
        EngineName::Core if args.claims.statuses_only => {
            // It translates with what is claimed: that is what its statuses are about.
            let features = claimed(CoreStatusEngines::default().features, &args.claims);
            runtime.block_on(run_with(CoreStatusEngines { features }, args, cases, chosen, out))
        }
        EngineName::Core => runtime.block_on(run_with(CoreEngines, args, cases, chosen, out)),
        EngineName::Reference => runtime.block_on(run_with(ReferenceEngines, args, cases, chosen, out)),
        EngineName::Tower => runtime.block_on(run_with(TowerEngines, args, cases, chosen, out)),
        EngineName::Http => runtime.block_on(run_with(HttpEngines, args, cases, chosen, out)),
        EngineName::Command => {
            let engines = CommandEngines::new(command_options(args)?);
            runtime.block_on(run_with(engines, args, cases, chosen, out))
        }
        EngineName::Cluster => runtime.block_on(cluster::run(args, cases, chosen, out)),
    }
}

pub(crate) async fn run_with<E: Engines + 'static>(
    engines: E,
    args: &Run,
    cases: &'static [Case],
    chosen: Chosen<'static>,
    out: &mut impl Write,
) -> Result<ExitCode, Trouble> {
    let engines = Arc::new(Claiming::new(engines, &args.claims));
    let suite = args.reports.compare.as_deref().map(suite_verdicts).transpose()?;
    let mut progress = Progress::new(chosen.cases.len(), args.verbose);
    let mut ended = Vec::new();
    let played = tokio::select! {
        played = play(engines.clone(), &chosen, args, |event| {
            if let Event::Finished(_, report) = &event {
                ended.push((*report).clone());
            }
            progress.on(event);
        }) => Some(played?),
        () = interrupt() => None,
    };
    progress.end();
    let is_whole = played.is_some();
    let mut reports = played.unwrap_or(ended);
    reports.extend(chosen.skipped.iter().map(|case| skipped(case)).filter(|_| is_whole));
    let claimed = engines.abilities().features;
    let profiles = match args.choice.profiles.as_slice() {
        [] => Profile::ALL.to_vec(),
        profiles => profiles.to_vec(),
    };
    let results = Results { engine: engines.name(), profiles, claimed: &claimed, cases, reports: &reports };
    let comparison = suite.filter(|_| is_whole).map(|suite| Comparison::new(&results, &suite));
    let is_alike = comparison.as_ref().is_none_or(Comparison::is_explained);
    let mut text = report::table(&results);
    text.extend(comparison.map(|comparison| format!("\n{}", comparison.table())));
    // The reader of the output may have had enough, which changes nothing about the verdicts.
    let printed = match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        Err(_) | Ok(()) => Ok(()),
    };
    if results.total().failed > 0 {
        let hint = "gateway-conformance: `gateway-conformance show CASE` shows what is sent and expected, `run CASE` plays it alone";
        let _ = writeln!(io::stderr(), "{hint}");
    }
    if !is_whole {
        let (ended, all) = (reports.len(), chosen.cases.len());
        let hint =
            format!("gateway-conformance: interrupted after {ended} of {all} cases; no report is written");
        let _ = writeln!(io::stderr(), "{hint}");
        return Ok(ExitCode::from(INTERRUPTED));
    }
    write_reports(&results, args)?;
    printed?;
    Ok(if results.total().failed > 0 || !is_alike { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Plays the cases that are chosen.
///
/// # Errors
/// If the engine does not start. A case that cannot start is a failure of the case; an engine that never starts is no result at all.
async fn play<E: Engines + 'static>(
    engines: Arc<Claiming<E>>,
    chosen: &Chosen<'static>,
    args: &Run,
    on_event: impl FnMut(Event<'_>),
) -> Result<Vec<CaseReport>, Trouble> {
    if let Err(EngineError::Failed(error)) = try_start(&*engines, chosen.cases[0]).await {
        return Err(Trouble::Start(format!("the engine {} cannot start: {error}", engines.name())));
    }
    Ok(run_all(engines, chosen.cases.clone(), &settings(args), on_event).await)
}

/// Waits until the user, or what runs the program for them, has had enough. A second time, the program ends at once.
async fn interrupt() {
    let one = || async {
        // What cannot be listened to ends the program by itself.
        let interrupted = async {
            match tokio::signal::ctrl_c().await {
                Ok(()) => (),
                Err(_) => std::future::pending().await,
            }
        };
        #[cfg(unix)]
        let terminated = async {
            match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
                Ok(mut terminated) => _ = terminated.recv().await,
                Err(_) => std::future::pending().await,
            }
        };
        #[cfg(not(unix))]
        let terminated = std::future::pending();
        tokio::select! {
            () = interrupted => (),
            () = terminated => (),
        }
    };
    one().await;
    tokio::spawn(async move {
        one().await;
        std::process::exit(i32::from(INTERRUPTED));
    });
}

/// What is said of another engine than the one that runs would have no effect.
fn belong_to_the_engine(args: &Run) -> Result<(), Trouble> {
    let ClusterArgs { gateway_class, kubeconfig, context, echo_image } = &args.cluster;
    let of_cluster =
        gateway_class.is_some() || kubeconfig.is_some() || context.is_some() || echo_image.is_some();
    let wrong = |message: &str| Err(Trouble::Usage(message.to_owned()));
    if args.program.command.is_some() && !matches!(args.engine, EngineName::Command) {
        return wrong("--command is for --engine command; leave out one of the two");
    }
    if of_cluster && !matches!(args.engine, EngineName::Cluster) {
        return wrong(
            "--gateway-class, --kubeconfig, --context and --echo-image are for --engine cluster; write that, or leave them out",
        );
    }
    Ok(())
}

/// Cases may take an hour: it is known before what cannot be written then.
fn can_be_written(file: &Path) -> Result<(), Trouble> {
    let is_new = !file.exists();
    let opened = fs::OpenOptions::new().append(true).create(true).open(file);
    let opened = opened.and_then(|_| if is_new { fs::remove_file(file) } else { Ok(()) });
    opened.map_err(|error| not_written(file, &error.to_string()))
}

fn not_written(file: &Path, error: &str) -> Trouble {
    Trouble::Usage(format!("{} cannot be written: {error}", file.display()))
}

/// What upstream's suite wrote.
fn suite_verdicts(file: &Path) -> Result<SuiteVerdicts, Trouble> {
    let wrong =
        |error: &dyn std::fmt::Display| Trouble::Usage(format!("--compare {}: {error}", file.display()));
    let suite = SuiteVerdicts::read(&fs::read_to_string(file).map_err(|error| wrong(&error))?);
    match suite.is_empty() {
        true => Err(wrong(&"no test is in it; the suite writes them with -test.v")),
        false => Ok(suite),
    }
}

/// Starts an engine, with one Gateway and the backends that every case may use.
async fn try_start<E: Engines>(engines: &E, case: &Case) -> Result<(), EngineError> {
    let is_wanted =
        |object: &&AnyObject| object.kind() != Kind::Gateway || *object.key().name == *"same-namespace";
    let objects = base().objects.iter().filter(is_wanted).cloned().collect();
    engines.start(case).await?.apply(objects).await
}

fn command_options(args: &Run) -> Result<CommandOptions, Trouble> {
    let ProgramArgs { command, addresses, port_offset, controller_name, startup_timeout } = &args.program;
    if args.claims.supported_features.is_empty() && !args.claims.all_features {
        let message = "what the program supports is not known; say it, as in --supported-features Gateway,HTTPRoute, or with --all-features";
        return Err(Trouble::Usage(message.to_owned()));
    }
    let command = command.as_deref().unwrap_or_default();
    let mut options =
        CommandOptions::new(command).map_err(|error| Trouble::Usage(format!("--command: {error}")))?;
    if args.claims.statuses_only && !options.command.names(Placeholder::Status) {
        let message =
            "--statuses-only: the command does not name {status}, so that there is none to be looked at";
        return Err(Trouble::Usage(message.to_owned()));
    }
    options.addresses = match addresses {
        AddressesName::One => CommandAddresses::One,
        AddressesName::Spec => CommandAddresses::Spec,
    };
    options.features = claimed(BTreeSet::new(), &args.claims);
    options.port_offset = *port_offset;
    // An interrupt is taken.
    options.with_all_it_starts = true;
    if let Some(name) = controller_name {
        options.controller_name.clone_from(name);
    }
    if let Some(limit) = startup_timeout {
        options.startup = *limit;
    }
    Ok(options)
}

fn settings(args: &Run) -> Settings {
    let defaults = Settings::default();
    let patience = &args.patience;
    let or = |given: Option<Duration>, default| given.unwrap_or(default);
    Settings {
        consistency: or(patience.max_time_to_consistency, defaults.consistency),
        status: or(patience.status_timeout, defaults.status),
        mirror: or(patience.mirror_timeout, defaults.mirror),
        poll: or(patience.default_poll_interval, defaults.poll),
        successes: patience.required_consecutive_successes.map_or(defaults.successes, NonZeroU32::get),
        limit: or(patience.case_timeout, defaults.limit),
        jobs: args.parallel.get(),
        skips: !args.known_failures,
    }
}

fn skipped(case: &Case) -> CaseReport {
    CaseReport {
        name: case.name.clone(),
        verdict: Verdict::Skipped("passed over with --skip".to_owned()),
        checked: 0,
        passed_over: Vec::new(),
        duration: Duration::ZERO,
    }
}

fn write_reports(results: &Results<'_>, args: &Run) -> Result<(), Trouble> {
    if let Some(file) = &args.reports.report {
        let implementation = implementation(&args.reports.implementation);
        warn_of_gaps(&implementation);
        let settings = ReportSettings {
            implementation,
            mode: args.reports.mode.clone(),
            date: SystemTime::now(),
            skip_provisional: args.choice.skip_provisional,
        };
        let mut results = results.clone();
        // A profile that is not claimed is not published, unless asked for.
        if args.choice.profiles.is_empty() {
            results.profiles = Results::claimed_profiles(results.claimed);
        }
        let report = ConformanceReport::new(&results, &settings);
        say_standing(&report);
        write_file(file, report.to_yaml().map_err(|error| error.to_string()))?;
    }
    if let Some(file) = &args.reports.junit {
        write_file(file, report::junit(results).map_err(|error| error.to_string()))?;
    }
    if let Some(file) = &args.reports.markdown {
        write_file(file, Ok(report::markdown(results)))?;
    }
    Ok(())
}

fn write_file(file: &Path, text: Result<String, String>) -> Result<(), Trouble> {
    let written = text.and_then(|text| fs::write(file, text).map_err(|error| error.to_string()));
    written.map_err(|error| not_written(file, &error))
}

fn implementation(args: &ImplementationArgs) -> Implementation {
    let ImplementationArgs { organization, project, url, version, contact } = args.clone();
    Implementation { contact, organization, project, url, version }
}

/// Upstream publishes only reports that say all of it.
fn warn_of_gaps(implementation: &Implementation) {
    let gaps: Vec<String> = implementation.gaps().iter().map(|field| format!("--{field}")).collect();
    if !gaps.is_empty() {
        let gaps = gaps.join(", ");
        // Not more than a warning, so nothing is lost if it cannot be written.
        let _ = writeln!(io::stderr(), "gateway-conformance: a report to be published needs {gaps} too");
    }
    if gaps.contains(&"--url".to_owned()) && !implementation.url.is_empty() {
        let hint = "gateway-conformance: --url is to be absolute, such as https://example.com/gateway";
        let _ = writeln!(io::stderr(), "{hint}");
    }
}

/// What upstream's list of implementations would make of the report.
fn say_standing(report: &ConformanceReport) {
    for profile in &report.profiles {
        let standing = match profile.standing() {
            StatusResult::Success => "conformant",
            StatusResult::Partial => "partially conformant",
            StatusResult::Failure => "not conformant",
        };
        let _ = writeln!(io::stderr(), "gateway-conformance: {} would be listed as {standing}", profile.name);
    }
}
