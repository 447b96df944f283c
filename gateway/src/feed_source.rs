//! Opens the feed that the configuration names.

use crate::config::{Config, FeedSpec};
use feed::{
    FeedSource, PauseHandle,
    shared::{FeedName, Notice, SharedError, SharedSource},
};
use feed_sim::{Scenario, SimConfig, SimError, Simulator, Switch};
use journal::{JournalError, Remote, Replay, ReplayOptions};
use market::Epoch;
use std::time::Duration;

/// A feed that is ready to be polled, and the switch that holds it.
pub struct Feed {
    /// What yields events.
    pub source: Box<dyn FeedSource>,
    /// Holds the source, if it has a clock of its own.
    pub hold: PauseHandle,
    /// Steers it, if it is a replay.
    pub remote: Option<Remote>,
    /// Switches it to other scenarios, if it is the simulator.
    pub switch: Option<Switch>,
}

/// Why there is no such feed; for the operator to mend.
#[derive(Debug, thiserror::Error)]
pub enum OpenFeedError {
    /// The simulator does not take it.
    #[error(transparent)]
    Sim(#[from] SimError),
    /// The recording cannot be played.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// What is in shared memory cannot be followed.
    #[error(transparent)]
    Shared(#[from] SharedError),
}

impl Feed {
    /// The feed of this configuration, held from its beginning if that says so.
    ///
    /// # Errors
    /// If it does not exist or cannot be read.
    pub fn open(config: &Config) -> Result<Feed, OpenFeedError> {
        let feed = match &config.feed {
            FeedSpec::Sim(scenario) => {
                let simulator = Simulator::new(SimConfig {
                    scenario: Scenario::find(scenario)?,
                    symbols: config.symbols,
                    rate: config.rate,
                    seed: config.seed,
                    start: config.start,
                })?;
                let (hold, switch) = (simulator.pause_handle(), Some(simulator.switch()));
                Feed { hold, source: Box::new(simulator), remote: None, switch }
            }
            FeedSpec::Journal(dir) => {
                let remote = Remote::new(config.speed);
                let options = ReplayOptions {
                    remote: remote.clone(),
                    from: config.from,
                    to: config.to,
                    again: config.r#loop.then_some(|| Epoch(rand::random())),
                    max_gap: (config.max_gap_ms > 0).then(|| Duration::from_millis(config.max_gap_ms)),
                    hold: PauseHandle::default(),
                };
                let hold = options.hold.clone();
                let source = Box::new(Replay::open(dir, options)?);
                Feed { source, hold, remote: Some(remote), switch: None }
            }
            FeedSpec::Shared(name) => Feed {
                source: Box::new(SharedSource::open(name.clone(), config.wait, tell(name))?),
                hold: PauseHandle::default(),
                remote: None,
                switch: None,
            },
        };
        if config.hold {
            feed.hold.pause();
        }
        Ok(feed)
    }
}

/// What an operator is told of a feed in shared memory.
fn tell(name: &FeedName) -> impl FnMut(Notice) + Send + use<> {
    let feed = format!("shm:{name}");
    move |notice| match notice.is_warning() {
        true => tracing::warn!(feed, "{notice}"),
        false => tracing::info!(feed, "{notice}"),
    }
}
