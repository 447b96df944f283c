//! Each peer under load, as a user runs it, where its program is installed; where it is not, its test is skipped with the
//! message of `bench peers`.

use std::process::Command;

/// Runs `bench peers` for a second on one of them and returns what it came to; `None` if it is not installed.
fn measure(peer: &str, options: &[&str]) -> Option<serde_json::Value> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    command.args(["peers", "--only", peer, "--seconds", "1", "--warmup", "1", "--json"]).args(options);
    let output = command.output().expect("run bench");
    let said = String::from_utf8_lossy(&output.stderr);
    if said.starts_with("SKIPPED") {
        eprintln!("{}", said.lines().next().unwrap_or_default());
        return None;
    }
    assert!(output.status.success(), "{said}");
    Some(serde_json::from_slice(&output.stdout).expect("one line of JSON"))
}

/// One topic message by message, then bursts of three topics: all that is offered arrives, each message once and whole.
fn check(peer: &str) {
    let one = ["--connections", "5", "--rate", "200"];
    let three = ["--topics", "3", "--symbols", "BTC/USDT,ETH/USDT,SOL/USDT"];
    let bursts = ["--connections", "4", "--rate", "600", "--burst", "4"];
    for (options, offered) in [(&one[..], 1_000.0), (&[&three[..], &bursts].concat(), 2_400.0)] {
        let Some(run) = measure(peer, options) else { return };
        let deliveries = run["deliveries_per_second"].as_f64().unwrap();
        // A machine that is busy is late, so that part of it falls out of the window or into it, but loses nothing.
        assert!((0.3 * offered..1.7 * offered).contains(&deliveries), "{deliveries} of {offered}: {run}");
        assert_eq!(run["deliveries_per_second"], run["events_per_second"], "{run}");
        for count in ["holes", "gaps", "malformed", "conflated", "closed", "early"] {
            assert_eq!(run[count], 0, "{count}: {run}");
        }
        let bytes = run["bytes_per_second"].as_f64().unwrap() / deliveries;
        assert!((340.0..420.0).contains(&bytes), "{bytes} bytes a message: {run}");
        assert!(run["server_cores"].as_f64().unwrap() > 0.0, "{run}");
        assert_eq!(run["feed_cores"].is_f64(), ["nats", "nchan", "nchan-sse"].contains(&peer), "{run}");
    }
}

#[test]
fn nats() {
    check("nats");
}

#[test]
fn nchan() {
    check("nchan");
}

#[test]
fn nchan_over_events() {
    check("nchan-sse");
}

#[test]
fn axum() {
    check("axum");
}

#[test]
fn fastwebsockets() {
    check("fastwebsockets");
}

#[test]
fn ws() {
    check("ws");
}

#[test]
fn socket_io() {
    check("socket.io");
}
