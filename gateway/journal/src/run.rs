//! The runs of a recording: which there are, and which segments each has. Knows nothing of what is in a segment.

use crate::{
    error::{Damage, JournalError},
    format::{self, META_FILE},
    meta::Meta,
    retention,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// One run of a recording, as it was begun.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub meta: Meta,
    pub dir: PathBuf,
}

impl Run {
    /// The first record that retention has left in the recording.
    pub fn kept(&self) -> Result<u64, JournalError> {
        retention::kept(self.dir.parent().unwrap_or(Path::new("")))
    }

    /// The run's segments in their order, each with the number of its first record.
    pub fn segments(&self) -> Result<Vec<(u64, PathBuf)>, JournalError> {
        segments(&self.dir)
    }
}

/// The segments in the folder of a run in their order, each with the number of its first record.
pub(crate) fn segments(dir: &Path) -> Result<Vec<(u64, PathBuf)>, JournalError> {
    let mut segments = list(dir, format::segment_of)?;
    segments.sort();
    Ok(segments)
}

/// The runs in `dir`, the oldest first. A run whose beginning was cut short before its description was written holds nothing,
/// and is left out.
pub(crate) fn runs(dir: &Path) -> Result<Vec<Run>, JournalError> {
    let mut runs = Vec::new();
    for (number, folder) in folders(dir)? {
        runs.extend(open(number, folder)?);
    }
    Ok(runs)
}

/// The folders of runs in `dir`, each with its number, the oldest first; none if `dir` does not exist.
pub(crate) fn folders(dir: &Path) -> Result<Vec<(u32, PathBuf)>, JournalError> {
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let mut folders = list(dir, format::run_of)?;
    folders.sort();
    Ok(folders)
}

/// The run in a folder; `None` if its description was never written, and so nothing else.
pub(crate) fn open(number: u32, dir: PathBuf) -> Result<Option<Run>, JournalError> {
    let file = dir.join(META_FILE);
    let damage = |what| Damage { file: file.clone(), offset: 0, first_record: 1, last_record: None, what };
    let text = match fs::read(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if list(&dir, format::segment_of)?.is_empty() {
                return Ok(None);
            }
            return Err(damage("it is missing, but the segments that it describes are there").into());
        }
        Err(error) => return Err(JournalError::io("read", &file)(error)),
    };
    let meta = Meta::of_text(&text, &file)?;
    if meta.run != number {
        return Err(damage("it describes another run than its folder's").into());
    }
    Ok(Some(Run { meta, dir }))
}

/// What in `dir` has a name that `number` knows.
fn list<N>(dir: &Path, number: impl Fn(&str) -> Option<N>) -> Result<Vec<(N, PathBuf)>, JournalError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(JournalError::io("list", dir))? {
        let entry = entry.map_err(JournalError::io("list", dir))?;
        if let Some(number) = entry.file_name().to_str().and_then(&number) {
            found.push((number, entry.path()));
        }
    }
    Ok(found)
}
