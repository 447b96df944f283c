//! The native protocol as JSON: one object a message, shaped like Kraken v2.
//!
//! Prices and quantities are JSON numbers in the instrument's fixed decimals, never with an exponent; stamps are integer
//! nanoseconds since 1970; times are RFC 3339 in UTC with nine digits. It knows no transport and no subscription.
//!
//! What a message holds, in this order (`?`: only when there is something to say):
//!
//! | message | members |
//! |---|---|
//! | book | `channel`, `type`, `data[0]`: `symbol`, `bids`, `asks`, `checksum`, `timestamp`, `epoch`, then of an update `first_seq`, `seq`, `venue_seq`, `conflated`, `merged`?, `ts`?, of a snapshot `seq`, `venue_seq`, `reason`, `ts`? |
//! | bbo | `channel`, `type`, `data[0]`: `symbol`, `bid`, `bid_qty`, `ask`, `ask_qty` (null on an empty side), `timestamp`, `epoch`, then of an update `first_seq`, `seq`, and if it was merged `conflated`, `merged`; of a snapshot `seq`, `reason`; `ts`? |
//! | trade | `channel`, `type`, `epoch`, then of an update `first_seq`, `seq`, of a snapshot `seq`, `reason`; `data`: `symbol`, `side` (`buy` or `sell`, the aggressor's), `price`, `qty`, `trade_id`, `timestamp`, `seq`; `ts`? |
//! | stats | `channel`, `type`, `data[0]`: `lag_seq`, `conflated`, `gaps`, `bytes_sent`, `p50`, `p99`, `p999` in ns |
//! | `ts` | `engine`, `ingest`, `encode`, `engine_first`? |
//!
//! The result of a `subscribe` leaves out what the channel has no use for: `trade` has no `depth` and no `interval_ms`,
//! `bbo` no `depth`, `stats` no `symbol` either. `modify` answers with the subscription as it is now, `stamps`
//! included, and `list` with the same and `seq`.
//!
//! A message of a replay begins with one more member, `replay`: the mark that its client gave it.
//!
//! Rules for requests, beyond their members:
//! - Members beside `method`, `params` and `req_id` are ignored; a member of `params` that the method does not know is
//!   `bad_params`, so that a typing error does not pass for a default. A member that the method knows but the channel
//!   has no use for (`depth` of `trade`) is checked and otherwise ignored.
//! - A member that is null counts as left out; one that stands twice is refused.
//! - A missing member, and a wrong type of one without a code of its own, is `bad_params`; whatever is wrong with a
//!   channel, depth, interval, policy or token has that one's code.
//! - An error in a request with several symbols is answered once for each of them, as a success would be.

mod answer;
mod market_data;
mod notice;
mod params;
mod request;
mod rest;
mod tamper;

pub use answer::{
    push_chaos, push_chaos_report, push_error, push_hello, push_list, push_modified, push_pong,
    push_replaying, push_steered, push_subscribed, push_unsubscribed, push_verified,
};
pub use market_data::{push_bbo, push_book, push_trade};
pub use notice::{
    mark_as_replay, push_gap, push_heartbeat, push_live, push_replay_ended, push_stats, push_status,
};
pub(super) use request::{Top, parse_json, read_id};
pub use request::{parse_event, parse_request};
pub use rest::{push_book_object, push_difference, push_instruments, push_rest_error, push_trades};
pub(crate) use tamper::{is_update, tamper};
