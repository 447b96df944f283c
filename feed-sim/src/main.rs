//! The simulated exchange alone: writes what it says to a recording or to standard output.

mod output;

use anyhow::Context;
use clap::{Args, Parser};
use feed::FeedSource;
use feed_sim::{Pace, Scenario, SimConfig, SimError, Simulator};
use market::{Event, Nanos, clock};
use output::{Destination, Output};
use std::{process::ExitCode, time::Duration};

/// A simulated exchange: order flow of many traders through a matching engine, as JSON lines or as a recording.
///
/// The same scenario, symbols, rate, seed and start give the same events to the byte.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = AFTER_HELP)]
struct Cli {
    /// Where events go: `-` for JSON lines on standard output, `journal:DIR` for a recording
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
  feed-sim --to journal:crash --scenario crash --seed 7 --start 2026-01-05T09:00:00Z --seconds 3600 --max

Exit codes: 0 done, 1 failed, 2 wrong usage.";

fn scenario_help() -> String {
    let names: Vec<&str> = Scenario::names().collect();
    format!("A built-in scenario ({}), or the path of a scenario file", names.join(", "))
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("feed-sim: {error:#}");
            ExitCode::from(if error.is::<SimError>() { 2 } else { 1 })
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    let scenario = Scenario::find(&cli.scenario)?;
    let start = cli.start.unwrap_or_else(clock::now);
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
    let output = Output::open(&cli.to, simulator.instruments())?;
    let until = cli.limit.seconds.map_or(Nanos::MAX, |seconds| start + Duration::from_secs(seconds));
    play(simulator.with_pace(pace), until, cli.limit.events, output)
}

/// Writes what is due until `until` in exchange time, or until `events` were written.
fn play(
    mut simulator: Simulator,
    until: Nanos,
    events: Option<u64>,
    mut output: Output,
) -> anyhow::Result<()> {
    let mut left = events.unwrap_or(u64::MAX);
    let mut batch = Vec::new();
    loop {
        batch.clear();
        let now = clock::now();
        let status = simulator.poll(now, &mut batch).context("the simulator failed")?;
        batch.truncate(wanted(&batch, until, left));
        output.write(&batch, now)?;
        left = left.saturating_sub(batch.len() as u64);
        if left == 0 || status.watermark >= until {
            return output.finish();
        }
        if let Some(due) = simulator.next_due() {
            std::thread::sleep(due.since(clock::now()));
        }
    }
}

/// How many events of a batch are before `until` and end the first exchange event that reaches `left`.
fn wanted(batch: &[Event], until: Nanos, left: u64) -> usize {
    let in_time = batch.partition_point(|event| event.timestamp < until);
    let enough = (left.max(1) - 1).min(in_time as u64) as usize;
    let end = batch[enough..in_time].iter().position(|event| event.last);
    end.map_or(in_time, |end| enough + end + 1)
}
