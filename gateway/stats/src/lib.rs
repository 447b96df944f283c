//! What the trades of the event stream come to: rolling 24-hour tickers, candles of sixteen intervals, average prices.
//!
//! [`Stats`] takes the events of the ring, one by one, and keeps a [`SymbolStats`] of each symbol that has traded. All of it
//! is a function of the trades and ticks alone. **Time is feed time**: a trade lies in the candle of its own timestamp, but
//! never in one that a tick or an earlier trade has left behind, so a candle that was told as closed stays as it was, and a
//! recording gives the same candles again. Feed time may jump: nothing is done for the time in between.
//!
//! All numbers are integers in the instrument's own decimals; what is no whole number is a [`Ratio`]. Nothing panics on
//! what a feed may say: sums that do not fit stay at their bound ([`Candle`]).
//!
//! A symbol that has traded takes at most [`SymbolStats::most_bytes`]: less than 64 KiB for its rolling windows and all that is
//! open, and what the history of closed candles is allowed. One that has not takes 16 bytes.
//!
//! This crate knows nothing of books, rings, clocks or of how numbers are written at a venue.
//!
//! ```
//! use market::{Event, Kind, Nanos, Price, Qty, Side, SymbolId};
//! use stats::{Interval, KlineQuery, Stats, push_decimal};
//!
//! let btc = SymbolId(0); // 2 price decimals, 5 quantity decimals
//! let at = |text: &str| text.parse::<Nanos>().unwrap();
//! let trade = |time, price, qty, number| Event {
//!     symbol: btc,
//!     timestamp: at(time),
//!     price: Price(price),
//!     qty: Qty(qty),
//!     side: Side::Bid,
//!     number,
//!     ..Event::new(Kind::Trade)
//! };
//!
//! let mut stats = Stats::new(stats::MAX_HISTORY);
//! let published = stats.revision();
//! stats.event(&trade("2026-11-23T08:00:00.5Z", 6_000_000, 100_000, 77));
//! stats.event(&trade("2026-11-23T08:00:59Z", 6_100_000, 300_000, 78));
//! stats.event(&Event::tick(at("2026-11-23T08:02:00Z")));
//!
//! assert!(stats.changed_since(published).eq([btc]));
//! let (now, symbol) = (stats.feed_time(), stats.symbol(btc).unwrap());
//!
//! let ticker = symbol.ticker(now);
//! let mut text = Vec::new();
//! push_decimal(&mut text, ticker.weighted_average().rounded(2, 8), 8);
//! assert_eq!(text, b"60750.00000000");
//! assert_eq!(ticker.change_percent().rounded(0, 3), 1_667); // 1.667 %
//!
//! let mut klines = Vec::new();
//! symbol.klines(&KlineQuery::newest(Interval::OneMinute, 1000), now, &mut klines);
//! let told: Vec<_> = klines.iter().map(|k| (k.candle.close, k.candle.trades, k.closed)).collect();
//! assert_eq!(told, [(Price(6_100_000), 2, true), (Price(6_100_000), 0, true), (Price(6_100_000), 0, false)]);
//! ```

mod bounded;
mod candle;
mod candles;
mod interval;
mod klines;
mod ratio;
mod stats;
mod symbol;
mod ticker;
mod window;

pub use candle::{Candle, Kline, Trade};
pub use candles::{MAX_HISTORY, MIN_HISTORY};
pub use interval::{Interval, IntervalError};
pub use klines::KlineQuery;
pub use ratio::{Ratio, push_decimal};
pub use stats::{Revision, Stats};
pub use symbol::SymbolStats;
pub use ticker::{AveragePrice, Ticker};
