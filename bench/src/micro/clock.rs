//! Reading the clock: the reason for reading it once a batch.

use super::measure::{Item, Samples, Setup, time};
use std::hint::black_box;

pub const ITEMS: &[Item] = &[Item { name: "clock/now", target: None, measure: now }];

fn now(setup: &Setup) -> anyhow::Result<Samples> {
    const READINGS: usize = 2_000_000;
    Ok(setup.measure(READINGS, || {
        time(|| {
            for _ in 0..READINGS {
                black_box(market::clock::now());
            }
        })
    }))
}
