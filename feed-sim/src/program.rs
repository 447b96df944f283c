//! The simulated exchange alone, as a program: writes what it says to standard output, to a recording, or to shared memory.

mod output;

use crate::{Pace, Scenario, SimConfig, SimError, Simulator};
use anyhow::Context;
use clap::{Args, Parser};
use feed::{FeedSource, shared::SinkOptions};
use market::{Event, Nanos, clock};
use output::{Destination, Output};
use signal_hook::{consts::TERM_SIGNALS, flag};
use std::{
    ffi::OsString,
    num::NonZeroU64,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// Whoever reads has to see the time go on, and a signal has to be noticed, even where nothing is due.
const LONGEST_SLEEP: Duration = Duration::from_millis(10);

/// A simulated exchange: order flow of many traders through a matching engine, as JSON lines, as a recording, or as a feed for
/// gateways on this machine.
///
/// The same scenario, symbols, rate, seed and start give the same events to the byte. A signal ends it in good order.
#[derive(Debug, Parser)]
#[command(name = "feed-sim", version, max_term_width = 100, after_help = AFTER_HELP)]
struct Cli {
    /// Where events go: `-` for JSON lines on standard output, `journal:DIR` for a recording, `shm:NAME` for a feed in shared
    /// memory, which `depthcast --feed shm:NAME` reads
    #[arg(long, value_name = "TARGET", default_value = "-")]
    to: Destination,
    /// A built-in scenario, or the path of a scenario file
    #[arg(long, value_name = "NAME|FILE", default_value = "market", long_help = scenario_help())]
    scenario: String,
    /// Decides all that chance decides
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Events a second in all symbols together [default: the scenario's]
    #[arg(long, value_name = "N")]
    rate: Option<u64>,
    /// How many symbols, 1 to 20,000 [default: the scenario's]
    #[arg(long, value_name = "N")]
    symbols: Option<u32>,
    /// Exchange time of the first event, in RFC 3339 (UTC) or nanoseconds since 1970 [default: now]
    #[arg(long, value_name = "TIME")]
    start: Option<Nanos>,
    #[command(flatten)]
    limit: Limit,
    /// As fast as it can be written, not in real time
    #[arg(long)]
    max: bool,
    /// Slots of the ring in shared memory, an event of 64 bytes each: a power of two from 1,024 to 67,108,864
    #[arg(long, value_name = "N", default_value_t = 1 << 18)]
    ring_slots: usize,
}

/// When to stop; never, if nothing is said.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct Limit {
    /// Stop after so many seconds of exchange time
    #[arg(long, value_name = "S")]
    seconds: Option<u64>,
    /// Stop at the first end of an exchange event with at least N events written
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    events: Option<u64>,
}

const AFTER_HELP: &str = "Examples:
  feed-sim --symbols 2 --seconds 5
  feed-sim --to shm:fast --rate 20000
  feed-sim --to journal:crash --scenario crash --seed 7 --start 2026-01-05T09:00:00Z --seconds 3600 --max

Exit codes: 0 done, 1 failed, 2 wrong usage.";

fn scenario_help() -> String {
    let names: Vec<&str> = Scenario::names().collect();
    format!("A built-in scenario ({}), or the path of a scenario file", names.join(", "))
}

/// Does what this command line says, of which the first word is the program's name.
///
/// The exit code is 0 when done, 1 when failed, 2 after wrong usage.
pub fn run(line: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = Cli::try_parse_from(line).unwrap_or_else(|error| error.exit());
    match begin(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("feed-sim: {error:#}");
            ExitCode::from(if error.is::<SimError>() { 2 } else { 1 })
        }
    }
}

fn begin(cli: &Cli) -> anyhow::Result<()> {
    let scenario = Scenario::find(&cli.scenario)?;
    let start = cli.start.unwrap_or_else(clock::now);
    anyhow::ensure!(
        !(cli.max && matches!(cli.to, Destination::Shared(_))),
        "shared memory holds nobody up, so nobody could follow a feed at --max; leave it out, or raise --rate"
    );
    let breaks_numbering = scenario.breaks_numbering();
    let Cli { symbols, rate, seed, .. } = *cli;
    let simulator = Simulator::new(SimConfig { scenario, symbols, rate, seed, start: Some(start) })?;
    let pace = if cli.max { Pace::Max } else { Pace::RealTime };
    if breaks_numbering && matches!(cli.to, Destination::Recording(_)) {
        anyhow::bail!(
            "the scenario '{0}' loses or repeats events, and a recording is written behind the place where that is mended; \
             take its faults gap and repeat out, or record it with `depthcast record --feed sim:{0}`",
            cli.scenario
        );
    }
    let options = SinkOptions { slots: cli.ring_slots, incarnation: rand::random(), started: clock::now() };
    let output = Output::open(&cli.to, simulator.instruments(), options)?;
    let until = cli.limit.seconds.map_or(Nanos::MAX, |seconds| start + Duration::from_secs(seconds));
    play(simulator.with_pace(pace), until, cli.limit.events, output)
}

/// Writes what is due until `until` in exchange time, until `events` were written, or until a signal comes.
fn play(
    mut simulator: Simulator,
    until: Nanos,
    events: Option<u64>,
    mut output: Output,
) -> anyhow::Result<()> {
    let told_to_end = told_to_end()?;
    // Else each event may be up to 50 microseconds late, as is the system's default. Where that is refused, it is late.
    let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1_000));
    let mut left = events.unwrap_or(u64::MAX);
    let mut batch = Vec::new();
    loop {
        batch.clear();
        let now = clock::now();
        let status = simulator.poll(now, &mut batch).context("the simulator failed")?;
        batch.truncate(wanted(&batch, until, left));
        output.write(&batch, now)?;
        output.reach(status.watermark, |symbol| simulator.refresh(symbol));
        left = left.saturating_sub(batch.len() as u64);
        if left == 0 || status.watermark >= until || told_to_end.load(Ordering::Relaxed) {
            return output.finish();
        }
        let due = simulator.next_due().map_or(LONGEST_SLEEP, |due| due.since(clock::now()));
        thread::sleep(due.min(LONGEST_SLEEP));
    }
}

/// Becomes true with the first signal that asks the program to end. The second one ends it at once.
fn told_to_end() -> anyhow::Result<Arc<AtomicBool>> {
    let told = Arc::new(AtomicBool::new(false));
    for &signal in TERM_SIGNALS {
        flag::register_conditional_default(signal, Arc::clone(&told))
            .and_then(|_| flag::register(signal, Arc::clone(&told)))
            .context("cannot wait for signals")?;
    }
    Ok(told)
}

/// How many events of a batch are before `until` and end the first exchange event that reaches `left`.
fn wanted(batch: &[Event], until: Nanos, left: u64) -> usize {
    let in_time = batch.partition_point(|event| event.timestamp < until);
    let enough = (left.max(1) - 1).min(in_time as u64) as usize;
    let end = batch[enough..in_time].iter().position(|event| event.last);
    end.map_or(in_time, |end| enough + end + 1)
}
