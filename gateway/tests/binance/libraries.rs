//! The libraries that people use with Binance, and a browser, pointed at a gateway of three workers by its URLs alone. What they believe is
//! held against the native protocol, level by level at each id. Each is skipped, with a message, where it is not installed: those of Node.js by
//! `npm ci` in `tests/clients/node`; those of Python from `tests/clients/requirements.txt`, in the Python that DEPTHCAST_PYTHON names;
//! [`java`](super::support::java) and [`browser`](super::support::browser) say what else.

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
use std::{net::SocketAddr, process::Command, time::Duration};

const SYMBOL: &str = "BTC/USDT";

/// How a library says that it is not there.
const MISSING: [&str; 8] = [
    "No module named 'sbe",
    "No module named 'ccxt",
    "No module named 'binance",
    "No module named 'websockets",
    "Cannot find module 'ccxt'",
    "Cannot find module 'ws'",
    browser::MISSING[0],
    browser::MISSING[1],
];

/// Runs a script with the gateway's address and what else it wants, and compares all that it says.
fn check(interpreter: &str, name: &str, more: &[&str]) -> Option<Compared> {
    check_client(Config::default().allow_origin, |address| {
        let mut command = script(interpreter, &format!("binance/{name}"), address);
        command.args(more);
        Some(command)
    })
}

/// Runs a client of the gateway at an address, which pages of some origins may use, and compares all that it says.
fn check_client(
    allow_origin: Vec<String>,
    client: impl FnOnce(SocketAddr) -> Option<Command>,
) -> Option<Compared> {
    let config = Config { workers: Some(3), allow_origin, ..config() };
    let gateway = gateway::start(config).expect("the gateway starts");
    let (address, ids) = (gateway.address(), gateway.ids());
    let mut compared = None;
    run(async {
        let Some(command) = client(address) else { return };
        let mut truth = Truth::begin(address, SYMBOL).await;
        truth.follow().await;
        let decimals = decimals_of(SYMBOL, address).await;
        if let Some(said) = said_by(command, &MISSING, async || truth.follow().await).await {
            compared = Some(truth.compare(ids, &said, decimals).await);
        }
    });
    gateway.shut_down("the test is over");
    compared
}

fn check_books(compared: Option<Compared>, at_least: usize) {
    if let Some(compared) = compared {
        assert!(compared.books >= at_least, "{compared:?}");
    }
}

fn check_all(compared: Option<Compared>) {
    if let Some(compared) = compared {
        let Compared { books, tops, trades, .. } = compared;
        assert!(books >= 35 && tops >= 15 && trades >= 20, "{compared:?}");
    }
}

#[test]
fn ccxt_for_python_keeps_books_trades_and_tops() {
    check_all(check(&python(), "ccxt_book.py", &[]));
}

#[test]
fn ccxt_for_javascript_keeps_books_trades_and_tops() {
    check_all(check("node", "ccxt_book.mjs", &[]));
}

#[test]
fn the_depth_cache_of_python_binance_is_right_at_both_speeds() {
    check_all(check(&python(), "depth_cache.py", &[]));
}

#[test]
fn the_guides_procedure_makes_right_books_in_python() {
    check_books(check(&python(), "local_book.py", &["btcusdt@depth@100ms", "50"]), 200);
    check_books(check(&python(), "local_book.py", &["btcusdt@depth", "6"]), 16);
}

#[test]
fn so_it_does_for_who_wants_the_first_event_to_begin_exactly_behind_the_book() {
    check_books(check(&python(), "local_book.py", &["btcusdt@depth@100ms", "50", "exactly"]), 200);
}

#[test]
fn the_guides_procedure_makes_right_books_in_javascript() {
    check_books(check("node", "local_book.mjs", &["btcusdt@depth@100ms", "50"]), 200);
    check_books(check("node", "local_book.mjs", &["btcusdt@depth", "6"]), 16);
}

#[test]
fn the_client_of_the_jdk_keeps_books_trades_and_tops() {
    check_all(check_client(vec![], |address| java("Jdk", JDK, address, "binance", 60)));
}

#[test]
fn okhttp_notices_each_cut_and_starts_over() {
    let compared = check_client(vec![], |address| {
        let proxy = Proxy::start(address);
        let client = java("OkHttp", OKHTTP, proxy.address, "binance", 60);
        tokio::spawn(proxy.trouble());
        client
    });
    if let Some(compared) = &compared {
        check_cuts(&compared.ended);
    }
    check_all(compared);
}

#[test]
fn a_page_of_an_allowed_origin_keeps_books_trades_and_tops() {
    let page = Page::serve("binance.js");
    check_all(check_client(vec![page.origin()], |address| Some(page.open(address, 60))));
}

#[test]
fn a_page_of_another_origin_gets_nothing() {
    let page = Page::serve("refused.js");
    let gateway = gateway::start(config()).expect("the gateway starts");
    let command = page.open(gateway.address(), 0);
    let said = run(said_by(command, &MISSING, async || tokio::time::sleep(Duration::from_millis(20)).await));
    gateway.shut_down("the test is over");
    if let Some(said) = said {
        assert_eq!(said, [serde_json::json!({"reads": false, "opens": false})]);
    }
}

#[test]
fn binary_events_make_the_same_books_tops_and_trades() {
    check_all(check(&python(), "sbe_book.py", &["url"]));
    check_all(check(&python(), "sbe_book.py", &["request"]));
}
