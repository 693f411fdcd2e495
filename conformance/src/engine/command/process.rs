//! A program that runs.

use std::collections::VecDeque;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{fmt, io};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

/// How many of the last lines are kept.
const LAST_LINES: usize = 20;

/// How long a line may be that is kept.
const LONGEST_LINE: usize = 1000;

/// How long the last lines of a program that has ended are waited for. Someone that it started may hold on to them.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A program that runs; killed when dropped.
pub(super) struct Process {
    program: String,
    child: Child,
    lines: Arc<Mutex<VecDeque<String>>>,
    reader: JoinHandle<()>,
    ended: Option<String>,
    /// Whether it is killed with all that it has started.
    #[cfg_attr(not(unix), allow(dead_code, reason = "only Unix has groups of processes"))]
    has_group: bool,
}

// === impl Process ===

impl Process {
    /// Starts a program: its name, then its arguments. With a group of its own, all that it starts is killed with it.
    pub(super) fn start(words: &[String], has_group: bool) -> Result<Self, String> {
        let (program, arguments) = words.split_first().ok_or("there is no command")?;
        let mut command = Command::new(program);
        command.args(arguments).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        if has_group {
            command.process_group(0);
        }
        let mut child = command.spawn().map_err(|error| format!("{program} cannot be started: {error}"))?;
        let lines = Arc::default();
        let stdout = collect(child.stdout.take().expect("it is piped"), Arc::clone(&lines));
        let stderr = collect(child.stderr.take().expect("it is piped"), Arc::clone(&lines));
        let reader = tokio::spawn(async { _ = tokio::join!(stdout, stderr) });
        Ok(Self { program: program.clone(), child, lines, reader, ended: None, has_group })
    }

    /// How the program ended, with its last words; nothing while it runs.
    pub(super) async fn ended(&mut self) -> Option<String> {
        if self.ended.is_none() {
            let how = match self.child.try_wait() {
                Ok(None) => return None,
                Ok(Some(status)) => describe(status),
                Err(error) => format!("is in an unknown state: {error}"),
            };
            let _ = tokio::time::timeout(LAST_WORDS, &mut self.reader).await;
            self.ended = Some(format!("{} {how}; {}", self.program, self.last_words()));
        }
        self.ended.clone()
    }

    /// The last lines that the program wrote, as the end of a message.
    pub(super) fn last_words(&self) -> String {
        self.last_lines(LAST_LINES).unwrap_or_else(|| "it wrote nothing".to_owned())
    }

    /// That many of the last lines that the program wrote, be it to its output or to its standard error, if it wrote any.
    pub(super) fn last_lines(&self, most: usize) -> Option<String> {
        // Each line is added as a whole, so a thread that panicked with the lock left whole lines.
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = lines.range(lines.len().saturating_sub(most)..);
        let shown: Vec<_> = shown.map(|line| format!("  {line}")).collect();
        (!shown.is_empty()).then(|| format!("the last lines that it wrote:\n{}", shown.join("\n")))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.reader.abort();
        // Once it has ended and that is known, its number may be that of another one.
        #[cfg(unix)]
        if self.has_group
            && let Some(id) = self.child.id()
            && let Some(group) = rustix::process::Pid::from_raw(id.cast_signed())
        {
            // It may have ended by itself meanwhile.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("program", &self.program).finish_non_exhaustive()
    }
}

fn describe(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("ended with exit code {code}"),
        None => format!("ended: {status}"),
    }
}

async fn collect(stream: impl AsyncRead + Unpin, lines: Arc<Mutex<VecDeque<String>>>) {
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        match read_line(&mut stream, &mut line).await {
            Ok(true) => {}
            Ok(false) | Err(_) => return,
        }
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LAST_LINES {
            lines.pop_front();
        }
        lines.push_back(String::from_utf8_lossy(&line).trim_end().to_owned());
    }
}

/// Reads a line, and keeps the start of it. False at the end.
async fn read_line(stream: &mut (impl AsyncBufReadExt + Unpin), line: &mut Vec<u8>) -> io::Result<bool> {
    loop {
        let buffer = stream.fill_buf().await?;
        if buffer.is_empty() {
            return Ok(!line.is_empty());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(buffer.len(), |end| end + 1);
        let kept = length.min(LONGEST_LINE.saturating_sub(line.len()));
        line.extend_from_slice(&buffer[..kept]);
        stream.consume(length);
        if end.is_some() {
            return Ok(true);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Process {
        Process::start(&["sh", "-c", script].map(str::to_owned), true).unwrap()
    }

    async fn end(process: &mut Process) -> String {
        loop {
            if let Some(end) = process.ended().await {
                return end;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn the_last_words_of_a_program_are_told() {
        let mut process = shell("for i in $(seq 30); do echo line $i >&2; done; exit 3");
        let end = end(&mut process).await;
        assert!(end.starts_with("sh ended with exit code 3; the last lines"), "{end}");
        assert!(
            end.contains("line 11\n") && end.ends_with("  line 30") && !end.contains("line 10\n"),
            "{end}"
        );
    }

    #[tokio::test]
    async fn what_it_wrote_to_its_output_are_last_words_too() {
        let mut process = shell("echo line 1; echo line 2; exit 3");
        let said = end(&mut process).await;
        assert_eq!(said, "sh ended with exit code 3; the last lines that it wrote:\n  line 1\n  line 2");
        assert_eq!(process.last_lines(1).unwrap(), "the last lines that it wrote:\n  line 2");
        let end = end(&mut shell("exit 0")).await;
        assert_eq!(end, "sh ended with exit code 0; it wrote nothing");
    }

    #[tokio::test]
    async fn a_program_runs_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pulse");
        let mut process = shell(&format!("while true; do echo >> {}; sleep 0.01; done", file.display()));
        let length = || std::fs::metadata(&file).map_or(0, |file| file.len());
        while length() < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(process.ended().await, None);
        drop(process);
        tokio::time::sleep(Duration::from_millis(100)).await;
        let before = length();
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(length(), before);
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error_that_names_it() {
        let error = Process::start(&["no-such-gateway".to_owned()], false).unwrap_err();
        assert!(error.starts_with("no-such-gateway cannot be started"), "{error}");
    }

    #[tokio::test]
    async fn of_a_long_line_the_start_is_kept() {
        let mut process = shell("printf '%05000d\\nend\\n' 7 >&2");
        let end = end(&mut process).await;
        assert!(end.contains(&format!("  {}\n  end", "0".repeat(LONGEST_LINE))), "{end}");
    }
}
