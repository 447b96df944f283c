//! A contest, as a user runs it: whether what was measured is in the directory that was named.

use std::{fs, path::Path, process::Command};

fn contest(out: &Path, options: &[&str]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    command.args(["contest", "--servers", "floor", "--rounds", "1", "--seconds", "1", "--repeats", "0"]);
    command.arg("--out").arg(out).args(options);
    command.output().expect("run bench")
}

#[test]
fn each_run_is_written_down_with_its_latencies() {
    let out = tempfile::tempdir().unwrap();
    let output = contest(out.path(), &["--scenarios", "S1"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let text = fs::read_to_string(out.path().join("results.json")).unwrap();
    let results: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(results["machine"]["cores"].as_u64().unwrap() > 0, "{results}");
    let [run] = &results["results"].as_array().unwrap()[..] else { panic!("one run: {results}") };
    assert_eq!((&run["scenario"], &run["server"]), (&"S1".into(), &"floor".into()));
    assert_eq!(run["offer"]["rate"], 1_000);
    assert!(run["deliveries_per_second"].as_f64().unwrap() > 0.0, "{run}");
    assert!(run["latency"]["histogram"].as_str().unwrap().starts_with("HIST"), "{run}");

    let log = fs::read_to_string(out.path().join("001-S1-floor.hlog")).unwrap();
    assert!(log.lines().any(|line| line.contains("HIST")), "{log}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("S1, floor: "));
}

#[test]
fn a_name_that_does_not_exist_is_answered_with_those_that_do() {
    let out = tempfile::tempdir().unwrap();
    let output = contest(out.path(), &["--scenarios", "S9"]);
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("S9") && text.contains("S1, S2, bursts"), "{text}");
}
