//! Messages made of odd pieces, in both directions, through the server and the client of gateway-tower.
//!
//! `GATEWAY_CASES` sets how many; what fails says the bytes that were sent.

use conformance::fuzzing::{self, Answered, Carried, Message};

/// Bytes from which messages are generated: with each way of sending them.
fn inputs() -> impl Iterator<Item = Vec<u8>> {
    let cases = std::env::var("GATEWAY_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(4_000);
    let mut random = fastrand::Rng::with_seed(8);
    (0..cases).map(move |_| {
        let mut bytes: Vec<u8> = (0..random.usize(8..200)).map(|_| random.u8(..)).collect();
        bytes[0] |= 128;
        bytes
    })
}

fn has(message: &Message, name: &str, value: &str) -> bool {
    message.header(name) == Some(value)
}

// MSG-01 to MSG-05, MSG-10
#[test]
fn whatever_a_client_sends_a_backend_gets_one_message_of_its_rule() {
    let (mut cases, mut forwarded, mut refused) = (0, 0, 0);
    for bytes in inputs() {
        let Carried { got, answers } = fuzzing::carry_requests(&bytes);
        assert!(!got.iter().any(|message| has(message, "x-id", "smuggled")), "{bytes:?}: {got:?}");
        cases += 1;
        forwarded += got.len();
        refused += answers.len() - got.len().min(answers.len());
    }
    eprintln!("{cases} connections, {forwarded} requests forwarded, {refused} refused");
    assert!(forwarded > cases / 4 && refused > cases / 4, "{forwarded} forwarded, {refused} refused");
}

// MSG-03, MSG-07, MSG-11
#[test]
fn whatever_a_backend_sends_a_client_gets_one_answer_to_its_request() {
    let (mut cases, mut passed, mut failed) = (0, 0, 0);
    for bytes in inputs() {
        let Answered { answers } = fuzzing::carry_answer(&bytes);
        cases += 1;
        match answers.first() {
            Some(first) if has(first, "x-of", "first") => passed += 1,
            Some(first) => {
                assert!(has_status(first, "502"), "{bytes:?}: {first:?}");
                failed += 1;
            }
            None => {}
        }
    }
    eprintln!("{cases} connections, {passed} answers passed on, {failed} refused");
    assert!(passed > cases / 4 && failed > cases / 4, "{passed} passed on, {failed} refused");
}

fn has_status(answer: &Message, status: &str) -> bool {
    answer.target == status
}
