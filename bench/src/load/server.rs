//! A gateway of our own, for as long as the measurement lasts.

use anyhow::{Context, bail};
use std::{
    io::{BufRead, BufReader, Lines},
    net::SocketAddr,
    process::{Child, ChildStderr, Command, Stdio},
    thread,
};

/// A running gateway. It is killed when this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts the `depthcast` that lies beside this program on a free port, and waits until it listens.
    ///
    /// # Errors
    /// If there is none, or it ends before it listens.
    pub fn spawn(arguments: &[String]) -> anyhow::Result<Server> {
        let program = std::env::current_exe().context("find this program")?.with_file_name("depthcast");
        let mut child = Command::new(&program)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {}; `cargo build --release` makes it", program.display()))?;
        let log = child.stderr.take().context("the gateway's log is piped")?;
        // From here on it is killed however this ends.
        let mut server = Server { child, address: SocketAddr::from(([0; 4], 0)) };
        let mut lines = BufReader::new(log).lines();
        server.address = address(&mut lines)?;
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| eprintln!("{line}")));
        Ok(server)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads the log up to the line that says where the gateway listens; what comes before is shown.
fn address(lines: &mut Lines<BufReader<ChildStderr>>) -> anyhow::Result<SocketAddr> {
    for line in lines {
        let line = line.context("read the gateway's log")?;
        if let Some(address) = serving_at(&line) {
            return Ok(address);
        }
        eprintln!("{line}");
    }
    bail!("the gateway ended before it listened; its log is above")
}

fn serving_at(line: &str) -> Option<SocketAddr> {
    let entry: serde_json::Value = serde_json::from_str(line).ok()?;
    (entry["message"] == "serving").then(|| entry["address"].as_str()?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_stands_in_the_line_about_serving() {
        let check =
            |line, port: Option<u16>| assert_eq!(serving_at(line).map(|at| at.port()), port, "{line}");
        check(r#"{"level":"INFO","message":"serving","address":"127.0.0.1:4711"}"#, Some(4711));
        check(r#"{"level":"WARN","message":"something else","address":"127.0.0.1:4711"}"#, None);
        check("thread 'main' panicked", None);
    }
}
