//! The floor, a child of this very program.

use super::{Flow, Offer, Part, Process, Running, Server};
use crate::{floor::Write, load::Speech};
use anyhow::{Context, bail};
use std::process::Command;

/// The floor.
#[derive(Debug)]
pub struct Floor {
    /// How it gives frames to the kernel.
    pub write: Write,
}

impl Server for Floor {
    fn name(&self) -> &'static str {
        "floor"
    }

    fn missing(&self) -> Option<String> {
        None
    }

    fn is_ours(&self) -> bool {
        true
    }

    fn start(&self, offer: &Offer) -> anyhow::Result<Running> {
        self.spawn(offer)
    }
}

impl Floor {
    /// Starts it.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn spawn(&self, offer: &Offer) -> anyhow::Result<Running> {
        let mut command = Command::new(std::env::current_exe().context("find this program")?);
        command.arg("floor-server");
        match offer.flow {
            Flow::Even { burst } => {
                command.args(["--rate", &offer.rate.to_string(), "--burst", &burst.to_string()]);
            }
            Flow::Quiet => drop(command.arg("--quiet")),
            Flow::Surge => bail!("the floor has no surges"),
        }
        command.args(["--topics", &offer.topics.to_string(), "--write", &self.write.to_string()]);
        let mut process = Process::start(&mut command, Part::Server)?;
        let address = process.wait_for(|line| line.strip_prefix("serving ")?.parse().ok())?;
        Ok(Running { address, speech: Speech::Native, processes: vec![process] })
    }
}
