//! depthcast itself, with its simulated exchange inside.

use super::{Flow, Offer, Part, Process, Running, Server};
use crate::load::Speech;
use anyhow::{Context, bail};
use std::{net::SocketAddr, path::PathBuf, process::Command};

/// The `depthcast` that lies beside this program.
#[derive(Debug)]
pub struct Depthcast;

impl Server for Depthcast {
    fn name(&self) -> &'static str {
        "depthcast"
    }

    fn missing(&self) -> Option<String> {
        match program() {
            Ok(program) if program.exists() => None,
            Ok(program) => {
                Some(format!("there is no {}; `cargo build --release` makes it", program.display()))
            }
            Err(error) => Some(format!("{error:#}")),
        }
    }

    fn is_ours(&self) -> bool {
        true
    }

    fn merges(&self) -> bool {
        true
    }

    fn start(&self, offer: &Offer) -> anyhow::Result<Running> {
        Depthcast::with(&arguments(offer)?)
    }
}

impl Depthcast {
    /// Starts it with these options of `depthcast serve`, on a free port.
    ///
    /// # Errors
    /// If there is no such program, or it ends before it listens.
    pub fn with(arguments: &[String]) -> anyhow::Result<Running> {
        let mut command = Command::new(program()?);
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(arguments);
        let mut process =
            Process::start(&mut command, Part::Server).context("`cargo build --release` makes it")?;
        let address = process.wait_for(serving_at)?;
        Ok(Running { address, speech: Speech::Native, processes: vec![process] })
    }
}

fn program() -> anyhow::Result<PathBuf> {
    Ok(std::env::current_exe().context("find this program")?.with_file_name("depthcast"))
}

/// The options of `depthcast serve` for what it is offered.
fn arguments(offer: &Offer) -> anyhow::Result<Vec<String>> {
    let (feed, rate) = match offer.flow {
        Flow::Even { burst: 1 } => ("sim:even".into(), Some(offer.rate)),
        Flow::Even { burst: burst @ (4 | 16 | 64) } => (format!("sim:burst{burst}"), Some(offer.rate)),
        Flow::Even { burst } => bail!("depthcast has no scenario with bursts of {burst}; use 1, 4, 16 or 64"),
        Flow::Quiet => ("sim:quiet".into(), None),
        Flow::Surge => ("sim:surge".into(), Some(offer.rate)),
    };
    let mut arguments = vec!["--feed".into(), feed, "--symbols".into(), offer.topics.to_string()];
    if let Some(rate) = rate {
        arguments.extend(["--rate".into(), rate.to_string()]);
    }
    Ok(arguments)
}

fn serving_at(line: &str) -> Option<SocketAddr> {
    let entry: serde_json::Value = serde_json::from_str(line).ok()?;
    (entry["message"] == "serving").then(|| entry["address"].as_str()?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_stands_in_the_line_about_serving() {
        let check =
            |line, port: Option<u16>| assert_eq!(serving_at(line).map(|at| at.port()), port, "{line}");
        check(r#"{"level":"INFO","message":"serving","address":"127.0.0.1:4711"}"#, Some(4711));
        check(r#"{"level":"WARN","message":"something else","address":"127.0.0.1:4711"}"#, None);
        check("thread 'main' panicked", None);
    }

    #[test]
    fn an_offer_is_a_feed_of_the_simulator() {
        let check = |flow, expected: &str| {
            let arguments = arguments(&Offer { flow, rate: 7, topics: 2 }).unwrap();
            assert_eq!(arguments.join(" "), expected);
        };
        check(Flow::Even { burst: 1 }, "--feed sim:even --symbols 2 --rate 7");
        check(Flow::Even { burst: 16 }, "--feed sim:burst16 --symbols 2 --rate 7");
        check(Flow::Quiet, "--feed sim:quiet --symbols 2");
        check(Flow::Surge, "--feed sim:surge --symbols 2 --rate 7");
        assert!(super::arguments(&Offer { flow: Flow::Even { burst: 3 }, rate: 7, topics: 2 }).is_err());
    }
}
