//! The files that a writer writes to: the open segment, those that are closed and not yet durable, and what makes them so.

use crate::{
    checked::sync_dir,
    error::JournalError,
    format::{self, SegmentHeader},
    meta::{FORMAT, Meta},
};
use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Closed segments that wait to be made durable. More are made so before another one is begun.
const UNSYNCED: usize = 4;

/// The segments of a run that are of interest to its writer.
#[derive(Debug)]
pub(crate) struct Files {
    run_dir: PathBuf,
    open: Segment,
    first_record: u64,
    closed: Vec<Segment>,
    closed_bytes: u64,
}

#[derive(Debug, Clone)]
struct Segment {
    file: Arc<File>,
    path: Arc<Path>,
    len: u64,
}

/// What has been written and is not durable yet; [`Commit::wait`] makes it so, on whatever thread.
#[derive(Debug)]
pub struct Commit {
    segments: Vec<Segment>,
    pub(crate) record: u64,
}

impl Files {
    /// Begins the first segment of a run.
    pub fn create(run_dir: PathBuf, meta: &Meta, first_record: u64) -> Result<Files, JournalError> {
        let open = Segment::create(&run_dir, meta, first_record)?;
        Ok(Files { run_dir, open, first_record, closed: Vec::new(), closed_bytes: 0 })
    }

    /// The folder of the run.
    pub fn run_dir(&self) -> &Path {
        &self.run_dir
    }

    /// Bytes of the open segment.
    pub fn open_bytes(&self) -> u64 {
        self.open.len
    }

    /// The first record of the open segment.
    pub fn open_record(&self) -> u64 {
        self.first_record
    }

    /// Bytes of all segments.
    pub fn bytes(&self) -> u64 {
        self.closed_bytes + self.open.len
    }

    /// Appends to the open segment, all or nothing.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), JournalError> {
        let Segment { file, path, len } = &mut self.open;
        // At a given place, so that a write that failed half way is simply written again.
        file.write_all_at(bytes, *len).map_err(JournalError::io("write", path))?;
        *len += bytes.len() as u64;
        Ok(())
    }

    /// Closes the open segment and begins another one.
    pub fn rotate(&mut self, meta: &Meta, first_record: u64) -> Result<(), JournalError> {
        if self.closed.len() >= UNSYNCED {
            self.closed[0].sync()?;
            self.closed.remove(0);
        }
        let next = Segment::create(&self.run_dir, meta, first_record)?;
        self.closed_bytes += self.open.len;
        self.closed.push(std::mem::replace(&mut self.open, next));
        self.first_record = first_record;
        Ok(())
    }

    /// All that is written, up to `record`.
    pub fn commit(&self, record: u64) -> Commit {
        let segments = self.closed.iter().chain([&self.open]).cloned().collect();
        Commit { segments, record }
    }

    /// What was in `commit` is durable.
    pub fn forget(&mut self, commit: &Commit) {
        let is_in =
            |segment: &Segment| commit.segments.iter().any(|other| Arc::ptr_eq(&segment.file, &other.file));
        self.closed.retain(|segment| !is_in(segment));
    }
}

#[cfg(test)]
impl Files {
    /// From now on the open segment refuses to be written.
    pub fn break_open_file(&mut self) {
        self.open.file = Arc::new(File::open(&*self.open.path).unwrap());
    }

    pub fn mend_open_file(&mut self) {
        self.open.file = Arc::new(File::options().write(true).open(&*self.open.path).unwrap());
    }
}

impl Commit {
    /// Waits until the disk has it.
    ///
    /// # Errors
    /// If the disk lost it: what it holds is unknown then.
    pub fn wait(&self) -> Result<(), JournalError> {
        self.segments.iter().try_for_each(Segment::sync)
    }
}

impl Segment {
    /// Makes a segment and makes that durable. One that is left over from a try that failed is begun again.
    fn create(run_dir: &Path, meta: &Meta, first_record: u64) -> Result<Segment, JournalError> {
        let path = run_dir.join(format::segment_name(first_record));
        let header = SegmentHeader { version: FORMAT, run: meta.run, epoch: meta.epoch.0, first_record };
        let file = File::create(&path).map_err(JournalError::io("create", &path))?;
        file.write_all_at(&header.to_bytes(), 0).map_err(JournalError::io("write", &path))?;
        file.sync_all().map_err(JournalError::io("sync", &path))?;
        sync_dir(run_dir)?;
        Ok(Segment { file: Arc::new(file), path: path.into(), len: SegmentHeader::LEN as u64 })
    }

    fn sync(&self) -> Result<(), JournalError> {
        self.file.sync_data().map_err(JournalError::io("sync", &self.path))
    }
}
