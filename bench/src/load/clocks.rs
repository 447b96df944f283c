//! Whether the server's clock and ours agree: latency is the difference of a stamp of one and a stamp of the other.

use super::{
    address::Address,
    speech::{Speech, Subscription, Terms},
};
use crate::framing::{Framing, Piece};
use anyhow::{Context, ensure};
use market::{Nanos, clock};
use std::{
    fmt,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

/// The quickest of so many answers counts.
const PINGS: usize = 20;
/// A server that has not answered for so long does not answer pings.
const PATIENCE: Duration = Duration::from_secs(10);

/// How far the server's clock is ahead of ours.
#[derive(Debug, Clone, Copy)]
pub struct Difference {
    /// In nanoseconds; negative if it is behind.
    pub nanos: i64,
    /// It may be off by so much either way.
    pub uncertain: i64,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+.1} ± {:.1} us", self.nanos as f64 / 1e3, self.uncertain as f64 / 1e3)
    }
}

/// Compares by the server's answers to pings of the native protocol, as NTP does.
///
/// # Errors
/// If it does not answer.
pub fn compare(address: &Address, speech: Speech) -> anyhow::Result<Difference> {
    let mut line = Line::open(address, speech)?;
    let mut quickest: Option<Difference> = None;
    for _ in 0..PINGS {
        let seen = line.ping().context("ping the server")?;
        quickest = quickest.filter(|quickest| quickest.uncertain <= seen.uncertain).or(Some(seen));
    }
    quickest.context("there was at least one ping")
}

/// A connection that asks and waits.
struct Line {
    stream: TcpStream,
    framing: Framing,
    arrived: Vec<u8>,
}

impl Line {
    fn open(address: &Address, speech: Speech) -> anyhow::Result<Line> {
        let stream = TcpStream::connect(address.socket()?).context("connect to compare clocks")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut line = Line { stream, framing: speech.framing(), arrived: Vec::new() };
        let nothing = Subscription { topics: Vec::new(), terms: Terms::default(), since: None };
        let opening = speech.opening(&nothing);
        line.stream.write_all(address.request(&opening).as_bytes())?;
        loop {
            if let Some(length) = opening.take_answer(&line.arrived)? {
                line.arrived.drain(..length);
                return Ok(line);
            }
            line.read()?;
        }
    }

    fn read(&mut self) -> anyhow::Result<()> {
        let mut buffer = [0; 4096];
        let read = self.stream.read(&mut buffer)?;
        ensure!(read > 0, "the server closed the connection instead of answering");
        self.arrived.extend_from_slice(&buffer[..read]);
        Ok(())
    }

    fn ping(&mut self) -> anyhow::Result<Difference> {
        let mut ping = Vec::new();
        self.framing.push(&mut ping, r#"{"method":"ping"}"#);
        let sent = clock::now();
        self.stream.write_all(&ping)?;
        loop {
            self.read()?;
            let received = clock::now();
            if let Some(times) = self.take_pong() {
                return Ok(difference(sent, times, received));
            }
        }
    }

    fn take_pong(&mut self) -> Option<[Nanos; 2]> {
        let mut rest = &self.arrived[..];
        let mut pong = None;
        while let Some(piece) = self.framing.take(&mut rest) {
            if let Piece::Message(text) = piece {
                pong = times(text).or(pong);
            }
        }
        let taken = self.arrived.len() - rest.len();
        self.arrived.drain(..taken);
        pong
    }
}

/// When the server read the ping and when it wrote the answer, if that is what this is.
fn times(text: &[u8]) -> Option<[Nanos; 2]> {
    let answer: serde_json::Value = serde_json::from_slice(text).ok()?;
    let time = |name: &str| answer[name].as_str()?.parse().ok();
    Some([time("time_in")?, time("time_out")?])
}

fn difference(sent: Nanos, [came, went]: [Nanos; 2], received: Nanos) -> Difference {
    let between = |from: Nanos, to: Nanos| to.0 as i64 - from.0 as i64;
    Difference {
        nanos: (between(sent, came) + between(received, went)) / 2,
        uncertain: (between(sent, received) - between(came, went)) / 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_tells_the_way_from_the_difference() {
        // It is 1,000 ahead; each way takes 50, the answer 7.
        let seen = difference(Nanos(10_000), [Nanos(11_050), Nanos(11_057)], Nanos(10_107));
        assert_eq!((seen.nanos, seen.uncertain), (1_000, 50));
    }

    #[test]
    fn only_a_pong_has_times() {
        let pong = r#"{"method":"pong","time_in":"1970-01-01T00:00:01Z","time_out":"1970-01-01T00:00:02Z"}"#;
        assert_eq!(times(pong.as_bytes()), Some([Nanos(1_000_000_000), Nanos(2_000_000_000)]));
        assert_eq!(times(br#"{"channel":"heartbeat"}"#), None);
    }
}
