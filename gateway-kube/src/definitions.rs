//! The installed definitions of Gateway API, and the version that they say they are of.
//!
//! Only their metadata is read. Without the right to do so, everything else goes on: the definitions are then taken for those
//! of v1.7.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use gateway_core::api::{EXPERIMENTAL_GROUP, GATEWAY_GROUP};
use gateway_core::options::is_known_bundle_version;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::PartialObjectMeta;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::status::Minor;

const VERSION: &str = "gateway.networking.k8s.io/bundle-version";

/// The definitions of Gateway API that are installed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definitions {
    /// The version that each says it is of, by name.
    versions: BTreeMap<String, Option<String>>,
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
    /// GC-08
    pub fn unknown(&self) -> Vec<String> {
        let unknown =
            self.versions.iter().filter(|(_, version)| !is_known_bundle_version(version.as_deref()));
        let named = |(name, version): (&String, &Option<String>)| match version {
            Some(version) => format!("{name} ({version})"),
            None => format!("{name} (no {VERSION})"),
        };
        unknown.map(named).collect()
    }

    /// The version whose names and fields are understood: that of the oldest definition of the standard group.
    pub fn minor(&self) -> Minor {
        let standard = self.versions.iter().filter(|(name, _)| name.ends_with(&format!(".{GATEWAY_GROUP}")));
        let minors = standard.filter_map(|(_, version)| {
            version.as_deref()?.strip_prefix("v1.")?.split('.').next()?.parse::<u32>().ok()
        });
        match minors.min() {
            Some(0..=6) => Minor::V1_6,
            Some(7..) | None => Minor::V1_7,
        }
    }

    fn insert(&mut self, definition: &PartialObjectMeta<CustomResourceDefinition>) {
        let Some(name) = definition.metadata.name.as_deref() else { return };
        if is_ours(name) {
            let annotations = definition.metadata.annotations.as_ref();
            let version = annotations.and_then(|annotations| annotations.get(VERSION)).cloned();
            self.versions.insert(name.to_owned(), version);
        }
    }
}

/// Every definition by its name and the version that it says it is of.
impl FromIterator<(String, Option<String>)> for Definitions {
    fn from_iter<I: IntoIterator<Item = (String, Option<String>)>>(versions: I) -> Self {
        Self { versions: versions.into_iter().filter(|(name, _)| is_ours(name)).collect() }
    }
}

/// Whether a definition is one of Gateway API; its name ends with the group.
fn is_ours(name: &str) -> bool {
    let group = name.split_once('.').map(|(_, group)| group);
    matches!(group, Some(GATEWAY_GROUP | EXPERIMENTAL_GROUP))
}

// === impl Known ===

impl Known {
    /// The version whose names and fields are understood.
    pub fn minor(&self) -> Minor {
        match self {
            Self::Read(definitions) => definitions.minor(),
            Self::NotYet | Self::Hidden(_) => Minor::default(),
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
    /// Begins to follow. What cannot be read is asked for again after `retry`. To be called within a tokio runtime.
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
    let api: Api<PartialObjectMeta<CustomResourceDefinition>> = Api::all(client);
    let mut events = pin!(watcher::watcher(api, watcher::Config::default()));
    let mut definitions = Definitions::default();
    let mut is_listed = false;
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => (definitions, is_listed) = (Definitions::default(), false),
            Ok(Event::InitApply(definition) | Event::Apply(definition)) => definitions.insert(&definition),
            Ok(Event::InitDone) => is_listed = true,
            Ok(Event::Delete(definition)) => {
                definition.metadata.name.iter().for_each(|name| _ = definitions.versions.remove(name));
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
                sleep(retry.min(Duration::from_secs(1))).await;
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

#[cfg(test)]
mod tests {
    use super::*;

    // GC-08
    #[test]
    fn definitions_of_an_unknown_version_are_named() {
        let definition = |name: &str, version: Option<&str>| (name.to_owned(), version.map(str::to_owned));
        let definitions: Definitions = [
            definition("gateways.gateway.networking.k8s.io", Some("v1.7.0")),
            definition("httproutes.gateway.networking.k8s.io", Some("v2.0.0")),
            definition("grpcroutes.gateway.networking.k8s.io", None),
            definition("gateways.example.com", Some("v9")),
        ]
        .into_iter()
        .collect();
        assert_eq!(
            definitions.unknown(),
            [
                "grpcroutes.gateway.networking.k8s.io (no gateway.networking.k8s.io/bundle-version)",
                "httproutes.gateway.networking.k8s.io (v2.0.0)"
            ]
        );
        assert_eq!(definitions.minor(), Minor::V1_7);
        let mixed: Definitions = [
            definition("gateways.gateway.networking.k8s.io", Some("v1.7.0")),
            definition("httproutes.gateway.networking.k8s.io", Some("v1.6.1")),
        ]
        .into_iter()
        .collect();
        assert_eq!(mixed.minor(), Minor::V1_6, "the oldest decides");
    }
}
