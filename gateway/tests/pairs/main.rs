//! One script for every pair of a dialect and a transport that the gateway offers, against the program itself: what a client
//! asks for it gets, whatever way it asks, and whatever it does wrong harms nobody else.
//!
//! A dialect is one value of [`dialect::Dialect`]; the script speaks through that alone.

mod client;
mod dialect;
mod native;
mod script;
mod site;
mod witness;

#[path = "../support/mod.rs"]
mod support;

use dialect::Dialect;
use native::Native;
use std::thread;

/// Plays the script over every transport of a dialect at once, each at a gateway of its own.
fn check<D: Dialect>() {
    let wrongs: Vec<String> = thread::scope(|scope| {
        let plays = D::TRANSPORTS
            .iter()
            .map(|&transport| (transport, scope.spawn(move || script::play::<D>(transport))));
        let plays: Vec<_> = plays.collect();
        let wrong = |(transport, play): (_, thread::ScopedJoinHandle<'_, _>)| {
            let played: Result<(), _> = play.join().unwrap_or_else(|_| Err("panics".into()));
            played.err().map(|wrong| format!("{} over {transport:?} {wrong}", D::NAME))
        };
        plays.into_iter().filter_map(wrong).collect()
    });
    assert!(wrongs.is_empty(), "{}", wrongs.join("\n"));
}

#[test]
fn native_json_is_the_same_over_every_transport() {
    check::<Native>();
}
