//! Measures depthcast: its parts one by one (`bench micro`), a running gateway as its clients see it (`bench load`), what
//! the machine allows (`bench floor`), what others do under the same load (`bench peers`), and all of that under fixed
//! scenarios, server by server (`bench contest`), told in tables and plots (`bench report`); and how soon very many clients that
//! come back at once are served (`bench storm`), and what the past takes (`bench past`).
//!
//! It prints what it measured and judges nothing: the exit code says only whether there was something to measure. But for
//! `bench guard`, which fails when the work of an event or of a delivery has grown.

mod contest;
mod cores;
mod floor;
mod framing;
mod guard;
mod load;
mod machine;
mod memory;
mod messages;
mod micro;
mod past;
mod peers;
mod processor;
mod report;
mod result;
mod scenario;
mod servers;
mod storm;
mod websocket;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Measures depthcast, its parts and the whole.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Time for each of the parts that an event passes, beside the rivals and the targets
    Micro(micro::Options),
    /// Bounds that no other work on the machine can move: instructions of each part, system calls of a delivered burst
    Guard(guard::Options),
    /// Many connections to a running gateway: throughput, latency, and what it costs
    Load(Box<load::Options>),
    /// The same load on a server that only writes ready-made frames: what the machine allows
    Floor(Box<floor::Options>),
    /// The same load on the servers that depthcast is compared with, each that is installed
    Peers(Box<peers::Options>),
    /// Ten thousand clients that come back at once, to a gateway that runs and to one that was just started
    Storm(storm::Options),
    /// Questions about the past, and replays for one client each, of a gateway that plays a recording
    Past(past::Options),
    /// All servers in turn under the scenarios, with the figures written to a directory
    Contest(contest::Options),
    /// What a contest came to: report.md with tables and targets, report.html with plots
    Report(report::Options),
    /// The server of `bench floor`
    #[command(hide = true)]
    FloorServer(floor::ServeOptions),
    /// A program of ours that a peer needs
    #[command(hide = true, subcommand)]
    Peer(peers::program::Program),
}

fn main() -> ExitCode {
    // The first reading calibrates the clock, which is best done before there is much to do.
    market::clock::now();
    if let Err(error) = machine::raise_file_limit() {
        eprintln!("bench: {error:#}; measuring with the limit that there is");
    }
    let measured = match Cli::parse().command {
        Command::Micro(options) => micro::run(&options),
        Command::Guard(options) => guard::run(&options),
        Command::Load(options) => load::run(&options),
        Command::Floor(options) => floor::run(&options),
        Command::Peers(options) => peers::run(&options),
        Command::Storm(options) => storm::run(&options),
        Command::Past(options) => past::run(&options),
        Command::Contest(options) => contest::run(&options),
        Command::Report(options) => report::run(&options),
        Command::FloorServer(options) => floor::serve(options),
        Command::Peer(program) => program.run(),
    };
    let Err(error) = measured else { return ExitCode::SUCCESS };
    eprintln!("bench: {error:#}");
    ExitCode::FAILURE
}
