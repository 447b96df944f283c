//! Where a pair plays: a gateway in a process of its own, on ports that stay its own when it is killed and started anew; and
//! what it says of its clients.

use crate::{
    client::PATIENCE,
    support::{
        Answer, Wrong, ask,
        program::{Gateway, depthcast},
    },
    witness::Witness,
};
use market::clock;
use serde_json::Value;
use socket2::{Domain, Socket, Type};
use std::{net::SocketAddr, thread, time::Duration};

/// A gateway, and who sees what really happens there.
pub struct Site {
    /// For HTTP, and for plain TCP.
    pub addresses: [SocketAddr; 2],
    pub witness: Witness,
    gateway: Gateway,
    /// Bound to the ports, which no one else gets therefore; they never listen.
    _ports: [Socket; 2],
}

impl Site {
    /// A gateway on ports of its own.
    pub fn start() -> Result<Site, Wrong> {
        let ports = [(); 2].map(|()| reserve());
        let addresses = ports.each_ref().map(|port| port.local_addr().unwrap().as_socket().unwrap());
        let (gateway, witness) = start(addresses)?;
        Ok(Site { addresses, witness, gateway, _ports: ports })
    }

    /// Kills the gateway, and starts one on the same ports.
    pub fn restart(&mut self) -> Result<(), Wrong> {
        self.witness.lets_go();
        self.gateway.signal("KILL");
        self.gateway.process.wait().map_err(|error| error.to_string())?;
        (self.gateway, self.witness) = start(self.addresses)?;
        Ok(())
    }

    /// What the gateway answers over HTTP.
    pub fn ask(&self, path: &str) -> Answer {
        ask(self.addresses[0], path)
    }

    /// The clients that the gateway has, beside the witness.
    pub fn clients(&self) -> Vec<Value> {
        let rows = self.ask("/v1/subscribers").json();
        let rows = rows["subscribers"].as_array().cloned().unwrap_or_default();
        rows.into_iter().filter(|row| row["address"] != self.witness.address.to_string()).collect()
    }

    /// The connections that the gateway has, with that of the witness and that over which it is asked.
    pub fn connections(&self) -> u64 {
        let metrics = self.ask("/metrics").body;
        let counts = metrics.lines().filter_map(|line| line.strip_prefix("depthcast_connections{"));
        counts.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    }

    /// Waits until something is as it should be.
    pub fn until(&self, what: &str, done: impl Fn(&Site) -> bool) -> Result<(), Wrong> {
        let deadline = clock::now() + PATIENCE;
        while !done(self) {
            if clock::now() > deadline {
                return Err(format!("not in {PATIENCE:?}: {what}; {:?}", self.clients()));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

/// A port that others may listen on who know of it.
fn reserve() -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_port(true).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    socket
}

fn start([http, tcp]: [SocketAddr; 2]) -> Result<(Gateway, Witness), Wrong> {
    let mut command = depthcast(&["--reuse-port", "--listen", &http.to_string(), "--tcp", &tcp.to_string()]);
    command.args(["--symbols=2", "--rate=1000", "--workers=2", "--threads=split", "--wait=park"]);
    command.args(["--ring-slots=16384", "--history-bytes=8388608", "--trades-bytes=1048576"]);
    // Sockets are soon full.
    command.arg("--send-buffer=16384");
    command.args(["--requests-per-second=0", "--http-requests-per-second=0", "--handshake-timeout-s=60"]);
    let gateway = Gateway::start(command);
    let witness = Witness::start([http, tcp])?;
    Ok((gateway, witness))
}
