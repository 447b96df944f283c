//! One measurement: opens the connections, waits for the window, and says what came of it.

use super::{
    address::Address,
    clocks::{self, Difference},
    reader::{self, Opened, Plan},
    report::Report,
    speech::{Speech, Terms},
    tally::{Tally, Window},
    topics::Topics,
};
use crate::{
    memory, processor,
    servers::{Part, Running},
};
use market::{Nanos, clock};
use std::{
    ops::Range,
    sync::mpsc::{self, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

/// For so long at most connections are opened, and so much longer for each.
const PATIENCE: Duration = Duration::from_secs(10);
const PATIENCE_EACH: Duration = Duration::from_millis(10);

/// A server is too busy to take connections.
#[derive(Debug, thiserror::Error)]
#[error(
    "the server is too slow to take all connections and subscriptions: after some time {opened} of {connections}"
)]
pub struct Overloaded {
    opened: usize,
    connections: usize,
}

fn patience(connections: usize) -> Duration {
    PATIENCE + PATIENCE_EACH * connections as u32
}

/// What the reading threads have to learn of the window before it begins.
const LEAD: Duration = Duration::from_millis(50);

/// What a server is loaded with.
#[derive(Debug, Clone)]
pub struct Load {
    /// Connections that read.
    pub connections: u32,
    /// Threads that read them.
    pub threads: u32,
    /// Further connections that subscribe and never read.
    pub stalled: u32,
    /// What each subscribes to.
    pub topics: Topics,
    /// How it wants them.
    pub terms: Terms,
    /// Seconds to let it run before the measured time.
    pub warmup: u64,
    /// Seconds to measure.
    pub seconds: u64,
}

/// A server as the load sees it.
#[derive(Debug, Clone)]
pub struct Target {
    /// Where it is.
    pub address: Address,
    /// How it speaks.
    pub speech: Speech,
    /// The processes whose processor time and memory are the server's.
    pub server: Vec<u32>,
    /// The processes that feed it from beside, if its feed is not inside.
    pub feed: Vec<u32>,
}

impl Target {
    /// One that was started for this.
    pub fn of(running: &Running) -> Target {
        Target {
            address: running.address.into(),
            speech: running.speech,
            server: running.ids(Part::Server),
            feed: running.ids(Part::Feed),
        }
    }

    /// How far its clock is ahead of ours, if it tells its time.
    fn clock(&self) -> anyhow::Result<Option<Difference>> {
        self.speech.clock().map(|speech| clocks::compare(&self.address, speech)).transpose()
    }

    fn private_bytes(&self) -> anyhow::Result<Option<u64>> {
        (!self.server.is_empty()).then(|| memory::private_bytes(&self.server)).transpose()
    }
}

/// How long the threads of these processes have run; `None` if there are no processes.
fn nanos(processes: &[u32]) -> anyhow::Result<Option<u64>> {
    let nanos: anyhow::Result<Vec<u64>> =
        processes.iter().map(|&process| processor::thread_nanos(process)).collect();
    nanos.map(|nanos| nanos.into_iter().reduce(|sum, nanos| sum + nanos))
}

/// What a measurement took from the machine.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Nanoseconds of the server, if its processes are known.
    pub server: Option<u64>,
    /// Nanoseconds of the processes that feed it from beside, if there are any.
    pub feed: Option<u64>,
    /// Cores that this program took: near the number of its threads, it is itself what limits.
    pub own: f64,
    /// Cores that others took.
    pub others: f64,
}

/// The server's private memory, if its processes are known.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Before the first connection.
    pub before: Option<u64>,
    /// When those that read were open.
    pub open: Option<u64>,
    /// At the end of the window.
    pub end: Option<u64>,
}

/// Measures once.
///
/// # Errors
/// If there is no server, or it refuses a connection or a subscription; [`Overloaded`] if it takes too long.
pub fn measure(load: &Load, target: &Target) -> anyhow::Result<Report> {
    let clock_before = target.clock()?;
    let before = target.private_bytes()?;
    let mut crew = Crew::default();
    let plan = |stalls| Plan {
        address: target.address.clone(),
        speech: target.speech,
        topics: load.topics.clone(),
        terms: load.terms.clone(),
        stalls,
    };
    crew.open(&plan(false), shares(load.connections, load.threads))?;
    let open = target.private_bytes()?;
    if load.stalled > 0 {
        let numbers = load.connections..load.connections + load.stalled;
        crew.open(&plan(true), std::iter::once(numbers))?;
    }

    let window = Window::new(clock::now() + LEAD + Duration::from_secs(load.warmup), load.seconds);
    crew.begin(window);
    let usage = observe(window, target)?;
    let end = target.private_bytes()?;
    let tally = crew.end()?;
    Ok(Report {
        connections: load.connections,
        topics_each: load.topics.each(),
        stalled: load.stalled,
        window,
        tally,
        usage,
        memory: Memory { before, open, end },
        clocks: clock_before.into_iter().chain(target.clock()?).collect(),
    })
}

/// The threads that read. Without a window they end by themselves when this is dropped.
#[derive(Default)]
pub struct Crew(Vec<(Sender<Window>, JoinHandle<anyhow::Result<Tally>>)>);

impl Crew {
    /// Opens the connections of each share in a thread of its own, and waits until all of them have their subscriptions.
    ///
    /// # Errors
    /// As [`measure`].
    pub fn open(&mut self, plan: &Plan, shares: impl Iterator<Item = Range<u32>>) -> anyhow::Result<()> {
        let (opened, opening) = mpsc::channel();
        let mut connections = 0;
        for share in shares {
            let (plan, opened) = (plan.clone(), opened.clone());
            let (begin, begun) = mpsc::channel();
            connections += share.len();
            self.0.push((begin, thread::spawn(move || reader::run(&plan, share, opened, &begun))));
        }
        drop(opened);
        let until = clock::now() + patience(connections);
        for opened in 0..connections {
            let left = until.since(clock::now());
            let next: Opened = opening.recv_timeout(left).map_err(|_| Overloaded { opened, connections })?;
            next?;
        }
        Ok(())
    }

    /// Says when it is to be counted.
    pub fn begin(&self, window: Window) {
        for (begin, _) in &self.0 {
            // A thread that has ended says why when it is joined.
            let _ = begin.send(window);
        }
    }

    /// Waits for the end of the window; returns what was counted in it.
    ///
    /// # Errors
    /// If a thread failed.
    pub fn end(self) -> anyhow::Result<Tally> {
        let mut all = Tally::default();
        for (_, thread) in self.0 {
            all.add(&thread.join().expect("a reading thread does not panic")?);
        }
        Ok(all)
    }
}

/// Which connections each thread takes.
fn shares(connections: u32, threads: u32) -> impl Iterator<Item = Range<u32>> {
    let begin = move |thread| u64::from(thread) * u64::from(connections) / u64::from(threads);
    (0..threads).map(move |thread| begin(thread) as u32..begin(thread + 1) as u32)
}

/// Sleeps through the window and says what ran in it.
fn observe(window: Window, target: &Target) -> anyhow::Result<Usage> {
    let own = std::process::id();
    let processes: Vec<u32> = [&[own], &target.server[..], &target.feed[..]].concat();
    sleep_until(window.start());
    let (alone, all) = (processor::Sample::now(&[own])?, processor::Sample::now(&processes)?);
    let before = [nanos(&target.server)?, nanos(&target.feed)?];
    sleep_until(window.end());
    let since = |after: Option<u64>, before| Some(after?.saturating_sub(before?));
    let server = since(nanos(&target.server)?, before[0]);
    let feed = since(nanos(&target.feed)?, before[1]);
    Ok(Usage { server, feed, own: alone.ours_since()?, others: all.others_since()? })
}

fn sleep_until(moment: Nanos) {
    thread::sleep(moment.since(clock::now()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_shared_out_to_the_last_one() {
        assert_eq!(shares(7, 3).collect::<Vec<_>>(), [0..2, 2..4, 4..7]);
        assert_eq!(shares(1, 2).collect::<Vec<_>>(), [0..0, 0..1]);
    }
}
