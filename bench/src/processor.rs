//! Who used the processor, as the kernel counts it (proc(5)).

use anyhow::Context;
use market::{Nanos, clock};
use std::fs;

/// Beyond this many cores taken by others, figures should be measured again.
pub const TOLERABLE: f64 = 0.3;

/// The kernel counts in ticks of 10 ms (`USER_HZ`, the same on all architectures that this runs on).
const TICK_SECONDS: f64 = 0.01;

/// Processor time of the whole machine and of some processes up to a moment.
#[derive(Debug)]
pub struct Sample {
    at: Nanos,
    cores: usize,
    /// Ticks of all cores in which there was nothing to do.
    free: u64,
    /// Ticks that the processes took.
    ours: u64,
    processes: Vec<u32>,
}

impl Sample {
    /// Of now. `processes` are those that belong to the measurement.
    ///
    /// # Errors
    /// If the kernel does not tell, or one of the processes is gone.
    pub fn now(processes: &[u32]) -> anyhow::Result<Sample> {
        let text = fs::read_to_string("/proc/stat").context("read /proc/stat")?;
        let (cores, free) = free_ticks(&text).context("/proc/stat is not as proc(5) says")?;
        let mut ours = 0;
        for process in processes {
            let path = format!("/proc/{process}/stat");
            let text = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
            ours += process_ticks(&text).with_context(|| format!("{path} is not as proc(5) says"))?;
        }
        Ok(Sample { at: clock::now(), cores, free, ours, processes: processes.to_vec() })
    }

    /// How many cores its processes took on average since this sample.
    ///
    /// # Errors
    /// As [`Sample::now`].
    pub fn ours_since(&self) -> anyhow::Result<f64> {
        let now = Sample::now(&self.processes)?;
        Ok(self.average(&now, now.ours.saturating_sub(self.ours)))
    }

    /// How many cores all others took on average since this sample: all that was neither free nor ours. It holds other
    /// guests of the machine, where the hypervisor tells of them.
    ///
    /// # Errors
    /// As [`Sample::now`].
    pub fn others_since(&self) -> anyhow::Result<f64> {
        let now = Sample::now(&self.processes)?;
        let accounted = now.free.saturating_sub(self.free) + now.ours.saturating_sub(self.ours);
        Ok((self.cores as f64 - self.average(&now, accounted)).max(0.0))
    }

    fn average(&self, now: &Sample, ticks: u64) -> f64 {
        ticks as f64 * TICK_SECONDS / now.at.since(self.at).as_secs_f64()
    }
}

/// Says how many cores others took, and whether that spoils the figures.
pub fn describe_others(cores: f64) -> String {
    let verdict =
        if cores > TOLERABLE { "; that is too much to trust these figures: measure again" } else { "" };
    format!("other processes took {cores:.2} of a core on average{verdict}")
}

/// Nanoseconds that the threads of a process have run, those that have ended left out.
///
/// # Errors
/// If the process is gone, or the kernel does not count.
pub fn thread_nanos(process: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{process}/task");
    let mut total = 0;
    for task in fs::read_dir(&path).with_context(|| format!("read {path}; is the process gone?"))? {
        // A thread may end between the listing and the reading.
        let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
        let run = text.split_whitespace().next().and_then(|run| run.parse::<u64>().ok());
        total += run.context("schedstat is empty; the kernel was built without it")?;
    }
    Ok(total)
}

/// How many cores there are, and their time idle or waiting for a disk. Interrupts are not free: most of the time in them is
/// in a process's own time too, unless the kernel keeps them apart (`CONFIG_IRQ_TIME_ACCOUNTING`); there they count as
/// others', and the warning comes sooner than it must.
fn free_ticks(stat: &str) -> Option<(usize, u64)> {
    let cores = stat.lines().filter(|line| line.starts_with("cpu")).count().checked_sub(1)?;
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let columns: Vec<u64> = line.split_whitespace().map_while(|column| column.parse().ok()).collect();
    Some((cores, columns.get(3..5)?.iter().sum()))
}

/// User and system time of a process with all its threads.
fn process_ticks(stat: &str) -> Option<u64> {
    // The name, in brackets, may hold anything.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_is_free_while_idle_or_waiting() {
        let stat = "cpu  10 20 30 4000 500 60 7 80 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\ncpu1 1 1 1 1 1 1 1 1 0 0\nintr 5\n";
        assert_eq!(free_ticks(stat), Some((2, 4000 + 500)));
    }

    #[test]
    fn a_name_with_brackets_and_spaces_does_not_shift_the_fields() {
        let stat = "42 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 700 30 0 0 20 0 1 0";
        assert_eq!(process_ticks(stat), Some(730));
    }

    #[test]
    fn this_process_is_not_among_the_others() {
        let own = std::process::id();
        let (sample, ran) = (Sample::now(&[own]).unwrap(), thread_nanos(own).unwrap());
        while thread_nanos(own).unwrap() < ran + 100_000_000 {}
        let ticks = Sample::now(&[own]).unwrap().ours - sample.ours;
        assert!(ticks >= 5, "100 ms of work are about 10 ticks, not {ticks}");
    }
}
