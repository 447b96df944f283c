//! `depthcast verify`: checks a recording from its first byte to its last.

use super::Outcome;
use journal::Report;
use serde::Serialize;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The recording
    dir: PathBuf,
    /// Write the report as one JSON line
    #[arg(long)]
    json: bool,
}

/// The report as `--json` writes it.
#[derive(Serialize)]
struct Line {
    whole: bool,
    records: u64,
    first_seq: u64,
    last_seq: u64,
    torn_bytes: u64,
    gaps: Vec<String>,
    damage: Vec<String>,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let report = match journal::verify(&arguments.dir) {
        Ok(report) => report,
        Err(error) => {
            eprintln!("depthcast: {error}");
            return Outcome::Failed;
        }
    };
    if arguments.json {
        println!("{}", serde_json::to_string(&line(&report)).expect("a report can be written"));
    } else {
        tell(&report);
    }
    if report.is_whole() { Outcome::Done } else { Outcome::Failed }
}

fn line(report: &Report) -> Line {
    Line {
        whole: report.is_whole(),
        records: report.records,
        first_seq: report.first_seq,
        last_seq: report.last_seq,
        torn_bytes: report.torn_bytes,
        gaps: gaps(report).collect(),
        damage: report.damage.iter().map(ToString::to_string).collect(),
    }
}

fn gaps(report: &Report) -> impl Iterator<Item = String> {
    report.gaps.iter().map(|(run, gap)| format!("run {run}: {gap}"))
}

fn tell(report: &Report) {
    let Report { records, first_seq, last_seq, torn_bytes, damage, .. } = report;
    println!(
        "{records} records, {first_seq} to {last_seq}; {torn_bytes} bytes at the end were never finished"
    );
    for gap in gaps(report) {
        println!("gap: {gap}");
    }
    for damage in damage {
        println!("damaged: {damage}");
    }
    println!("{}", if report.is_whole() { "whole" } else { "damaged" });
}
