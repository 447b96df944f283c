//! Open-loop load: many connections to a running gateway, and how late what they are sent arrives.
//!
//! The gateway's feed decides when something happens, and latency counts from the moment at which it was **meant** to
//! happen (the stamp `engine`) until it is read here. So a stall of the gateway counts for all that came to pass
//! meanwhile, and nothing waits for an answer before the next thing is sent (coordinated omission).

mod clocks;
mod connection;
mod message;
mod reader;
mod report;
mod speech;
mod tally;

pub use speech::Speech;

use crate::{
    processor,
    servers::{Depthcast, Running},
};
use anyhow::Context;
use clocks::Difference;
use connection::Address;
use market::{Nanos, clock};
use reader::{Opened, Plan};
use report::Report;
use speech::{Subscription, Terms};
use std::{path::PathBuf, sync::mpsc, thread, time::Duration};
use tally::{Tally, Window};
use tokio::sync::watch;
use url::Url;

/// Options of `bench load`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The gateway's WebSocket, such as ws://127.0.0.1:9000/feed
    #[arg(long, required_unless_present = "spawn", conflicts_with = "spawn")]
    url: Option<Url>,

    /// Start `depthcast` from beside this program on the first core, load it from the second, and end it afterwards
    #[arg(long)]
    spawn: bool,

    /// How the server speaks
    #[arg(long, value_enum, default_value = "native", conflicts_with = "spawn")]
    speech: Speech,

    /// Process id of a gateway on this machine that was started otherwise, to count its processor time
    #[arg(long, conflicts_with = "spawn")]
    pid: Option<u32>,

    /// Connections, each with all the subscriptions
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,

    /// Threads that read them
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    threads: u32,

    /// What to subscribe to
    #[arg(long, value_delimiter = ',', value_name = "SYMBOL", default_value = "BTC/USDT")]
    symbols: Vec<String>,

    /// book, bbo or trade
    #[arg(long, default_value = "book")]
    channel: String,

    /// Levels a side
    #[arg(long, value_name = "LEVELS", default_value_t = 10)]
    depth: u32,

    /// 0, 10, 100 or 1000
    #[arg(long, value_name = "MS", default_value_t = 0)]
    interval_ms: u32,

    /// conflate or lossless
    #[arg(long, default_value = "conflate")]
    policy: String,

    /// How long to measure
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,

    /// How long to let it run before that
    #[arg(long, value_name = "S", default_value_t = 2)]
    warmup: u64,

    /// Write the latencies of each second as an HdrHistogram interval log, in nanoseconds
    #[arg(long, value_name = "FILE")]
    hlog: Option<PathBuf>,

    /// Print one line of JSON
    #[arg(long)]
    json: bool,

    /// Options of the gateway that --spawn starts
    #[arg(
        last = true,
        value_name = "GATEWAY OPTIONS",
        allow_hyphen_values = true,
        default_values = ["--feed", "sim:even", "--rate", "1000", "--symbols", "1"]
    )]
    gateway: Vec<String>,
}

/// Measures and prints.
///
/// # Errors
/// If there is no gateway, or it refuses a connection or a subscription.
pub fn run(options: &Options) -> anyhow::Result<()> {
    // The first reading calibrates the clock, which is best done before there is much to do.
    clock::now();
    let server = options.spawn.then(|| Depthcast::with(&options.gateway)).transpose()?;
    let target = match (&server, &options.url) {
        (Some(server), _) => Target::of(server),
        (None, Some(url)) => {
            let server = Vec::from_iter(options.pid);
            Target { address: Address::new(url)?, speech: options.speech, ours: server.clone(), server }
        }
        (None, None) => unreachable!("clap wants one of them"),
    };
    let report = measure(options, &target)?;
    drop(server);
    if let Some(path) = &options.hlog {
        report.write_interval_log(path).with_context(|| format!("write {}", path.display()))?;
    }
    if options.json {
        println!("{}", serde_json::to_string(&report.run())?)
    } else {
        print!("{report}")
    }
    Ok(())
}

/// A server as the load sees it.
#[derive(Debug, Clone)]
struct Target {
    address: Address,
    speech: Speech,
    /// The processes whose processor time is the server's.
    server: Vec<u32>,
    /// All processes that do not disturb.
    ours: Vec<u32>,
}

impl Target {
    fn of(running: &Running) -> Target {
        Target {
            address: running.address.into(),
            speech: running.speech,
            server: running.server_ids(),
            ours: running.ids(),
        }
    }

    /// How far its clock is ahead of ours, if it tells its time.
    fn clock(&self) -> anyhow::Result<Option<Difference>> {
        match self.speech {
            Speech::Native => clocks::compare(&self.address).map(Some),
        }
    }
}

fn measure(options: &Options, target: &Target) -> anyhow::Result<Report> {
    let plan = plan(options, target);
    let clock_before = target.clock()?;
    let (start, begun) = watch::channel(None);
    let (opened, opening) = mpsc::channel();
    let threads: Vec<_> = shares(options.connections, options.threads)
        .map(|share| {
            let (plan, begun, opened) = (plan.clone(), begun.clone(), opened.clone());
            thread::spawn(move || reader::run(&plan, share, opened, begun))
        })
        .collect();
    drop(opened);
    wait_until_open(&opening, options.connections)?;

    let window = Window::new(clock::now() + Duration::from_secs(options.warmup), options.seconds);
    start.send_replace(Some(window));
    let usage = observe(window, target)?;
    let mut tally = Tally::default();
    for thread in threads {
        tally.add(&thread.join().expect("a reading thread does not panic")?);
    }
    Ok(Report {
        connections: options.connections,
        topics_each: options.symbols.len(),
        stalled: 0,
        window,
        tally,
        usage,
        clocks: clock_before.into_iter().chain(target.clock()?).collect(),
    })
}

fn plan(options: &Options, target: &Target) -> Plan {
    let Options { symbols, channel, depth, interval_ms, policy, .. } = options;
    let terms =
        Terms { channel: channel.clone(), depth: *depth, interval_ms: *interval_ms, policy: policy.clone() };
    Plan {
        address: target.address.clone(),
        speech: target.speech,
        subscription: Subscription { topics: symbols.clone(), terms },
    }
}

/// How many connections each thread takes.
fn shares(connections: u32, threads: u32) -> impl Iterator<Item = u32> {
    (0..threads).map(move |thread| connections / threads + u32::from(thread < connections % threads))
}

fn wait_until_open(opening: &mpsc::Receiver<Opened>, connections: u32) -> anyhow::Result<()> {
    for _ in 0..connections {
        opening.recv().context("the reading threads ended early")??;
    }
    Ok(())
}

/// What the measurement took from the processor.
#[derive(Debug, Clone, Copy)]
struct Usage {
    /// Nanoseconds of the server, if it was started here or named.
    server: Option<u64>,
    /// Cores that this program took: near the number of its threads, it is itself what limits.
    own: f64,
    /// Cores that others took.
    others: f64,
}

/// Sleeps through the window and says what ran in it.
fn observe(window: Window, target: &Target) -> anyhow::Result<Usage> {
    let own = std::process::id();
    let processes: Vec<u32> = [own].into_iter().chain(target.ours.iter().copied()).collect();
    sleep_until(window.start());
    let (alone, all) = (processor::Sample::now(&[own])?, processor::Sample::now(&processes)?);
    let before = server_nanos(target)?;
    sleep_until(window.end());
    let server = server_nanos(target)?.zip(before).map(|(after, before)| after.saturating_sub(before));
    Ok(Usage { server, own: alone.ours_since()?, others: all.others_since()? })
}

/// How long the server's threads have run; `None` if its processes are not known.
fn server_nanos(target: &Target) -> anyhow::Result<Option<u64>> {
    let nanos: anyhow::Result<Vec<u64>> =
        target.server.iter().map(|&process| processor::thread_nanos(process)).collect();
    nanos.map(|nanos| nanos.into_iter().reduce(|sum, nanos| sum + nanos))
}

fn sleep_until(moment: Nanos) {
    thread::sleep(moment.since(clock::now()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_shared_out_to_the_last_one() {
        assert_eq!(shares(7, 3).collect::<Vec<_>>(), [3, 2, 2]);
        assert_eq!(shares(2, 3).collect::<Vec<_>>(), [1, 1, 0]);
    }
}
