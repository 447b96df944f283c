//! Which processor cores there are to measure on, and keeping a thread on one of them.

use anyhow::Context;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The cores that the calling thread may run on, ascending.
///
/// # Errors
/// If the operating system does not tell.
pub fn available() -> anyhow::Result<Vec<usize>> {
    let set = sched_getaffinity(None).context("ask for the cores of this process")?;
    Ok((0..CpuSet::MAX_CPU).filter(|&core| set.is_set(core)).collect())
}

/// Keeps the calling thread on one core, and with it the threads and processes that it starts from now on.
///
/// # Errors
/// If the operating system refuses.
pub fn pin(core: usize) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).with_context(|| format!("pin a thread to core {core}"))
}
