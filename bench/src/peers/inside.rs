//! Peers that are libraries of Rust: a server of ours around them, in this same program, with the feed inside as the gateway has.

use crate::{
    load::Speech,
    servers::{FeedOptions, Offer, Part, Process, Running, Server, announced},
};
use anyhow::Context;
use std::process::Command;

/// A server in this program.
#[derive(Debug)]
pub struct Inside {
    name: &'static str,
}

impl Inside {
    /// axum, which has its WebSocket from tungstenite.
    pub const AXUM: Inside = Inside { name: "axum" };
    /// fastwebsockets on hyper.
    pub const FASTWEBSOCKETS: Inside = Inside { name: "fastwebsockets" };
}

impl Server for Inside {
    fn name(&self) -> &'static str {
        self.name
    }

    fn missing(&self) -> Option<String> {
        None
    }

    fn start(&self, offer: &Offer) -> anyhow::Result<Running> {
        let mut command = peer()?;
        command.arg(self.name).args(FeedOptions::of(offer)?.arguments());
        let mut process = Process::start(&mut command, Part::Server)?;
        let address = process.wait_for(announced)?;
        Ok(Running { address, speech: Speech::Native, processes: vec![process] })
    }
}

/// This program, about to be a program that a peer needs.
pub fn peer() -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("find this program")?);
    command.arg("peer");
    Ok(command)
}

/// Starts the feed of a server that has none inside; it publishes when this returns.
pub fn start_feed(program: &str, to: std::net::SocketAddr, offer: &Offer) -> anyhow::Result<Process> {
    let mut command = peer()?;
    command.arg(program).arg(format!("--to={to}")).args(FeedOptions::of(offer)?.arguments());
    let mut process = Process::start(&mut command, Part::Feed)?;
    process.wait_for(|line| (line == "publishing").then_some(()))?;
    Ok(process)
}
