//! Clients that people use, pointed at a gateway of three workers by its URLs alone. What they believe is held against the native
//! protocol, level by level and trade by trade. Each is skipped, with a message, where its library is not installed: those of Python are
//! from `tests/clients/requirements.txt`, in the Python that DEPTHCAST_PYTHON names; [`java`](super::support::java) and
//! [`browser`](super::support::browser) say what else.

use super::{
    support::{
        browser::{self, Page},
        config,
        java::{JDK, OKHTTP, check_cuts, java},
        proxy::Proxy,
        run,
        script::{decimals_of, python, said_by, script},
    },
    truth::{Compared, Truth},
};
use gateway::Config;
use std::{net::SocketAddr, process::Command};

const SYMBOL: &str = "BTC/USDT";

/// How a library says that it is not there.
const MISSING: [&str; 4] =
    ["No module named 'ccxt", "No module named 'websockets", browser::MISSING[0], browser::MISSING[1]];

/// Runs a script with the gateway's address, and compares all that it says.
fn check(name: &str) -> Option<Compared> {
    check_client(vec![], |address| Some(script(&python(), name, address)))
}

/// Runs a client of the gateway at an address, which pages of some origins may use, and compares all that it says.
fn check_client(
    allow_origin: Vec<String>,
    client: impl FnOnce(SocketAddr) -> Option<Command>,
) -> Option<Compared> {
    let config =
        Config { workers: Some(3), rate: Some(600), trades_bytes: 16 << 20, allow_origin, ..config() };
    let gateway = gateway::start(config).expect("the gateway starts");
    let address = gateway.address();
    let mut compared = None;
    run(async {
        let Some(command) = client(address) else { return };
        let mut truth = Truth::begin(address, SYMBOL).await;
        let decimals = decimals_of(SYMBOL, address).await;
        if let Some(said) = said_by(command, &MISSING, async || truth.follow().await).await {
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
        let Compared { books, trades, tickers, candles, .. } = compared;
        assert!(books >= 40 && trades >= 60 && tickers >= 6 && candles >= 7, "{compared:?}");
    }
}

#[test]
fn ccxt_for_binance_knows_the_same_tickers_and_candles() {
    if let Some(compared) = check("binance/ccxt_stats.py") {
        assert!(compared.tickers >= 4 && compared.candles >= 8, "{compared:?}");
    }
}

#[test]
fn the_client_of_the_jdk_proves_each_message() {
    if let Some(compared) = check_client(vec![], |address| java("Jdk", JDK, address, "kraken", 600)) {
        assert_eq!(compared.books, 61, "{compared:?}");
    }
}

#[test]
fn okhttp_notices_each_cut_and_starts_over() {
    let compared = check_client(vec![], |address| {
        let proxy = Proxy::start(address);
        let client = java("OkHttp", OKHTTP, proxy.address, "kraken", 800);
        tokio::spawn(proxy.trouble());
        client
    });
    if let Some(compared) = compared {
        check_cuts(&compared.ended);
        assert!(compared.books > 80, "{compared:?}");
    }
}

#[test]
fn a_page_of_an_allowed_origin_proves_each_message() {
    let page = Page::serve("kraken.js");
    if let Some(compared) = check_client(vec![page.origin()], |address| Some(page.open(address, 600))) {
        assert_eq!(compared.books, 61, "{compared:?}");
    }
}
