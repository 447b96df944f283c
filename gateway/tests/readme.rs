//! What README tells a newcomer to run is run, against a gateway on another port. Skips, with a message, what the machine
//! has no interpreter for; DEPTHCAST_PYTHON names a Python with the package `websockets`.

use gateway::Config;
use std::{
    path::Path,
    process::{Command, Stdio},
};

/// The code block of a language in README.
fn block(language: &str) -> String {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    let (_, rest) = readme.split_once(&format!("```{language}\n")).expect("README has the block");
    rest.split_once("\n```").expect("the block ends").0.to_owned()
}

/// Runs the block with an interpreter that takes it as an argument; how many lines it printed.
fn lines_of(language: &str, interpreter: &str, arguments: &[&str]) -> Option<usize> {
    let gateway = gateway::start(Config { listen: ([127, 0, 0, 1], 0).into(), ..Config::default() }).unwrap();
    let code = block(language).replace("127.0.0.1:9000", &gateway.address().to_string());
    let run = Command::new(interpreter).args(arguments).arg(code).stdin(Stdio::null()).output();
    gateway.shut_down("the test is over");
    let Ok(output) = run else {
        eprintln!("SKIPPED: there is no {interpreter}");
        return None;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("No module named 'websockets'") || said.contains("bad option") {
        eprintln!("SKIPPED: {interpreter} cannot: {said}");
        return None;
    }
    assert!(output.status.success(), "{said}");
    Some(String::from_utf8_lossy(&output.stdout).lines().count())
}

#[test]
fn the_python_session_keeps_a_book() {
    let python = std::env::var("DEPTHCAST_PYTHON").unwrap_or_else(|_| "python3".into());
    if let Some(lines) = lines_of("python", &python, &["-c"]) {
        assert!(lines >= 40, "one line a message: {lines}");
    }
}

#[test]
fn the_javascript_session_prints_trades() {
    if let Some(lines) = lines_of("javascript", "node", &["--experimental-websocket", "-e"]) {
        assert!(lines >= 20, "at least one line a message: {lines}");
    }
}
