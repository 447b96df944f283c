//! Cuts from a recording what was never finished. Damage is not mended: nothing that was whole once is thrown away.

use crate::{
    checked,
    error::JournalError,
    run,
    segment::{Fault, Next, Segment},
    writer,
};
use std::{
    fs::File,
    path::{Path, PathBuf},
};

/// What was cut.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repaired {
    /// Each file with the number of bytes that were cut from its end.
    pub cut: Vec<(PathBuf, u64)>,
}

/// Cuts the beginnings of blocks that were never finished from the ends of the runs in `dir`. Whole records stay, and whatever is
/// damaged stays as it is: [`crate::verify()`] names it.
///
/// # Errors
/// If there is no recording, somebody writes it, or the operating system refuses.
pub fn repair(dir: &Path) -> Result<Repaired, JournalError> {
    let folders = run::folders(dir)?;
    if folders.is_empty() {
        return Err(JournalError::Missing(dir.to_owned()));
    }
    let _lock = writer::lock(dir)?;
    let mut repaired = Repaired::default();
    for (_, folder) in folders {
        let Some((_, path)) = run::segments(&folder)?.pop() else { continue };
        let torn = torn_bytes(path.clone())?;
        if torn > 0 {
            cut(&path, torn)?;
            repaired.cut.push((path, torn));
        }
    }
    Ok(repaired)
}

/// How many bytes at the end are the beginning of something unfinished; none if what is wrong with it is something else.
fn torn_bytes(path: PathBuf) -> Result<u64, JournalError> {
    let failed = |fault| match fault {
        Fault::Failed(error) => Err(error),
        Fault::Damaged { .. } => Ok(0),
    };
    let mut segment = match Segment::open(path) {
        Ok(Next::Whole((segment, _))) => segment,
        Ok(Next::End { torn }) => return Ok(torn),
        Err(fault) => return failed(fault),
    };
    let mut payload = Vec::new();
    loop {
        match segment.next(&mut payload) {
            Ok(Next::Whole(_)) => {}
            Ok(Next::End { torn }) => return Ok(torn),
            Err(fault) => return failed(fault),
        }
    }
}

fn cut(path: &Path, torn: u64) -> Result<(), JournalError> {
    let file = File::options().write(true).open(path).map_err(JournalError::io("open", path))?;
    let len = file.metadata().map_err(JournalError::io("measure", path))?.len();
    file.set_len(len - torn).map_err(JournalError::io("cut", path))?;
    file.sync_all().map_err(JournalError::io("sync", path))?;
    path.parent().map_or(Ok(()), checked::sync_dir)
}
