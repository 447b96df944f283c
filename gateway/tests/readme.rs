//! What README and the guides tell a newcomer to run is run, against a gateway on other ports. Skips, with a message, what the
//! machine has no interpreter or library for; DEPTHCAST_PYTHON names a Python with those of `tests/clients/requirements.txt`,
//! and `npm ci` in `tests/clients/node` installs those of Node.js.

mod support;

use gateway::{Config, start};
use std::{net::SocketAddr, path::Path, process::Command};
use support::{
    browser,
    java::{JDK, OKHTTP, class_path},
    program::{Gateway, depthcast},
    script::{Started, python},
};

const GUIDE: &str = "docs/guides/transports.md";
const RESYNC: &str = "docs/guides/resync.md";
const CLIENTS: &str = "docs/guides/clients.md";
const REPLAY: &str = "docs/guides/replay.md";

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
    let allow_chaos = document == RESYNC;
    let gateway =
        start(Config { listen: ([127, 0, 0, 1], 0).into(), allow_chaos, ..Config::default() }).unwrap();
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
fn the_client_that_tests_its_resync_notices_everything() {
    check_python(RESYNC, "python resync", 20);
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

/// Runs a block of the guide about replays in a folder, against a gateway; what it printed, or nothing if the machine lacks what it takes.
fn run_in(folder: &Path, name: &str, address: SocketAddr, arguments: &[&str]) -> Option<String> {
    let code = block(REPLAY, name).replace("127.0.0.1:9000", &address.to_string());
    let (interpreter, option) = match name.split_once(' ') {
        Some(("python", _)) => (python(), "-c"),
        _ => ("bash".to_owned(), "-euc"),
    };
    let program = Path::new(env!("CARGO_BIN_EXE_depthcast")).parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([program].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let mut command = Command::new(interpreter);
    command.args([option, &code]).args(arguments).env("PATH", path).current_dir(folder);
    let output = Started::new(&mut command).expect("there is an interpreter").output();
    let said = String::from_utf8_lossy(&output.stderr);
    if MISSING.iter().any(|missing| said.contains(missing)) {
        eprintln!("SKIPPED: {name}: {said}");
        return None;
    }
    assert!(output.status.success(), "{name}: {said}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn yesterdays_market_is_replayed_against_a_bot_as_printed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let market = start(Config { listen: ([127, 0, 0, 1], 0).into(), ..Config::default() }).unwrap();
    let captured = run_in(folder, "python capture", market.address(), &["15"]);
    let nowhere = market.address();
    market.shut_down("it is yesterday");
    let Some(captured) = captured else { return };
    assert!(captured.starts_with("captured "), "{captured}");
    let Some(imported) = run_in(folder, "sh import", nowhere, &[]) else { return };
    assert!(imported.contains("records"), "{imported}");

    let arguments =
        block(REPLAY, "sh serve").replace("yesterday", &folder.join("yesterday").to_string_lossy());
    let arguments: Vec<&str> = arguments.split(' ').skip(1).collect();
    let gateway = Gateway::start(depthcast(&[&arguments[..], &["--listen", "127.0.0.1:0"]].concat()));
    let address = gateway.address;
    std::thread::scope(|scope| {
        let bot = scope.spawn(|| run_in(folder, "python bot", address, &["50"]));
        support::run(async {
            let is_served = |answer: &support::Answer| {
                answer.json()["subscribers"].as_array().is_some_and(|all| !all.is_empty())
            };
            support::get_until(address, "/v1/subscribers", |answer| is_served(answer) || bot.is_finished())
                .await
        });
        if !bot.is_finished() {
            let steered = run_in(folder, "sh steer", address, &[]).unwrap();
            let lines: Vec<&str> = steered.lines().collect();
            assert_eq!(lines[0], r#"{"paused":true,"speed":"1"}"#, "{steered}");
            assert!(lines[1].contains(r#""bids":[{"price":"#), "{steered}");
            assert_eq!(lines[4], r#"{"paused":false,"speed":"2"}"#, "{steered}");
        }
        if let Some(traded) = bot.join().unwrap() {
            assert!(traded.lines().filter(|line| line.contains("worth")).count() == 50, "{traded}");
            let mut times = traded.lines().filter(|line| line.contains("worth")).map(|line| &line[..24]);
            let first = times.next().unwrap();
            assert!(
                times.any(|time| time < first) || traded.contains("connecting again"),
                "it was moved back: {traded}"
            );
        }
    });
    if let Some(played) = run_in(folder, "python replay", address, &[]) {
        let lines: Vec<&str> = played.lines().collect();
        assert!(lines[0].starts_with("it begins at 2"), "{played}");
        assert_eq!(lines.iter().filter(|line| line.contains("because of seek")).count(), 2, "{played}");
        assert!(lines.last().unwrap().starts_with("it ended after "), "{played}");
    }
    let hashes = run_in(folder, "sh hash", address, &[]).unwrap();
    assert!(hashes.lines().count() >= 2, "{hashes}");
}
