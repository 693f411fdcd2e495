//! The CPU time and the memory of a process, as Linux tells.

use std::fs;
use std::time::Duration;

/// What a process has taken so far, as Linux tells.
pub(crate) struct Process(String);

// === impl Process ===

impl Process {
    /// The one that asks.
    #[allow(dead_code, reason = "a benchmark of its own process needs it")]
    pub(crate) fn this() -> Self {
        Self("self".to_owned())
    }

    /// The one of this number.
    #[allow(dead_code, reason = "a benchmark of another process needs it")]
    pub(crate) fn new(number: u32) -> Self {
        Self(number.to_string())
    }

    /// Resident memory, in KiB.
    #[allow(dead_code, reason = "a benchmark of memory needs it")]
    pub(crate) fn resident(&self) -> u64 {
        let pages = fs::read_to_string(format!("/proc/{}/statm", self.0)).unwrap();
        pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4
    }

    /// CPU time, in hundredths of a second, with that of threads that have ended.
    pub(crate) fn cpu(&self) -> Duration {
        cpu(&fs::read_to_string(format!("/proc/{}/stat", self.0)).unwrap())
    }
}

/// User and system time, fields 14 and 15 of `/proc/PID/stat`, in ticks of a hundredth of a second.
pub(crate) fn cpu(stat: &str) -> Duration {
    // The name, in parentheses, may have spaces and parentheses in it.
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks = fields.split(' ').skip(11).take(2).map(|field| field.parse::<u64>().unwrap());
    Duration::from_millis(10 * ticks.sum::<u64>())
}
