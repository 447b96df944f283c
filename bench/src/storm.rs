//! The reconnect storm: very many clients come back at once, and each wants what it missed.
//!
//! First over connections that are open: all subscribe again with their tokens. Then the gateway is killed and started anew, and
//! all connect, shake hands and subscribe with tokens that it does not know. A few clients that read steadily see what that
//! does to others. Times count from the moment at which all were meant to come, for each of them.

mod client;
mod crowd;
mod outcome;

use crate::{
    load::{Crew, Plan, Target, Terms, Topics, Window, instruments},
    processor,
    servers::{Depthcast, Part, Running, Transport},
};
use anyhow::ensure;
use clap::value_parser;
use client::Token;
use crowd::Crowd;
use market::clock;
use outcome::{Outcome, Steady};
use std::time::Duration;

/// How long those that read steadily are watched before the storm, and from its beginning on.
const CALM: Duration = Duration::from_secs(5);
const STORM: Duration = Duration::from_secs(10);
/// For the threads of the steady readers to learn when to begin.
const LEAD: Duration = Duration::from_millis(50);

/// Options of `bench storm`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Clients that come back at once
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = value_parser!(u32).range(1..=19_000))]
    clients: u32,

    /// How they reach the gateway; over sse there is nothing to be asked over a connection that is open
    #[arg(long, value_enum, default_value_t = Transport::WebSocket)]
    transport: Transport,

    /// Clients that read all topics steadily
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = value_parser!(u32).range(1..=500))]
    steady: u32,

    /// Messages a second, all topics together
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u64).range(1..=1_000_000))]
    rate: u64,

    /// Topics; each of those that come back has one of them
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = value_parser!(u32).range(1..=64))]
    topics: u32,

    /// Print a line of JSON for each storm
    #[arg(long)]
    json: bool,
}

/// Measures both storms and prints what came of them.
///
/// # Errors
/// If there is no gateway, or not all clients are answered in time.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let gateway = Depthcast::over(options.transport);
    let feed = feed_arguments(options);
    let running = gateway.with(&feed)?;
    let address = running.address;
    let mut crowd = Crowd::gather(&running, topics_of_all(options)?)?;
    if options.transport != Transport::Sse {
        options.print(&resume(options, &running, &mut crowd)?)?;
    }
    let tokens = crowd.tokens();
    drop(crowd);
    drop(running);
    let running = gateway.at(address, &feed)?;
    options.print(&reconnect(options, &running, tokens)?)
}

/// All subscribe again at once, over the connections that they have.
fn resume(options: &Options, running: &Running, crowd: &mut Crowd) -> anyhow::Result<Outcome> {
    crowd.leave()?;
    // What happens in the calm is what they miss.
    let watch = Watch::begin(options, running)?;
    crowd.rest(watch.until_storm())?;
    watch.measure("resumes over open connections", running, || crowd.resume())
}

/// All connect at once, to a gateway that was just started.
fn reconnect(options: &Options, running: &Running, tokens: Vec<Token>) -> anyhow::Result<Outcome> {
    let watch = Watch::begin(options, running)?;
    std::thread::sleep(watch.until_storm());
    // The connections stay open until the storm is over for everybody.
    let mut crowd = None;
    watch.measure("connections to a gateway started anew", running, || {
        let (come, answers) = Crowd::come(running, tokens)?;
        crowd = Some(come);
        Ok(answers)
    })
}

/// Those that read steadily, before a storm and in it.
struct Watch {
    crew: Crew,
    window: Window,
}

impl Watch {
    fn begin(options: &Options, running: &Running) -> anyhow::Result<Watch> {
        let Target { address, speech, .. } = Target::of(running);
        let topics = Topics::All(symbols(options.topics)?);
        let mut crew = Crew::default();
        let plan = Plan { address, speech, topics, terms: Terms::default(), stalls: false };
        crew.open(&plan, std::iter::once(0..options.steady))?;
        let window = Window::new(clock::now() + LEAD, (CALM + STORM).as_secs());
        crew.begin(window);
        Ok(Watch { crew, window })
    }

    fn until_storm(&self) -> Duration {
        (self.window.start() + CALM).since(clock::now())
    }

    /// Lets the storm come, and waits until those that read steadily have seen it.
    fn measure(
        self,
        what: &'static str,
        running: &Running,
        storm: impl FnOnce() -> anyhow::Result<crowd::Answers>,
    ) -> anyhow::Result<Outcome> {
        let (server, own) = (running.ids(Part::Server), [std::process::id()]);
        let before = [nanos(&server)?, nanos(&own)?];
        let answers = storm()?;
        let [server, own] = [nanos(&server)? - before[0], nanos(&own)? - before[1]];
        let tally = self.crew.end()?;
        ensure!(tally.counts.closed == 0, "the gateway closed connections of clients that read steadily");
        let steady = Steady::of(&tally, CALM, answers.last());
        Ok(Outcome::new(what, &answers, [server, own], steady))
    }
}

impl Options {
    fn print(&self, outcome: &Outcome) -> anyhow::Result<()> {
        match self.json {
            true => println!("{}", serde_json::to_string(outcome)?),
            false => print!("{outcome}"),
        }
        Ok(())
    }
}

fn feed_arguments(options: &Options) -> Vec<String> {
    let Options { rate, topics, .. } = options;
    ["--feed", "sim:even", "--rate", &rate.to_string(), "--symbols", &topics.to_string()]
        .map(String::from)
        .to_vec()
}

fn symbols(topics: u32) -> anyhow::Result<Vec<String>> {
    Ok(instruments(topics)?.iter().map(|(_, instrument)| instrument.symbol.to_string()).collect())
}

/// The topic of each client that comes back: they take turns.
fn topics_of_all(options: &Options) -> anyhow::Result<Vec<String>> {
    let symbols = symbols(options.topics)?;
    Ok(symbols.iter().cycle().take(options.clients as usize).cloned().collect())
}

fn nanos(processes: &[u32]) -> anyhow::Result<u64> {
    processes.iter().map(|&process| processor::thread_nanos(process)).sum()
}
