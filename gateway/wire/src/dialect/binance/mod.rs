//! The dialect of Binance's spot market data: streams of bare JSON events, control methods, and prices and quantities as
//! text with eight decimals, always.
//!
//! A **stream** is named `btcusdt@depth@100ms`: the symbol in lower case, what, and how often. On a *combined* connection each event
//! is wrapped as `{"stream":NAME,"data":EVENT}`, on others it is bare; answers to methods are bare on both.
//!
//! | stream | event |
//! |---|---|
//! | `@depth`, `@depth@1000ms`, `@depth@100ms` | what changed in the book: `e`, `E`, `s`, `U`, `u`, `b`, `a`; an `U` is the `u` before plus one |
//! | `@depth5`, `@depth10`, `@depth20`, each also `@1000ms` or `@100ms` | the best levels, all of them: `lastUpdateId`, `bids`, `asks` |
//! | `@trade` | one trade: `e`, `E`, `s`, `t`, `p`, `q`, `T`, `m`, `M` |
//! | `@aggTrade` | as `@trade`, as an aggregate of that one trade: `e`, `E`, `s`, `a`, `p`, `q`, `f`, `l`, `T`, `m`, `M` |
//! | `@ticker`, `@miniTicker` | 24 hours, once a second if something was traded: as the venue documents them |
//! | `!ticker@arr`, `!miniTicker@arr` | the same as an array, of all symbols that were traded since the last one |
//! | `@kline_1s` to `@kline_1M` | a candle: once a second if something was traded, and when it closes |
//! | `@avgPrice` | the average price of five minutes: `e`, `E`, `s`, `i`, `w`, `T` |
//! | `@bookTicker` | the best of each side: `u`, `s`, `b`, `B`, `a`, `A` |
//!
//! The same in binary messages, of four streams of their own: [`sbe`].
//!
//! Over REST the same books and trades are told at once ([`push_depth`], [`push_trade`]), with what clients load before they do anything
//! else ([`push_exchange_info`]).
//!
//! Ids count on over restarts: each is a seq plus a base that grows with each start ([`market::Ids`]). Times are
//! integer milliseconds since 1970.
//!
//! The source of the rules is Binance's public documentation of its spot WebSocket streams; of where that is silent, what
//! client libraries insist on.

mod answer;
mod exchange_info;
mod market_data;
mod number;
mod request;
mod rest;
mod rest_stats;
pub mod sbe;
mod stream;
mod summary;
mod symbol;

pub use answer::{Fault, push_error, push_fault, push_list, push_property, push_result};
pub use exchange_info::push_exchange_info;
pub use market_data::{first_id, push_break, push_event_of_book, push_event_of_top, push_event_of_trade};
pub use number::{DECIMALS, is_offered, push_price, push_qty};
pub use request::{Id, Method, Request, RequestError, is_request, parse_event, parse_request};
pub use rest::{
    parse_symbols, push_aggregate, push_depth, push_last_price, push_list_of, push_time, push_top, push_trade,
};
pub use rest_stats::{push_average_of_minutes, push_day_ticker, push_klines, push_mini_day_ticker};
pub use stream::{Form, Levels, Speed, Stream, StreamName};
pub use summary::push_event_of_summary;
pub use symbol::{find_symbol, offered};
