//! Peers that are libraries of Node.js: a server around each, in `bench/peers/node`, with the feed in a thread of it.

use super::{
    program::Texts,
    programs::{self, FILES},
};
use crate::{
    load::Speech,
    messages::FIRST,
    servers::{FeedOptions, Offer, Part, Process, Running, Server, Who, announced},
};
use anyhow::Context;
use market::Nanos;
use std::{fs, path::PathBuf, process::Command};

/// Numbers that stand nowhere else in a message, to find where they stand in it.
const SEQ: u64 = 1_234_567_890_123;
const DUE: Nanos = Nanos(1_987_654_321_987_654_321);

/// A server in Node.js.
#[derive(Debug)]
pub struct Node {
    name: &'static str,
    /// The library, as npm has it.
    package: &'static str,
    script: &'static str,
    speech: Speech,
}

impl Node {
    /// The WebSocket library that most of Node.js uses.
    pub const WS: Node = Node { name: "ws", package: "ws", script: "ws.js", speech: Speech::Native };
    /// Rooms and events over it.
    pub const SOCKET_IO: Node =
        Node { name: "socket.io", package: "socket.io", script: "socketio.js", speech: Speech::SocketIo };

    fn folder() -> PathBuf {
        PathBuf::from(FILES).join("node")
    }
}

impl Server for Node {
    fn name(&self) -> &'static str {
        self.name
    }

    fn missing(&self) -> Option<String> {
        let package = Node::folder().join("node_modules").join(self.package);
        match programs::find("node") {
            None => Some(programs::missing("node")),
            Some(_) => (!package.is_dir()).then(|| programs::missing(package)),
        }
    }

    fn takes_part(&self, who: Who) -> bool {
        who == Who::All || who == Who::Transports && self.speech == Speech::SocketIo
    }

    fn start(&self, offer: &Offer) -> anyhow::Result<Running> {
        let files = tempfile::tempdir().context("make a folder for what the server is offered")?;
        let path = files.path().join("offer.json");
        fs::write(&path, describe(offer)?.to_string())
            .with_context(|| format!("write {}", path.display()))?;
        let mut command = Command::new(programs::find("node").with_context(|| programs::missing("node"))?);
        command.arg(Node::folder().join(self.script)).arg(path).env("NODE_ENV", "production");
        let mut process = Process::start(&mut command, Part::Server)?.keeping(files);
        let address = process.wait_for(announced)?;
        Ok(Running { address, speech: self.speech, processes: vec![process] })
    }
}

/// The feed, and the texts of its messages with places to fill in.
fn describe(offer: &Offer) -> anyhow::Result<serde_json::Value> {
    let mut pace = FeedOptions::of(offer)?.pace(Nanos::ZERO);
    let burst = pace.burst();
    pace.came();
    let texts = Texts::new(offer.topics)?;
    let symbols: Vec<&str> = texts.symbols().collect();
    let places = |text: String| {
        text.replace(symbols[0], "@symbol@")
            .replace(&SEQ.to_string(), "@seq@")
            .replace(&DUE.0.to_string(), "@due@")
    };
    Ok(serde_json::json!({
        "symbols": symbols,
        "burst": burst,
        "first": FIRST,
        "intervalNs": pace.due().0,
        "update": places(texts.update(0, SEQ, DUE)),
        "snapshot": places(texts.snapshot(0, SEQ, DUE)),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servers::Flow;

    #[test]
    fn all_that_differs_from_message_to_message_is_to_be_filled_in() {
        let offer = Offer { flow: Flow::Even { burst: 2 }, rate: 1_000, topics: 2 };
        let offer = describe(&offer).unwrap();
        assert_eq!(offer["symbols"], serde_json::json!(["BTC/USDT", "ETH/USDT"]));
        assert_eq!([&offer["burst"], &offer["intervalNs"]], [2, 2_000_000]);
        let filled = |name: &str| {
            let text = offer[name].as_str().unwrap();
            text.replace("@symbol@", "ETH/USDT").replace("@seq@", "7").replace("@due@", &DUE.0.to_string())
        };
        let texts = Texts::new(2).unwrap();
        assert_eq!(filled("update"), texts.update(0, 7, DUE).replace("BTC/USDT", "ETH/USDT"));
        assert_eq!(filled("snapshot"), texts.snapshot(0, 7, DUE).replace("BTC/USDT", "ETH/USDT"));
    }
}
