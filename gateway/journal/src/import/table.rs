//! Reads a file of comma-separated values, row by row. Nothing is quoted in those that vendors of market data write.

use super::{
    error::{ImportError, Refused},
    lines::Lines,
};
use std::{ops::Range, path::Path, str::FromStr};

/// A file, and the row in it that was read last.
pub(super) struct Table {
    lines: Lines,
    /// Where the cells of the present row are.
    cells: Vec<Range<usize>>,
}

impl Table {
    /// Opens a file; its first row is not read yet.
    pub fn open(path: &Path) -> Result<Table, ImportError> {
        Ok(Table { lines: Lines::open(path)?, cells: Vec::new() })
    }

    /// Moves to the next row that is not blank; whether there is one.
    pub fn advance(&mut self) -> Result<bool, ImportError> {
        self.cells.clear();
        if !self.lines.advance()? {
            return Ok(false);
        }
        if std::str::from_utf8(&self.lines.line).is_err() {
            return Err(self.lines.wrong("the row is no text; is the format right?"));
        }
        let mut begin = 0;
        for cell in self.lines.line.split(|&byte| byte == b',') {
            self.cells.push(begin..begin + cell.len());
            begin += cell.len() + 1;
        }
        Ok(true)
    }

    /// The number of the present row's line, from 1.
    pub fn number(&self) -> u64 {
        self.lines.number
    }

    /// All cells of the present row.
    pub fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.cells.len()).map(|at| self.cell(at))
    }

    /// A cell of the present row; empty if it has none there.
    pub fn cell(&self, at: usize) -> &str {
        let cell = self.cells.get(at).map(|range| &self.lines.line[range.clone()]);
        // The row was found to be text, and a comma never is within a character.
        cell.and_then(|cell| std::str::from_utf8(cell).ok()).unwrap_or_default()
    }

    /// A whole number in a cell; an empty one is 0.
    pub fn whole<T: FromStr + Default>(&self, at: usize) -> Result<T, Refused> {
        match self.cell(at) {
            "" => Ok(T::default()),
            text => {
                text.parse().map_err(|_| Refused(format!("'{}' is no whole number that fits", shown(text))))
            }
        }
    }

    /// The present row cannot be read.
    pub fn wrong(&self, Refused(what): &Refused) -> ImportError {
        self.lines.wrong(what)
    }
}

/// For a person: a cell may hold anything.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}
