//! The command line.

mod check;
mod export;
mod hash;
mod import;
mod progress;
mod record;
mod repair;
mod serve;
mod verify;

use crate::config::{self, Config};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::process::ExitCode;

/// Market data from a feed to every client that subscribes: order books, trades, best bid and offer, over WebSocket.
///
/// Every option can also be set in the environment and in a TOML file (--config), where its key is its name in snake_case.
/// The command line wins over the environment, and that over the file.
#[derive(Debug, Parser)]
#[command(name = "depthcast", version, args_conflicts_with_subcommands = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Config,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway; what happens without a command, too
    Serve(Box<Config>),
    /// Subscribe to a running gateway like a client, prove every book by seq and checksum, and print one JSON line: exit
    /// code 0 if there was no fault, 1 if there was
    Check(check::Arguments),
    /// Write what a recording holds as files that other tools read: CSV (Tardis' datasets), DBN (Databento's), Parquet
    Export(export::Arguments),
    /// Work out what a topic's stream comes to, of recordings and of gateways that have one: exit code 1 if they differ
    Hash(hash::Arguments),
    /// Turn captures of a venue, or a vendor's files, into a recording
    Import(import::Arguments),
    /// Record a feed without serving it, until it ends or a signal comes; each second a line on standard output says how far it is,
    /// as JSON where that is no terminal
    Record(Box<Config>),
    /// Cut what was never finished from a recording, never a whole record; for one that nobody writes
    Repair(repair::Arguments),
    /// Check a recording: exit code 0 if it is whole up to a torn end, 1 if it is damaged
    Verify(verify::Arguments),
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done = 0,
    Failed = 1,
    WrongUsage = 2,
    FeedFailed = 3,
}

/// Reads the command line of this process and does what it says.
///
/// The exit code is 0 when done, 1 when failed, 2 after wrong usage, 3 when the feed ended by itself in error.
pub fn run() -> ExitCode {
    let matches = command_line().get_matches();
    let line = CommandLine::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let outcome = match line.command {
        None => with_file(line.serve, &matches, serve::run),
        Some(Command::Serve(config)) => {
            let matches = matches.subcommand_matches("serve").unwrap_or(&matches);
            with_file(*config, matches, serve::run)
        }
        Some(Command::Record(config)) => {
            let matches = matches.subcommand_matches("record").unwrap_or(&matches);
            with_file(*config, matches, record::run)
        }
        Some(Command::Check(arguments)) => check::run(&arguments),
        Some(Command::Export(arguments)) => export::run(&arguments),
        Some(Command::Hash(arguments)) => hash::run(&arguments),
        Some(Command::Import(arguments)) => import::run(&arguments),
        Some(Command::Repair(arguments)) => repair::run(&arguments),
        Some(Command::Verify(arguments)) => verify::run(&arguments),
    };
    ExitCode::from(outcome as u8)
}

/// The command line as it is shown: what only records has no use for the options of who serves.
fn command_line() -> clap::Command {
    const OF_A_RECORDER: [&str; 3] = ["Feed", "Recording", "General"];
    CommandLine::command().mut_subcommand("record", |record| {
        record.mut_args(|arg| {
            let is_used = arg.get_help_heading().is_none_or(|heading| OF_A_RECORDER.contains(&heading));
            arg.hide(!is_used)
        })
    })
}

fn with_file(config: Config, matches: &clap::ArgMatches, run: impl FnOnce(Config) -> Outcome) -> Outcome {
    match config::layered(config, matches) {
        Ok(config) => run(config),
        Err(error) => {
            eprintln!("depthcast: {error}");
            Outcome::WrongUsage
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command_line().debug_assert();
    }
}
