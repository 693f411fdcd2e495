//! The distribution of requests over backends, compared with the expected one.

use std::collections::BTreeMap;

use crate::case::{DistributionStep, MirrorShareStep};
use crate::exchange::Pod;

use super::mismatch::{Mismatch, pod};

/// Who answered how often, and with which statuses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    counts: BTreeMap<String, u32>,
    statuses: BTreeMap<String, u32>,
}

// === impl Spread ===

impl Spread {
    /// Counts an answer by its status; false if no share is asked for that status.
    pub fn count_status(&mut self, step: &DistributionStep, status: u16) -> bool {
        let status = status.to_string();
        let counts = step.statuses.contains_key(&status);
        if counts {
            *self.statuses.entry(status).or_default() += 1;
        }
        counts
    }

    /// Counts an answer; it is an error if it is not from one of the backends with a share.
    pub fn count(&mut self, step: &DistributionStep, got: &Pod) -> Result<(), Mismatch> {
        let deployment = got.deployment();
        let full = format!("{}/{deployment}", got.namespace);
        let known = |name: &&str| step.shares.get(*name).is_some_and(|share| *share > 0.0);
        match [full.as_str(), deployment].iter().find(|name| known(name)) {
            Some(name) => {
                *self.counts.entry((*name).to_owned()).or_default() += 1;
                Ok(())
            }
            None => {
                let names: Vec<&str> =
                    step.shares.keys().map(String::as_str).filter(|name| known(name)).collect();
                Err(Mismatch::new("backend", format!("one of {}", names.join(", ")), pod(got)))
            }
        }
    }
}

/// Compares the shares of a round: every backend and status that must have one was seen, and none is too far off.
pub fn spread(step: &DistributionStep, spread: &Spread) -> Vec<Mismatch> {
    let total: u32 = spread.counts.values().chain(spread.statuses.values()).sum();
    let backends = step.shares.iter().map(|(name, share)| (name.clone(), *share, spread.counts.get(name)));
    let statuses = step.statuses.iter();
    let statuses =
        statuses.map(|(status, share)| (format!("status {status}"), *share, spread.statuses.get(status)));
    let mut mismatches = Vec::new();
    for (name, share, count) in backends.chain(statuses).filter(|(_, share, _)| *share > 0.0) {
        let count = count.copied().unwrap_or_default();
        let got = f64::from(count) / f64::from(total.max(1));
        // Shares are written with few digits; what is at the edge is good.
        if count == 0 || (got - share).abs() > step.tolerance + 1e-9 {
            let expected = format!("{share:.3} ± {:.3}", step.tolerance);
            mismatches.push(Mismatch::new(
                format!("share of {name}"),
                expected,
                format!("{got:.3} ({count} of {total})"),
            ));
        }
    }
    mismatches
}

/// Compares how many requests of a round were copied: three standard deviations of the binomial distribution are good.
pub fn mirrored(step: &MirrorShareStep, copies: usize) -> Vec<Mismatch> {
    let samples = f64::from(step.samples);
    let mean = samples * step.share;
    let deviation = (samples * step.share * (1.0 - step.share)).sqrt();
    let (low, high) = ((mean - 3.0 * deviation).ceil(), (mean + 3.0 * deviation).floor());
    let got = u32::try_from(copies).map_or(f64::INFINITY, f64::from);
    if (low..=high).contains(&got) {
        return Vec::new();
    }
    let expected = format!("{low} to {high} of {}", step.samples);
    vec![Mismatch::new(format!("copies at {}", step.mirror), expected, copies)]
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn shares_may_be_a_little_off() {
        let step: DistributionStep =
            from_value(json!({"of": {}, "shares": {"a": 0.7, "b": 0.3, "c": 0.0}})).unwrap();
        let round = |a: u32, b: u32| {
            let mut round = Spread::default();
            for (name, count) in [("a", a), ("b", b)] {
                let pod = Pod { namespace: "n".to_owned(), name: format!("{name}-x-y") };
                (0..count).for_each(|_| round.count(&step, &pod).unwrap());
            }
            spread(&step, &round)
        };
        assert_eq!(round(75, 25), []);
        assert_eq!(
            round(76, 24).iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "share of a: expected 0.700 ± 0.050, got 0.760 (76 of 100)",
                "share of b: expected 0.300 ± 0.050, got 0.240 (24 of 100)"
            ]
        );
        assert_eq!(round(1, 0).len(), 2);
        let pod = Pod { namespace: "n".to_owned(), name: "c-x-y".to_owned() };
        assert_eq!(
            Spread::default().count(&step, &pod).unwrap_err().to_string(),
            "backend: expected one of a, b, got pod n/c-x-y"
        );
    }

    #[test]
    fn statuses_have_shares_beside_backends() {
        let step: DistributionStep =
            from_value(json!({"of": {}, "shares": {"a": 0.5}, "statuses": {"500": 0.5}})).unwrap();
        let round = |a: u32, failed: u32| {
            let mut round = Spread::default();
            let pod = Pod { namespace: "n".to_owned(), name: "a-x-y".to_owned() };
            (0..a).for_each(|_| round.count(&step, &pod).unwrap());
            assert!((0..failed).all(|_| round.count_status(&step, 500)));
            assert!(!round.count_status(&step, 200), "that is for the backends");
            spread(&step, &round).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert!(round(52, 48).is_empty());
        assert_eq!(round(60, 40)[1], "share of status 500: expected 0.500 ± 0.050, got 0.400 (40 of 100)");
    }

    #[test]
    fn copies_may_be_three_deviations_off() {
        let step: MirrorShareStep = from_value(
            json!({"to": {"gateway": "g"}, "request": {}, "mirror": "m", "share": 0.2, "samples": 100}),
        )
        .unwrap();
        assert!([8, 20, 32].into_iter().all(|copies| mirrored(&step, copies).is_empty()));
        assert_eq!(mirrored(&step, 7)[0].to_string(), "copies at m: expected 8 to 32 of 100, got 7");
        assert_eq!(mirrored(&step, 33).len(), 1);
    }
}
