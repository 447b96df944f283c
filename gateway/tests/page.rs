//! The page at `/`, in a browser; and the tests of its modules, in Node.js. Each is skipped, with a message, where the program
//! that it needs is missing.

use gateway::{Config, start};
use std::{
    io::ErrorKind,
    path::Path,
    process::{Command, Output},
};

/// Runs a program to its end; nothing if it is not installed.
fn output(command: &mut Command) -> Option<Output> {
    match command.output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("skipped: {} is not installed", command.get_program().display());
            None
        }
        Err(error) => panic!("{command:?}: {error}"),
    }
}

#[test]
fn a_browser_proves_the_book() {
    let running = start(Config { listen: ([127, 0, 0, 1], 0).into(), ..Config::default() }).unwrap();
    let profile = tempfile::tempdir().unwrap();
    let mut browser = Command::new("chromium");
    // The budget is of the page's own time, in ms, which runs ahead of the clock while the page waits.
    browser
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--virtual-time-budget=60000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("http://{}/", running.address()));
    let output = output(&mut browser);
    running.shut_down("done");
    let Some(output) = output else { return };
    let page = String::from_utf8_lossy(&output.stdout);
    assert!(page.contains(r#"<output id="checksum" data-state="ok">ok</output>"#), "{page}");
}

/// Whether there is a Node.js whose test runner has the timers that the tests play with.
fn has_node() -> bool {
    let Some(output) = output(Command::new("node").arg("--version")) else { return false };
    let version = String::from_utf8_lossy(&output.stdout);
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok());
    let is_enough = major.is_some_and(|major: u32| major >= 20);
    if !is_enough {
        eprintln!("skipped: node {} is too old, 20 is needed", version.trim());
    }
    is_enough
}

#[test]
fn the_modules_of_the_page_pass_their_tests() {
    if !has_node() {
        return;
    }
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page");
    let mut node = Command::new("node");
    node.arg("--test").args(["book.test.mjs", "market.test.mjs"]).current_dir(tests);
    let output = output(&mut node).expect("it told its version");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
