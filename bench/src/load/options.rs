//! The options that all commands share that put a load on one server, and how what came of it is told.

use super::{
    measure::{Load, Target, measure},
    report::Report,
    speech::Terms,
    topics::Topics,
};
use anyhow::Context;
use clap::value_parser;
use std::path::PathBuf;

/// What a server is loaded with, and how the outcome is told.
#[derive(Debug, clap::Args)]
pub struct LoadOptions {
    /// Connections that read
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = value_parser!(u32).range(1..=100_000))]
    connections: u32,

    /// Threads that read them
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u32).range(1..=256))]
    threads: u32,

    /// Further connections that subscribe and never read
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = value_parser!(u32).range(..=100_000))]
    stalled: u32,

    /// What each connection subscribes to
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "SYMBOL",
        default_value = "BTC/USDT",
        conflicts_with = "random"
    )]
    symbols: Vec<String>,

    /// Instead: so many symbols, drawn for each connection from the first --of of the simulated exchange
    #[arg(long, value_name = "N", requires = "of")]
    random: Option<u32>,

    /// How many symbols --random draws from
    #[arg(long, value_name = "M", requires = "random")]
    of: Option<u32>,

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
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = value_parser!(u64).range(1..=3600))]
    seconds: u64,

    /// How long to let it run before that
    #[arg(long, value_name = "S", default_value_t = 2, value_parser = value_parser!(u64).range(..=3600))]
    warmup: u64,

    /// Tell how much the server's own memory has grown for each connection by the end; only of use while little happens
    #[arg(long)]
    idle: bool,

    /// Write the latencies of each second as an HdrHistogram interval log, in nanoseconds
    #[arg(long, value_name = "FILE")]
    hlog: Option<PathBuf>,

    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

impl LoadOptions {
    /// Measures and prints.
    ///
    /// # Errors
    /// As [`measure`]; or if the outcome cannot be written.
    pub fn run(&self, target: &Target) -> anyhow::Result<()> {
        let report = measure(&self.load()?, target)?;
        if let Some(path) = &self.hlog {
            report.write_interval_log(path).with_context(|| format!("write {}", path.display()))?;
        }
        self.print(&report)
    }

    fn print(&self, report: &Report) -> anyhow::Result<()> {
        let mut run = report.run();
        if self.idle {
            run.private_bytes_per_connection = report.private_bytes_per_connection();
        }
        if self.json {
            println!("{}", serde_json::to_string(&run)?);
        } else {
            print!("{run}");
        }
        Ok(())
    }

    fn load(&self) -> anyhow::Result<Load> {
        let topics = match self.random.zip(self.of) {
            Some((each, of)) => Topics::random(each, of)?,
            None => Topics::All(self.symbols.clone()),
        };
        let (depth, interval_ms) = (self.depth, self.interval_ms);
        let terms = Terms { channel: self.channel.clone(), depth, interval_ms, policy: self.policy.clone() };
        let (connections, threads, stalled) = (self.connections, self.threads, self.stalled);
        let (warmup, seconds) = (self.warmup, self.seconds);
        Ok(Load { connections, threads, stalled, topics, terms, warmup, seconds })
    }
}
