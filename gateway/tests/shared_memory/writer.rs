//! `feed-sim` in a process of its own. Its program is another package's, which cargo builds for no test of this one; but it is in
//! that package's library, so this very test program is started once more to be it.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, ExitCode, Stdio},
};

/// The command line of the process, after the program's name.
const LINE: &str = "FEED_SIM_TEST_LINE";

/// In a process that is to be `feed-sim`, this is it; in any other, there is nothing to test.
#[test]
fn feed_sim_program() {
    if let Ok(line) = std::env::var(LINE) {
        let words = ["feed-sim"].into_iter().chain(line.split_whitespace());
        let code = feed_sim::program::run(words.map(Into::into));
        std::process::exit(i32::from(code != ExitCode::SUCCESS));
    }
}

/// The name of a feed that no other test has; its file is removed with it.
pub struct Feed(pub String);

impl Feed {
    pub fn new(test: &str) -> Feed {
        Feed(format!("test-{test}-{}", std::process::id()))
    }

    pub fn option(&self) -> String {
        format!("shm:{}", self.0)
    }

    fn file(&self) -> PathBuf {
        PathBuf::from(format!("/dev/shm/depthcast-{}", self.0))
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        // It is gone where its writer ended in good order.
        let _ = fs::remove_file(self.file());
    }
}

/// Who writes a feed; killed, if the test ends before it.
pub struct Writer(Child);

impl Writer {
    pub fn start(feed: &Feed, options: &str) -> Writer {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "writer::feed_sim_program", "--nocapture"]);
        command.env(LINE, format!("--to {} {options}", feed.option()));
        Writer(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }

    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Has it end in good order.
    pub fn end(mut self) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-s", "TERM", &id]).status().unwrap().success());
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
