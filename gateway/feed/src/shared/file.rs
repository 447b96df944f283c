//! The file of a feed: made whole before it has its name, locked as long as its writer lives, and never changed in size.

use super::{
    SharedError,
    area::{self, Area, Sizes},
    name::FOLDER,
};
use rustix::fs::{FallocateFlags, Mode, OFlags};
use std::{
    fs::{File, TryLockError},
    io::{self, ErrorKind},
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
};
use tempfile::{Builder, NamedTempFile};

/// How often a feed that came in between is looked at before it is given up.
const ATTEMPTS: usize = 16;

/// A file that has no name yet; it is gone when it is dropped.
pub(super) struct Unnamed(NamedTempFile);

impl Unnamed {
    /// Locked, of this size, all zeros, for its owner alone. Its memory is taken now: later it could be refused only by
    /// killing the process.
    pub fn create(sizes: Sizes) -> Result<Unnamed, SharedError> {
        check_folder()?;
        let wrong = |doing| move |source| SharedError::Io { doing, path: FOLDER.into(), source };
        let file =
            Builder::new().prefix(".depthcast-").tempfile_in(FOLDER).map_err(wrong("make a file in"))?;
        let bytes = sizes.words() as u64 * 8;
        match rustix::fs::fallocate(file.as_file(), FallocateFlags::empty(), 0, bytes) {
            Ok(()) => {}
            Err(rustix::io::Errno::NOSPC) => return Err(SharedError::NoRoom { bytes }),
            Err(error) => return Err(wrong("take memory in")(error.into())),
        }
        file.as_file().lock().map_err(wrong("lock a file in"))?;
        Ok(Unnamed(file))
    }

    pub fn file(&self) -> &File {
        self.0.as_file()
    }

    /// Gives it its name, in the place of a feed whose writer is dead. As long as the file that is returned is open, no other
    /// writer takes the name.
    pub fn name(self, path: &Path) -> Result<File, SharedError> {
        let mut unnamed = self.0;
        for _ in 0..ATTEMPTS {
            match unnamed.persist_noclobber(path) {
                Ok(file) => return Ok(file),
                Err(refused) if refused.error.kind() == ErrorKind::AlreadyExists => unnamed = refused.file,
                Err(refused) => return Err(failed("name", path)(refused.error)),
            }
            remove_dead(path)?;
        }
        Err(failed("name", path)(ErrorKind::AlreadyExists.into()))
    }
}

/// Opens a file of the user who runs this.
pub(super) fn open_own(path: &Path) -> Result<File, SharedError> {
    let file = open(path)?;
    let owner = file.metadata().map_err(failed("look at", path))?.uid();
    if owner != rustix::process::geteuid().as_raw() {
        return Err(SharedError::Foreign { path: path.to_owned(), owner });
    }
    Ok(file)
}

/// Removes the feed of this incarnation, if it still has the name.
pub(super) fn remove_own(area: &Area) {
    let is_own = open(&area.path)
        .is_ok_and(|file| told(&file, area::at::INCARNATION) == Some(area.load(area::at::INCARNATION)));
    if is_own {
        // Whoever removed it before did the same.
        let _ = std::fs::remove_file(&area.path);
    }
}

/// Removes a feed that nobody writes any more. One that has gone meanwhile, or has been replaced, is looked at again.
fn remove_dead(path: &Path) -> Result<(), SharedError> {
    let file = match open(path) {
        Ok(file) => file,
        Err(SharedError::Missing(_)) => return Ok(()),
        Err(error) => return Err(error),
    };
    if told(&file, area::at::MAGIC) != Some(area::MAGIC) {
        return Err(SharedError::NoFeed(path.to_owned()));
    }
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let pid = told(&file, area::at::PROCESS).unwrap_or_default();
            return Err(SharedError::Busy { path: path.to_owned(), pid });
        }
        Err(TryLockError::Error(error)) => return Err(failed("lock", path)(error)),
    }
    // Whoever holds the lock of the file that has the name, and only that, may take the name away.
    if is_named(&file, path) {
        std::fs::remove_file(path).map_err(failed("remove", path))?;
    }
    Ok(())
}

fn open(path: &Path) -> Result<File, SharedError> {
    check_folder()?;
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => Ok(file.into()),
        Err(rustix::io::Errno::NOENT) => Err(SharedError::Missing(path.to_owned())),
        Err(error) => Err(failed("open", path)(error.into())),
    }
}

fn is_named(file: &File, path: &Path) -> bool {
    let id = |it: io::Result<std::fs::Metadata>| it.ok().map(|it| (it.dev(), it.ino()));
    let named = id(std::fs::symlink_metadata(path));
    named.is_some() && named == id(file.metadata())
}

/// A word of a file that is not mapped.
fn told(file: &File, place: usize) -> Option<u64> {
    let mut bytes = [0; 8];
    file.read_exact_at(&mut bytes, place as u64 * 8).ok()?;
    Some(u64::from_ne_bytes(bytes))
}

fn check_folder() -> Result<(), SharedError> {
    if Path::new(FOLDER).is_dir() { Ok(()) } else { Err(SharedError::NoSharedMemory) }
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SharedError {
    let path: PathBuf = path.to_owned();
    move |source| SharedError::Io { doing, path, source }
}
