//! The libraries that people use with Binance, pointed at a gateway of three workers by its URLs alone. What they believe is held
//! against the native protocol, level by level at each id. Each is skipped, with a message, where it is not installed: those of Node.js by
//! `npm ci` in `tests/clients/node`; those of Python from `tests/clients/requirements.txt`, in the Python that DEPTHCAST_PYTHON names.

use super::{
    support::{config, get, run},
    truth::{Compared, SYMBOL, Truth},
};
use gateway::Config;
use serde_json::Value;
use std::{path::Path, process::Command, sync::mpsc, thread};

/// How a library says that it is not there.
const MISSING: [&str; 5] = [
    "No module named 'ccxt",
    "No module named 'binance",
    "No module named 'websockets",
    "Cannot find module 'ccxt'",
    "Cannot find module 'ws'",
];

/// Runs a script with the gateway's address and what else it wants, and compares all that it says.
fn check(interpreter: &str, script: &str, more: &[&str]) -> Option<Compared> {
    let config = Config { workers: Some(3), ..config() };
    let gateway = gateway::start(config).expect("the gateway starts");
    let (address, ids) = (gateway.address(), gateway.ids());
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/binance");
    let mut command = Command::new(interpreter);
    command.arg(scripts.join(script)).arg(address.to_string()).args(more);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    let mut compared = None;
    run(async {
        let mut truth = Truth::begin(address).await;
        truth.follow().await;
        let decimals = decimals(&get(address, "/v1/instruments").await.json());
        let (finished, is_finished) = mpsc::channel();
        thread::spawn(move || finished.send(command.output()));
        let output = loop {
            truth.follow().await;
            if let Ok(output) = is_finished.try_recv() {
                break output;
            }
        };
        let Ok(output) = output else {
            return eprintln!("SKIPPED: there is no {interpreter}");
        };
        let errors = String::from_utf8_lossy(&output.stderr);
        if let Some(missing) = MISSING.iter().find(|missing| errors.contains(**missing)) {
            return eprintln!("SKIPPED: {script} by {interpreter}: {missing}");
        }
        let text = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(output.status.success() && lines.last() == Some(&"done"), "{script} {more:?}: {errors}");
        let said: Vec<Value> =
            lines[..lines.len() - 1].iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        compared = Some(truth.compare(ids, &said, decimals).await);
    });
    gateway.shut_down("the test is over");
    compared
}

/// The decimals of prices and quantities.
fn decimals(instruments: &Value) -> [u32; 2] {
    let list = instruments["instruments"].as_array().unwrap();
    let instrument = list.iter().find(|instrument| instrument["symbol"] == SYMBOL).unwrap();
    ["price_decimals", "qty_decimals"].map(|name| instrument[name].as_u64().unwrap() as u32)
}

fn python() -> String {
    std::env::var("DEPTHCAST_PYTHON").unwrap_or_else(|_| "python3".into())
}

fn check_books(compared: Option<Compared>, at_least: usize) {
    if let Some(compared) = compared {
        assert!(compared.books >= at_least, "{compared:?}");
    }
}

fn check_all(compared: Option<Compared>) {
    if let Some(compared) = compared {
        let Compared { books, tops, trades } = compared;
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
