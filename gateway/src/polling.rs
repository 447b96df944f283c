//! How soon after another a poll may come: one from the same address with the same cursor, which says that nothing is new to
//! it, is held a moment, so that a client in a tight loop costs nothing. Shared by all workers, and bounded in memory.

use market::Nanos;
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use wire::token::Token;

/// Between two polls of one cursor from one address.
const APART: Duration = Duration::from_millis(50);
/// Beyond so many, those that are over are forgotten.
const MANY: usize = 4096;

/// When cursors were polled last.
#[derive(Default)]
pub(crate) struct Polling {
    hasher: RandomState,
    /// By address and cursor, the moment from which on the next poll is not held.
    free_at: Mutex<HashMap<u64, Nanos>>,
}

impl Polling {
    /// How long to hold a poll that comes now.
    pub(crate) fn wait(&self, address: IpAddr, cursor: &Token, now: Nanos) -> Duration {
        let key = self.hasher.hash_one((address, cursor.to_string()));
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        if free_at.len() > MANY {
            free_at.retain(|_, at| *at > now);
        }
        let at = free_at.entry(key).or_insert(now);
        let begins = now.max(*at);
        *at = begins + APART;
        begins.since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_cursor_is_held_and_another_is_not() {
        let polling = Polling::default();
        let [home, away]: [IpAddr; 2] = [[127, 0, 0, 1].into(), [192, 0, 2, 1].into()];
        let check = |address, seq: u64, at_ms: u64, held_ms| {
            let token = format!("9c41d7e0a25b7f3a:BTC/USDT@10={seq}").parse().unwrap();
            let held = polling.wait(address, &token, Nanos(at_ms * 1_000_000));
            assert_eq!(held, Duration::from_millis(held_ms));
        };
        check(home, 1, 1_000, 0);
        check(home, 1, 1_010, 40);
        check(home, 2, 1_010, 0);
        check(away, 1, 1_010, 0);
        check(home, 1, 1_200, 0);
    }

    #[test]
    fn memory_is_bounded_by_what_is_held_now() {
        let polling = Polling::default();
        for seq in 0..20_000u64 {
            let token = format!("9c41d7e0a25b7f3a:BTC/USDT@10={seq}").parse().unwrap();
            polling.wait([127, 0, 0, 1].into(), &token, Nanos(seq * 1_000_000_000));
        }
        assert!(polling.free_at.lock().unwrap().len() <= MANY + 1);
    }
}
