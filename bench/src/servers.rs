//! The servers that can be measured: what each is called, whether its program is there, and how it is started.
//!
//! A server knows nothing of connections or of what is counted. Each is a file beside this one (the peers: [`crate::peers`]),
//! and a line in [`all`].

mod depthcast;
mod floor;
mod listener;
mod options;
mod pace;
mod process;

pub use depthcast::{Depthcast, Transport, program, start};
pub use floor::Floor;
pub use listener::{SEND_BUFFER, announce, announced, listen};
pub use options::FeedOptions;
pub use pace::Pace;
pub use process::{Part, Process};

use crate::{floor::Write, load::Speech, peers};
use anyhow::ensure;
use std::net::SocketAddr;

/// All of them, in the order in which they are measured.
pub fn all() -> Vec<Box<dyn Server>> {
    let floor: Box<dyn Server> = Box::new(Floor { write: Write::Joined });
    let ours = Transport::ALL.map(|transport| Box::new(Depthcast::over(transport)) as Box<dyn Server>);
    let [subject, transports @ ..] = ours;
    [subject, floor].into_iter().chain(transports).chain(peers::all()).collect()
}

/// Those of `servers` that have these names; all if none is named. Those whose program is missing are told of and left out.
///
/// # Errors
/// If a name is none of theirs, or nothing is left.
pub fn choose(servers: Vec<Box<dyn Server>>, names: &[String]) -> anyhow::Result<Vec<Box<dyn Server>>> {
    let known: Vec<_> = servers.iter().map(|server| server.name()).collect();
    for name in names {
        ensure!(known.contains(&name.as_str()), "there is no server {name}, only {}", known.join(", "));
    }
    let is_wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    let mut chosen = Vec::new();
    for server in servers.into_iter().filter(|server| is_wanted(server.name())) {
        match server.missing() {
            Some(why) => eprintln!("SKIPPED {}: {why}", server.name()),
            None => chosen.push(server),
        }
    }
    ensure!(!chosen.is_empty(), "none of these servers is installed");
    Ok(chosen)
}

/// What a server is offered: its feed, which runs in it or beside it and goes on whatever becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Offer {
    /// In which pattern messages come.
    pub flow: Flow,
    /// Messages a second, of all topics together; with [`Flow::Quiet`] of no account.
    pub rate: u64,
    /// So many symbols as the simulated exchange lists: BTC/USDT, ETH/USDT, …, from the 21st on S0021/USDT, ….
    pub topics: u32,
}

/// In which pattern messages come: topics take turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flow {
    /// At even distances, so many of one topic at once.
    Even {
        /// How many at once.
        burst: u32,
    },
    /// One a minute of each topic.
    Quiet,
    /// Singly for five seconds, then at four times the rate for five seconds, and again.
    Surge,
}

/// Who is compared with whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Every server, each as it is used most.
    All,
    /// depthcast and the floor, which it is compared with.
    Ours,
    /// Who can do what only depthcast can: merge what is slow, surges, intervals.
    Merging,
    /// depthcast over each of its transports, and peers over these.
    Transports,
    /// depthcast over each of its transports.
    OurTransports,
}

/// A server that can be measured.
pub trait Server: Sync {
    /// What it is called, on the command line and in reports.
    fn name(&self) -> &'static str;

    /// Why it cannot be measured here, and what to do; `None` if it can.
    fn missing(&self) -> Option<String>;

    /// Whether it is one of those that are compared.
    fn takes_part(&self, who: Who) -> bool {
        who == Who::All
    }

    /// Starts it on the first core, with its feed; it listens when this returns.
    ///
    /// # Errors
    /// If it cannot be started, or ends before it listens.
    fn start(&self, offer: &Offer) -> anyhow::Result<Running>;
}

/// A server that runs. Its processes are killed when this is dropped.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// How it speaks.
    pub speech: Speech,
    /// All that was started for it, in the order in which it is ended: a feed before what it feeds.
    pub processes: Vec<Process>,
}

impl Running {
    /// The processes that have this part.
    pub fn ids(&self, part: Part) -> Vec<u32> {
        self.processes.iter().filter(|process| process.part() == part).flat_map(Process::ids).collect()
    }
}
