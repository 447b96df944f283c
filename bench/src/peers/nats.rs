//! The NATS server: subscribers over WebSocket, the feed over its own TCP protocol from a process beside it.
//!
//! All is as it comes, with its default limits, but for the two listeners. WebSocket is without TLS and without compression, as
//! it is for all; a subject is a topic.

use super::{inside::start_feed, programs};
use crate::{
    load::Speech,
    servers::{Offer, Part, Process, Running, Server},
};
use anyhow::Context;
use std::{cell::Cell, fs, net::SocketAddr, process::Command};

const PROGRAM: &str = "nats-server";

/// Port -1 takes a free one.
const CONFIGURATION: &str = r#"
listen: "127.0.0.1:-1"
websocket { listen: "127.0.0.1:-1", no_tls: true, compression: false }
"#;

/// NATS.
#[derive(Debug)]
pub struct Nats;

impl Server for Nats {
    fn name(&self) -> &'static str {
        "nats"
    }

    fn missing(&self) -> Option<String> {
        programs::find(PROGRAM).is_none().then(|| programs::missing(PROGRAM))
    }

    fn start(&self, offer: &Offer) -> anyhow::Result<Running> {
        let files = tempfile::tempdir().context("make a folder for the configuration of NATS")?;
        let configuration = files.path().join("nats.conf");
        fs::write(&configuration, CONFIGURATION)
            .with_context(|| format!("write {}", configuration.display()))?;
        let program = programs::find(PROGRAM).with_context(|| programs::missing(PROGRAM))?;
        let mut command = Command::new(program);
        command.arg("--config").arg(configuration);
        let mut server = Process::start(&mut command, Part::Server)?.keeping(files);
        let listeners = Listeners::default();
        let [address, clients] = server.wait_for(|line| listeners.found(line))?;
        let feed = start_feed("feed-nats", clients, offer)?;
        Ok(Running { address, speech: Speech::Nats, processes: vec![feed, server] })
    }
}

/// Where it listens, as it says in its log.
#[derive(Default)]
struct Listeners {
    websocket: Cell<Option<SocketAddr>>,
    clients: Cell<Option<SocketAddr>>,
}

impl Listeners {
    /// Takes a line; returns both addresses, WebSocket first, once both are known.
    fn found(&self, line: &str) -> Option<[SocketAddr; 2]> {
        let after = |text: &str| line.rsplit_once(text).and_then(|(_, address)| address.trim().parse().ok());
        let websocket = after("Listening for websocket clients on ws://");
        let clients = after("Listening for client connections on ");
        self.websocket.set(websocket.or(self.websocket.get()));
        self.clients.set(clients.or(self.clients.get()));
        Some([self.websocket.get()?, self.clients.get()?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_listeners_are_found_in_either_order() {
        let websocket =
            "[7] 2026/11/27 07:27:44.1 [INF] Listening for websocket clients on ws://127.0.0.1:4711";
        let clients = "[7] 2026/11/27 07:27:44.2 [INF] Listening for client connections on 127.0.0.1:4712";
        let both = Some([([127, 0, 0, 1], 4711).into(), ([127, 0, 0, 1], 4712).into()]);
        for [first, second] in [[websocket, clients], [clients, websocket]] {
            let listeners = Listeners::default();
            assert_eq!(listeners.found(first), None);
            assert_eq!(listeners.found("[7] 2026/11/27 07:27:44.3 [INF] Server is ready"), None);
            assert_eq!(listeners.found(second), both);
        }
    }
}
