//! The program in a process of its own.

use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

pub fn depthcast(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_depthcast"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("DEPTHCAST_")) {
        command.env_remove(name);
    }
    command
}

/// A gateway in a process of its own, which is killed if the test ends before it. Nobody reads its log once it serves.
pub struct Gateway {
    pub process: Child,
    pub address: SocketAddr,
    /// For plain TCP connections.
    pub tcp: Option<SocketAddr>,
}

impl Gateway {
    pub fn start(mut command: Command) -> Gateway {
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let serving =
            lines.map_while(Result::ok).find(|line| line.contains("\"serving\"")).expect("it serves");
        let log: Value = serde_json::from_str(&serving).expect("logs are JSON off a terminal");
        let address = log["address"].as_str().unwrap().parse().unwrap();
        // It says `off` where there is none.
        let tcp = log["tcp"].as_str().unwrap().parse().ok();
        Gateway { process, address, tcp }
    }

    pub fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
