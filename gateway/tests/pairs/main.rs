//! One script for every pair of a dialect and a transport that the gateway offers, against the program itself: what a client
//! asks for it gets, whatever way it asks, and whatever it does wrong harms nobody else.
//!
//! A dialect is one value of [`dialect::Dialect`]; the script speaks through that alone.

mod binance;
mod client;
mod depth;
mod dialect;
mod events;
mod native;
mod script;
mod site;
mod witness;

#[path = "../../wire/tests/sbe/as_json.rs"]
mod as_json;
#[path = "../../wire/tests/sbe/decoder.rs"]
mod decoder;

#[path = "../support/mod.rs"]
mod support;

use binance::Binance;
use dialect::Dialect;
use events::{Bare, Binary, Combined};
use native::Native;
use std::thread;

/// Plays the script over every transport of a dialect at once, each at a gateway of its own.
fn check<D: Dialect + 'static>() {
    let plays: Vec<_> = D::TRANSPORTS
        .iter()
        .map(|&transport| (transport, thread::spawn(move || script::play::<D>(transport))))
        .collect();
    let mut wrongs = Vec::new();
    for (transport, play) in plays {
        if let Err(wrong) = play.join().unwrap_or_else(|_| Err("panics".into())) {
            wrongs.push(format!("{} over {transport:?} {wrong}", D::NAME));
        }
    }
    assert!(wrongs.is_empty(), "{}", wrongs.join("\n"));
}

#[test]
fn native_json_is_the_same_over_every_transport() {
    check::<Native<false>>();
}

#[test]
fn native_sbe_is_the_same_over_every_transport_that_carries_it() {
    check::<Native<true>>();
}

#[test]
fn binance_is_the_same_over_every_transport() {
    check::<Binance<Combined>>();
}

#[test]
fn so_it_is_with_bare_events() {
    check::<Binance<Bare>>();
}

#[test]
fn so_it_is_with_binary_events() {
    check::<Binance<Binary>>();
}
