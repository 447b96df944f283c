//! Clients that people use, pointed at a gateway of three workers by its URLs alone. What they believe is held against the native
//! protocol, level by level and trade by trade. Each is skipped, with a message, where its library is not installed: those of Python are
//! from `tests/clients/requirements.txt`, in the Python that DEPTHCAST_PYTHON names.

use super::{
    support::{config, get, run},
    truth::{Compared, SYMBOL, Truth},
};
use gateway::Config;
use serde_json::Value;
use std::{path::Path, process::Command, sync::mpsc, thread};

/// How a library says that it is not there.
const MISSING: [&str; 2] = ["No module named 'ccxt", "No module named 'websockets"];

/// Runs a script with the gateway's address, and compares all that it says.
fn check(script: &str) -> Option<Compared> {
    let config = Config { workers: Some(3), rate: Some(600), trades_bytes: 16 << 20, ..config() };
    let gateway = gateway::start(config).expect("the gateway starts");
    let address = gateway.address();
    let interpreter = std::env::var("DEPTHCAST_PYTHON").unwrap_or_else(|_| "python3".into());
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let mut command = Command::new(&interpreter);
    command.arg(scripts.join(script)).arg(address.to_string()).env("PYTHONDONTWRITEBYTECODE", "1");
    let mut compared = None;
    run(async {
        let mut truth = Truth::begin(address).await;
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
        assert!(output.status.success() && lines.last() == Some(&"done"), "{script}: {errors}");
        let said: Vec<Value> =
            lines[..lines.len() - 1].iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        compared = Some(truth.compare(address, &said, decimals).await);
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
