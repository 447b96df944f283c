//! How much of a recording is kept: whole segments go, the oldest first.
//!
//! What is to stay is written down before anything is removed, so that what is missing by intent is never taken for lost.

use crate::{
    checked,
    error::{Damage, JournalError},
    format::{KEPT_FILE, META_FILE},
    run::{self, Run},
    scan::Scan,
};
use market::Nanos;
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

/// How much is kept; the segment that is being written always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// At most so many bytes, over all runs.
    pub bytes: Option<u64>,
    /// Only what is at most so much older than the newest record, in feed time.
    pub age: Option<Duration>,
}

/// The text of `kept.toml`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptText {
    first_record: u64,
}

/// The first record that is kept in `dir`: those before it may be missing.
pub(crate) fn kept(dir: &Path) -> Result<u64, JournalError> {
    let file = dir.join(KEPT_FILE);
    match fs::read(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(1),
        Err(error) => Err(JournalError::io("read", &file)(error)),
        Ok(text) => {
            let what = "it does not say what is kept";
            let damage = Damage { file: file.clone(), offset: 0, first_record: 1, last_record: None, what };
            let text: KeptText = toml::from_str(checked::body(&text, &file)?).map_err(|_| damage)?;
            Ok(text.first_record)
        }
    }
}

/// One segment that may go.
struct Candidate {
    path: PathBuf,
    bytes: u64,
    /// The record behind its last one.
    next_record: u64,
}

/// Removes what is not to be kept. `open` is the first record of the segment that is being written, `newest` the feed time there.
/// Returns how many bytes were removed.
pub(crate) fn apply(dir: &Path, retention: Retention, open: u64, newest: Nanos) -> Result<u64, JournalError> {
    if retention == Retention::default() {
        return Ok(0);
    }
    let runs = run::runs(dir)?;
    let leaving = candidates(&runs, retention, open, newest)?;
    let Some(last) = leaving.last() else { return Ok(0) };
    let text = toml::to_string(&KeptText { first_record: last.next_record }).expect("a number has a text");
    checked::write(&dir.join(KEPT_FILE), &text)?;
    for candidate in &leaving {
        fs::remove_file(&candidate.path).map_err(JournalError::io("remove", &candidate.path))?;
    }
    // The last run is the one that is being written.
    for run in runs.iter().rev().skip(1).filter(|run| run.segments().is_ok_and(|left| left.is_empty())) {
        let description = run.dir.join(META_FILE);
        fs::remove_file(&description).map_err(JournalError::io("remove", &description))?;
        fs::remove_dir(&run.dir).map_err(JournalError::io("remove", &run.dir))?;
    }
    checked::sync_dir(dir)?;
    Ok(leaving.iter().map(|candidate| candidate.bytes).sum())
}

/// The segments that are to go, the oldest first.
fn candidates(
    runs: &[Run],
    retention: Retention,
    open: u64,
    newest: Nanos,
) -> Result<Vec<Candidate>, JournalError> {
    let mut segments = Vec::new();
    for run in runs {
        segments.extend(run.segments()?);
    }
    let size =
        |path: &PathBuf| fs::metadata(path).map(|meta| meta.len()).map_err(JournalError::io("measure", path));
    let mut total = 0;
    for (_, path) in &segments {
        total += size(path)?;
    }
    let oldest = retention.age.map(|age| newest.0.saturating_sub(age.as_nanos() as u64));
    let mut leaving = Vec::new();
    for (at, (first_record, path)) in segments.iter().enumerate() {
        // Those behind the open one in another run's numbers do not exist: numbers go on over runs.
        let Some(&(next_record, _)) = segments.get(at + 1).filter(|_| *first_record < open) else { break };
        let too_much = retention.bytes.is_some_and(|limit| total > limit);
        let too_old = match oldest {
            Some(oldest) if !too_much => last_time(path)?.0 < oldest,
            _ => false,
        };
        if !too_much && !too_old {
            break;
        }
        let bytes = size(path)?;
        total -= bytes;
        leaving.push(Candidate { path: path.clone(), bytes, next_record });
    }
    Ok(leaving)
}

/// The feed time at the last record of a segment.
fn last_time(path: &Path) -> Result<Nanos, JournalError> {
    let mut scan = Scan::open(path, 0)?;
    let mut last = Nanos::ZERO;
    while let Some((_, header)) = scan.next()? {
        last = Nanos(header.last_time);
    }
    Ok(last)
}
