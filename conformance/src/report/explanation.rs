//! A failure, explained to a person.

use crate::outcome::Finding;

/// What was not as it must be: a line for each thing that is known, the names of these things in one column.
///
/// ```text
/// at           steps[3].http.requests[1], httproute-matching.yaml:16
/// sent         GET /example to same-namespace:80
/// expected     backend infra-backend-v1
/// got          404 from the gateway
/// explanation  no rule matches the path
/// ```
pub fn explanation(finding: &Finding) -> String {
    let Finding { at, sent, expected, got, explanation, tried } = finding;
    let explanation = explanation.as_deref().unwrap_or_default();
    let parts = [
        ("at", at.as_str()),
        ("sent", sent),
        ("expected", expected),
        ("got", got),
        ("tried", tried),
        ("explanation", explanation),
    ];
    let mut text = String::new();
    for (name, value) in parts {
        // What is not known is not written.
        for (index, line) in value.trim_end().lines().enumerate() {
            let name = if index == 0 { name } else { "" };
            text.push_str(format!("{name:<13}{line}").trim_end());
            text.push('\n');
        }
    }
    text
}

/// Text with each line moved to the right.
pub(super) fn indented(text: &str, by: &str) -> String {
    text.lines().map(|line| format!("{by}{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_below_each_other_and_unknown_things_are_left_out() {
        let finding = Finding {
            at: "steps[0]".to_owned(),
            got: "404".to_owned(),
            explanation: Some("rule 0: no\nrule 1: no\n".to_owned()),
            ..Finding::default()
        };
        let expected = "at           steps[0]\n\
                        got          404\n\
                        explanation  rule 0: no\n             rule 1: no\n";
        assert_eq!(explanation(&finding), expected);
    }
}
