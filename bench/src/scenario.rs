//! What servers are measured under: the scenarios, each with its cases, as a table. How they are carried out is not known
//! here.

use crate::servers::{Flow, Offer, Server, Who};

/// A load, and what is looked for.
#[derive(Debug)]
pub struct Case {
    /// The scenario that it is part of.
    pub scenario: &'static str,
    /// Which part; empty if there is only one.
    pub name: &'static str,
    /// Who can take part.
    pub who: Who,
    /// Whether one round is enough: what it measures does not depend on who else runs.
    pub is_once: bool,
    /// In which pattern messages come.
    pub flow: Flow,
    /// Messages a second, all topics together.
    pub rate: Rate,
    /// How many topics the server has.
    pub topics: u32,
    /// How many of them each connection has, drawn at random.
    pub topics_each: u32,
    /// Connections that read.
    pub connections: u32,
    /// Connections that never read.
    pub stalled: u32,
    /// How much time a message covers: 0 for each event its own.
    pub interval_ms: u32,
    /// Whether the memory of an idle connection is what is looked for.
    pub is_idle: bool,
    /// Seconds to let it run before the measured time.
    pub warmup: u64,
    /// Seconds to measure, if not as many as all others.
    pub seconds: Option<u64>,
}

/// How many messages come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// So many a second.
    Fixed(u64),
    /// As many as are still delivered: looked for, beginning here.
    Highest(u64),
    /// So many hundredths of the highest that was found for [`peak`].
    OfHighest(u64),
}

/// What most cases have in common: one topic, messages that come singly.
const PLAIN: Case = Case {
    scenario: "",
    name: "",
    who: Who::All,
    is_once: false,
    flow: Flow::Even { burst: 1 },
    rate: Rate::Fixed(1_000),
    topics: 1,
    topics_each: 1,
    connections: 500,
    stalled: 0,
    interval_ms: 0,
    is_idle: false,
    warmup: 1,
    seconds: None,
};

/// 500 connections on one topic, far from the peak or near it.
const fn latency(name: &'static str, rate: u64) -> Case {
    Case { scenario: "S2", name, who: Who::Ours, rate: Rate::Fixed(rate), ..PLAIN }
}

/// A hundred bursts a second: as many writes, however much is in them.
const fn bursts(name: &'static str, burst: u32) -> Case {
    let (flow, rate) = (Flow::Even { burst }, Rate::Fixed(100 * burst as u64));
    Case { scenario: "bursts", name, who: Who::Ours, flow, rate, ..PLAIN }
}

/// 50 readers beside some who never read.
const fn stalled(name: &'static str, who: Who, stalled: u32) -> Case {
    Case { scenario: "S4", name, who, rate: Rate::Fixed(2_500), connections: 50, stalled, ..PLAIN }
}

/// As depthcast's transports and peers over the same ones compare.
const fn transports(name: &'static str, who: Who, burst: u32, rate: Rate) -> Case {
    Case { scenario: "transports", name, who, flow: Flow::Even { burst }, rate, ..PLAIN }
}

const MANY_TOPICS: Case = Case { scenario: "S5", topics: 1_000, topics_each: 20, ..PLAIN };

/// All cases, in the order in which they are measured.
pub const CASES: &[Case] = &[
    Case { scenario: "S1", connections: 50, ..PLAIN },
    Case { scenario: "S2", name: "peak", rate: Rate::Highest(1_600), ..PLAIN },
    latency("0.2 M/s", 400),
    latency("1.6 M/s", 3_200),
    latency("3.2 M/s", 6_400),
    latency("6.4 M/s", 12_800),
    bursts("1", 1),
    bursts("4", 4),
    bursts("16", 16),
    bursts("64", 64),
    Case {
        scenario: "S3",
        is_once: true,
        flow: Flow::Quiet,
        topics: 20,
        connections: 5_000,
        is_idle: true,
        warmup: 0,
        seconds: Some(10),
        ..PLAIN
    },
    stalled("alone", Who::All, 0),
    stalled("1 stalled", Who::All, 1),
    stalled("1,000 stalled", Who::Ours, 1_000),
    Case { name: "peak", rate: Rate::Highest(10_000), ..MANY_TOPICS },
    Case { name: "10 ms", who: Who::Merging, rate: Rate::Highest(40_000), interval_ms: 10, ..MANY_TOPICS },
    // Calm for what is left of five seconds, five of surge, five calm ones.
    Case {
        scenario: "surge",
        who: Who::Merging,
        flow: Flow::Surge,
        rate: Rate::OfHighest(75),
        seconds: Some(13),
        ..PLAIN
    },
    Case { connections: 50, ..transports("50 at 1,000/s", Who::Transports, 1, Rate::Fixed(1_000)) },
    transports("peak", Who::Transports, 1, Rate::Highest(1_600)),
    // More than the peers of these transports deliver.
    transports("bursts of 1", Who::OurTransports, 1, Rate::Fixed(100)),
    transports("bursts of 16", Who::OurTransports, 16, Rate::Fixed(1_600)),
];

/// The first case that looks for the highest rate, and where it begins.
pub fn peak() -> (&'static Case, u64) {
    let begin = |case: &'static Case| match case.rate {
        Rate::Highest(begin) => Some((case, begin)),
        _ => None,
    };
    CASES.iter().find_map(begin).expect("the table has one")
}

/// The names of the scenarios.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = CASES.iter().map(|case| case.scenario).collect();
    names.dedup();
    names
}

impl Case {
    /// Scenario and part, as one name.
    pub fn title(&self) -> String {
        format!("{} {}", self.scenario, self.name).trim_end().to_owned()
    }

    /// Whether a server can take part.
    pub fn takes(&self, server: &dyn Server) -> bool {
        server.takes_part(self.who)
    }

    /// What the server is offered at such a rate.
    pub fn offer(&self, rate: u64) -> Offer {
        Offer { flow: self.flow, rate, topics: self.topics }
    }

    /// How many events a second all connections together are to be told of at such a rate.
    pub fn due_per_second(&self, rate: u64) -> f64 {
        let shares = f64::from(self.connections) * f64::from(self.topics_each) / f64::from(self.topics);
        rate as f64 * shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_case_has_a_name_of_its_own() {
        let titles: HashSet<_> = CASES.iter().map(Case::title).collect();
        assert_eq!(titles.len(), CASES.len());
        assert_eq!(peak().0.title(), "S2 peak");
        assert_eq!(names(), ["S1", "S2", "bursts", "S3", "S4", "S5", "surge", "transports"]);
    }

    #[test]
    fn a_transport_is_compared_with_transports_only() {
        let part = |name: &str| {
            let servers = crate::servers::all();
            let server = servers.iter().find(|server| server.name() == name).unwrap();
            let mut scenarios: Vec<_> =
                CASES.iter().filter(|case| case.takes(&**server)).map(|case| case.scenario).collect();
            scenarios.dedup();
            scenarios
        };
        assert_eq!(part("depthcast"), names());
        assert_eq!(part("depthcast-sse"), ["transports"]);
        assert_eq!(part("nchan-sse"), ["transports"]);
        assert_eq!(part("socket.io"), ["S1", "S2", "S3", "S4", "S5", "transports"]);
        assert!(!part("nchan").contains(&"transports") && !part("floor").contains(&"surge"));
    }

    #[test]
    fn each_message_is_due_to_those_who_have_its_topic() {
        let peak = CASES.iter().find(|case| case.title() == "S5 peak").unwrap();
        assert_eq!(peak.due_per_second(100), 1_000.0);
        let named = CASES.iter().find(|case| case.title() == "S2 6.4 M/s").unwrap();
        assert_eq!(named.due_per_second(12_800), 6_400_000.0);
    }
}
