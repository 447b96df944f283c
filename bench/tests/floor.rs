//! The floor under load, as a user runs it: whether what is offered arrives, and is told.

use std::process::Command;

/// Runs `bench floor` for a second and returns what it came to.
fn measure(options: &[&str]) -> serde_json::Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    command.args(["floor", "--seconds", "1", "--warmup", "0", "--json"]).args(options);
    let output = command.output().expect("run bench");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one line of JSON")
}

#[track_caller]
fn check(options: &[&str], offered: f64) {
    let run = measure(options);
    let deliveries = run["deliveries_per_second"].as_f64().unwrap();
    // Bursts at the edges of the window may lie on either side; a machine that is busy is late, but loses nothing.
    assert!((0.7 * offered..1.3 * offered).contains(&deliveries), "{deliveries} of {offered}: {run}");
    for count in ["holes", "gaps", "malformed", "conflated", "closed", "early"] {
        assert_eq!(run[count], 0, "{count}: {run}");
    }
    assert!(run["latency"]["p50"].as_u64().unwrap() > 0, "{run}");
    assert!(run["cpu_ns_per_delivery"].as_f64().unwrap() > 0.0, "{run}");
}

#[test]
fn what_is_offered_arrives_without_a_hole() {
    check(&["--connections", "10", "--rate", "500"], 5_000.0);
}

#[test]
fn bursts_of_many_topics_arrive_without_a_hole_however_they_are_written() {
    for write in ["joined", "each", "writev"] {
        let topics = ["--topics", "40", "--random", "5", "--of", "40"];
        let rate = ["--connections", "8", "--rate", "4000", "--burst", "4", "--write", write];
        check(&[&topics[..], &rate[..]].concat(), 4_000.0);
    }
}
