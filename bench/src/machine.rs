//! On what it is measured.

use crate::{cores, result::Machine};
use anyhow::Context;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs;

/// The machine that this runs on.
///
/// # Errors
/// If the kernel does not tell.
pub fn here() -> anyhow::Result<Machine> {
    let read = |path: &str| fs::read_to_string(path).with_context(|| format!("read {path}"));
    let cpus = read("/proc/cpuinfo")?;
    let name = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let kernel = ["/proc/sys/kernel/ostype", "/proc/sys/kernel/osrelease"].map(read);
    let [system, release] = kernel;
    Ok(Machine {
        cpu: name.map_or("unknown", |(_, name)| name).trim().to_owned(),
        cores: cores::available()?.len(),
        kernel: format!("{} {}", system?.trim(), release?.trim()),
    })
}

/// Lets this process and those that it starts open as many files as the operating system allows: each connection is one,
/// and the usual limit is meant for other programs.
///
/// # Errors
/// If the operating system does not even allow what it said.
pub fn raise_file_limit() -> anyhow::Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).context("raise the limit of open files")
}
