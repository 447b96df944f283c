//! The gateway under pressure, over real sockets: clients that do not read, read a byte at a time, break off, or change their
//! minds; workers that are overtaken; and those who do as they should beside them, who must not notice.

#[path = "../support/mod.rs"]
mod support;

mod broken;
mod lapped;
mod modified;
mod peer;
mod slow;
mod stalled;
mod workers;

use gateway::Config;
use std::{
    future::Future,
    net::SocketAddr,
    sync::{Mutex, PoisonError},
};

const BTC: &str = "BTC/USDT";
const ETH: &str = "ETH/USDT";

/// One scenario at a time: what each measures is not the others' load.
static ALONE: Mutex<()> = Mutex::new(());

fn under_pressure<F: Future<Output = ()>>(config: Config, scenario: impl FnOnce(SocketAddr) -> F) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    support::with_gateway(config, scenario);
}

/// A lively market over sockets that are soon full, whose clients may ask as often as they like.
fn config() -> Config {
    Config { send_buffer: 16 << 10, requests_per_second: 0, http_requests_per_second: 0, ..support::config() }
}
