//! Manifests, and what they amount to.

use std::sync::Arc;

use super::applied::Applied;
use super::change::changes;
use crate::api::Resources;
use crate::manifest::{self, Collection, ManifestProblem, Severity};
use crate::options::Options;
use crate::report::{LeftOut, Places, Report};
use crate::table::Unbound;
use crate::translate::{Translation, Translator};

/// Makes tables of manifests, and keeps the last good version of each object.
#[derive(Debug)]
pub struct Applier {
    translator: Translator,
    /// The objects in use: those of the manifests, where they are good, and else their last good versions.
    used: Arc<Resources>,
}

// === impl Applier ===

impl Applier {
    /// Nothing has been applied yet. The first table has the number behind that of the options.
    pub fn new(options: Options) -> Self {
        let options = Options { generation: options.generation + 1, ..options };
        Self { translator: Translator::new(options), used: Arc::default() }
    }

    /// Applies manifests: what is not in them any more is deleted.
    ///
    /// `locate` moves problems from the places of their objects to those of their fields, as
    /// [`manifest::locate`](crate::manifest::locate) does in a text; where there is none, `|_| ()` leaves them where they are.
    pub fn apply(&mut self, mut written: Collection, locate: impl FnOnce(&mut [ManifestProblem])) -> Applied {
        let mut problems = std::mem::take(&mut written.problems);
        let mut resources = std::mem::take(&mut written.resources);
        let mut of_fields = Vec::new();
        let mut left_out = LeftOut::new(&problems);
        let places = Places::Files(&written);
        self.keep_last_good(&mut resources, places, &mut of_fields, &mut left_out);
        let changes = changes(&self.used, &resources);

        // Everything is read, so the caller need not know what was looked for.
        let Translation { table, statuses, diagnostics, lookups: _, infrastructure: _ } =
            self.translator.translate().clone();
        let mut report = Report::new(places, &resources).left_out(left_out);
        report.add_outcome(&diagnostics, &statuses, self.translator.options());
        of_fields.extend(report.into_problems());
        locate(&mut of_fields);
        problems.extend(of_fields);
        problems.sort_by(|a, b| a.location.cmp(&b.location));
        self.used = Arc::new(resources);
        Applied { changes, problems, resources: self.used.clone(), table, statuses }
    }

    /// Takes note of what could not be bound of the last table, and says whether that is other than before: then the manifests are to
    /// be applied again, for what statuses and problems say. The table stays as it is.
    pub fn set_unbound(&mut self, unbound: Vec<Unbound>) -> bool {
        let is_news = self.translator.options().addresses.unbound != unbound;
        self.translator.set_unbound(unbound);
        is_news
    }

    /// Puts the last good version in the place of every object that an API server would have refused.
    fn keep_last_good(
        &mut self,
        resources: &mut Resources,
        places: Places<'_>,
        problems: &mut Vec<ManifestProblem>,
        left_out: &mut LeftOut,
    ) {
        self.translator.update(resources);
        for rejected in self.translator.rejected().to_vec() {
            let (kind, key) = (rejected.kind, &rejected.key);
            let good = self.used.get(kind, key);
            let consequence =
                if good.is_some() { "the last good version stays in use" } else { "the object is left out" };
            problems.extend(rejected.problems.iter().map(|problem| ManifestProblem {
                severity: Severity::Error,
                location: places.location(kind, key),
                object: Some(format!("{kind} {key}")),
                field: Some(problem.field.to_string()).filter(|field| !field.is_empty()),
                message: format!("{} ({}); {consequence}", problem.message, problem.rule),
            }));
            match good {
                Some(good) => {
                    self.translator.insert(good.clone());
                    resources.insert(good);
                }
                None => {
                    left_out.insert(kind, key, places.location(kind, key));
                    self.translator.remove(kind, key);
                    resources.remove(kind, key);
                }
            }
        }
    }
}

// === impl Applied ===

impl Applied {
    /// What comes of one manifest. `source` is its name, for messages.
    pub fn from_text(text: &str, source: &str, options: Options) -> Self {
        let written: Collection =
            [manifest::read_with(text, source, options.own_kinds.types())].into_iter().collect();
        Applier::new(options).apply(written, |problems| manifest::locate(text, problems))
    }
}
