//! Publishes a feed to nginx with nchan: a POST for each message over one connection that is kept, those of a burst in one write
//! (pipelined), without waiting for the answers.

use super::{Texts, feed};
use crate::servers::FeedOptions;
use anyhow::{Context, ensure};
use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    process, thread,
};

/// Publishes until it is killed.
///
/// # Errors
/// If the server refuses, or is gone.
pub fn publish(to: SocketAddr, options: FeedOptions) -> anyhow::Result<()> {
    let texts = Texts::new(options.topics)?;
    let mut server = TcpStream::connect(to).with_context(|| format!("connect to {to}"))?;
    server.set_nodelay(true)?;
    let answers = BufReader::new(server.try_clone()?);
    thread::spawn(move || {
        let ended = check(answers);
        eprintln!("nginx is lost: {ended:?}");
        process::exit(1);
    });
    eprintln!("publishing");
    let symbols: Vec<&str> = texts.symbols().collect();
    let mut out = Vec::new();
    feed::run(options, |burst| {
        out.clear();
        for seq in burst.seqs.clone() {
            push(&mut out, symbols[burst.topic], &texts.update(burst.topic, seq, burst.due));
        }
        server.write_all(&out).context("write to nginx")
    })
}

fn push(out: &mut Vec<u8>, topic: &str, text: &str) {
    write!(out, "POST /pub/{topic} HTTP/1.1\r\nHost: bench\r\nContent-Length: {}\r\n\r\n{text}", text.len())
        .expect("a Vec takes everything");
}

/// Reads the answers for as long as there are any: each is to say that the message was taken.
fn check(mut answers: impl BufRead) -> anyhow::Result<()> {
    let mut line = Vec::new();
    while answers.read_until(b'\n', &mut line).context("read from nginx")? > 0 {
        // The body of the answer before need not end with a line.
        if let Some(at) = memchr::memmem::find(&line, b"HTTP/1.1 ") {
            ensure!(line[at..].starts_with(b"HTTP/1.1 2"), "it refused: {}", line[at..].escape_ascii());
        }
        line.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_among_the_answers_is_seen() {
        let taken = "HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nfine";
        let refused = "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n";
        assert!(check(format!("{taken}{taken}").as_bytes()).is_ok());
        let error = check(format!("{taken}{refused}").as_bytes()).unwrap_err();
        assert!(error.to_string().contains("413"), "{error}");
    }
}
