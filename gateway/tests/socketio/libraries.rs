//! The libraries that people use, against three workers, so that the requests of a session of long polling come to workers that do
//! not have it. Each is skipped, with a message, where it is not installed: socket.io-client by `npm ci` in
//! `tests/clients/node`; python-socketio from `tests/clients/requirements.txt`, in the Python that DEPTHCAST_PYTHON names.

use super::support::config;
use gateway::Config;
use std::{path::Path, process::Command};

/// Runs a script with a gateway's URL and the transports that its library may use.
fn check(interpreter: &str, script: &str, transports: &[&str]) {
    let config = Config { workers: Some(3), rate: Some(400), ..config() };
    let gateway = gateway::start(config).expect("the gateway starts");
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/socketio");
    let mut command = Command::new(interpreter);
    command.arg(tests.join(script)).arg(format!("http://{}", gateway.address())).args(transports);
    let output = command.output();
    gateway.shut_down("the test is over");
    let Ok(output) = output else {
        return eprintln!("SKIPPED: there is no {interpreter}");
    };
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("Cannot find module 'socket.io-client'") || said.contains("No module named 'socketio'") {
        return eprintln!("SKIPPED: {interpreter} has no library of Socket.IO");
    }
    assert!(output.status.success(), "{script} {transports:?}: {said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "done");
}

fn check_node(transports: &[&str]) {
    check("node", "client.mjs", transports);
}

fn check_python(transports: &[&str]) {
    let python = std::env::var("DEPTHCAST_PYTHON").unwrap_or_else(|_| "python3".into());
    check(&python, "client.py", transports);
}

#[test]
fn socket_io_client_keeps_books_over_long_polling() {
    check_node(&["polling"]);
}

#[test]
fn socket_io_client_keeps_books_over_a_websocket() {
    check_node(&["websocket"]);
}

#[test]
fn socket_io_client_keeps_books_while_it_moves_from_the_one_to_the_other() {
    check_node(&["polling", "websocket"]);
}

#[test]
fn python_socketio_keeps_books_over_long_polling() {
    check_python(&["polling"]);
}

#[test]
fn python_socketio_keeps_books_over_a_websocket() {
    check_python(&["websocket"]);
}

#[test]
fn python_socketio_keeps_books_while_it_moves_from_the_one_to_the_other() {
    check_python(&["polling", "websocket"]);
}
