//! Open-loop load: many connections to a running server, and how late what they are sent arrives.
//!
//! The server's feed decides when something happens, and latency counts from the moment at which it was **meant** to
//! happen (the stamp `engine`) until it is read here. So a stall of the server counts for all that came to pass
//! meanwhile, and nothing waits for an answer before the next thing is sent (coordinated omission).

mod address;
mod clocks;
mod connection;
mod known;
mod measure;
mod message;
mod options;
mod reader;
mod report;
mod speech;
mod tally;
mod topics;

pub use address::Address;
pub use connection::{Arrived, Connection};
pub use measure::{Crew, Load, Overloaded, Target, measure};
pub use message::{Message, Update, read};
pub use options::LoadOptions;
pub use reader::Plan;
pub use report::Report;
pub use speech::{Speech, Subscription, Terms};
pub use tally::{Counts, SLICES_PER_SECOND, Slice, Tally, Window, sum};
pub use topics::{Topics, instruments};

use crate::servers::{Depthcast, Transport};
use url::Url;

/// Options of `bench load`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Where the gateway is, such as ws://127.0.0.1:9000, or tcp://127.0.0.1:9001 for its TCP port
    #[arg(long, required_unless_present = "spawn", conflicts_with = "spawn")]
    url: Option<Url>,

    /// Start `depthcast` from beside this program on the first core, load it from the others, and end it afterwards
    #[arg(long)]
    spawn: bool,

    /// How its clients reach it
    #[arg(long, value_enum, default_value_t = Transport::WebSocket)]
    transport: Transport,

    /// Process id of a server on this machine that was started otherwise, to count its processor time
    #[arg(long, conflicts_with = "spawn")]
    pid: Option<u32>,

    #[command(flatten)]
    load: LoadOptions,

    /// Options of the gateway that --spawn starts
    #[arg(
        last = true,
        value_name = "GATEWAY OPTIONS",
        allow_hyphen_values = true,
        default_values = ["--feed", "sim:even", "--rate", "1000", "--symbols", "1"]
    )]
    gateway: Vec<String>,
}

/// Measures and prints.
///
/// # Errors
/// If there is no server, or it refuses a connection or a subscription.
pub fn run(options: &Options) -> anyhow::Result<()> {
    if let Some(url) = &options.url {
        let server = Vec::from_iter(options.pid);
        let (address, speech) = (Address::new(url)?, options.transport.speech());
        return options.load.run(&Target { address, speech, feed: Vec::new(), server });
    }
    let server = Depthcast::over(options.transport).with(&options.gateway)?;
    options.load.run(&Target::of(&server))
}
