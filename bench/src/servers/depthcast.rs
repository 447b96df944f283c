//! depthcast itself, with its simulated exchange inside.

use super::{Flow, Offer, Part, Process, Running, Server, Who};
use crate::load::Speech;
use anyhow::{Context, bail};
use clap::ValueEnum;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::Command,
};

/// How clients reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Transport {
    /// Frames of a WebSocket
    #[value(name = "websocket")]
    WebSocket,
    /// Server-sent events
    Sse,
    /// Socket.IO over WebSocket
    #[value(name = "socketio")]
    SocketIo,
    /// Lines on a TCP connection
    Tcp,
}

impl Transport {
    /// All of them.
    pub const ALL: [Transport; 4] =
        [Transport::WebSocket, Transport::Sse, Transport::SocketIo, Transport::Tcp];

    /// What it is called on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().expect("none is left out").get_name().to_owned()
    }

    /// How the gateway speaks over it.
    pub fn speech(self) -> Speech {
        match self {
            Transport::WebSocket => Speech::Native,
            Transport::Sse => Speech::Sse,
            Transport::SocketIo => Speech::SocketIo,
            Transport::Tcp => Speech::Tcp,
        }
    }
}

/// The `depthcast` that lies beside this program, over one of its transports.
#[derive(Debug)]
pub struct Depthcast {
    transport: Transport,
}

impl Server for Depthcast {
    fn name(&self) -> &'static str {
        match self.transport {
            Transport::WebSocket => "depthcast",
            Transport::Sse => "depthcast-sse",
            Transport::SocketIo => "depthcast-socketio",
            Transport::Tcp => "depthcast-tcp",
        }
    }

    fn missing(&self) -> Option<String> {
        match program() {
            Ok(program) if program.exists() => None,
            Ok(program) => {
                Some(format!("there is no {}; `cargo build --release` makes it", program.display()))
            }
            Err(error) => Some(format!("{error:#}")),
        }
    }

    fn takes_part(&self, who: Who) -> bool {
        self.transport == Transport::WebSocket || matches!(who, Who::Transports | Who::OurTransports)
    }

    fn start(&self, offer: &Offer) -> anyhow::Result<Running> {
        self.with(&arguments(offer)?)
    }
}

impl Depthcast {
    /// Over this transport.
    pub fn over(transport: Transport) -> Depthcast {
        Depthcast { transport }
    }

    /// Starts it with these options of `depthcast serve`, on free ports.
    ///
    /// # Errors
    /// If there is no such program, or it ends before it listens.
    pub fn with(&self, arguments: &[String]) -> anyhow::Result<Running> {
        self.at(FREE, arguments)
    }

    /// Starts it where clients of this transport have found it before.
    ///
    /// # Errors
    /// As [`Depthcast::with`], or if the port is taken.
    pub fn at(&self, address: SocketAddr, arguments: &[String]) -> anyhow::Result<Running> {
        let is_plain = self.transport == Transport::Tcp;
        let [http, tcp] = if is_plain { [FREE, address] } else { [address, FREE] };
        let (process, ports) = serve(http, tcp, arguments)?;
        let address = if is_plain { ports.tcp } else { ports.http };
        Ok(Running { address, speech: self.transport.speech(), processes: vec![process] })
    }

    /// Where its clients reach it, if this line of its log says so.
    pub fn address_in(&self, line: &str) -> Option<SocketAddr> {
        let ports = serving_at(line)?;
        Some(if self.transport == Transport::Tcp { ports.tcp } else { ports.http })
    }
}

/// Starts a gateway with these options of `depthcast serve`, on free ports.
///
/// # Errors
/// If there is no such program, or it ends before it listens.
pub fn start(arguments: &[String]) -> anyhow::Result<(Process, Ports)> {
    serve(FREE, FREE, arguments)
}

fn serve(http: SocketAddr, tcp: SocketAddr, arguments: &[String]) -> anyhow::Result<(Process, Ports)> {
    let mut command = Command::new(program()?);
    command.args(["serve", "--listen", &http.to_string(), "--tcp", &tcp.to_string()]).args(arguments);
    let mut process =
        Process::start(&mut command, Part::Server).context("`cargo build --release` makes it")?;
    let ports = process.wait_for(serving_at)?;
    Ok((process, ports))
}

/// A free port.
const FREE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Where it listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// For HTTP, and all that begins with it.
    pub http: SocketAddr,
    /// For plain TCP.
    pub tcp: SocketAddr,
}

/// The program.
///
/// # Errors
/// If the operating system does not say where this one is.
pub fn program() -> anyhow::Result<PathBuf> {
    Ok(std::env::current_exe().context("find this program")?.with_file_name("depthcast"))
}

/// The options of `depthcast serve` for what it is offered.
fn arguments(offer: &Offer) -> anyhow::Result<Vec<String>> {
    let (feed, rate) = match offer.flow {
        Flow::Even { burst: 1 } => ("sim:even".into(), Some(offer.rate)),
        Flow::Even { burst: burst @ (4 | 16 | 64) } => (format!("sim:burst{burst}"), Some(offer.rate)),
        Flow::Even { burst } => bail!("depthcast has no scenario with bursts of {burst}; use 1, 4, 16 or 64"),
        Flow::Quiet => ("sim:quiet".into(), None),
        Flow::Surge => ("sim:surge".into(), Some(offer.rate)),
    };
    let mut arguments = vec!["--feed".into(), feed, "--symbols".into(), offer.topics.to_string()];
    if let Some(rate) = rate {
        arguments.extend(["--rate".into(), rate.to_string()]);
    }
    Ok(arguments)
}

fn serving_at(line: &str) -> Option<Ports> {
    let entry: serde_json::Value = serde_json::from_str(line).ok()?;
    let at = |name: &str| entry[name].as_str()?.parse().ok();
    (entry["message"] == "serving").then_some(())?;
    Some(Ports { http: at("address")?, tcp: at("tcp")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_stand_in_the_line_about_serving() {
        let check = |line: &str, ports: Option<(u16, u16)>| {
            let found = serving_at(line).map(|at| (at.http.port(), at.tcp.port()));
            assert_eq!(found, ports, "{line}");
        };
        let addresses = r#""address":"127.0.0.1:4711","tcp":"127.0.0.1:4712"}"#;
        check(&format!(r#"{{"level":"INFO","message":"serving",{addresses}"#), Some((4711, 4712)));
        check(&format!(r#"{{"level":"WARN","message":"something else",{addresses}"#), None);
        check("thread 'main' panicked", None);
    }

    #[test]
    fn an_offer_is_a_feed_of_the_simulator() {
        let check = |flow, expected: &str| {
            let arguments = arguments(&Offer { flow, rate: 7, topics: 2 }).unwrap();
            assert_eq!(arguments.join(" "), expected);
        };
        check(Flow::Even { burst: 1 }, "--feed sim:even --symbols 2 --rate 7");
        check(Flow::Even { burst: 16 }, "--feed sim:burst16 --symbols 2 --rate 7");
        check(Flow::Quiet, "--feed sim:quiet --symbols 2");
        check(Flow::Surge, "--feed sim:surge --symbols 2 --rate 7");
        assert!(super::arguments(&Offer { flow: Flow::Even { burst: 3 }, rate: 7, topics: 2 }).is_err());
    }
}
