//! How far a long command is: on one line of a terminal, and in plain lines elsewhere.

use std::io::{IsTerminal, Write, stderr};

/// Counted things between two signs of progress.
const STEP: u64 = 1 << 20;

/// Counts something, and tells it now and then.
pub(super) struct Progress {
    what: &'static str,
    count: u64,
    is_told: bool,
}

impl Progress {
    /// Nothing yet.
    pub fn new(what: &'static str) -> Progress {
        Progress { what, count: 0, is_told: false }
    }

    /// There are so many by now.
    pub fn reach(&mut self, count: u64) {
        if self.count / STEP != count / STEP {
            self.tell(count);
        }
        self.count = count;
    }

    fn tell(&mut self, count: u64) {
        self.is_told = true;
        if stderr().is_terminal() {
            eprint!("\r{count} {}", self.what);
            // Only what a person sees is delayed if it fails.
            let _ = stderr().flush();
        } else {
            eprintln!("{count} {}", self.what);
        }
    }
}

impl Drop for Progress {
    /// What is said next begins a line.
    fn drop(&mut self) {
        if self.is_told && stderr().is_terminal() {
            eprintln!();
        }
    }
}
