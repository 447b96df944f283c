//! What a recording promises, and what importers make of real captures.

mod export_csv;
mod export_dbn;
mod exported;
mod import_binance;
mod import_bitget;
mod import_bitmex;
mod import_bitstamp;
mod import_coinbase;
mod import_databento_csv;
mod import_dbn;
mod import_deribit;
mod import_faults;
mod import_gaps;
mod import_hostile;
mod import_kraken;
mod import_kraken_futures;
mod import_lobster;
mod import_okx;
mod import_tardis;
mod moments;
mod parts;
mod recording;
mod replay;
mod retention;
mod support;
