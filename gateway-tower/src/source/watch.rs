//! Hears of changes to files and folders, soon after they happened and not in the middle of them.
//!
//! The operating system tells of changes; besides, everything is due for a look every two seconds, for the file systems that tell
//! nothing and for folders that are replaced as a whole. Files that are renamed into place are noticed within milliseconds; of a
//! file that is written in place the end is waited for, up to a limit.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

/// How long there must be no further change.
const QUIET: Duration = Duration::from_millis(5);

/// The same while a file is open for writing.
pub const QUIET_WHILE_WRITING: Duration = Duration::from_millis(100);

/// How long changes may follow each other without a look.
const LONGEST_WAIT: Duration = Duration::from_millis(250);

/// How often everything is looked at without any sign of a change.
const POLL: Duration = Duration::from_secs(2);

/// A watch over files and folders.
pub struct Watch {
    roots: Vec<PathBuf>,
    /// None where the operating system does not tell of changes.
    watcher: Option<RecommendedWatcher>,
    sender: Sender<Signal>,
    signals: Receiver<Signal>,
    /// When what the last wait ended for was noticed.
    noticed: Instant,
}

/// Ends the [`wait`](Watch::wait) of a watch from another thread. Clones end the same one.
#[derive(Clone, Debug)]
pub struct Waker(Sender<Signal>);

/// Why to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wake {
    /// Something changed.
    Change,
    /// Nothing is known to have changed, but it is time.
    Poll,
    /// The program wants a look.
    Asked,
    /// The watch was stopped.
    Stop,
}

#[derive(Debug)]
enum Signal {
    /// A file is being written.
    Writing,
    /// Anything else changed.
    Changed,
    Asked,
    Stop,
}

// === impl Watch ===

impl Watch {
    /// Watches files and folders, and the folders within.
    pub fn new(roots: &[PathBuf]) -> Self {
        let (sender, signals) = channel();
        let mut watch =
            Self { roots: roots.to_vec(), watcher: None, sender, signals, noticed: Instant::now() };
        watch.renew();
        watch
    }

    /// Watches again from the start: after a folder was replaced, what was watched is the old one.
    pub fn renew(&mut self) {
        let sender = self.sender.clone();
        let on_event = move |event: notify::Result<Event>| {
            if let Some(signal) = event.map_or(Some(Signal::Changed), |event| signal_of(&event.kind)) {
                // The receiver is gone once the watch is dropped.
                let _ = sender.send(signal);
            }
        };
        self.watcher = notify::recommended_watcher(on_event).ok();
        let Some(watcher) = &mut self.watcher else { return };
        for root in &self.roots {
            // What cannot be watched is still looked at now and then.
            for (path, mode) in places(root) {
                let _ = watcher.watch(&path, mode);
            }
        }
    }

    /// Whether the operating system tells of changes, so that they are noticed at once.
    pub fn is_prompt(&self) -> bool {
        self.watcher.is_some()
    }

    /// Blocks until it is time for a look.
    pub fn wait(&mut self) -> Wake {
        let mut quiet = match self.signals.recv_timeout(POLL) {
            Ok(Signal::Writing) => QUIET_WHILE_WRITING,
            Ok(Signal::Changed) => QUIET,
            Ok(Signal::Asked) => return Wake::Asked,
            Ok(Signal::Stop) => return Wake::Stop,
            // The other end of the channel is in `self`, so it is never closed.
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                self.noticed = Instant::now();
                return Wake::Poll;
            }
        };
        let start = Instant::now();
        self.noticed = start;
        loop {
            let left = LONGEST_WAIT.saturating_sub(start.elapsed()).min(quiet);
            quiet = match self.signals.recv_timeout(left) {
                Ok(Signal::Writing) => QUIET_WHILE_WRITING,
                Ok(Signal::Changed | Signal::Asked) => QUIET,
                Ok(Signal::Stop) => return Wake::Stop,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Wake::Change,
            };
        }
    }

    /// When the first of the changes was noticed for which the last wait ended.
    pub fn noticed(&self) -> Instant {
        self.noticed
    }

    /// What ends the wait from another thread.
    pub fn waker(&self) -> Waker {
        Waker(self.sender.clone())
    }
}

/// What to watch for the sake of `root`. A file is watched by its folder, since a file that is renamed into its place is another
/// one; where it is a link, also by the folder of the file that is meant.
fn places(root: &Path) -> Vec<(PathBuf, RecursiveMode)> {
    if root.is_dir() {
        return vec![(root.to_owned(), RecursiveMode::Recursive)];
    }
    let folder_of = |path: &Path| match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        Some(_) | None => PathBuf::from("."),
    };
    let mut folders = vec![folder_of(root)];
    folders.extend(root.canonicalize().ok().as_deref().map(folder_of));
    folders.dedup();
    folders.into_iter().map(|folder| (folder, RecursiveMode::NonRecursive)).collect()
}

fn signal_of(kind: &EventKind) -> Option<Signal> {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Signal::Changed),
        // Reading changes nothing; our own looks are among these.
        EventKind::Access(_) => None,
        EventKind::Modify(ModifyKind::Data(_)) => Some(Signal::Writing),
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => Some(Signal::Changed),
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("roots", &self.roots).field("is_prompt", &self.is_prompt()).finish()
    }
}

// === impl Waker ===

impl Waker {
    /// Asks for a look.
    pub fn wake(&self) {
        // A watch that is gone waits for nothing.
        let _ = self.0.send(Signal::Asked);
    }

    /// Ends the wait.
    pub fn stop(&self) {
        // A watch that is gone waits for nothing.
        let _ = self.0.send(Signal::Stop);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs;

    use tempfile::tempdir;

    #[test]
    fn hears_of_files_that_are_made_renamed_and_removed_in_folders_within_folders() {
        let folder = tempdir().unwrap();
        let mut watch = Watch::new(&[folder.path().to_owned()]);
        assert!(watch.is_prompt());
        let path = |name: &str| folder.path().join(name);
        let steps: [(&str, &dyn Fn()); 4] = [
            ("made", &|| fs::create_dir(path("within")).unwrap()),
            ("written", &|| fs::write(path("within/a.yaml"), "a").unwrap()),
            ("renamed", &|| fs::rename(path("within/a.yaml"), path("b.yaml")).unwrap()),
            ("removed", &|| fs::remove_file(path("b.yaml")).unwrap()),
        ];
        for (name, step) in steps {
            step();
            assert_eq!(watch.wait(), Wake::Change, "{name}");
        }
    }

    #[test]
    fn a_look_at_the_files_is_no_change_and_a_stop_ends_the_wait() {
        let folder = tempdir().unwrap();
        fs::write(folder.path().join("a.yaml"), "a").unwrap();
        let mut watch = Watch::new(&[folder.path().join("a.yaml")]);
        fs::read(folder.path().join("a.yaml")).unwrap();
        watch.waker().stop();
        assert_eq!(watch.wait(), Wake::Stop);
    }
}
