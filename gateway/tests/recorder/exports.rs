//! `depthcast export`: what the simulator said, as files for other tools, and back.

use crate::{lines::Recorder, support::program::depthcast};
use std::{path::Path, process::Output};

/// A recording of some thousand events of the simulator.
pub fn simulated(dir: &Path) {
    let mut recorder = Recorder::start(dir, &["--feed", "sim:market", "--rate", "20000", "--symbols", "3"]);
    recorder.until(|line| line["records"].as_u64() > Some(5_000));
    recorder.end();
}

pub fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = depthcast(arguments).output().unwrap();
    (status.code(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
}

/// The number before a word.
fn count(said: &str, what: &str) -> u64 {
    let before = said.split_once(what).expect(said).0.trim_end();
    before.rsplit([' ', '\n']).next().unwrap().parse().expect(said)
}

#[test]
fn a_recording_goes_to_csv_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let [recording, out, back] = ["recording", "out", "back"].map(path);
    simulated(Path::new(&recording));
    let export = |more: &[&str]| run(&[&["export", &recording, "--to", "csv", "--out", &out], more].concat());

    let (code, said) = export(&[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(count(&said, "book updates") > 1_000 && said.contains("trades.csv.gz"), "{said}");
    assert_eq!(export(&[]).0, Some(1));
    assert!(export(&[]).1.contains("--overwrite replaces it"));
    assert_eq!(export(&["--overwrite"]), (Some(0), said.clone()));

    let files = ["incremental_book_L2.csv.gz", "trades.csv.gz"].map(|name| format!("{out}/{name}"));
    let (code, read) = run(&["import", "tardis-csv", &files[0], &files[1], "--out", &back]);
    assert_eq!(code, Some(0), "{read}");
    assert_eq!(count(&read, "trades"), count(&said, "trades"));
    assert!(!read.contains("left out"), "{read}");

    let wrong = |arguments: &[&str], wanted: &str| {
        let (code, said) = export(arguments);
        assert!(code == Some(2) && said.contains(wanted), "{code:?} {said}");
    };
    wrong(&["--from", "2", "--until", "1"], "--from has to be before --until");
    wrong(&["--exchange", "a,b"], "a name of an exchange");
    let (code, said) = run(&["export", &recording, "--to", "xlsx", "--out", &out]);
    assert!(code == Some(2) && said.contains("there are csv"), "{said}");
}
