//! Where in the files an import is: cheap to pass along, and to keep where that is needed.

use super::{error::Place, source::Step};
use std::{path::Path, sync::Arc};

/// Where a step of a source stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    /// The file's index, and its path.
    pub file: usize,
    path: &'a Arc<Path>,
    /// The number of its line or record, from 1.
    pub number: u64,
}

/// Where a step stood that is gone.
#[derive(Debug, Clone)]
pub(super) struct KeptAt {
    file: usize,
    path: Arc<Path>,
    number: u64,
}

impl KeptAt {
    /// As of a step that is there.
    pub fn at(&self) -> At<'_> {
        At { file: self.file, path: &self.path, number: self.number }
    }
}

impl<'a> At<'a> {
    /// Of a step, in the file of `paths` that it is of.
    pub fn new(step: Step, paths: &'a [Arc<Path>]) -> At<'a> {
        At { file: step.file, path: &paths[step.file], number: step.number }
    }

    /// For a person.
    pub fn place(self) -> Place {
        Place { file: self.path.to_path_buf(), line: self.number }
    }

    /// To outlive the step.
    pub fn keep(self) -> KeptAt {
        KeptAt { file: self.file, path: self.path.clone(), number: self.number }
    }
}
