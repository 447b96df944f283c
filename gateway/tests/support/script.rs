//! Scripts that drive a library which people use, in the language that it is for. Each says what its library believes, a line of
//! JSON each, and `done` at the end.

use super::get;
use serde_json::Value;
use std::{net::SocketAddr, path::Path, process::Command, sync::mpsc, thread};

/// What runs a script of `tests/clients` with the gateway's address and what else it wants.
pub fn script(interpreter: &str, script: &str, address: SocketAddr) -> Command {
    let mut command = Command::new(interpreter);
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    command.arg(scripts.join(script)).arg(address.to_string()).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// The Python that has the libraries.
pub fn python() -> String {
    std::env::var("DEPTHCAST_PYTHON").unwrap_or_else(|_| "python3".into())
}

/// Runs a script, and `meanwhile` again and again until it ends. What it said; `None`, with a message, where the interpreter is missing,
/// or a library that says so in one of the words of `missing`.
pub async fn said_by(
    mut command: Command,
    missing: &[&str],
    mut meanwhile: impl AsyncFnMut(),
) -> Option<Vec<Value>> {
    let what = format!("{command:?}");
    let (finished, is_finished) = mpsc::channel();
    thread::spawn(move || finished.send(command.output()));
    let output = loop {
        meanwhile().await;
        if let Ok(output) = is_finished.try_recv() {
            break output;
        }
    };
    let Ok(output) = output else {
        eprintln!("SKIPPED: there is nothing that runs {what}");
        return None;
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    if let Some(missing) = missing.iter().find(|missing| errors.contains(**missing)) {
        eprintln!("SKIPPED: {what}: {missing}");
        return None;
    }
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(output.status.success() && lines.last() == Some(&"done"), "{what}: {errors}");
    Some(lines[..lines.len() - 1].iter().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// The decimals of prices and quantities of a symbol.
pub async fn decimals_of(symbol: &str, address: SocketAddr) -> [u32; 2] {
    let instruments = get(address, "/v1/instruments").await.json();
    let list = instruments["instruments"].as_array().unwrap();
    let instrument = list.iter().find(|instrument| instrument["symbol"] == symbol).unwrap();
    ["price_decimals", "qty_decimals"].map(|name| instrument[name].as_u64().unwrap() as u32)
}
