//! The instructions that each part took when they were last recorded: bench/guards/instructions.tsv.

use anyhow::Context;
use std::{collections::BTreeMap, fs, path::PathBuf};

/// A part may take so much more than was recorded. The count itself hardly moves; another version of a dependency may move it a
/// little without anybody's fault.
pub const TOLERANCE: f64 = 0.05;

/// Instructions by the name of the part.
#[derive(Debug, PartialEq, Eq)]
pub struct Table(BTreeMap<String, u64>);

/// How a count stands to what was recorded.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Within the tolerance.
    Same,
    /// By more than the tolerance.
    Grown,
    /// By more than the tolerance.
    Shrunk,
    /// Never recorded.
    Unknown,
}

impl Table {
    /// As it was recorded.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read() -> anyhow::Result<Table> {
        let path = path();
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        Table::parse(&text).with_context(|| format!("read {}", path.display()))
    }

    /// Writes what was counted over what was recorded; returns where.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(counts: &[(&str, u64)]) -> anyhow::Result<PathBuf> {
        let path = path();
        let mut text = String::from("# part\tinstructions each time; written by `bench guard --record`\n");
        counts.iter().for_each(|(part, count)| text += &format!("{part}\t{count}\n"));
        fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
        Ok(path)
    }

    fn parse(text: &str) -> anyhow::Result<Table> {
        let rows = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let (part, count) = line.split_once('\t').with_context(|| format!("no tab in '{line}'"))?;
            Ok((part.to_owned(), count.parse().with_context(|| format!("no number in '{line}'"))?))
        });
        Ok(Table(rows.collect::<anyhow::Result<_>>()?))
    }

    /// What was recorded of a part.
    pub fn get(&self, part: &str) -> Option<u64> {
        self.0.get(part).copied()
    }

    /// Compares a part with what was recorded.
    pub fn judge(&self, part: &str, count: u64) -> Verdict {
        let Some(recorded) = self.get(part) else { return Verdict::Unknown };
        let ratio = count as f64 / recorded as f64;
        match ratio {
            _ if ratio > 1.0 + TOLERANCE => Verdict::Grown,
            _ if ratio < 1.0 - TOLERANCE => Verdict::Shrunk,
            _ => Verdict::Same,
        }
    }
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("guards/instructions.tsv")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_and_shrinking_beyond_the_tolerance_are_told() {
        let table = Table::parse("# head\nring/hop\t1000\n").unwrap();
        let check = |count, expected| assert_eq!(table.judge("ring/hop", count), expected, "{count}");
        check(1_050, Verdict::Same);
        check(1_051, Verdict::Grown);
        check(950, Verdict::Same);
        check(949, Verdict::Shrunk);
        assert_eq!(table.judge("ring/other", 1), Verdict::Unknown);
    }

    #[test]
    fn a_torn_table_is_refused() {
        assert!(Table::parse("ring/hop 1000\n").is_err());
        assert!(Table::parse("ring/hop\tmany\n").is_err());
    }
}
