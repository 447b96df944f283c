//! Publishes a feed to a NATS server: a subject for each topic, and one write for each burst.

use super::{Texts, feed};
use crate::servers::FeedOptions;
use anyhow::{Context, bail};
use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    process,
    sync::{Arc, Mutex},
    thread,
};

/// Publishes until it is killed.
///
/// # Errors
/// If the server refuses, or is gone.
pub fn publish(to: SocketAddr, options: FeedOptions) -> anyhow::Result<()> {
    let texts = Texts::new(options.topics)?;
    let stream = TcpStream::connect(to).with_context(|| format!("connect to {to}"))?;
    stream.set_nodelay(true)?;
    let mut server = BufReader::new(stream.try_clone()?);
    let writer = Arc::new(Mutex::new(stream));
    send(&writer, b"CONNECT {\"verbose\":false,\"pedantic\":false}\r\n")?;
    let answering = Arc::clone(&writer);
    thread::spawn(move || {
        let ended = answer(&mut server, &answering);
        eprintln!("the NATS server is lost: {ended:?}");
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
        send(&writer, &out)
    })
}

fn push(out: &mut Vec<u8>, subject: &str, text: &str) {
    write!(out, "PUB {subject} {}\r\n{text}\r\n", text.len()).expect("a Vec takes everything");
}

fn send(writer: &Mutex<TcpStream>, bytes: &[u8]) -> anyhow::Result<()> {
    writer.lock().expect("nobody panics with it").write_all(bytes).context("write to the NATS server")
}

/// Answers the server's pings for as long as it is there.
fn answer(server: &mut impl BufRead, writer: &Mutex<TcpStream>) -> anyhow::Result<()> {
    let mut line = String::new();
    while server.read_line(&mut line).context("read from the NATS server")? > 0 {
        match line.trim_end() {
            "PING" => send(writer, b"PONG\r\n")?,
            refusal if refusal.starts_with("-ERR") => bail!("it refused: {refusal}"),
            _ => {}
        }
        line.clear();
    }
    Ok(())
}
