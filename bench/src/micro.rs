//! The parts that an event passes, each in a plain timed loop, beside the rivals and the targets.

mod books;
mod clock;
mod events;
mod import;
mod journal;
mod measure;
mod queues;
pub mod repeat;
mod replay;
mod rings;
mod simulator;
mod stats;
mod worker;

use crate::{cores, processor};
use anyhow::ensure;
use measure::{Item, Samples, Setup};

/// Options of `bench micro`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Measure only items with this in their name
    #[arg(long, value_name = "NAME", default_value = "")]
    only: String,

    /// Timed rounds of each item, after one that warms it up
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
}

/// Measures and prints a table.
///
/// # Errors
/// If no item has such a name, or one of them cannot be measured here.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let items: Vec<Item> = items().filter(|item| item.name.contains(&options.only)).collect();
    ensure!(!items.is_empty(), "no item has '{}' in its name; without --only all are measured", options.only);

    let setup = Setup { rounds: options.rounds.into(), cores: cores::available()?.to_vec() };
    cores::pin(setup.cores[0])?;
    let before = processor::Sample::now(&[std::process::id()])?;
    println!("times in ns an item, median of {} rounds, on {} cores", setup.rounds, setup.cores.len());
    println!(
        "{:<36} {:>9} {:>9} {:>9} {:>14}  {:<14} reached",
        "item", "median", "min", "max", "items/s", "target"
    );
    for item in items {
        print_row(&item, &(item.measure)(&setup)?);
    }
    println!("{}", processor::describe_others(before.others_since()?));
    Ok(())
}

fn items() -> impl Iterator<Item = Item> {
    [
        clock::ITEMS,
        rings::ITEMS,
        queues::ITEMS,
        books::ITEMS,
        stats::ITEMS,
        worker::ITEMS,
        simulator::ITEMS,
        journal::ITEMS,
        replay::ITEMS,
        import::ITEMS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

fn print_row(item: &Item, samples: &Samples) {
    if samples.is_empty() {
        println!("{:<36} {}", item.name, samples.note);
        return;
    }
    let (target, reached) = match item.target {
        Some(target) => (target.to_string(), if target.is_reached(samples) { "yes" } else { "no" }),
        None => Default::default(),
    };
    println!(
        "{:<36} {:>9.1} {:>9.1} {:>9.1} {:>14.0}  {:<14} {:<3} {}",
        item.name,
        samples.median(),
        samples.min(),
        samples.max(),
        1e9 / samples.median(),
        target,
        reached,
        samples.note,
    );
}
