//! The contest: every server under every scenario, in turn within each round, so that what the machine does meanwhile is
//! shared out to all of them.
//!
//! A run that others disturbed is kept, marked, and made again. What was measured is on disk after each run.

mod conduct;
mod peak;
mod store;
mod surge;
mod table;

use crate::{
    load::Overloaded,
    result::Run,
    scenario::{self, CASES, Case, Rate},
    servers::{self, Server},
};
use anyhow::{Context, ensure};
use conduct::{Conduct, Measured};
use peak::Search;
use std::{collections::HashMap, path::PathBuf};
use store::Store;

/// Options of `bench contest`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Only these of S1, S2, bursts, S3, S4, S5, surge and transports
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    scenarios: Vec<String>,

    /// Only these servers; all that are installed if left out
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    servers: Vec<String>,

    /// How often everything is measured
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,

    /// How long each run is measured, where the scenario does not say
    #[arg(long, value_name = "S", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,

    /// How often a run that was disturbed is made again
    #[arg(long, value_name = "N", default_value_t = 2)]
    repeats: u32,

    /// Where the figures go: a directory, made if there is none
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Measures, prints what comes of it as it goes, and writes it down.
///
/// # Errors
/// If a scenario or server has no such name, or what was measured cannot be written down. A server that fails is told of,
/// and the others go on.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let cases = cases(&options.scenarios)?;
    let servers = servers::choose(servers::all(), &options.servers)?;
    let store = Store::open(&options.out).with_context(|| format!("write to {}", options.out.display()))?;
    let mut contest = Contest {
        conduct: Conduct { seconds: options.seconds },
        repeats: options.repeats,
        store,
        highest: HashMap::new(),
    };
    for round in 1..=options.rounds {
        println!("round {round} of {}", options.rounds);
        println!("{}", table::RUN_HEADING);
        for case in &cases {
            for server in servers.iter().filter(|server| case.takes(&***server)) {
                if round == 1 || !case.is_once {
                    contest.hold(case, &**server, round)?;
                }
            }
        }
        println!("\nafter {round} of {}: medians, (worst to best), ratios to the floor", options.rounds);
        println!("{}", table::of(contest.store.runs()));
    }
    println!("the runs are in {}", options.out.display());
    Ok(())
}

struct Contest {
    conduct: Conduct,
    repeats: u32,
    store: Store,
    /// The highest rate that each server was found to deliver, by the case and the server.
    highest: HashMap<(String, &'static str), u64>,
}

impl Contest {
    /// Measures one case of one server. If that cannot be, it is told, and the next one's turn.
    fn hold(&mut self, case: &Case, server: &dyn Server, round: u32) -> anyhow::Result<()> {
        let held = match case.rate {
            Rate::Fixed(rate) => self.at(case, server, rate, round).map(Some),
            Rate::Highest(begin) => self.highest(case, server, begin, round),
            Rate::OfHighest(hundredths) => self.of_highest(case, server, hundredths, round),
        };
        match held {
            Ok(Some(measured)) => return self.keep(measured),
            Ok(None) => eprintln!("{}: {} delivers no rate in full", case.title(), server.name()),
            Err(error) => {
                eprintln!("{}: {} cannot be measured: {error:#}", case.title(), server.name());
            }
        }
        Ok(())
    }

    /// Measures at a part of the highest rate of [`scenario::peak`], which is looked for if it was not measured before.
    fn of_highest(
        &mut self,
        case: &Case,
        server: &dyn Server,
        hundredths: u64,
        round: u32,
    ) -> anyhow::Result<Option<Measured>> {
        let (peak, begin) = scenario::peak();
        let key = (peak.title(), server.name());
        if !self.highest.contains_key(&key)
            && let Some(measured) = self.highest(peak, server, begin, round)?
        {
            self.keep(measured)?;
        }
        let Some(highest) = self.highest.get(&key) else { return Ok(None) };
        self.at(case, server, highest * hundredths / 100, round).map(Some)
    }

    /// Looks for the highest rate, near the one that was found in an earlier round.
    fn highest(
        &mut self,
        case: &Case,
        server: &dyn Server,
        begin: u64,
        round: u32,
    ) -> anyhow::Result<Option<Measured>> {
        let key = (case.title(), server.name());
        let search = self.highest.get(&key).map_or(Search::fresh(begin), |&known| Search::near(known));
        let mut tried = Vec::new();
        let found = search.run(|rate| {
            let measured = match self.at(case, server, rate, round) {
                Ok(measured) => Some(measured).filter(|measured| measured.delivers(case, rate)),
                Err(error) if error.is::<Overloaded>() => None,
                Err(error) => return Err(error),
            };
            tried.push(format!("{rate} {}", if measured.is_some() { "yes" } else { "no" }));
            Ok(measured)
        })?;
        Ok(found.map(|(rate, mut measured)| {
            self.highest.entry(key).and_modify(|known| *known = rate.max(*known)).or_insert(rate);
            measured.run.notes.push(format!("messages a second that were tried: {}", tried.join(", ")));
            measured
        }))
    }

    /// Measures at a rate, again if it was disturbed, and keeps what was.
    fn at(&mut self, case: &Case, server: &dyn Server, rate: u64, round: u32) -> anyhow::Result<Measured> {
        let mut left = self.repeats;
        loop {
            let measured = self.conduct.measure(case, server, rate, round)?;
            if !measured.run.disturbed || left == 0 {
                return Ok(measured);
            }
            left -= 1;
            self.keep(measured)?;
        }
    }

    fn keep(&mut self, measured: Measured) -> anyhow::Result<()> {
        println!("{}", table::run(&measured.run));
        self.store.keep(measured).context("write down what was measured")
    }
}

/// The cases of these scenarios; all if none is named.
fn cases(scenarios: &[String]) -> anyhow::Result<Vec<&'static Case>> {
    for name in scenarios {
        let names = scenario::names();
        ensure!(names.contains(&name.as_str()), "there is no scenario {name}, only {}", names.join(", "));
    }
    let is_wanted = |case: &&Case| scenarios.is_empty() || scenarios.iter().any(|name| name == case.scenario);
    Ok(CASES.iter().filter(is_wanted).collect())
}

/// The runs of one case and server that count.
fn counting<'a>(runs: &'a [Run], title: &'a str, server: &'a str) -> impl Iterator<Item = &'a Run> {
    runs.iter().filter(move |run| run.title() == title && run.server == server && !run.disturbed)
}
