//! In steady state nothing allocates: from the source's events to the ring and back into a reader's hands.

use feed::{FeedError, FeedSource, FeedState, FeedStatus};
use ingest::{Ingest, IngestOptions};
use market::{Epoch, Event, Instrument, Instruments, Kind, Nanos, Price, Qty, ResetReason, Status, SymbolId};

const PER_POLL: u64 = 1_000;

/// Sets levels of one book for ever, a few to an exchange event, some of them to what they are.
struct Levels {
    instruments: Instruments,
    given: u64,
}

impl Levels {
    fn new() -> Levels {
        let instrument = Instrument {
            symbol: "BTC/USDT".into(),
            venue_symbol: "BTCUSDT".into(),
            price_decimals: 2,
            qty_decimals: 3,
            tick: Price(1),
            lot: Qty(1),
            status: Status::Trading,
        };
        Levels { instruments: Instruments::new([instrument]).unwrap(), given: 0 }
    }
}

impl FeedSource for Levels {
    fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    fn epoch(&self) -> Option<Epoch> {
        None
    }

    fn poll(&mut self, now: Nanos, out: &mut Vec<Event>) -> Result<FeedStatus, FeedError> {
        if self.given == 0 {
            out.push(Event { last: true, ..Event::reset(SymbolId(0), ResetReason::Feed) });
        }
        for at in self.given..self.given + PER_POLL {
            out.push(Event {
                price: Price((at % 41) as i64),
                qty: Qty(at % 3),
                timestamp: now,
                engine: now,
                last: at % 5 == 4,
                ..Event::new(Kind::Level)
            });
        }
        self.given += PER_POLL;
        Ok(FeedStatus { state: FeedState::Events, watermark: now })
    }
}

#[test]
fn nothing_allocates_per_event() {
    let mut ingest = Ingest::new(Box::new(Levels::new()), Epoch(1), IngestOptions::default());
    let mut now = Nanos(1 << 60);
    let mut turns = |count: u64| {
        (0..count)
            .map(|_| {
                now.0 += 1_000_000;
                ingest.turn(now).unwrap().events
            })
            .sum::<usize>()
    };
    turns(100);
    let mut events = 0;
    let allocated = allocation_counter::measure(|| events = turns(1_000));
    assert!(events > 500_000, "only {events} events");
    assert_eq!(allocated.count_total, 0, "of {events} events");
}
