//! A disk that is full stops the recording, with an alarm, and nothing else; when there is room again it goes on behind a gap.

use crate::lines::verify;
use crate::support::{
    ask,
    program::{Gateway, depthcast},
};
use market::clock;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

/// A disk of 4 MiB that only the gateway sees, at `dir`; from outside it is looked into through the process. `None` where this
/// machine does not let us have one.
fn with_small_disk(dir: &Path, arguments: &[&str]) -> Option<Command> {
    let allowed = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "-o", "size=4m", "none"])
        .arg(dir)
        .stderr(Stdio::null())
        .status();
    if !allowed.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: no small disk can be mounted here (unshare --user --map-root-user --mount)");
        return None;
    }
    let program = depthcast(arguments);
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c"]);
    command.arg(r#"mount -t tmpfs -o size=4m none "$0" && exec "$@""#).arg(dir);
    command.arg(program.get_program()).args(program.get_args());
    for (name, _) in program.get_envs() {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    Some(command)
}

fn metric(gateway: &Gateway, name: &str) -> u64 {
    let text = ask(gateway.address, "/metrics").body;
    let line =
        text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}: {text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

fn wait_for(gateway: &Gateway, name: &str, wanted: impl Fn(u64) -> bool) -> u64 {
    let begun = clock::now();
    loop {
        let value = metric(gateway, name);
        if wanted(value) {
            return value;
        }
        assert!(clock::now().since(begun) < Duration::from_secs(60), "{name} is {value}");
        thread::park_timeout(Duration::from_millis(50));
    }
}

#[test]
fn a_full_disk_stops_the_recording_and_not_the_gateway() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("recording");
    let arguments = [
        "--listen",
        "127.0.0.1:0",
        "--tcp",
        "off",
        "--rate",
        "50000",
        "--record",
        folder.to_str().unwrap(),
        "--record-sync-ms",
        "20",
    ];
    let Some(command) = with_small_disk(dir.path(), &arguments) else { return };
    let gateway = Gateway::start(command);
    let inside = PathBuf::from(format!("/proc/{}/root{}", gateway.process.id(), dir.path().display()));
    wait_for(&gateway, "depthcast_recording_durable_seq", |durable| durable > 0);

    // Whatever is free is taken away.
    let filler = inside.join("filler");
    let _ = fs::write(&filler, vec![0; 8 << 20]);
    wait_for(&gateway, "depthcast_recording_active", |active| active == 0);
    let durable = metric(&gateway, "depthcast_recording_durable_seq");
    // Serving goes on: the books move.
    let seq = |gateway: &Gateway| {
        let book = ask(gateway.address, "/v1/book?symbol=BTC/USDT").json();
        book["seq"].as_u64().unwrap()
    };
    let before = seq(&gateway);
    while seq(&gateway) == before {
        thread::park_timeout(Duration::from_millis(20));
    }

    fs::remove_file(&filler).unwrap();
    wait_for(&gateway, "depthcast_recording_active", |active| active == 1);
    wait_for(&gateway, "depthcast_recording_durable_seq", |now| now > durable + 1_000);
    let (report, whole) = verify(&inside.join("recording"));
    assert!(whole, "{report}");
    assert!(report["gaps"][0].as_str().unwrap().contains("(disk)"), "{report}");
    assert!(report["last_seq"].as_u64().unwrap() > durable + 1_000);
}
