//! Clients that people use, pointed at a gateway of three workers by its URLs alone. What they believe is held against the native
//! protocol, level by level and trade by trade. Each is skipped, with a message, where its library is not installed: those of Python are
//! from `tests/clients/requirements.txt`, in the Python that DEPTHCAST_PYTHON names.

use super::{
    support::{
        config, run,
        script::{decimals_of, python, said_by, script},
    },
    truth::{Compared, SYMBOL, Truth},
};
use gateway::Config;

/// How a library says that it is not there.
const MISSING: [&str; 2] = ["No module named 'ccxt", "No module named 'websockets"];

/// Runs a script with the gateway's address, and compares all that it says.
fn check(name: &str) -> Option<Compared> {
    let config = Config { workers: Some(3), rate: Some(600), trades_bytes: 16 << 20, ..config() };
    let gateway = gateway::start(config).expect("the gateway starts");
    let address = gateway.address();
    let command = script(&python(), name, address);
    let mut compared = None;
    run(async {
        let mut truth = Truth::begin(address).await;
        let decimals = decimals_of(SYMBOL, address).await;
        let follow = async || {
            truth.follow().await;
        };
        if let Some(said) = said_by(command, &MISSING, follow).await {
            compared = Some(truth.compare(address, &said, decimals).await);
        }
    });
    gateway.shut_down("the test is over");
    compared
}

#[test]
fn the_guides_procedure_makes_right_books_at_each_depth() {
    if let Some(compared) = check("kraken/plain.py") {
        assert!(compared.books >= 12, "{compared:?}");
    }
}

#[test]
fn ccxt_for_kraken_keeps_books_trades_tickers_and_candles() {
    if let Some(compared) = check("kraken/ccxt_kraken.py") {
        let Compared { books, trades, tickers, candles } = compared;
        assert!(books >= 40 && trades >= 60 && tickers >= 6 && candles >= 7, "{compared:?}");
    }
}

#[test]
fn ccxt_for_binance_knows_the_same_tickers_and_candles() {
    if let Some(compared) = check("binance/ccxt_stats.py") {
        assert!(compared.tickers >= 4 && compared.candles >= 8, "{compared:?}");
    }
}
