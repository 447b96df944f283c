//! The simulated exchange without a pace: how fast its matching engine makes events.

use super::{
    events::simulator,
    measure::{Item, Samples, Setup, Target, time},
};
use feed::FeedSource;
use market::clock;

pub const ITEMS: &[Item] =
    &[Item { name: "simulator/market", target: Some(Target::MillionsPerSecond(5.0)), measure: market }];

fn market(setup: &Setup) -> anyhow::Result<Samples> {
    const EVENTS: usize = 1_000_000;
    const SYMBOLS: u32 = 20;
    let mut simulator = simulator("market", SYMBOLS)?;
    let mut out = Vec::new();
    let samples = setup.measure(EVENTS, || {
        time(|| {
            let mut made = 0;
            while made < EVENTS {
                out.clear();
                simulator.poll(clock::now(), &mut out).expect("the market scenario has no faults");
                made += out.len();
            }
        })
    });
    Ok(samples.with_note(format!("{SYMBOLS} symbols")))
}
