//! What must hold for any bytes from outside: one check for each parser of such bytes, which panics if it does not.
//!
//! Knows nothing of where the bytes come from. libFuzzer makes them in `gateway/fuzz/run`; a test takes those in `seeds`, where
//! what was found once stays. A check never asks that bytes are accepted, only that what is made of them is true: that it is the
//! same however they are cut, that it is what another reader finds there, that it is bounded, that written anew it is read as the same.

mod arrival;
mod deflate;
mod handshake;
mod import;
mod recording;
mod requests;
mod settings;
mod socketio;

/// Panics if what must hold for these bytes does not.
pub type Check = fn(&[u8]);

/// All checks by their names.
pub const TARGETS: [(&str, Check); 19] = [
    ("native", requests::native),
    ("binance", requests::binance),
    ("kraken", requests::kraken),
    ("token", requests::token),
    ("query", requests::query),
    ("websocket", arrival::websocket),
    ("tcp", arrival::tcp),
    ("deflate", deflate::check),
    ("handshake", handshake::check),
    ("socketio", socketio::check),
    ("recording", recording::check),
    ("import-binance", import::binance),
    ("import-kraken", import::kraken),
    ("import-dbn", import::dbn),
    ("import-databento-csv", import::databento_csv),
    ("import-lobster", import::lobster),
    ("import-tardis", import::tardis),
    ("config", settings::config),
    ("scenario", settings::scenario),
];
