//! System calls of a delivered burst, as strace counts them in a gateway that real clients read from, over each transport that
//! keeps a connection.
//!
//! A burst that 20 clients subscribe to should be one send to each, and what else the kernel is asked for is shared by all.

use super::{client::Client, is_there};
use crate::{
    load::Speech,
    servers::{Depthcast, Transport, program},
};
use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

const CLIENTS: usize = 20;
/// Bursts that each client reads.
const BURSTS: u64 = 400;
/// Messages of a burst.
const BURST: u64 = 16;
/// Messages a second: slow enough for a gateway that is traced.
const RATE: u64 = 100 * BURST;

/// Sends for each burst and client. Two mean that bursts are torn; it leaves room for heartbeats and for clients that join in the
/// middle of one.
const SENDS: f64 = 1.1;
/// All other calls for each burst and client: waits and wake-ups for all clients together, starting, and their handshakes.
const OTHERS: f64 = 0.5;

/// What was counted.
#[derive(Debug, Default, PartialEq, Eq)]
struct Calls {
    sends: u64,
    others: u64,
}

/// Counts, prints, and returns what is above its bound.
///
/// # Errors
/// If the gateway cannot be started or read from.
pub fn check() -> anyhow::Result<Vec<String>> {
    if !is_there("strace") {
        return Ok(Vec::new());
    }
    let folder = tempfile::tempdir()?;
    let summary = folder.path().join("calls");
    if !may_trace(&summary)? {
        println!("SKIPPED, as this process may not trace its children (ptrace is forbidden)");
        return Ok(Vec::new());
    }
    println!("{:<36} {:>12} {:>12}", "calls each burst and client", "bound", "now");
    let mut above = Vec::new();
    for transport in Transport::ALL {
        let (name, [sends, others]) = (transport.name(), count(transport, &summary)?);
        for (what, now, bound) in [("sends", sends, SENDS), ("other calls", others, OTHERS)] {
            println!("{:<36} {bound:>12.2} {now:>12.2}", format!("{name}/{what}"));
            if now > bound {
                above.push(format!("{now:.2} {what} for each burst and client over {name}, not {bound}"));
            }
        }
    }
    Ok(above)
}

/// Sends, and other calls, for each burst and client.
fn count(transport: Transport, summary: &Path) -> anyhow::Result<[f64; 2]> {
    let gateway = Gateway::start(transport, summary)?;
    let delivered = read_bursts(gateway.address, transport.speech())?;
    gateway.stop()?;
    let calls = Calls::parse(&fs::read_to_string(summary).context("read what strace counted")?)?;
    Ok([calls.sends, calls.others].map(|count| count as f64 / delivered as f64))
}

fn may_trace(summary: &Path) -> anyhow::Result<bool> {
    let output = Command::new("strace").args(["-c", "-o"]).arg(summary).arg("true").output()?;
    Ok(output.status.success())
}

/// Lets each client read its bursts. Returns how many were delivered in all.
fn read_bursts(address: SocketAddr, speech: Speech) -> anyhow::Result<u64> {
    let connect = |_| Client::connect(address, speech);
    let mut clients = (0..CLIENTS).map(connect).collect::<anyhow::Result<Vec<_>>>()?;
    let first: Vec<u64> = clients.iter_mut().map(Client::next).collect::<anyhow::Result<_>>()?;
    let mut delivered = 0;
    // In turns, so that none falls behind.
    for burst in 1..=BURSTS {
        for (client, first) in clients.iter_mut().zip(&first) {
            let end = first + burst * BURST;
            while client.next()? < end {}
            delivered += 1;
        }
    }
    Ok(delivered)
}

/// A traced gateway. It is killed when this is dropped, and with it strace ends.
struct Gateway {
    process: Child,
    log: BufReader<std::process::ChildStderr>,
    address: SocketAddr,
}

impl Gateway {
    fn start(transport: Transport, summary: &Path) -> anyhow::Result<Gateway> {
        let program = program()?;
        ensure!(program.exists(), "there is no {}; `cargo build --release` makes it", program.display());
        // With -D the gateway is our child, and strace is its.
        let mut process = Command::new("strace")
            .args(["-D", "-f", "-c", "-U", "calls,name", "-o"])
            .arg(summary)
            .arg(program)
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--tcp",
                "127.0.0.1:0",
                "--workers",
                "1",
                "--threads",
                "split",
                "--wait",
                "park",
            ])
            .args(["--feed", "sim:burst16", "--symbols", "1", "--rate", &RATE.to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("start strace")?;
        let log = BufReader::new(process.stderr.take().context("its log is piped")?);
        let mut gateway = Gateway { process, log, address: ([127, 0, 0, 1], 0).into() };
        gateway.address = gateway.wait_for_address(transport)?;
        Ok(gateway)
    }

    fn wait_for_address(&mut self, transport: Transport) -> anyhow::Result<SocketAddr> {
        let mut line = String::new();
        while self.log.read_line(&mut line)? > 0 {
            if let Some(address) = Depthcast::over(transport).address_in(&line) {
                return Ok(address);
            }
            line.clear();
        }
        anyhow::bail!("the gateway ended before it listened")
    }

    /// Ends the gateway in good order, and waits until strace has written what it counted.
    fn stop(mut self) -> anyhow::Result<()> {
        let id = Pid::from_child(&self.process);
        kill_process(id, Signal::TERM)?;
        let mut rest = Vec::new();
        // It is open for as long as one of the two lives.
        self.log.read_to_end(&mut rest)?;
        let status = self.process.wait()?;
        ensure!(status.success(), "the gateway ended with {status}: {}", String::from_utf8_lossy(&rest));
        Ok(())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Calls {
    /// Reads rows of a count and a name, behind a head and before a foot. `write` is how threads wake each other.
    fn parse(summary: &str) -> anyhow::Result<Calls> {
        let mut calls = Calls::default();
        for line in summary.lines() {
            let mut words = line.split_whitespace();
            let (Some(Ok(count)), Some(name)) = (words.next().map(str::parse::<u64>), words.next()) else {
                continue;
            };
            match name {
                "total" => {}
                "sendto" | "sendmsg" | "writev" => calls.sends += count,
                _ => calls.others += count,
            }
        }
        ensure!(calls.sends > 0, "strace saw no send:\n{summary}");
        Ok(calls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sends_are_told_from_other_calls() {
        let summary = "    calls syscall\n--------- ----------------\n      400 sendto\n       12 epoll_wait\n\
                       \x20       3 writev\n--------- ----------------\n      415 total\n";
        assert_eq!(Calls::parse(summary).unwrap(), Calls { sends: 403, others: 12 });
        assert!(Calls::parse("strace: exec: no such file").is_err());
    }
}
