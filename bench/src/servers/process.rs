//! A process on the first core, for as long as something is measured.

use crate::cores;
use anyhow::{Context, bail};
use market::clock;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStderr, Command, Stdio},
    thread,
    time::Duration,
};
use tempfile::TempDir;

/// What a process does in the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// It serves: its processor time is what a delivery costs.
    Server,
    /// It feeds a server that has no feed of its own.
    Feed,
}

/// How long a process that has children may take to end them.
const PATIENCE: Duration = Duration::from_secs(2);

/// A running process. It is killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    part: Part,
    /// Processes that it started itself, and ends when it is asked to end.
    children: Vec<u32>,
    /// What it needs for as long as it runs.
    files: Option<TempDir>,
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
        Ok(Process { child, part, children: Vec::new(), files: None })
    }

    /// Keeps a folder until it has ended.
    pub fn keeping(mut self, files: TempDir) -> Process {
        self.files = Some(files);
        self
    }

    /// Counts a process that it started as a part of it.
    pub fn with_child(mut self, child: u32) -> Process {
        self.children.push(child);
        self
    }

    /// Reads its standard error up to the line of which `found` makes something. What it says later is shown, and what it
    /// said before if it ends before.
    ///
    /// # Errors
    /// If it ends before.
    pub fn wait_for<T>(&mut self, found: impl Fn(&str) -> Option<T>) -> anyhow::Result<T> {
        let log = self.child.stderr.take().context("its log was read already")?;
        let mut lines = BufReader::new(log).lines();
        let value = first(&mut lines, found)?;
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| show(&line)));
        Ok(value)
    }

    /// What it does.
    pub fn part(&self) -> Part {
        self.part
    }

    /// Its process id, and those of its children.
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        [self.child.id()].into_iter().chain(self.children.iter().copied())
    }

    fn kill_children(&self) {
        for child in self.children.iter().filter_map(|&child| Pid::from_raw(child.cast_signed())) {
            // It may have ended by itself.
            let _ = kill_process(child, Signal::KILL);
        }
    }

    /// Asks it to end, and its children with it, and gives it time.
    fn ask_to_end(&mut self) {
        let pid = Pid::from_child(&self.child);
        if kill_process(pid, Signal::TERM).is_err() {
            return;
        }
        let asked = clock::now();
        while let Ok(None) = self.child.try_wait() {
            if clock::now().since(asked) > PATIENCE {
                self.kill_children();
                return;
            }
            thread::sleep(PATIENCE / 1_000);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.children.is_empty() {
            self.ask_to_end();
        }
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn first<T>(
    lines: &mut Lines<BufReader<ChildStderr>>,
    found: impl Fn(&str) -> Option<T>,
) -> anyhow::Result<T> {
    let mut before = Vec::new();
    for line in lines {
        let line = line.context("read the server's log")?;
        if let Some(value) = found(&line) {
            return Ok(value);
        }
        before.push(line);
    }
    bail!("the server ended before it listened; its log:\n{}", before.join("\n"))
}

/// Shows a line of a log, unless nginx or NATS only tells in it how it fares.
fn show(line: &str) {
    if !line.contains("[notice]") && !line.contains("[INF]") {
        eprintln!("{line}");
    }
}
