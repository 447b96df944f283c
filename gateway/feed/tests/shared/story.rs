//! Random stories. DEPTHCAST_SEED says which one is the first (that of the time).

use super::{
    Name,
    exchange::{Exchange, SLOTS},
    receiver::Receiver,
};
use feed::FeedState;
use market::{Nanos, ResetReason};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use std::time::{Duration, SystemTime};

const STORIES: u64 = 60;
const STEPS: usize = 300;
/// Symbols and receivers, each: all books together fit into the ring.
const MOST: usize = 8;

pub fn seed() -> u64 {
    let named = std::env::var("DEPTHCAST_SEED").ok().and_then(|text| text.parse().ok());
    #[allow(clippy::disallowed_methods, reason = "a seed, not a time")]
    let of_the_time = || SystemTime::UNIX_EPOCH.elapsed().unwrap_or(Duration::ZERO).as_nanos() as u64;
    named.unwrap_or_else(of_the_time)
}

struct Story {
    name: Name,
    random: StdRng,
    exchange: Option<Exchange>,
    receivers: Vec<Receiver>,
    symbols: usize,
    now: Nanos,
}

impl Story {
    fn change(&mut self) {
        let Some(exchange) = &mut self.exchange else { return };
        let symbol = self.random.random_range(0..exchange.books.len());
        let random = &mut self.random;
        let mut level = || (random.random_bool(0.5), random.random_range(1..20), random.random_range(0..5));
        let levels: Vec<_> = (0..4).map(|_| level()).collect();
        exchange.change(symbol, &levels[..self.random.random_range(1..=4)], usize::MAX);
    }

    /// In the middle of an exchange event, as kill -9 does.
    fn kill_exchange(&mut self) {
        if let Some(mut exchange) = self.exchange.take() {
            let pushed = self.random.random_range(0..4);
            exchange.change(0, &[(true, 1, 9), (true, 2, 9), (true, 3, 9), (true, 4, 9)], pushed);
        }
    }

    fn open_exchange(&mut self) {
        if self.exchange.is_none() {
            self.symbols += usize::from(self.symbols < MOST && self.random.random_bool(0.3));
            let incarnation = self.random.next_u64();
            self.exchange = Some(Exchange::open(&self.name.0, incarnation, self.symbols).unwrap());
        }
    }

    fn step(&mut self) {
        self.now.0 += self.random.random_range(0..200_000_000);
        match self.random.random_range(0..100) {
            0 => self.kill_exchange(),
            1 => {
                if let Some(exchange) = self.exchange.take() {
                    exchange.sink.end();
                }
            }
            2..7 => self.open_exchange(),
            7 if self.receivers.len() < MOST => self.receivers.push(Receiver::open(&self.name.0)),
            8 if self.receivers.len() > 1 => _ = self.receivers.pop(),
            9 => (0..SLOTS).for_each(|_| self.change()),
            10 => {
                if let Some(exchange) = &mut self.exchange {
                    exchange.lose(self.random.random_range(0..exchange.books.len()));
                }
            }
            11 => {
                if let Some(exchange) = self.exchange.as_mut().filter(|it| it.books.len() < MOST) {
                    exchange.list();
                    self.symbols = self.symbols.max(exchange.books.len());
                }
            }
            12 => {
                if let Some(exchange) = &mut self.exchange {
                    exchange.write_book(0, ResetReason::Feed);
                }
            }
            13..40 => {
                let receiver = self.random.random_range(0..self.receivers.len());
                self.receivers[receiver].poll(self.now);
            }
            40..50 => {
                if let Some(exchange) = &mut self.exchange {
                    exchange.answer();
                    exchange.beat();
                }
            }
            _ => self.change(),
        }
    }

    /// With a writer that lives, all converge: every receiver has every book, as it is.
    fn settle(&mut self) {
        self.open_exchange();
        let exchange = self.exchange.as_mut().unwrap();
        // A number behind the last one, so that what was lost is noticed.
        (0..exchange.books.len()).for_each(|symbol| exchange.change(symbol, &[(true, 100, 1)], usize::MAX));
        for _ in 0..8 {
            self.now.0 += 1_000_000_000;
            exchange.beat();
            for receiver in &mut self.receivers {
                receiver.drain(self.now);
            }
            exchange.answer();
        }
        exchange.beat();
        for receiver in &mut self.receivers {
            assert_eq!(receiver.drain(self.now).state, FeedState::Idle);
            assert_eq!(receiver.watermark, exchange.now);
            for (symbol, book) in exchange.books.iter().enumerate() {
                assert_eq!(receiver.book(symbol), Some(book), "symbol {symbol}");
            }
        }
    }
}

#[test]
fn whatever_happens_books_are_right_or_known_to_be_missing() {
    let first = seed();
    for seed in first..first + STORIES {
        println!("DEPTHCAST_SEED={seed}");
        let name = Name::new();
        let receivers = vec![Receiver::open(&name.0)];
        let random = StdRng::seed_from_u64(seed);
        let mut story = Story { name, random, exchange: None, receivers, symbols: 2, now: Nanos(1) };
        for step in 1..=STEPS {
            story.step();
            if step % 100 == 0 {
                story.settle();
            }
        }
    }
}
