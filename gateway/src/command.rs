//! The command line.

mod check;
mod import;
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
    /// Turn captures of a venue into a recording
    Import(import::Arguments),
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
    let matches = CommandLine::command().get_matches();
    let line = CommandLine::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let outcome = match line.command {
        None => with_file(line.serve, &matches),
        Some(Command::Serve(config)) => {
            let matches = matches.subcommand_matches("serve").unwrap_or(&matches);
            with_file(*config, matches)
        }
        Some(Command::Check(arguments)) => check::run(&arguments),
        Some(Command::Import(arguments)) => import::run(&arguments),
        Some(Command::Verify(arguments)) => verify::run(&arguments),
    };
    ExitCode::from(outcome as u8)
}

fn with_file(config: Config, matches: &clap::ArgMatches) -> Outcome {
    match config::layered(config, matches) {
        Ok(config) => serve::run(config),
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
        CommandLine::command().debug_assert();
    }
}
