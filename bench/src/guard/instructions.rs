//! Instructions that each part takes, as valgrind counts them: this program, running one part, N and 2 N times.

use super::{
    is_there,
    table::{Table, Verdict},
};
use crate::micro::repeat::{PARTS, Part};
use anyhow::{Context, ensure};
use std::process::Command;

/// Counts all parts and compares them with the table. Returns what has grown.
///
/// # Errors
/// If something cannot be counted.
pub fn check() -> anyhow::Result<Vec<String>> {
    if !is_there("valgrind") {
        return Ok(Vec::new());
    }
    let table = Table::read()?;
    println!("{:<36} {:>12} {:>12}", "instructions each time", "recorded", "now");
    let mut grown = Vec::new();
    for part in PARTS {
        let count = count(part)?;
        let recorded = table.get(part.name).map_or("none".into(), |count| count.to_string());
        let verdict = table.judge(part.name, count);
        println!("{:<36} {recorded:>12} {count:>12}  {}", part.name, describe(&verdict));
        if matches!(verdict, Verdict::Grown | Verdict::Unknown) {
            grown.push(format!("{} takes {count} instructions, recorded are {recorded}", part.name));
        }
    }
    if !grown.is_empty() {
        println!("If that is meant, record it anew with `bench guard --record`, and say in the commit why.");
    }
    Ok(grown)
}

/// Counts all parts and writes the table.
///
/// # Errors
/// If there is no valgrind, or something cannot be counted.
pub fn record() -> anyhow::Result<()> {
    ensure!(is_there("valgrind"), "nothing was recorded");
    let count = |part: &'static Part| Ok((part.name, count(part)?));
    let counts = PARTS.iter().map(count).collect::<anyhow::Result<Vec<_>>>()?;
    counts.iter().for_each(|(part, count)| println!("{part:<36} {count:>12}"));
    println!("written to {}", Table::write(&counts)?.display());
    Ok(())
}

/// Does a part so many times.
///
/// # Errors
/// If there is no such part.
pub fn repeat(name: &str, times: usize) -> anyhow::Result<()> {
    let part = PARTS.iter().find(|part| part.name == name).with_context(|| format!("no part '{name}'"))?;
    (part.repeat)(times)
}

/// Instructions that a part takes each time.
fn count(part: &Part) -> anyhow::Result<u64> {
    let (once, twice) = (run(part.name, part.times)?, run(part.name, 2 * part.times)?);
    let more = twice.checked_sub(once).context("twice the work took fewer instructions")?;
    Ok(more / part.times as u64)
}

fn run(name: &str, times: usize) -> anyhow::Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(["guard", "--repeat", name, "--times", &times.to_string()])
        .output()
        .context("start valgrind")?;
    let log = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name} failed under valgrind:\n{log}");
    total(&log).with_context(|| format!("valgrind counted nothing:\n{log}"))
}

/// The number in `==123== I refs: 1,234`; newer versions put a space before the colon.
fn total(log: &str) -> Option<u64> {
    let line = log.lines().find(|line| line.contains(" I ") && line.contains("refs:"))?;
    line.rsplit_once(':')?.1.trim().replace(',', "").parse().ok()
}

fn describe(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Same => "",
        Verdict::Grown => "GROWN",
        Verdict::Shrunk => "shrunk: `bench guard --record` holds the gain",
        Verdict::Unknown => "NEVER RECORDED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read_from_the_log_of_valgrind() {
        let log = "==7== Command: bench\n==7== \n==7== I   refs:      1,234,567\n";
        assert_eq!(total(log), Some(1_234_567));
        assert_eq!(total("==7== I refs:        89\n"), Some(89));
        assert_eq!(total("valgrind: cannot execute\n"), None);
    }

    #[test]
    fn each_part_does_its_work() {
        for part in PARTS {
            (part.repeat)(64).unwrap_or_else(|error| panic!("{}: {error:#}", part.name));
        }
    }
}
