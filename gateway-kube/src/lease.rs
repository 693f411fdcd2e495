//! One replica of many, by a Lease: the one that writes statuses.
//!
//! All replicas serve; they watch the same API server and compile the same table. Statuses are written by one, so that
//! they are written once. The holder renews its Lease, and stops writing when it could not for as long as the others wait;
//! another one takes it when it has seen no renewal for the Lease's duration, by its own clock: clocks need not agree.
//!
//! Two that believe to hold it for a moment do no harm: each write is made against the version that was read, and both
//! write the same.

use std::fmt;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::error::{Error, code};

/// The shortest time between two looks at a Lease: each is a request.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

/// The longest that a Lease lasts: as many seconds as there is room for in it.
const LONGEST: Duration = Duration::from_secs(i32::MAX as u64);

/// Which Lease, and how long it lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseOptions {
    /// The namespace of the Lease. The role in it has get, create and update of `leases` of `coordination.k8s.io`.
    pub namespace: String,
    /// The name of the Lease, the same for all replicas.
    pub name: String,
    /// The name of this replica, unlike that of any other: the name of its pod.
    pub identity: String,
    /// How long a holder that does not renew keeps it, whole seconds and at least one; 15 s is what Kubernetes' own controllers have.
    pub duration: Duration,
    /// How often the holder renews it, and the others look; a fifth of the duration or less, and 100 ms at
    /// least.
    pub interval: Duration,
}

/// A replica that takes part.
pub struct Candidate {
    client: Client,
    options: LeaseOptions,
    holds: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

/// The Lease as it was seen last, and since when by our own clock.
struct Seen {
    resource_version: Option<String>,
    since: Instant,
}

// === impl LeaseOptions ===

impl LeaseOptions {
    /// The Lease `name` in `namespace`, for the replica `identity`, with the usual times.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>, identity: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
            identity: identity.into(),
            duration: Duration::from_secs(15),
            interval: Duration::from_secs(2),
        }
    }

    /// How long a holder that does not renew keeps it, as the API server is told.
    fn lasts(&self) -> Duration {
        self.duration.clamp(Duration::from_secs(1), LONGEST)
    }
}

// === impl Candidate ===

impl Candidate {
    /// Takes part from now on. To be called within a tokio runtime.
    pub fn new(client: Client, options: LeaseOptions) -> Self {
        let (sender, holds) = watch::channel(false);
        let task = tokio::spawn(contend(client.clone(), options.clone(), sender));
        Self { client, options, holds, task }
    }

    /// Whether this replica holds the Lease, now and from now on.
    pub fn holds(&self) -> watch::Receiver<bool> {
        self.holds.clone()
    }

    /// Takes part no more, and lets the next one in at once.
    ///
    /// # Errors
    /// The Lease could not be given back; the next one waits until it runs out.
    pub async fn resign(self) -> Result<(), Error> {
        self.task.abort();
        let (api, name) = (leases(&self.client, &self.options), &self.options.name);
        let failed = |error| Error::request(format!("giving back Lease {name}"), error);
        let Some(mut lease) = api.get_opt(name).await.map_err(failed)? else { return Ok(()) };
        if holder(&lease) != self.options.identity {
            return Ok(());
        }
        let spec = lease.spec.get_or_insert_default();
        spec.holder_identity = None;
        spec.lease_duration_seconds = Some(1);
        api.replace(name, &PostParams::default(), &lease).await.map(drop).map_err(failed)
    }
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate")
            .field("options", &self.options)
            .field("holds", &self.holds)
            .finish_non_exhaustive()
    }
}

impl Drop for Candidate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn leases(client: &Client, options: &LeaseOptions) -> Api<Lease> {
    Api::namespaced(client.clone(), &options.namespace)
}

fn holder(lease: &Lease) -> &str {
    lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref()).unwrap_or_default()
}

async fn contend(client: Client, options: LeaseOptions, holds: watch::Sender<bool>) {
    let api = leases(&client, &options);
    let mut seen = Seen { resource_version: None, since: Instant::now() };
    let mut renewed = Instant::now();
    let mut told = None;
    loop {
        let begun = Instant::now();
        // A request that hangs must not let the Lease run out unnoticed.
        let round = timeout(options.lasts() / 3, attempt(&api, &options, &mut seen)).await;
        match round {
            Ok(Ok(held)) => {
                told = None;
                renewed = begun;
                holds.send_if_modified(|holds| std::mem::replace(holds, held) != held);
            }
            failed => {
                let why = match failed {
                    Ok(Err(error)) => crate::error::told(&error),
                    _ => "the API server does not answer".to_owned(),
                };
                if told.as_ref() != Some(&why) {
                    tracing::warn!(lease = options.name, "the Lease could not be asked for: {why}");
                    told = Some(why);
                }
                // The others begin to take it a duration after they saw the last renewal.
                if renewed.elapsed() > options.lasts() / 3 * 2 {
                    holds.send_if_modified(|holds| std::mem::replace(holds, false));
                }
            }
        }
        sleep(options.interval.max(SHORTEST_INTERVAL)).await;
    }
}

/// Takes or renews the Lease, if it is ours or free. Says whether it is ours.
async fn attempt(api: &Api<Lease>, options: &LeaseOptions, seen: &mut Seen) -> Result<bool, kube::Error> {
    let written = match api.get_opt(&options.name).await? {
        None => {
            let metadata = ObjectMeta { name: Some(options.name.clone()), ..ObjectMeta::default() };
            let lease = Lease { metadata, spec: Some(held(options, None)) };
            api.create(&PostParams::default(), &lease).await
        }
        Some(mut lease) => {
            if seen.resource_version != lease.metadata.resource_version {
                *seen =
                    Seen { resource_version: lease.metadata.resource_version.clone(), since: Instant::now() };
            }
            let duration = lease.spec.as_ref().and_then(|spec| spec.lease_duration_seconds);
            let duration =
                Duration::from_secs(duration.and_then(|seconds| seconds.try_into().ok()).unwrap_or(0));
            let is_free = holder(&lease).is_empty() || seen.since.elapsed() >= duration;
            if holder(&lease) != options.identity && !is_free {
                return Ok(false);
            }
            lease.spec = Some(held(options, lease.spec.take()));
            api.replace(&options.name, &PostParams::default(), &lease).await
        }
    };
    match written {
        Ok(_) => Ok(true),
        // Another one was faster.
        Err(error) if code(&error) == Some(409) => Ok(false),
        Err(error) => Err(error),
    }
}

fn held(options: &LeaseOptions, before: Option<LeaseSpec>) -> LeaseSpec {
    let now = MicroTime(Timestamp::now());
    let before = before.unwrap_or_default();
    let is_renewal = before.holder_identity.as_deref() == Some(&options.identity);
    let transitions = before.lease_transitions.unwrap_or(0);
    LeaseSpec {
        holder_identity: Some(options.identity.clone()),
        lease_duration_seconds: Some(options.lasts().as_secs().try_into().unwrap_or(i32::MAX)),
        renew_time: Some(now.clone()),
        acquire_time: if is_renewal { before.acquire_time } else { Some(now) },
        lease_transitions: Some(if is_renewal { transitions } else { transitions.saturating_add(1) }),
        ..LeaseSpec::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_lasts_as_long_as_can_be_said_in_it() {
        for (duration, seconds) in
            [(Duration::ZERO, 1), (Duration::from_secs(15), 15), (Duration::MAX, i32::MAX)]
        {
            let options = LeaseOptions { duration, ..LeaseOptions::new("default", "lease", "one") };
            assert_eq!(held(&options, None).lease_duration_seconds, Some(seconds));
            // As long as is waited for it.
            assert_eq!(options.lasts().as_secs(), seconds as u64);
        }
    }
}
