//! The program `feed-sim`.

use std::process::ExitCode;

fn main() -> ExitCode {
    feed_sim::program::run(std::env::args_os())
}
