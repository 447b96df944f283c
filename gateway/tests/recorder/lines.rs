//! `depthcast record` in a process of its own, and what it says of itself.

use crate::support::program::depthcast;
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

/// A recorder; killed if the test ends before it.
pub struct Recorder {
    pub process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Recorder {
    pub fn start(dir: &Path, arguments: &[&str]) -> Recorder {
        let mut command = depthcast(&["record", "--out", dir.to_str().unwrap()]);
        command.args(arguments);
        Recorder::spawn(command)
    }

    pub fn spawn(mut command: Command) -> Recorder {
        let mut process = command.stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Recorder { process, lines }
    }

    /// The next line; `None` at the end.
    pub fn line(&mut self) -> Option<Value> {
        let line = self.lines.next()?.ok()?;
        Some(serde_json::from_str(&line).unwrap())
    }

    /// The next line that `wanted` takes.
    pub fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.line().expect("the recorder goes on");
            if wanted(&line) {
                return line;
            }
        }
    }

    pub fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Ends in good order; the last line.
    pub fn end(mut self) -> Value {
        self.signal("TERM");
        let mut last = None;
        while let Some(line) = self.line() {
            last = Some(line);
        }
        assert!(self.process.wait().unwrap().success());
        last.expect("it tells how far it came")
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What `depthcast verify --json` says, and whether it takes the recording for whole.
pub fn verify(dir: &Path) -> (Value, bool) {
    let output = depthcast(&["verify", "--json", dir.to_str().unwrap()]).output().unwrap();
    (serde_json::from_slice(&output.stdout).unwrap(), output.status.success())
}
