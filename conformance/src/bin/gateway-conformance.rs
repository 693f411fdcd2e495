//! Replays conformance cases.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut wrong = 0;
    for file in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        for problem in conformance::case::read(&text, &file).err().unwrap_or_default() {
            eprintln!("{problem}");
            wrong += 1;
        }
    }
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
