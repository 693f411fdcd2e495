//! From the bytes of a backend to what clients get.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::gateway::{self, Spoken};
use super::strict::{self, Message};
use crate::generate::{Source, messages};

/// What came of the bytes of a backend.
#[derive(Debug)]
pub struct Answered {
    /// What the client got for its two requests.
    pub answers: Vec<Message>,
}

/// What a client must not be told of the connection to a backend, whether the backend says so or not.
const NOT_FORWARDED: [&str; 3] = ["keep-alive", "proxy-connection", "upgrade"];

/// What the backend answers to every request but the first.
const SECOND: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\nx-of: second\r\n\r\ngood";

/// Bytes with which a backend answers the first of two requests: the client gets at most one answer to each, framed validly; what
/// makes sense comes out as it is, and nothing of it answers the second request.
///
/// # Panics
/// When that does not hold.
pub fn answers(bytes: &[u8]) {
    carry_answer(bytes);
}

/// The same, with what came of it.
///
/// # Panics
/// When something does not hold.
pub fn carry_answer(bytes: &[u8]) -> Answered {
    let Some((how, rest)) = bytes.split_first() else { return Answered { answers: Vec::new() } };
    let method = if how & 1 == 0 { "GET" } else { "HEAD" };
    let closes = how & 8 == 0;
    let sent: Arc<[u8]> = match how {
        ..128 => rest.into(),
        128.. => messages::answer(&mut Source::new(rest)).into(),
    };
    let piece = gateway::piece(*how, &sent);
    let requests = [0, 1].map(|number| format!("{method} /{number} HTTP/1.1\r\nhost: a\r\n\r\n")).concat();
    let answer = gateway::run(async {
        let first = Arc::new(AtomicBool::new(true));
        let rude = Arc::clone(&sent);
        let (client, serving) = gateway::gateway(gateway::table(Spoken::Http1).clone(), move |_, stream| {
            answer(stream, Arc::clone(&first), Arc::clone(&rude), (piece, closes))
        });
        let answer = gateway::sent(client, requests.as_bytes(), usize::MAX).await;
        gateway::ended(serving).await;
        answer
    });
    match judge(method == "HEAD", closes, &sent, piece, &answer) {
        Ok(answers) => Answered { answers },
        Err(wrong) => panic!(
            "{wrong}: {method} was answered in pieces of {piece} with\n{}\nand the client got\n{}",
            sent.escape_ascii(),
            answer.escape_ascii()
        ),
    }
}

/// The answers, or what is wrong.
fn judge(
    to_head: bool,
    closes: bool,
    sent: &[u8],
    piece: usize,
    answer: &[u8],
) -> Result<Vec<Message>, String> {
    let answers = strict::answers(answer, |_| Some(to_head))?.expect("the method is known");
    if answers.len() > 2 {
        return Err(format!("{} answers to two requests", answers.len()));
    }
    for answer in &answers {
        if let Some(hop) = NOT_FORWARDED.into_iter().find(|name| answer.header(name).is_some()) {
            return Err(format!("{hop} was forwarded"));
        }
        if let Some((name, _)) = answer.trailers.iter().find(|(name, _)| name == "content-length") {
            return Err(format!("{name} is a trailer"));
        }
    }
    let meant = strict::first_answer(sent, to_head);
    let first = answers.first().zip(meant.as_ref().map(|(meant, _)| meant));
    if first.is_some_and(|(first, meant)| meant.names_for_one_hop("x-hop") && first.header("x-hop").is_some())
    {
        return Err("x-hop was forwarded, which the backend names for one hop".to_owned());
    }
    // What comes after the second request was sent is its answer, whatever the backend means by it.
    let end = meant.and_then(|(_, end)| end);
    let is_apart = piece < sent.len() && end.is_none_or(|end| end % piece == 0);
    if let Some(second) = answers.get(1).filter(|_| !is_apart) {
        let is_own = matches!(&*second.target, "502" | "503" | "504") && second.header("x-of").is_none();
        let is_good = second.header("x-of") == Some("second") && (to_head || second.body == b"good");
        if !is_own && !is_good {
            return Err(format!("the second request was answered with {second:?}"));
        }
    }
    let Some(understood) = strict::whole_answer(sent, to_head, closes) else { return Ok(answers) };
    let Some(first) = answers.first() else { return Err("nothing came of a good answer".to_owned()) };
    if (&first.target, &first.body) != (&understood.target, &understood.body) {
        return Err(format!("{understood:?} came out as {first:?}"));
    }
    Ok(answers)
}

/// A backend that answers the first of all requests with these bytes, in pieces, and may close then.
async fn answer(
    mut stream: TcpStream,
    first: Arc<AtomicBool>,
    rude: Arc<[u8]>,
    (piece, closes): (usize, bool),
) {
    let mut bytes = Vec::new();
    loop {
        match strict::next_request(&bytes) {
            Ok(Some((_, length))) => {
                bytes.drain(..length);
                if !first.swap(false, Ordering::Relaxed) {
                    if stream.write_all(SECOND.as_bytes()).await.is_err() {
                        return;
                    }
                    continue;
                }
                for piece in rude.chunks(piece) {
                    if stream.write_all(piece).await.is_err() {
                        return;
                    }
                    tokio::time::sleep(gateway::STEP).await;
                }
                if closes {
                    return;
                }
            }
            Ok(None) => match stream.read_buf(&mut bytes).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            },
            Err(wrong) => panic!("{wrong}"),
        }
    }
}
