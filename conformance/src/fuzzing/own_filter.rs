//! A filter of one's own, among generated filters, on generated requests.
//!
//! A property of a filter is said of two outcomes: that of a request with the filter in its way, and that of the same request
//! without it.
//!
//! ```
//! use std::sync::Arc;
//!
//! use conformance::decision::Effect;
//! use conformance::fuzzing::{Filtered, filter};
//! use gateway_core::filter::{Extension, Verdict};
//! use http::{HeaderValue, request};
//!
//! /// Tells the backend whose request it is.
//! #[derive(Debug)]
//! struct Tenant;
//!
//! impl Extension for Tenant {
//!     fn on_request(&self, parts: &mut request::Parts) -> Verdict {
//!         parts.headers.insert("x-tenant", HeaderValue::from_static("demo"));
//!         Verdict::Continue
//!     }
//! }
//!
//! // In a fuzz target: `fuzz_target!(|bytes: &[u8]| { tenant(bytes); })`.
//! fn tenant(bytes: &[u8]) -> usize {
//!     filter(bytes, Arc::new(Tenant), |Filtered { without, with, .. }| match (&without.effect, &with.effect) {
//!         (Effect::Forwarded(without), Effect::Forwarded(with)) => {
//!             assert_eq!(with.sent.headers["x-tenant"], ["demo"]);
//!             assert_eq!((&with.to, &with.sent.target), (&without.to, &without.sent.target));
//!         }
//!         // What is answered, or asked, is so with a tenant as well.
//!         (without, with) => assert_eq!(std::mem::discriminant(without), std::mem::discriminant(with)),
//!     })
//! }
//!
//! let mut random = 1_u32;
//! let bytes: Vec<u8> = std::iter::repeat_with(|| {
//!     random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
//!     (random >> 24) as u8
//! })
//! .take(4000)
//! .collect();
//! assert!(bytes.chunks(1000).map(tenant).sum::<usize>() > 0, "a request met the filter");
//! ```

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use gateway_core::api::{HttpRouteFilter, HttpRouteFilterType, LocalObjectReference};
use gateway_core::filter::{Extension, ExtensionError, Extensions};
use gateway_core::options::Options;

use super::agreement::{REQUESTS, Shown, core, options};
use crate::decision::{Arrival, Decision, Outcome, RequestEdits};
use crate::generate::{Source, World, arrival, world};

/// The group and the kind of the filter.
const OWN: (&str, &str) = ("fuzzing.gateway-api.rs", "Filter");

/// A request with a filter of one's own in its way, and without.
#[derive(Clone, Debug)]
pub struct Filtered {
    /// The request, and all that is random about it.
    pub arrival: Arrival,
    /// What becomes of it where no rule has the filter.
    pub without: Outcome,
    /// What becomes of it where the rule that serves it has the filter, somewhere among its own.
    pub with: Outcome,
}

/// Resources and requests made of the bytes, with `filter` in every rule of every HTTPRoute: `check` sees what becomes of each
/// request that such a rule serves. Gives how many there were.
///
/// The filter stands anywhere among those of its rule; behind a redirect nothing reaches it. It is one object for all rules.
///
/// # Panics
/// When `check` does, after printing the resources and the request; when the rule that serves a request depends on the filter; and
/// when anything else does.
pub fn filter(bytes: &[u8], filter: Arc<dyn Extension>, check: impl Fn(&Filtered)) -> usize {
    let mut source = Source::new(bytes);
    let without = world(&mut source);
    let with = with_filter(&without, &mut source);
    let of_own = Options { extensions: Some(Arc::new(Own(filter))), ..options(&with) };
    let cores = [core(&without, &options(&without)), core(&with, &of_own)];
    let (mut asked, mut filtered) = (0, 0);
    while asked < REQUESTS && (asked == 0 || !source.is_empty()) {
        asked += 1;
        let arrival = arrival(&mut source, &with);
        let [without, with_filter] = cores.each_ref().map(|core| core.answer(&arrival));
        let both = Filtered { arrival, without, with: with_filter };
        told(&with, &both, || {
            let (before, after) = (&both.without.decision, &both.with.decision);
            assert_eq!(before, after, "a filter runs when the rule is known");
            if matches!(after, Decision::Served { kind: "HTTPRoute", .. }) {
                check(&both);
                filtered += 1;
            }
        });
    }
    filtered
}

/// The same resources with the filter in every rule of HTTPRoutes.
fn with_filter(world: &World, source: &mut Source<'_>) -> World {
    let mut with = world.clone();
    let reference =
        LocalObjectReference { group: OWN.0.to_owned(), kind: OWN.1.to_owned(), name: "own".to_owned() };
    for route in with.resources.http_routes.values_mut() {
        for rule in &mut Arc::make_mut(route).spec.rules {
            let mut filter = HttpRouteFilter::new(HttpRouteFilterType::ExtensionRef);
            filter.extension_ref = Some(Box::new(reference.clone()));
            let position = source.below(rule.filters.len() + 1);
            rule.filters.insert(position, filter);
        }
    }
    with
}

/// Says where a panic comes from. A fuzzer that aborts at once keeps the input, and replayed in a test it tells.
fn told(world: &World, what: &impl std::fmt::Debug, check: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(check)) {
        let world: &dyn Display = &Shown(world);
        eprintln!("{world}{what:?}");
        resume_unwind(panic);
    }
}

/// Finds the filter, and those that are generated.
#[derive(Debug)]
struct Own(Arc<dyn Extension>);

// === impl Own ===

impl Extensions for Own {
    fn resolve(
        &self,
        namespace: &str,
        group: &str,
        kind: &str,
        name: &str,
    ) -> Result<Arc<dyn Extension>, ExtensionError> {
        match (group, kind) {
            OWN => Ok(self.0.clone()),
            _ => RequestEdits.resolve(namespace, group, kind, name),
        }
    }
}
