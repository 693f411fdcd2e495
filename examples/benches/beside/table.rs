//! The table of what was measured.

use std::fmt;

use super::case::Case;
use super::proxy::Program;
use super::slice::Slice;

/// A row for each case, with a column for each program, the peer first if there is one.
pub(crate) struct Table {
    programs: Vec<&'static str>,
    rows: Vec<(Case, Vec<Median>)>,
}

/// The slices of one program in one case, each figure by itself in the middle of them.
#[derive(Clone, Copy)]
struct Median {
    cpu: f64,
    rate: f64,
}

// === impl Table ===

impl Table {
    pub(crate) fn new(programs: &[Program]) -> Self {
        Self { programs: programs.iter().map(Program::name).collect(), rows: Vec::new() }
    }

    /// Adds a case with the slices of each program, in their order; there is at least one slice of each.
    pub(crate) fn add(&mut self, case: Case, slices: &[Vec<Slice>]) {
        let medians = slices.iter().map(|slices| Median {
            cpu: median(slices.iter().map(|slice| slice.cpu)),
            rate: median(slices.iter().map(|slice| slice.rate)),
        });
        self.rows.push((case, medians.collect()));
    }
}

/// The one in the middle, or what is between the two there.
fn median(of: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<_> = of.collect();
    all.sort_by(f64::total_cmp);
    (all[(all.len() - 1) / 2] + all[all.len() / 2]) / 2.0
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let compared = self.programs.len() > 1;
        write!(f, "{:<15}", "case")?;
        for name in &self.programs {
            write!(f, " {:>14}", format!("{name} µs"))?;
        }
        if compared {
            write!(f, " {:>7}", "ratio")?;
        }
        for name in &self.programs {
            write!(f, " {:>14}", format!("{name} req/s"))?;
        }
        writeln!(f)?;
        for (case, medians) in &self.rows {
            write!(f, "{:<15}", case.name())?;
            for median in medians {
                write!(f, " {:>14.1}", median.cpu)?;
            }
            if let [peer, ours] = medians[..] {
                write!(f, " {:>7.2}", ours.cpu / peer.cpu)?;
            }
            for median in medians {
                write!(f, " {:>14.0}", median.rate)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
