//! Which topics a connection subscribes to.

use anyhow::ensure;
use feed::FeedSource;
use feed_sim::{Scenario, SimConfig, Simulator};
use market::Instruments;
use rand::{SeedableRng, seq::index};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Which topics a connection subscribes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topics {
    /// These, each connection.
    All(Vec<String>),
    /// So many of these, drawn for each connection by its number: the same at each run.
    Random {
        /// Topics of a connection.
        each: usize,
        /// To draw from.
        of: Vec<String>,
    },
}

impl Topics {
    /// So many of the first `of` symbols of the simulated exchange.
    ///
    /// # Errors
    /// If there are not as many.
    pub fn random(each: u32, of: u32) -> anyhow::Result<Topics> {
        ensure!(each >= 1 && each <= of, "{each} topics cannot be drawn from {of}");
        Ok(Topics::Random { each: each as usize, of: symbols(of)? })
    }

    /// How many a connection has.
    pub fn each(&self) -> usize {
        match self {
            Topics::All(symbols) => symbols.len(),
            Topics::Random { each, .. } => *each,
        }
    }

    /// Those of the connection with this number.
    pub fn of(&self, connection: u32) -> Vec<String> {
        match self {
            Topics::All(symbols) => symbols.clone(),
            Topics::Random { each, of } => {
                let mut random = Xoshiro256PlusPlus::seed_from_u64(connection.into());
                index::sample(&mut random, of.len(), *each).iter().map(|at| of[at].clone()).collect()
            }
        }
    }
}

/// The first so many instruments that the simulated exchange lists.
///
/// # Errors
/// If it does not list as many.
pub fn instruments(count: u32) -> anyhow::Result<Instruments> {
    let scenario = Scenario::builtin("even")?;
    let config = SimConfig { scenario, symbols: Some(count), rate: None, seed: 1, start: None };
    Ok(Simulator::new(config)?.instruments().clone())
}

fn symbols(count: u32) -> anyhow::Result<Vec<String>> {
    Ok(instruments(count)?.iter().map(|(_, instrument)| instrument.symbol.to_string()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_connection_draws_different_topics_and_the_same_ones_again() {
        let topics = Topics::random(20, 1_000).unwrap();
        let drawn = topics.of(7);
        assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), 20);
        assert_eq!(drawn, topics.of(7));
        assert_ne!(drawn, topics.of(8));
        assert_eq!(topics.each(), 20);
    }

    #[test]
    fn all_topics_are_drawn_by_someone() {
        let topics = Topics::random(20, 1_000).unwrap();
        let drawn: HashSet<_> = (0..500).flat_map(|connection| topics.of(connection)).collect();
        assert_eq!(drawn.len(), 1_000);
        assert!(drawn.contains("BTC/USDT") && drawn.contains("S0021/USDT") && drawn.contains("S1000/USDT"));
    }

    #[test]
    fn more_than_there_are_cannot_be_drawn() {
        assert!(Topics::random(21, 20).is_err());
        assert!(Topics::random(1, feed_sim::MAX_SYMBOLS + 1).is_err());
    }
}
