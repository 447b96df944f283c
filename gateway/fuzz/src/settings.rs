//! What an operator writes: a configuration means the same when it is written anew, and a scenario tells one story however often it
//! is asked.

use feed::{FeedSource, FeedState};
use feed_sim::{Scenario, SimConfig, Simulator};
use figment::{
    Figment,
    providers::{Format, Serialized, Toml},
};
use gateway::Config;
use market::{Event, Nanos};

/// The text of a configuration file.
pub(crate) fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let defaults = Figment::from(Serialized::defaults(Config::default()));
    let Ok(config) = defaults.merge(Toml::string(text)).extract::<Config>() else { return };
    let again = Figment::from(Serialized::defaults(&config)).extract::<Config>();
    assert_eq!(again.expect("a configuration can be read"), config);
}

/// Feed time that is simulated, in milliseconds.
const SIMULATED: u64 = 40;

/// The text of a scenario file.
pub(crate) fn scenario(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(scenario) = Scenario::from_toml(text) else { return };
    let at_once = simulate(&scenario, &[0, SIMULATED]);
    let by_and_by = simulate(&scenario, &[0, 1, 2, SIMULATED / 2, SIMULATED]);
    assert!(at_once == by_and_by, "what is simulated depends on when it is asked for");
}

/// What there is, polled at these milliseconds, each time until there is no more: a poll yields a bounded number of events.
fn simulate(scenario: &Scenario, polls: &[u64]) -> Vec<Event> {
    let scenario = scenario.clone();
    let start = Some(Nanos(1_000_000_000));
    let config = SimConfig { scenario, symbols: Some(1), rate: Some(1_000), seed: 1, start };
    let mut simulator = Simulator::new(config).expect("a scenario that was read");
    let mut events = Vec::new();
    for &millis in polls {
        let now = Nanos(1_000_000_000 + millis * 1_000_000);
        while simulator.poll(now, &mut events).expect("it never fails").state == FeedState::Events {}
    }
    events
}
