//! `depthcast check`: listens to a running gateway as a client does, and proves all that it says.

use super::Outcome;
use client::CheckOptions;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The gateway: http://HOST:PORT, ws://HOST:PORT/feed, or HOST:PORT
    url: String,
    /// How long to listen
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// Symbols to check, separated by commas; all if left out
    #[arg(long, value_delimiter = ',', value_name = "SYMBOL")]
    symbols: Vec<String>,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("depthcast: the system gives no runtime: {error}");
            return Outcome::Failed;
        }
    };
    let mut options = CheckOptions::new(Duration::from_secs(arguments.seconds));
    options.symbols.clone_from(&arguments.symbols);
    let report = runtime.block_on(client::check(&arguments.url, options));
    println!("{}", serde_json::to_string(&report).expect("a report can be written"));
    if report.ok { Outcome::Done } else { Outcome::Failed }
}
