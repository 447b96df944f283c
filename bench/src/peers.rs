//! The peers: servers of the field that depthcast is compared with, each as its makers deliver it.
//!
//! How each is configured, and why that is fair, stands in `bench/peers/README.md` and in the file that starts it. A peer whose
//! program is absent says what to install.

mod inside;
mod nats;
mod nchan;
mod node;
pub mod program;
mod programs;

use crate::{
    load::{LoadOptions, Target},
    servers::{self, FeedOptions, Offer, Server},
};
use anyhow::Context;
use inside::Inside;
use nats::Nats;
use nchan::Nchan;
use node::Node;

/// All of them.
pub fn all() -> Vec<Box<dyn Server>> {
    vec![
        Box::new(Nats),
        Box::new(Nchan::WEBSOCKET),
        Box::new(Nchan::SSE),
        Box::new(Inside::AXUM),
        Box::new(Inside::FASTWEBSOCKETS),
        Box::new(Node::WS),
        Box::new(Node::SOCKET_IO),
    ]
}

/// Options of `bench peers`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Only these; each is named when it is measured or skipped
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,

    #[command(flatten)]
    feed: FeedOptions,

    #[command(flatten)]
    load: LoadOptions,
}

/// Measures each peer that is here, one after the other.
///
/// # Errors
/// If a name is not one of theirs, or one that is here cannot be started or loaded.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let offer = options.feed.offer();
    for peer in servers::choose(all(), &options.only)? {
        measure(&*peer, &offer, &options.load).with_context(|| format!("measure {}", peer.name()))?;
    }
    Ok(())
}

fn measure(peer: &dyn Server, offer: &Offer, load: &LoadOptions) -> anyhow::Result<()> {
    eprintln!("{}", peer.name());
    let running = peer.start(offer)?;
    load.run(&Target::of(&running))
}
