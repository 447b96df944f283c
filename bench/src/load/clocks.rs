//! Whether the gateway's clock and ours agree: latency is the difference of a stamp of one and a stamp of the other.

use super::connection::{Address, Connection};
use crate::websocket::Opcode;
use anyhow::{Context, ensure};
use market::{Nanos, clock};
use std::fmt;
use tokio::runtime::Builder;

/// The quickest of so many answers counts.
const PINGS: usize = 20;

/// How far the gateway's clock is ahead of ours.
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

/// Compares by the gateway's answers to pings, as NTP does.
///
/// # Errors
/// If it does not answer.
pub fn compare(address: &Address) -> anyhow::Result<Difference> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connection = Connection::open(address, "/feed").await?;
        let mut quickest: Option<Difference> = None;
        for _ in 0..PINGS {
            let seen = ping(&mut connection).await?;
            quickest = quickest.filter(|quickest| quickest.uncertain <= seen.uncertain).or(Some(seen));
        }
        quickest.context("there was at least one ping")
    })
}

async fn ping(connection: &mut Connection) -> anyhow::Result<Difference> {
    let sent = clock::now();
    connection.send(r#"{"method":"ping"}"#).await?;
    loop {
        ensure!(
            connection.read().await? > 0,
            "the gateway closed the connection instead of answering a ping"
        );
        let received = clock::now();
        let mut pong = None;
        connection.take_frames(|opcode, payload| {
            pong = (opcode == Opcode::TEXT).then(|| times(payload)).flatten().or(pong);
        });
        if let Some(times) = pong {
            return Ok(difference(sent, times, received));
        }
    }
}

/// When the gateway read the ping and when it wrote the answer, if that is what this is.
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
