//! The folder that an export goes into. A file has another name until all of them are whole, so whoever finds one by its name finds all
//! of it.

use super::ExportError;
use std::{
    fs::{self, File},
    io::BufWriter,
    path::{Path, PathBuf},
};

/// What a file's name ends in while it is written.
const PARTIAL: &str = ".partial";

/// Files that are being written. What is not finished is removed.
pub(super) struct Folder {
    dir: PathBuf,
    names: Vec<&'static str>,
}

impl Folder {
    /// Makes the folder if it is not there; refuses where one of the files is and may not be replaced.
    pub fn open(dir: &Path, names: &[&'static str], overwrite: bool) -> Result<Folder, ExportError> {
        if !overwrite && let Some(there) = names.iter().map(|name| dir.join(name)).find(|file| file.exists())
        {
            return Err(ExportError::Exists(there));
        }
        fs::create_dir_all(dir).map_err(ExportError::io("make the folder", dir))?;
        Ok(Folder { dir: dir.to_owned(), names: Vec::new() })
    }

    /// Begins a file.
    pub fn create(&mut self, name: &'static str) -> Result<BufWriter<File>, ExportError> {
        let path = self.partial(name);
        let file = File::create(&path).map_err(ExportError::io("write", &path))?;
        self.names.push(name);
        Ok(BufWriter::new(file))
    }

    /// Where a file will be.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Gives all files their names.
    pub fn finish(mut self) -> Result<Vec<PathBuf>, ExportError> {
        let mut paths = Vec::new();
        for name in std::mem::take(&mut self.names) {
            let path = self.path(name);
            fs::rename(self.partial(name), &path).map_err(ExportError::io("rename", &path))?;
            paths.push(path);
        }
        Ok(paths)
    }

    fn partial(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}{PARTIAL}"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        for name in &self.names {
            // Nothing more can be done about one that stays.
            let _ = fs::remove_file(self.partial(name));
        }
    }
}
