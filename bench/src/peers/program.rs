//! The programs of ours that peers need: servers that are made of a library of the field, and the feed of servers that have none
//! inside. They run as child processes of `bench`, as `bench peer …`, and know nothing of what is measured.

mod axum;
mod fastwebsockets;
mod feed;
mod market;
mod nats;
mod nchan;
mod texts;

pub use texts::Texts;

use crate::servers::{FeedOptions, announce, listen};
use anyhow::Context;
use market::Market;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// A program, with the feed that it has.
#[derive(Debug, clap::Subcommand)]
pub enum Program {
    /// Serve with axum
    Axum(FeedOptions),
    /// Serve with fastwebsockets
    Fastwebsockets(FeedOptions),
    /// Publish to a NATS server
    FeedNats(Publisher),
    /// Publish to nginx with nchan
    FeedNchan(Publisher),
}

/// The feed of a server that has none inside.
#[derive(Debug, clap::Args)]
pub struct Publisher {
    /// Where it takes messages
    #[arg(long)]
    to: SocketAddr,

    #[command(flatten)]
    feed: FeedOptions,
}

impl Program {
    /// Runs it until it is killed.
    ///
    /// # Errors
    /// If it cannot go on.
    pub fn run(&self) -> anyhow::Result<()> {
        match *self {
            Program::Axum(feed) => serve(async |listener| axum::serve(listener, Market::begin(feed)?).await),
            Program::Fastwebsockets(feed) => {
                serve(async |listener| fastwebsockets::serve(listener, Market::begin(feed)?).await)
            }
            Program::FeedNats(Publisher { to, feed }) => nats::publish(to, feed),
            Program::FeedNchan(Publisher { to, feed }) => nchan::publish(to, feed),
        }
    }
}

/// Runs a server on tokio's default runtime, which has a thread for each core that the process may use.
fn serve(server: impl AsyncFnOnce(TcpListener) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("start tokio")?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(listen().context("listen on a free port")?)?;
        announce(listener.local_addr()?);
        server(listener).await
    })
}
