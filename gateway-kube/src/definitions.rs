//! The installed definitions of Gateway API, and the version and channel that they say they are of.
//!
//! What is published of features follows from them: an object that cannot be written, or a field that the API server would
//! leave out, is no feature of a cluster, whatever the data plane could do with it.
//!
//! Only their metadata is read. Without the right to do so, everything else goes on: the definitions are then taken for those
//! of v1.7, all of them and of the experimental channel.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use gateway_core::api::{EXPERIMENTAL_GROUP, GATEWAY_GROUP, Kind};
use gateway_core::feature::Feature;
use gateway_core::options::is_known_bundle_version;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::PartialObjectMeta;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::status::{Minor, Vocabulary};

const VERSION: &str = "gateway.networking.k8s.io/bundle-version";
const CHANNEL: &str = "gateway.networking.k8s.io/channel";

/// Until what cannot be read is asked for again, at least.
const SHORTEST_RETRY: Duration = Duration::from_millis(100);

/// The same at most: a role may be bound at any moment.
const LONGEST_RETRY: Duration = Duration::from_secs(1);

/// The definitions of Gateway API that are installed, displayed as which versions and channels there are.
///
/// ```
/// use gateway_core::feature::Feature;
/// use gateway_kube::definitions::{Definition, Definitions};
///
/// let standard = Definition { version: Some("v1.6.1".to_owned()), channel: Some("standard".to_owned()) };
/// let kinds = ["gatewayclasses", "gateways", "httproutes"];
/// let name = |kind| format!("{kind}.gateway.networking.k8s.io");
/// let definitions: Definitions = kinds.iter().map(|kind| (name(kind), standard.clone())).collect();
/// assert_eq!(definitions.to_string(), "v1.6.1 standard");
///
/// let without = definitions.vocabulary().without;
/// assert!(!without.contains(&Feature::HttpRouteCors));
/// assert!(without.contains(&Feature::HttpRouteRetryCodes), "its field was experimental in v1.6");
/// assert!(without.contains(&Feature::ListenerSet), "the kind is not installed");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definitions {
    by_name: BTreeMap<String, Definition>,
    /// Whether the API server has no ClusterTrustBundles, which are no definition of Gateway API.
    lacks_bundles: bool,
}

/// What a definition says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Definition {
    /// The version of the bundle that it is of, as `v1.7.0`.
    pub version: Option<String>,
    /// The channel: `standard`, without the fields that are tried out, or `experimental`.
    pub channel: Option<String>,
}

/// What is known of the definitions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Known {
    /// Nothing yet.
    #[default]
    NotYet,
    /// They were read.
    Read(Definitions),
    /// They cannot be read; why. They are taken for those of v1.7.
    Hidden(String),
}

/// Follows the definitions. Ends when it is dropped.
#[derive(Debug)]
pub struct DefinitionWatch {
    known: watch::Receiver<Known>,
    task: JoinHandle<()>,
}

// === impl Definitions ===

impl Definitions {
    /// Those whose version is not known, with what they say, as a status names them.
    ///
    /// # Spec
    /// [GC-08](gateway_core::spec#GC-08)
    pub fn unknown(&self) -> Vec<String> {
        let versions = self.by_name.iter().map(|(name, definition)| (name, definition.version.as_deref()));
        let unknown = versions.filter(|(_, version)| !is_known_bundle_version(*version));
        let named = |(name, version): (&String, Option<&str>)| match version {
            Some(version) => format!("{name} ({version})"),
            None => format!("{name} (no {VERSION})"),
        };
        unknown.map(named).collect()
    }

    /// The version whose names and fields are understood: that of the oldest definition of the standard group.
    pub fn minor(&self) -> Minor {
        self.standard_group().map(|(_, definition)| definition.minor()).min().unwrap_or_default()
    }

    /// The features that can be used with these definitions, and their names there.
    ///
    /// # Spec
    /// [GC-11](gateway_core::spec#GC-11)
    pub fn vocabulary(&self) -> Vocabulary {
        let without = Feature::ALL.iter().copied().filter(|feature| !self.has_fields_of(*feature));
        Vocabulary { minor: self.minor(), without: without.collect() }
    }

    /// Whether definitions of the standard group differ in version or channel, which nothing is tested with.
    pub fn are_mixed(&self) -> bool {
        self.bundles().len() > 1
    }

    fn bundles(&self) -> BTreeSet<&Definition> {
        self.standard_group().map(|(_, definition)| definition).collect()
    }

    fn standard_group(&self) -> impl Iterator<Item = (&str, &Definition)> {
        let all = self.by_name.iter();
        all.filter_map(|(name, definition)| {
            Some((name.strip_suffix(GATEWAY_GROUP)?.strip_suffix('.')?, definition))
        })
    }

    /// Whether the kind of a feature is installed, with the fields of the feature.
    fn has_fields_of(&self, feature: Feature) -> bool {
        if feature == Feature::ClusterTrustBundle && self.lacks_bundles {
            return false;
        }
        // Of more than one kind: that of Gateways stands for all.
        let kind = kind(feature).unwrap_or(Kind::Gateway);
        let definition = self.by_name.get(&format!("{}.{}", kind.plural(), kind.group()));
        definition.is_some_and(|definition| {
            definition.channel.as_deref() != Some("standard") || !definition.minor().is_experimental(feature)
        })
    }

    fn insert(&mut self, definition: &PartialObjectMeta<CustomResourceDefinition>) {
        let Some(name) = definition.metadata.name.as_deref() else { return };
        if is_ours(name) {
            let annotation = |name| definition.metadata.annotations.as_ref()?.get(name).cloned();
            let definition = Definition { version: annotation(VERSION), channel: annotation(CHANNEL) };
            self.by_name.insert(name.to_owned(), definition);
        }
    }
}

/// Every definition by its name and what it says of itself.
impl FromIterator<(String, Definition)> for Definitions {
    fn from_iter<I: IntoIterator<Item = (String, Definition)>>(definitions: I) -> Self {
        let by_name = definitions.into_iter().filter(|(name, _)| is_ours(name)).collect();
        Self { by_name, lacks_bundles: false }
    }
}

impl fmt::Display for Definitions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bundles = self.bundles();
        if bundles.is_empty() {
            return f.write_str("none");
        }
        for (index, bundle) in bundles.iter().enumerate() {
            let Definition { version, channel } = bundle;
            let separator = if index == 0 { "" } else { ", " };
            let (version, channel) = (version.as_deref(), channel.as_deref());
            let (version, channel) = (version.unwrap_or("no version"), channel.unwrap_or("no channel"));
            write!(f, "{separator}{version} {channel}")?;
            if bundles.len() > 1 {
                let of_bundle = self.standard_group().filter(|(_, definition)| definition == bundle);
                let names: Vec<_> = of_bundle.map(|(name, _)| name).collect();
                write!(f, " ({})", names.join(", "))?;
            }
        }
        Ok(())
    }
}

// === impl Definition ===

impl Definition {
    /// The version that names of features are taken from.
    fn minor(&self) -> Minor {
        let minor =
            self.version.as_deref().and_then(|version| version.strip_prefix("v1.")?.split('.').next());
        match minor.and_then(|minor| minor.parse::<u32>().ok()) {
            Some(0..=6) => Minor::V1_6,
            Some(7..) | None => Minor::V1_7,
        }
    }
}

/// The kind that a feature is about: its name begins with it. What is about several has none, and so has what is about a kind of
/// Kubernetes.
fn kind(feature: Feature) -> Option<Kind> {
    let is_about = |kind: &Kind| feature.as_str().starts_with(kind.as_str());
    Kind::ALL.iter().copied().find(is_about).filter(|kind| *kind != Kind::ClusterTrustBundle)
}

/// Whether a definition is one of Gateway API; its name ends with the group.
fn is_ours(name: &str) -> bool {
    let group = name.split_once('.').map(|(_, group)| group);
    matches!(group, Some(GATEWAY_GROUP | EXPERIMENTAL_GROUP))
}

// === impl Known ===

impl Known {
    /// The features that can be used, and their names.
    pub fn vocabulary(&self) -> Vocabulary {
        match self {
            Self::Read(definitions) => definitions.vocabulary(),
            Self::NotYet | Self::Hidden(_) => Vocabulary::default(),
        }
    }

    /// The definitions whose version is not known.
    pub fn unknown(&self) -> Vec<String> {
        match self {
            Self::Read(definitions) => definitions.unknown(),
            Self::NotYet | Self::Hidden(_) => Vec::new(),
        }
    }
}

// === impl DefinitionWatch ===

impl DefinitionWatch {
    /// Begins to follow. What cannot be read is asked for again after `retry`, between 100 ms and 1 s. To be called within a tokio runtime.
    pub fn new(client: Client, retry: Duration) -> Self {
        let (sender, known) = watch::channel(Known::NotYet);
        Self { known, task: tokio::spawn(follow(client, retry, sender)) }
    }

    /// What is known, now and from now on.
    pub fn known(&self) -> watch::Receiver<Known> {
        self.known.clone()
    }
}

impl Drop for DefinitionWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn follow(client: Client, retry: Duration, known: watch::Sender<Known>) {
    let api: Api<PartialObjectMeta<CustomResourceDefinition>> = Api::all(client.clone());
    let mut events = pin!(watcher::watcher(api, watcher::Config::default()));
    let mut definitions = Definitions::default();
    let mut is_listed = false;
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => (definitions, is_listed) = (Definitions::default(), false),
            Ok(Event::InitApply(definition) | Event::Apply(definition)) => definitions.insert(&definition),
            Ok(Event::InitDone) => {
                definitions.lacks_bundles = !has_bundles(&client).await;
                is_listed = true;
            }
            Ok(Event::Delete(definition)) => {
                definition.metadata.name.iter().for_each(|name| _ = definitions.by_name.remove(name));
            }
            Err(error) => {
                // What is known stays known while the API server is away.
                let hidden = match &error {
                    watcher::Error::InitialListFailed(source) | watcher::Error::WatchStartFailed(source) => {
                        matches!(crate::error::code(source), Some(401 | 403 | 404))
                            .then(|| crate::error::told(source))
                    }
                    _ => None,
                };
                if let Some(why) = hidden {
                    let now = Known::Hidden(why);
                    if *known.borrow() != now {
                        known.send_replace(now);
                    }
                }
                sleep(retry.clamp(SHORTEST_RETRY, LONGEST_RETRY)).await;
            }
        }
        if is_listed {
            let now = Known::Read(definitions.clone());
            if *known.borrow() != now {
                known.send_replace(now);
            }
        }
    }
}

/// Whether the API server has ClusterTrustBundles. It may be asked that without a role.
///
/// # Spec
/// CTB-03
async fn has_bundles(client: &Client) -> bool {
    let kind = Kind::ClusterTrustBundle;
    for version in kind.versions() {
        let found = client.list_api_group_resources(&format!("{}/{version}", kind.group())).await;
        if found.is_ok_and(|found| found.resources.iter().any(|resource| resource.name == kind.plural())) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    // GC-08
    #[test]
    fn definitions_of_an_unknown_version_are_named() {
        let definitions = definitions(&[
            ("gateways.gateway.networking.k8s.io", "v1.7.0", "standard"),
            ("httproutes.gateway.networking.k8s.io", "v2.0.0", "standard"),
            ("grpcroutes.gateway.networking.k8s.io", "", ""),
            ("gateways.example.com", "v9", "standard"),
        ]);
        assert_eq!(
            definitions.unknown(),
            [
                "grpcroutes.gateway.networking.k8s.io (no gateway.networking.k8s.io/bundle-version)",
                "httproutes.gateway.networking.k8s.io (v2.0.0)"
            ]
        );
        assert_eq!(definitions.minor(), Minor::V1_7);
        assert_eq!(
            definitions.to_string(),
            "no version no channel (grpcroutes), v1.7.0 standard (gateways), v2.0.0 standard (httproutes)"
        );
    }

    // GC-11, CTB-03
    #[test]
    fn features_that_no_definition_has_a_place_for_are_left_out() {
        let all = |version: &'static str, channel: &'static str| {
            let kinds = Kind::ALL.iter().filter(|kind| kind.group() == GATEWAY_GROUP);
            let names = kinds.map(|kind| format!("{}.{GATEWAY_GROUP}", kind.plural()));
            names.map(move |name| (name, definition(version, channel))).collect::<Definitions>()
        };
        let without = |definitions: &Definitions| definitions.vocabulary().without;
        let (retry, mixed) = (Feature::HttpRouteRetryCodes, Feature::TlsRouteModeMixed);
        assert!(without(&all("v1.7.0", "experimental")).is_empty());
        assert!(without(&all("v1.6.1", "experimental")).is_empty());
        let lacking = Definitions { lacks_bundles: true, ..all("v1.7.0", "experimental") };
        assert_eq!(without(&lacking), [Feature::ClusterTrustBundle].into(), "it is of Kubernetes");
        assert!(without(&all("v1.7.0", "")).is_empty(), "what says no channel is taken for whole");
        let experimental = Feature::ALL.iter().copied().filter(|feature| feature.is_experimental());
        let experimental: BTreeSet<_> = experimental.collect();
        assert_eq!(without(&all("v1.7.0", "standard")), experimental);
        let former = without(&all("v1.6.1", "standard"));
        assert!(former.contains(&retry) && former.is_superset(&experimental));
        assert!(!former.contains(&mixed), "it has no field that v1.6 lacks, and is served");

        // The definition of its own kind decides, and there has to be one.
        let mut definitions = all("v1.7.0", "standard");
        let name = |kind: Kind| format!("{}.{GATEWAY_GROUP}", kind.plural());
        definitions.by_name.insert(name(Kind::HttpRoute), definition("v1.6.1", "standard"));
        definitions.by_name.remove(&name(Kind::ListenerSet));
        let without = without(&definitions);
        assert!(without.contains(&retry) && without.contains(&Feature::ListenerSet));
        assert!(definitions.are_mixed());
        assert_eq!(definitions.minor(), Minor::V1_6, "the oldest decides");
    }

    fn definition(version: &str, channel: &str) -> Definition {
        let said = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Definition { version: said(version), channel: said(channel) }
    }

    fn definitions(all: &[(&str, &str, &str)]) -> Definitions {
        all.iter()
            .map(|(name, version, channel)| ((*name).to_owned(), definition(version, channel)))
            .collect()
    }
}
