//! The two cores that nothing is measured without: one for the proxy, one for everything else.

use std::io;

use super::error::Error;

/// The CPUs of the two, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cores {
    pub(crate) proxy: usize,
    pub(crate) load: usize,
}

// === impl Cores ===

impl Cores {
    /// Two of those that this process may run on.
    pub(crate) fn find() -> Result<Self, Error> {
        let allowed = allowed()?;
        let core = |cpu: usize| {
            std::fs::read_to_string(format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"))
                .ok()
        };
        Self::among(&allowed, core).ok_or(Error::TooFewCores(allowed.len()))
    }

    /// The first, and the first of those that are on another core, if there are such: two threads of one core slow each other down.
    pub(crate) fn among<C: PartialEq>(allowed: &[usize], core: impl Fn(usize) -> C) -> Option<Self> {
        let (&proxy, others) = allowed.split_first()?;
        let elsewhere = others.iter().find(|other| core(**other) != core(proxy));
        let &load = elsewhere.or(others.first())?;
        Some(Self { proxy, load })
    }
}

/// The CPUs that this process may run on.
#[cfg(target_os = "linux")]
fn allowed() -> Result<Vec<usize>, Error> {
    let set = rustix::thread::sched_getaffinity(None).map_err(io::Error::from)?;
    Ok((0..rustix::thread::CpuSet::MAX_CPU).filter(|cpu| set.is_set(*cpu)).collect())
}

#[cfg(not(target_os = "linux"))]
fn allowed() -> Result<Vec<usize>, Error> {
    Err(Error::NotLinux)
}

/// Keeps the calling thread on a CPU, with all threads and processes that it starts from now on.
#[cfg(target_os = "linux")]
pub(crate) fn stay_on(cpu: usize) -> io::Result<()> {
    let mut set = rustix::thread::CpuSet::new();
    set.set(cpu);
    Ok(rustix::thread::sched_setaffinity(None, &set)?)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn stay_on(_cpu: usize) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
