//! The options that say what a server is offered: of the commands that start one, and of the servers of ours themselves.

use super::{Flow, Offer, Pace};
use anyhow::bail;
use market::Nanos;
use std::time::Duration;

/// What a server is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Args)]
pub struct FeedOptions {
    /// Messages a second, all topics together
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    rate: u64,

    /// Instead: one message a minute of each topic
    #[arg(long, conflicts_with = "rate")]
    quiet: bool,

    /// Messages of one topic at once; topics take turns
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=512))]
    burst: u32,

    /// The first so many symbols of the simulated exchange
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub topics: u32,
}

impl FeedOptions {
    /// Those of an offer.
    ///
    /// # Errors
    /// If it is a surge: only depthcast is measured under those.
    pub fn of(offer: &Offer) -> anyhow::Result<FeedOptions> {
        let Offer { flow, rate, topics } = *offer;
        match flow {
            Flow::Even { burst } => Ok(FeedOptions { rate, quiet: false, burst, topics }),
            Flow::Quiet => Ok(FeedOptions { rate: 1, quiet: true, burst: 1, topics }),
            Flow::Surge => bail!("only depthcast has surges"),
        }
    }

    /// The offer that they are.
    pub fn offer(&self) -> Offer {
        let flow = if self.quiet { Flow::Quiet } else { Flow::Even { burst: self.burst } };
        Offer { flow, rate: self.rate, topics: self.topics }
    }

    /// As they are given to a server of ours.
    pub fn arguments(&self) -> Vec<String> {
        let flow = match self.quiet {
            true => vec!["--quiet".into()],
            false => vec![format!("--rate={}", self.rate), format!("--burst={}", self.burst)],
        };
        [vec![format!("--topics={}", self.topics)], flow].concat()
    }

    /// When each burst is meant to happen, the first one at `start`.
    pub fn pace(&self, start: Nanos) -> Pace {
        match self.quiet {
            true => Pace::new(start, (self.topics.into(), Duration::from_secs(60)), 1),
            false => Pace::new(start, (self.rate, Duration::from_secs(1)), self.burst),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        feed: FeedOptions,
    }

    #[test]
    fn a_server_of_ours_gets_the_offer_as_it_is() {
        let check = |flow, rate, second| {
            let options = FeedOptions::of(&Offer { flow, rate, topics: 60 }).unwrap();
            let command = Command::parse_from([vec!["server".into()], options.arguments()].concat());
            let mut pace = command.feed.pace(Nanos(0));
            pace.came();
            assert_eq!((command.feed.offer().flow, command.feed.topics, pace.due()), (flow, 60, second));
        };
        check(Flow::Even { burst: 64 }, 12_800, Nanos(5_000_000));
        check(Flow::Quiet, 0, Nanos(1_000_000_000));
        assert!(FeedOptions::of(&Offer { flow: Flow::Surge, rate: 1, topics: 1 }).is_err());
    }
}
