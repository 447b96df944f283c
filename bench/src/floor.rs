//! The floor: a server that only writes ready-made frames. Whatever a gateway does beyond that shows as a ratio to it.
//!
//! It has its feed inside, as depthcast has, and the same socket options. It knows no books, no merging and no intervals: who
//! is too slow loses messages.

mod client;
mod frames;
mod log;
mod server;
mod timer;
mod upgrade;

use crate::{
    load::{LoadOptions, Target},
    servers::{FeedOptions, Floor, announce},
};
use server::Server;
use std::fmt;

/// How frames are given to the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Write {
    /// All that are pending for a client in one send
    Joined,
    /// A send for each
    Each,
    /// All that are pending in one writev, a slice for each
    Writev,
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Write::Joined => "joined",
            Write::Each => "each",
            Write::Writev => "writev",
        })
    }
}

/// Options of `bench floor`.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    serve: ServeOptions,

    #[command(flatten)]
    load: LoadOptions,
}

/// What the floor sends.
#[derive(Debug, Clone, clap::Args)]
pub struct ServeOptions {
    #[command(flatten)]
    feed: FeedOptions,

    /// How frames are given to the kernel
    #[arg(long, value_enum, default_value_t = Write::Joined)]
    write: Write,
}

/// Measures it as `bench load` measures a gateway.
///
/// # Errors
/// If it cannot be started or loaded.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let ServeOptions { feed, write } = options.serve;
    let running = Floor { write }.spawn(&feed.offer())?;
    options.load.run(&Target::of(&running))
}

/// Is the floor, until it is killed. Says on standard error where it listens.
///
/// # Errors
/// If it cannot listen.
pub fn serve(options: ServeOptions) -> anyhow::Result<()> {
    let (server, address) = Server::open(options)?;
    announce(address);
    server.run()
}

#[cfg(test)]
mod tests {
    use market::{Instrument, Price, Qty, Status};

    pub fn instrument() -> Instrument {
        Instrument {
            symbol: "BTC/USDT".into(),
            venue_symbol: "BTCUSDT".into(),
            price_decimals: 2,
            qty_decimals: 5,
            tick: Price(1),
            lot: Qty(1),
            status: Status::Trading,
        }
    }
}
