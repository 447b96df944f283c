//! How much memory a process has for itself, as the kernel counts it (proc(5)).

use anyhow::Context;
use std::fs;

/// Bytes of resident memory that these processes share with nobody.
///
/// # Errors
/// If one of them is gone, or the kernel does not tell.
pub fn private_bytes(processes: &[u32]) -> anyhow::Result<u64> {
    processes.iter().map(|process| of_one(*process)).sum()
}

fn of_one(process: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{process}/smaps_rollup");
    let text = fs::read_to_string(&path).with_context(|| format!("read {path}; is the process gone?"))?;
    private(&text).with_context(|| format!("{path} is not as proc(5) says"))
}

fn private(rollup: &str) -> Option<u64> {
    let kib = |name: &str| -> Option<u64> {
        let line = rollup.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.trim().parse().ok()
    };
    Some((kib("Private_Clean:")? + kib("Private_Dirty:")?) << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_and_dirty_pages_are_private() {
        let rollup = "Rss: 900 kB\nShared_Clean: 5 kB\nPrivate_Clean:     3 kB\nPrivate_Dirty:   40 kB\n";
        assert_eq!(private(rollup), Some(43 << 10));
        assert_eq!(private("Rss: 900 kB\n"), None);
    }

    #[test]
    fn what_is_written_to_is_seen() {
        const BYTES: usize = 8 << 20;
        let own = [std::process::id()];
        let before = private_bytes(&own).unwrap();
        let written = vec![1u8; BYTES];
        let growth = private_bytes(&own).unwrap().saturating_sub(before);
        assert!(growth > BYTES as u64 / 2, "{growth} for {} bytes", written.len());
    }
}
