//! Which processor cores there are to measure on, and keeping a thread on some of them.

use anyhow::Context;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::sync::OnceLock;

/// The cores that this process may run on, ascending: those that it had at the first call.
///
/// # Errors
/// If the operating system does not tell.
pub fn available() -> anyhow::Result<&'static [usize]> {
    static AT_FIRST: OnceLock<Vec<usize>> = OnceLock::new();
    if let Some(cores) = AT_FIRST.get() {
        return Ok(cores);
    }
    let set = sched_getaffinity(None).context("ask for the cores of this process")?;
    Ok(AT_FIRST.get_or_init(|| (0..CpuSet::MAX_CPU).filter(|&core| set.is_set(core)).collect()))
}

/// Keeps the calling thread on one core, and with it the threads and processes that it starts from now on.
///
/// # Errors
/// If the operating system refuses.
pub fn pin(core: usize) -> anyhow::Result<()> {
    pin_to(&[core])
}

/// Does something on the first core, such as starting a process that is to stay there. Afterwards the calling thread has
/// all the others, if there are any, so that what measures never runs beside what is measured.
///
/// # Errors
/// If the operating system refuses, or `work` fails.
pub fn on_first<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let all = available()?;
    pin_to(&all[..1])?;
    let done = work();
    pin_to(if all.len() > 1 { &all[1..] } else { all })?;
    done
}

fn pin_to(cores: &[usize]) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    cores.iter().for_each(|&core| set.set(core));
    sched_setaffinity(None, &set).with_context(|| format!("keep a thread on the cores {cores:?}"))
}
