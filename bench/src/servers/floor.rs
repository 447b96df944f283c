//! The floor, a child of this very program.

use super::{FeedOptions, Offer, Part, Process, Running, Server, Who, announced};
use crate::{floor::Write, load::Speech};
use anyhow::Context;
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

    fn takes_part(&self, who: Who) -> bool {
        matches!(who, Who::All | Who::Ours)
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
        command.args(FeedOptions::of(offer)?.arguments()).args(["--write", &self.write.to_string()]);
        let mut process = Process::start(&mut command, Part::Server)?;
        let address = process.wait_for(announced)?;
        Ok(Running { address, speech: Speech::Native, processes: vec![process] })
    }
}
