//! Pages in a headless Chromium; they say what [`script`](super::script) says. Playwright, from `npm ci` in `tests/clients/node`, runs
//! it.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    thread,
};

/// How it says that something of that is not there.
pub const MISSING: [&str; 2] = ["Cannot find module 'playwright-core'", "Executable doesn't exist"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/browser")
}

/// A web server of one page, on a port of its own: another origin than any gateway's.
pub struct Page(SocketAddr);

impl Page {
    /// A page whose script is this one of `tests/clients/browser`.
    pub fn serve(script: &str) -> Page {
        let script = std::fs::read_to_string(folder().join(script)).unwrap();
        let page = format!("<!doctype html><script type=module>{script}</script>");
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{page}",
            page.len()
        );
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let _ = give(client, &answer);
            }
        });
        Page(address)
    }

    /// What pages from here name as their origin.
    pub fn origin(&self) -> String {
        format!("http://{}", self.0)
    }

    /// What opens the page and prints what it logs, with a gateway's address and how many events to follow.
    pub fn open(&self, gateway: SocketAddr, events: u32) -> Command {
        run(&format!("{}/?gateway={gateway}&events={events}", self.origin()))
    }
}

/// What opens a page and prints what it logs.
pub fn run(url: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(folder().join("run.mjs")).arg(url);
    command
}

fn give(mut client: TcpStream, answer: &str) -> std::io::Result<()> {
    let head = BufReader::new(client.try_clone()?).lines();
    head.map_while(Result::ok).find(String::is_empty);
    client.write_all(answer.as_bytes())
}
