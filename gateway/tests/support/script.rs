//! Scripts that drive a library which people use, in the language that it is for. Each says what its library believes, a line of
//! JSON each, and `done` at the end.

use super::{PATIENCE, get};
use serde_json::Value;
use std::{
    io,
    net::SocketAddr,
    path::Path,
    process::{Command, Output, Stdio},
    sync::mpsc,
    thread,
};

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

/// A program that runs, and is killed if this ends before it.
pub struct Started {
    id: u32,
    output: mpsc::Receiver<io::Result<Output>>,
    has_ended: bool,
}

impl Started {
    /// Starts a program.
    ///
    /// # Errors
    /// If there is no such one.
    pub fn new(command: &mut Command) -> io::Result<Started> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let id = child.id();
        let (ended, output) = mpsc::channel();
        thread::spawn(move || ended.send(child.wait_with_output()));
        Ok(Started { id, output, has_ended: false })
    }

    /// What it printed, if it has ended.
    fn ended(&mut self) -> Option<Output> {
        let output = self.output.try_recv().ok()?;
        self.has_ended = true;
        Some(output.unwrap())
    }

    /// What it printed, once it ends.
    pub fn output(mut self) -> Output {
        let output = self.output.recv_timeout(PATIENCE).expect("it ends in time");
        self.has_ended = true;
        output.unwrap()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if !self.has_ended {
            let _ = Command::new("kill").arg(self.id.to_string()).status();
        }
    }
}

/// Runs a script, and `meanwhile` again and again until it ends. What it said; `None`, with a message, where the interpreter is missing,
/// or a library that says so in one of the words of `missing`.
pub async fn said_by(
    mut command: Command,
    missing: &[&str],
    mut meanwhile: impl AsyncFnMut(),
) -> Option<Vec<Value>> {
    let what = format!("{command:?}");
    let Ok(mut started) = Started::new(&mut command) else {
        eprintln!("SKIPPED: there is nothing that runs {what}");
        return None;
    };
    let output = loop {
        meanwhile().await;
        if let Some(output) = started.ended() {
            break output;
        }
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
