//! The report that upstream publishes, in its schema.
//!
//! # Spec
//! `conformance/apis/v1`, and the rules for published reports in `conformance/reports/README.md`.

use std::collections::BTreeSet;
use std::time::SystemTime;

use gateway_core::feature::{Feature, Profile, SupportLevel};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Results;
use crate::case::Case;
use crate::outcome::Verdict;

/// The release of Gateway API whose tests the cases are.
pub const RELEASE: &str = "v1.7.0";

/// With more cases of a level skipped, upstream does not list an implementation.
const MOST_SKIPPED: usize = 5;

/// A conformance report. The fields are in the order of the alphabet, as in every published one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConformanceReport {
    /// `gateway.networking.k8s.io/v1`
    pub api_version: String,
    /// When it was made (RFC 3339).
    pub date: String,
    /// `standard` or `experimental`
    #[serde(rename = "gatewayAPIChannel")]
    pub channel: String,
    /// The release of Gateway API.
    #[serde(rename = "gatewayAPIVersion")]
    pub version: String,
    /// What was tested.
    pub implementation: Implementation,
    /// `ConformanceReport`
    pub kind: String,
    /// The mode of operation of the implementation.
    pub mode: String,
    /// The profiles, in the order of [`Profile::ALL`].
    pub profiles: Vec<ProfileReport>,
    /// Provisional cases that passed, in a profile or not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub succeeded_provisional_tests: Vec<String>,
}

/// What was tested. A report that is to be published says all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Implementation {
    /// Who can be asked: names on GitHub, mail addresses, or the URL of a support page.
    pub contact: Vec<String>,
    /// Who makes it.
    pub organization: String,
    /// Its name.
    pub project: String,
    /// Its web page: an absolute URL.
    pub url: String,
    /// Its version; never the name of a branch.
    pub version: String,
}

/// What came of a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProfileReport {
    /// The cases that need core features only.
    pub core: Status,
    /// The cases that need extended features; absent if there is none that could run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended: Option<ExtendedStatus>,
    /// `GATEWAY-HTTP`
    pub name: String,
    /// Both results in a sentence each.
    pub summary: String,
}

/// What came of the cases of one level.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Their names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed_tests: Vec<String>,
    /// All of it in a word.
    pub result: StatusResult,
    /// Their names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped_tests: Vec<String>,
    /// All of it in numbers.
    pub statistics: Statistics,
}

/// What came of the cases that need extended features, and which these are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExtendedStatus {
    /// What came of the cases.
    #[serde(flatten)]
    pub status: Status,
    /// Extended features of the profile that are claimed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub supported_features: Vec<String>,
    /// Extended features of the profile that are not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unsupported_features: Vec<String>,
}

/// A result in a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusResult {
    /// Nothing failed or was skipped.
    #[default]
    Success,
    /// Nothing failed, and something was skipped.
    Partial,
    /// Something failed.
    Failure,
}

/// How many cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statistics {
    /// Failed.
    pub failed: usize,
    /// Passed.
    pub passed: usize,
    /// Skipped.
    pub skipped: usize,
}

/// What a report needs besides the results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportSettings {
    /// What was tested.
    pub implementation: Implementation,
    /// The mode of operation.
    pub mode: String,
    /// When the report is made.
    pub date: SystemTime,
    /// Leave provisional cases out.
    pub skip_provisional: bool,
}

/// Why a report could not be written.
#[derive(Debug)]
pub struct ReportError(serde_saphyr::ser_error::Error);

// === impl ReportSettings ===

impl Default for ReportSettings {
    fn default() -> Self {
        Self {
            implementation: Implementation::default(),
            mode: "default".to_owned(),
            date: SystemTime::UNIX_EPOCH,
            skip_provisional: false,
        }
    }
}

// === impl ConformanceReport ===

impl ConformanceReport {
    /// The report about these results.
    ///
    /// It never says more than what was seen:
    /// - A case that could have run and was not selected counts as skipped, as upstream counts it.
    /// - So does a case that passed only because statuses were not looked at. One that has nothing to show, because of the
    ///   features that are claimed, has passed.
    /// - So does a core case of a reported profile that was not run because core features are not claimed: upstream
    ///   takes them for claimed.
    ///
    /// Cases that need unclaimed features are not counted, and those beyond upstream's do not appear.
    pub fn new(results: &Results<'_>, settings: &ReportSettings) -> Self {
        let cases = results.cases.iter().filter(|case| !case.is_beyond());
        let mut cases: Vec<&Case> =
            cases.filter(|case| !(settings.skip_provisional && case.provisional)).collect();
        cases.sort_by(|a, b| a.name.cmp(&b.name));
        let succeeded = |case: &&&Case| case.provisional && results.is_seen_to_pass(case);
        let is_experimental = results.claimed.iter().any(|feature| feature.is_experimental());
        Self {
            api_version: "gateway.networking.k8s.io/v1".to_owned(),
            date: date(settings.date),
            channel: if is_experimental { "experimental" } else { "standard" }.to_owned(),
            version: RELEASE.to_owned(),
            implementation: settings.implementation.clone(),
            kind: "ConformanceReport".to_owned(),
            mode: settings.mode.clone(),
            profiles: results
                .profiles_in_order()
                .filter_map(|it| ProfileReport::new(it, results, &cases))
                .collect(),
            succeeded_provisional_tests: cases
                .iter()
                .filter(succeeded)
                .map(|case| case.name.clone())
                .collect(),
        }
    }

    /// The report as YAML.
    ///
    /// # Errors
    /// If the YAML cannot be written; no text that there is makes it so.
    pub fn to_yaml(&self) -> Result<String, ReportError> {
        // One line for a summary, however long it is: that is how people search these files.
        let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
        serde_saphyr::to_string_with_options(self, options).map_err(ReportError)
    }
}

/// In the time zone that is the same everywhere, and to the second, as upstream's.
fn date(time: SystemTime) -> String {
    let time = OffsetDateTime::from(time).replace_nanosecond(0).expect("zero is a number of nanoseconds");
    time.format(&Rfc3339).expect("the years 0 to 9999 can be written")
}

// === impl Implementation ===

impl Implementation {
    /// The fields that upstream would refuse in a report that is to be published: they are empty, or no web page.
    pub fn gaps(&self) -> Vec<&'static str> {
        let Self { contact, organization, project, url, version } = self;
        let fields = [
            ("organization", organization.is_empty()),
            ("project", project.is_empty()),
            ("url", !is_web_page(url)),
            ("version", version.is_empty()),
            ("contact", contact.is_empty()),
        ];
        fields.into_iter().filter(|(_, is_gap)| *is_gap).map(|(name, _)| name).collect()
    }
}

/// Whether the text is an absolute URL with a host, of HTTP or HTTPS.
fn is_web_page(url: &str) -> bool {
    url.parse::<http::Uri>().is_ok_and(|url| {
        matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some_and(|host| !host.is_empty())
    })
}

// === impl ProfileReport ===

impl ProfileReport {
    /// What the profile counts as in upstream's list of implementations, whatever the words of the report are.
    pub fn standing(&self) -> StatusResult {
        let levels = [Some(&self.core), self.extended.as_ref().map(|extended| &extended.status)];
        let fails = |status: &Status| {
            status.result == StatusResult::Failure || status.statistics.skipped > MOST_SKIPPED
        };
        match levels.into_iter().flatten().any(fails) {
            true => StatusResult::Failure,
            false => self.core.result,
        }
    }

    /// Nothing if there is no core case: a success of nothing would say too much.
    fn new(profile: Profile, results: &Results<'_>, cases: &[&Case]) -> Option<Self> {
        let claimed: BTreeSet<Feature> =
            results.claimed.iter().copied().chain(profile.features(SupportLevel::Core)).collect();
        let status = |level: SupportLevel| {
            let mut status = Status::default();
            let members = cases.iter().filter(|case| case.level(profile) == Some(level));
            for case in members.filter(|case| case.features.is_subset(&claimed)) {
                status.count(case, results);
            }
            status.result = match status.statistics {
                Statistics { failed: 1.., .. } => StatusResult::Failure,
                Statistics { skipped: 1.., .. } => StatusResult::Partial,
                Statistics { .. } => StatusResult::Success,
            };
            status
        };
        let core = status(SupportLevel::Core);
        if core.statistics == Statistics::default() {
            return None;
        }
        let mut summary = format!("Core tests {}.", core.summary());
        let extended =
            Some(status(SupportLevel::Extended)).filter(|status| status.statistics != Statistics::default());
        let extended = extended.map(|status| {
            summary.push_str(&format!(" Extended tests {}.", status.summary()));
            let names = |wanted: bool| {
                let features: BTreeSet<Feature> = extended_features(profile).collect();
                let features = features.iter().filter(|feature| claimed.contains(*feature) == wanted);
                features.map(ToString::to_string).collect()
            };
            ExtendedStatus { status, supported_features: names(true), unsupported_features: names(false) }
        });
        Some(Self { core, extended, name: profile.as_str().to_owned(), summary })
    }
}

/// The features that upstream lists below `extended`. Of TCP and UDP it lists the route too, which is a core feature.
fn extended_features(profile: Profile) -> impl Iterator<Item = Feature> {
    let route = match profile {
        Profile::GatewayTcp => Some(Feature::TcpRoute),
        Profile::GatewayUdp => Some(Feature::UdpRoute),
        Profile::GatewayHttp
        | Profile::GatewayGrpc
        | Profile::GatewayTls
        | Profile::MeshHttp
        | Profile::MeshGrpc => None,
    };
    profile.features(SupportLevel::Extended).chain(route)
}

// === impl Status ===

impl Status {
    fn count(&mut self, case: &Case, results: &Results<'_>) {
        match results.report(case).map(|report| &report.verdict) {
            Some(Verdict::Failed(_)) => {
                self.statistics.failed += 1;
                self.failed_tests.push(case.name.clone());
            }
            Some(Verdict::Passed) if results.is_seen_to_pass(case) => self.statistics.passed += 1,
            Some(Verdict::Passed | Verdict::Skipped(_) | Verdict::NotSupported(_)) | None => {
                self.statistics.skipped += 1;
                self.skipped_tests.push(case.name.clone());
            }
        }
    }

    /// The words are upstream's, so that reports can be compared.
    fn summary(&self) -> String {
        match self.result {
            StatusResult::Success => "succeeded".to_owned(),
            StatusResult::Partial => {
                format!("partially succeeded with {} test skips", self.statistics.skipped)
            }
            StatusResult::Failure => format!("failed with {} test failures", self.statistics.failed),
        }
    }
}

// === impl ReportError ===

impl std::fmt::Display for ReportError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the report cannot be written as YAML: {}", self.0)
    }
}

impl std::error::Error for ReportError {}
