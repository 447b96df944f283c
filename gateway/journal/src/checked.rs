//! Small text files that end with the checksum of what is above it, written whole or not at all.

use crate::error::{Damage, JournalError};
use std::{
    fs::{self, File},
    path::Path,
};

const SUM: &str = "# crc32c ";

/// Writes `body` to `file` so that, whatever happens, it is there as it was or as it is to be.
pub(crate) fn write(file: &Path, body: &str) -> Result<(), JournalError> {
    let draft = file.with_extension("part");
    fs::write(&draft, close(body)).map_err(JournalError::io("write", &draft))?;
    File::open(&draft).and_then(|file| file.sync_all()).map_err(JournalError::io("sync", &draft))?;
    fs::rename(&draft, file).map_err(JournalError::io("rename", &draft))?;
    file.parent().map_or(Ok(()), sync_dir)
}

/// Makes what was created, renamed or removed in `dir` durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), JournalError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(JournalError::io("sync", dir))
}

fn close(body: &str) -> String {
    format!("{body}{SUM}{:08x}\n", crc32c::crc32c(body.as_bytes()))
}

/// The body of the text of `file`, which is as it was written.
pub(crate) fn body<'a>(text: &'a [u8], file: &Path) -> Result<&'a str, JournalError> {
    let damage = |what| Damage { file: file.to_owned(), offset: 0, first_record: 1, last_record: None, what };
    let text = std::str::from_utf8(text).map_err(|_| damage("it is not text"))?;
    let body = text.rfind(SUM).map(|at| &text[..at]).unwrap_or_default();
    if text != close(body) {
        return Err(damage("its last line is not the checksum of the text above it").into());
    }
    Ok(body)
}
