//! The venues: each reads its messages, and knows nothing of how a book is kept or of what becomes of it.

pub(super) mod binance;
pub(super) mod bitget;
pub(super) mod bitmex;
pub(super) mod bitstamp;
pub(super) mod coinbase;
pub(super) mod deribit;
pub(super) mod kraken;
pub(super) mod kraken_futures;
pub(super) mod okx;
