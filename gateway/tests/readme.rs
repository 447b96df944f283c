//! What README and the guides tell a newcomer to run is run, against a gateway on other ports. Skips, with a message, what the
//! machine has no interpreter or library for; DEPTHCAST_PYTHON names a Python with those of `tests/clients/requirements.txt`,
//! and `npm ci` in `tests/clients/node` installs those of Node.js.

mod support;

use gateway::{Config, start};
use std::{net::SocketAddr, path::Path, process::Command};
use support::{
    browser,
    java::{JDK, OKHTTP, class_path},
    script::Started,
};

const GUIDE: &str = "docs/guides/transports.md";
const CLIENTS: &str = "docs/guides/clients.md";

/// The code block with this name behind its fence.
fn block(document: &str, name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(document);
    let text = std::fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once(&format!("```{name}\n")).expect("the document has the block");
    rest.split_once("\n```").expect("the block ends").0.to_owned()
}

/// What the machine may lack, as interpreters say it.
const MISSING: [&str; 8] = [
    "No module named",
    "bad option",
    "Cannot find package",
    ": command not found",
    "package com.google.gson does not exist",
    "jdk.compiler",
    browser::MISSING[0],
    browser::MISSING[1],
];

/// Runs a block by what takes its text and the gateway's address; how many lines it printed.
fn lines_of(document: &str, name: &str, by: impl FnOnce(&str, SocketAddr) -> Command) -> Option<usize> {
    let gateway = start(Config { listen: ([127, 0, 0, 1], 0).into(), ..Config::default() }).unwrap();
    let tcp = gateway.tcp_address().expect("there is a TCP port").port().to_string();
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol");
    let code = block(document, name)
        .replace("127.0.0.1:9000", &gateway.address().to_string())
        .replace("9001", &tcp)
        .replace("docs/protocol", &schemas.to_string_lossy());
    let libraries = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/node");
    let mut command = by(&code, gateway.address());
    let run = Started::new(command.current_dir(libraries)).map(Started::output);
    gateway.shut_down("the test is over");
    let Ok(output) = run else {
        eprintln!("SKIPPED: there is no {}", command.get_program().display());
        return None;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    if MISSING.iter().any(|missing| said.contains(missing)) {
        eprintln!("SKIPPED: {name}: {said}");
        return None;
    }
    assert!(output.status.success(), "{said}");
    Some(String::from_utf8_lossy(&output.stdout).lines().count())
}

fn check_by(document: &str, name: &str, at_least: usize, by: impl FnOnce(&str, SocketAddr) -> Command) {
    if let Some(lines) = lines_of(document, name, by) {
        assert!(lines >= at_least, "{name}: {lines} lines");
    }
}

/// For an interpreter that takes the text as an argument.
fn check(document: &str, name: &str, interpreter: &str, arguments: &[&str], at_least: usize) {
    check_by(document, name, at_least, |code, _| {
        let mut command = Command::new(interpreter);
        command.args(arguments).arg(code);
        command
    });
}

fn check_python(document: &str, name: &str, at_least: usize) {
    let python = std::env::var("DEPTHCAST_PYTHON").unwrap_or_else(|_| "python3".into());
    check(document, name, &python, &["-c"], at_least);
}

#[test]
fn the_python_session_keeps_a_book() {
    check_python("README.md", "python", 40);
}

#[test]
fn the_javascript_session_prints_trades() {
    check("README.md", "javascript", "node", &["--experimental-websocket", "-e"], 20);
}

#[test]
fn the_javascript_clients_of_the_guide_run_as_printed() {
    for name in ["websocket", "socketio", "sse"] {
        let arguments = ["--experimental-websocket", "--input-type=module", "-e"];
        check(GUIDE, &format!("javascript {name}"), "node", &arguments, 10);
    }
}

#[test]
fn the_python_clients_of_the_guide_run_as_printed() {
    for name in ["socketio", "sse", "poll", "tcp", "tcp sbe"] {
        check_python(GUIDE, &format!("python {name}"), 9);
    }
}

#[test]
fn the_shell_clients_of_the_guide_run_as_printed() {
    for name in ["sse", "poll", "tcp"] {
        check(GUIDE, &format!("sh {name}"), "bash", &["-c"], 9);
    }
}

#[test]
fn the_client_libraries_of_the_guide_run_as_printed() {
    for name in ["ccxt", "python-binance", "websockets"] {
        check_python(CLIENTS, &format!("python {name}"), 10);
    }
    for name in ["ccxt", "ws"] {
        check(CLIENTS, &format!("javascript {name}"), "node", &["--input-type=module", "-e"], 10);
    }
}

#[test]
fn the_clients_that_read_binary_messages_run_as_printed() {
    for name in ["sbe binance", "sbe native"] {
        check_python(CLIENTS, &format!("python {name}"), 20);
    }
}

#[test]
fn the_clients_of_kraken_run_as_printed() {
    check_python(CLIENTS, "python ccxt kraken", 13);
    check_python(CLIENTS, "python websockets kraken", 20);
}

#[test]
fn the_browser_clients_run_as_printed_in_the_console_of_the_gateways_page() {
    for name in ["javascript browser", "javascript browser kraken"] {
        check_by(CLIENTS, name, 20, |code, address| {
            let mut command = browser::run(&format!("http://{address}/"));
            command.arg(code);
            command
        });
    }
}

#[test]
fn the_java_clients_run_as_printed() {
    for (name, jars) in [("java jdk", JDK), ("java okhttp", OKHTTP)] {
        let folder = tempfile::tempdir().unwrap();
        check_by(CLIENTS, name, 20, |code, _| {
            let file = folder.path().join("Book.java");
            std::fs::write(&file, code).unwrap();
            let mut command = Command::new("java");
            command.args(["-cp", &class_path(jars)]).arg(file);
            command
        });
    }
}
