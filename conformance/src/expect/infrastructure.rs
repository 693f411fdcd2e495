//! Infrastructure of a Gateway, compared with the expected one.

use crate::case::InfrastructureStep;
use crate::engine::Infrastructure;

use super::mismatch::Mismatch;

/// Everything that was made must carry the labels and annotations; something must have been made.
pub fn infrastructure(step: &InfrastructureStep, made: &[Infrastructure]) -> Vec<Mismatch> {
    if made.is_empty() {
        return vec![Mismatch::new(
            "infrastructure",
            format!("something that was made for Gateway {}", step.of),
            "nothing",
        )];
    }
    let mut mismatches = Vec::new();
    for it in made {
        for (which, expected, got) in
            [("label", &step.labels, &it.labels), ("annotation", &step.annotations, &it.annotations)]
        {
            for (key, value) in expected.iter().filter(|(key, value)| got.get(*key) != Some(*value)) {
                let got = got.get(key).map_or("none".to_owned(), |value| format!("{value:?}"));
                let what = format!("{which} {key} of {}", it.name);
                mismatches.push(Mismatch::new(what, format!("{value:?}"), got));
            }
        }
    }
    mismatches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_was_made_has_the_labels() {
        let step = serde_json::from_value(serde_json::json!({"of": "g", "labels": {"a": "b"}})).unwrap();
        let made = |labels: &[(&str, &str)]| Infrastructure {
            name: "Service g".to_owned(),
            labels: labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            ..Infrastructure::default()
        };
        assert_eq!(infrastructure(&step, &[made(&[("a", "b"), ("c", "d")])]), []);
        let mismatches = infrastructure(&step, &[made(&[("a", "b")]), made(&[("a", "c")])]);
        assert_eq!(mismatches[0].to_string(), "label a of Service g: expected \"b\", got \"c\"");
        assert_eq!(infrastructure(&step, &[]).len(), 1);
    }
}
