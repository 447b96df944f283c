//! A process on the first core, for as long as something is measured.

use crate::cores;
use anyhow::{Context, bail};
use std::{
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStderr, Command, Stdio},
    thread,
};

/// What a process does in the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// It serves: its processor time is what a delivery costs.
    Server,
    /// It feeds a server that has no feed of its own.
    #[allow(dead_code)]
    Feed,
}

/// A running process. It is killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    part: Part,
}

impl Process {
    /// Starts it on the first core, with its standard error piped for [`Process::wait_for`].
    ///
    /// # Errors
    /// If the operating system cannot.
    pub fn start(command: &mut Command, part: Part) -> anyhow::Result<Process> {
        command.stdin(Stdio::null()).stderr(Stdio::piped());
        let program = command.get_program().to_string_lossy().into_owned();
        let child = cores::on_first(|| command.spawn().with_context(|| format!("start {program}")))?;
        Ok(Process { child, part })
    }

    /// Reads its standard error up to the line of which `found` makes something; what else it says is shown, then and
    /// later.
    ///
    /// # Errors
    /// If it ends before.
    pub fn wait_for<T>(&mut self, found: impl Fn(&str) -> Option<T>) -> anyhow::Result<T> {
        let log = self.child.stderr.take().context("its log was read already")?;
        let mut lines = BufReader::new(log).lines();
        let value = first(&mut lines, found)?;
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| eprintln!("{line}")));
        Ok(value)
    }

    /// What it does.
    pub fn part(&self) -> Part {
        self.part
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn first<T>(
    lines: &mut Lines<BufReader<ChildStderr>>,
    found: impl Fn(&str) -> Option<T>,
) -> anyhow::Result<T> {
    for line in lines {
        let line = line.context("read the server's log")?;
        if let Some(value) = found(&line) {
            return Ok(value);
        }
        eprintln!("{line}");
    }
    bail!("the server ended before it listened; its log is above")
}
