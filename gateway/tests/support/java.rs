//! Programs in Java that drive a library which people use; they say what [`script`](super::script) says. They need a JDK, and jars
//! where Debian puts them, or in the folder that DEPTHCAST_JARS names.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

/// The jars of the JDK's own client, and of OkHttp.
pub const JDK: &[&str] = &["gson"];
pub const OKHTTP: &[&str] = &["gson", "okhttp", "okio"];

/// How a library says that it is not there.
const MISSING: [&str; 2] = ["package com.google.gson does not exist", "package okhttp3 does not exist"];

/// The paths of these jars, as Java wants them.
pub fn class_path(jars: &[&str]) -> String {
    let folder = std::env::var("DEPTHCAST_JARS").unwrap_or_else(|_| "/usr/share/java".into());
    let paths: Vec<String> = jars.iter().map(|jar| format!("{folder}/{jar}.jar")).collect();
    paths.join(":")
}

/// What runs a program of `tests/clients/java` with the gateway's address, a venue and how many events to follow; `None`, with a
/// message, where it cannot be compiled.
pub fn java(program: &str, jars: &[&str], address: SocketAddr, venue: &str, events: u32) -> Option<Command> {
    let classes = compiled(program, jars, venue)?;
    let mut command = Command::new("java");
    command.arg("-cp").arg(format!("{}:{}", classes.display(), class_path(jars)));
    command.args([program, &address.to_string(), venue, &events.to_string()]);
    Some(command)
}

/// Whether a client that pings told why its connections ended: it was cut off, and it found out by its pings, which were answered
/// before, that it was not heard any more.
pub fn check_cuts(ended: &[String]) {
    let (silent, cut): (Vec<_>, Vec<_>) = ended.iter().partition(|why| why.contains("didn't receive pong"));
    assert!(silent.iter().any(|why| !why.contains("after 0 successful")) && !cut.is_empty(), "{ended:?}");
}

/// The folder of the classes of a program, one for each venue: both may be compiled at once.
fn compiled(program: &str, jars: &[&str], venue: &str) -> Option<PathBuf> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/java");
    let classes = Path::new(env!("CARGO_TARGET_TMPDIR")).join("java").join(format!("{program}-{venue}"));
    let mut command = Command::new("javac");
    command.arg("-d").arg(&classes).args(["-cp", &class_path(jars), "-sourcepath"]).arg(&sources);
    let Ok(output) = command.arg(sources.join(format!("{program}.java"))).output() else {
        eprintln!("SKIPPED: there is no javac");
        return None;
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    if let Some(missing) = MISSING.iter().find(|missing| errors.contains(**missing)) {
        eprintln!("SKIPPED: {program}.java: {missing}");
        return None;
    }
    assert!(output.status.success(), "{errors}");
    Some(classes)
}
