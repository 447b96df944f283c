//! Clients that people use for server-sent events, long polling, plain TCP and compressed WebSocket, against three workers. Each is skipped, with a message,
//! where its program or library is not installed: those of Node.js by `npm ci` in `tests/clients/node`; those of Python from
//! `tests/clients/requirements.txt`, in the Python that DEPTHCAST_PYTHON names.

mod support;

use gateway::{Config, Running, start};
use std::{path::Path, process::Command};
use support::config;

/// Runs a script with a gateway's URL and what else it wants. Whatever stands in `missing` says that it cannot run here.
fn check(interpreter: &str, script: &str, more: impl FnOnce(&Running) -> Vec<String>, missing: &[&str]) {
    let config = Config { workers: Some(3), rate: Some(400), deflate: true, ..config() };
    let gateway = start(config).expect("the gateway starts");
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let mut command = Command::new(interpreter);
    command.arg(scripts.join(script)).arg(format!("http://{}", gateway.address())).args(more(&gateway));
    let output = command.env("PYTHONDONTWRITEBYTECODE", "1").output();
    gateway.shut_down("the test is over");
    let Ok(output) = output else {
        return eprintln!("SKIPPED: there is no {interpreter}");
    };
    let said = String::from_utf8_lossy(&output.stderr);
    if let Some(missing) = missing.iter().find(|missing| said.contains(**missing)) {
        return eprintln!("SKIPPED: {script} by {interpreter}: {missing}");
    }
    assert!(output.status.success(), "{script}: {said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "done");
}

fn python() -> String {
    std::env::var("DEPTHCAST_PYTHON").unwrap_or_else(|_| "python3".into())
}

#[test]
fn the_event_source_of_npm_comes_back_by_itself_and_loses_nothing() {
    let missing = ["Cannot find module 'eventsource'", "ERR_REQUIRE_ESM"];
    check("node", "event_source.mjs", |_| vec!["package".into()], &missing);
}

#[test]
fn the_event_source_of_a_browser_comes_back_by_itself_and_loses_nothing() {
    let missing =
        ["Cannot find module 'playwright-core'", "Executable doesn't exist", "executable doesn't exist"];
    check("node", "event_source.mjs", |_| vec!["browser".into()], &missing);
}

#[test]
fn httpx_sse_comes_back_with_the_last_id_and_loses_nothing() {
    check(&python(), "sse.py", |_| vec![], &["No module named 'httpx"]);
}

#[test]
fn curl_polls_with_each_cursor_and_loses_nothing() {
    check(&python(), "poll.py", |_| vec![], &["No such file or directory: 'curl'"]);
}

/// Host and port of the TCP port.
fn tcp(gateway: &Running) -> Vec<String> {
    let address = gateway.tcp_address().expect("there is a TCP port");
    vec![address.ip().to_string(), address.port().to_string()]
}

#[test]
fn binary_messages_say_the_same_as_text_to_a_library_that_knows_the_schema_alone() {
    check(&python(), "sbe_native.py", tcp, &["No module named 'sbe", "No module named 'websockets"]);
}

#[test]
fn a_plain_socket_resumes_with_a_token_of_its_own_and_its_book_is_verified() {
    check(&python(), "tcp.py", tcp, &[]);
}

#[test]
fn a_book_over_compressed_frames_is_right_in_python() {
    check(&python(), "deflate.py", |_| vec![], &["No module named 'websockets"]);
}

#[test]
fn a_book_is_right_for_who_can_refer_back_no_further_than_a_kilobyte() {
    check(&python(), "deflate.py", |_| vec!["10".into()], &["No module named 'websockets"]);
}

#[test]
fn a_book_over_compressed_frames_is_right_with_the_ws_of_npm() {
    check("node", "deflate.mjs", |_| vec![], &["Cannot find module 'ws'"]);
}
