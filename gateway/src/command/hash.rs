//! `depthcast hash`: the hash of a topic's canonical stream, from recordings and from gateways that have one.

use super::Outcome;
use crate::archive::{Archive, StreamHash, StreamOf};
use anyhow::{Context, bail, ensure};
use http_body_util::{BodyExt, Empty};
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use market::{Instruments, Seq};
use serde::Deserialize;
use std::path::Path;
use tokio::{net::TcpStream, runtime::Builder};
use wire::message::{Channel, Depth, Interval};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Recordings, and URLs of gateways such as http://127.0.0.1:9000
    #[arg(required = true, value_name = "DIR|URL")]
    sources: Vec<String>,
    /// Only these symbols; all of the first source if left out
    #[arg(long, value_delimiter = ',')]
    symbol: Vec<String>,
    /// book, trade or bbo
    #[arg(long, default_value = "book")]
    channel: String,
    /// How deep a book (0: all of it)
    #[arg(long, default_value_t = 10)]
    depth: u64,
    /// Milliseconds between messages (0: one each exchange event)
    #[arg(long, default_value_t = 0)]
    interval_ms: u64,
    /// The first number
    #[arg(long, default_value_t = 1)]
    from_seq: Seq,
    /// The last number; the last one of the symbol in the first source if left out
    #[arg(long)]
    to_seq: Option<Seq>,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    match hash_all(arguments) {
        Ok(true) => Outcome::Done,
        Ok(false) => Outcome::Failed,
        Err(error) => {
            eprintln!("depthcast: {error:#}");
            Outcome::Failed
        }
    }
}

/// Whether all sources agree.
fn hash_all(arguments: &Arguments) -> anyhow::Result<bool> {
    let sources: Vec<Source> =
        arguments.sources.iter().map(|text| Source::open(text)).collect::<Result<_, _>>()?;
    let symbols = if arguments.symbol.is_empty() { sources[0].symbols()? } else { arguments.symbol.clone() };
    let mut agree = true;
    for symbol in symbols {
        let last = match arguments.to_seq {
            Some(last) => Some(last),
            None => sources[0].last_seq(&symbol)?,
        };
        let Some(to) = last else { continue };
        let topic = Topic { arguments, symbol: &symbol, to };
        let mut first: Option<StreamHash> = None;
        for source in &sources {
            let hash = source.hash(&topic).with_context(|| format!("{symbol} of {}", source.name))?;
            let StreamHash { hash: text, messages, bytes } = &hash;
            println!(
                "{text}  {symbol} {}..={to} {messages} messages {bytes} bytes  {}",
                arguments.from_seq, source.name
            );
            agree &= first.as_ref().is_none_or(|first| *first == hash);
            first.get_or_insert(hash);
        }
    }
    if !agree {
        eprintln!("depthcast: the streams differ");
    }
    Ok(agree)
}

struct Topic<'a> {
    arguments: &'a Arguments,
    symbol: &'a str,
    to: Seq,
}

struct Source {
    name: String,
    kind: Kind,
}

enum Kind {
    Recording(Box<Archive>, Instruments),
    /// Host and port.
    Gateway(String),
}

/// Of `/v1/instruments`, `/v1/book`, and every error, what is needed here.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    instruments: Vec<Symbol>,
    seq: Option<Seq>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Symbol {
    symbol: String,
}

impl Source {
    fn open(text: &str) -> anyhow::Result<Source> {
        let kind = match text.strip_prefix("http://") {
            Some(rest) => Kind::Gateway(rest.trim_end_matches('/').to_owned()),
            None if text.contains("://") => bail!("{text}: a gateway is named as http://HOST:PORT"),
            None => {
                let (archive, contents) = Archive::open(Path::new(text))?;
                Kind::Recording(Box::new(archive), contents.instruments)
            }
        };
        Ok(Source { name: text.to_owned(), kind })
    }

    fn symbols(&self) -> anyhow::Result<Vec<String>> {
        Ok(match &self.kind {
            Kind::Recording(_, instruments) => {
                instruments.iter().map(|(_, instrument)| instrument.symbol.clone()).collect()
            }
            Kind::Gateway(host) => {
                let answer: Answer = serde_json::from_slice(&fetch(host, "/v1/instruments")?)?;
                answer.instruments.into_iter().map(|symbol| symbol.symbol).collect()
            }
        })
    }

    fn last_seq(&self, symbol: &str) -> anyhow::Result<Option<Seq>> {
        Ok(match &self.kind {
            Kind::Recording(archive, instruments) => {
                archive.last_seq(instruments.find(symbol).context("there is no such symbol")?)?
            }
            Kind::Gateway(host) => {
                let answer: Answer =
                    serde_json::from_slice(&fetch(host, &format!("/v1/book?symbol={symbol}"))?)?;
                answer.seq
            }
        })
    }

    fn hash(&self, topic: &Topic<'_>) -> anyhow::Result<StreamHash> {
        let Arguments { channel, depth, interval_ms, from_seq, .. } = topic.arguments;
        let (symbol, to) = (topic.symbol, topic.to);
        match &self.kind {
            Kind::Recording(archive, instruments) => {
                let symbol = instruments.find(symbol).context("there is no such symbol")?;
                let (channel, depth) = (Channel::parse(channel)?, Depth::new(*depth)?);
                ensure!(channel != Channel::Stats, "there are hashes of book, trade and bbo");
                let interval = Interval::new(*interval_ms)?;
                Ok(archive.stream_hash(&StreamOf {
                    symbol,
                    channel,
                    depth,
                    interval,
                    from: *from_seq,
                    to,
                })?)
            }
            Kind::Gateway(host) => {
                let path = format!(
                    "/v1/stream-hash?symbol={symbol}&channel={channel}&depth={depth}&interval_ms={interval_ms}\
                     &from_seq={from_seq}&to_seq={to}"
                );
                let body = fetch(host, &path)?;
                serde_json::from_slice(&body).with_context(|| String::from_utf8_lossy(&body).into_owned())
            }
        }
    }
}

/// The body of an answer that is no error.
fn fetch(host: &str, path: &str) -> anyhow::Result<Vec<u8>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let stream = TcpStream::connect(host).await.with_context(|| format!("cannot connect to {host}"))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let request = Request::builder().uri(path).header("host", host).body(Empty::<Bytes>::new())?;
        let response = sender.send_request(request).await?;
        let is_success = response.status().is_success();
        let body = response.into_body().collect().await?.to_bytes().to_vec();
        if !is_success {
            let answer: Answer = serde_json::from_slice(&body)?;
            bail!("{}", answer.error.unwrap_or_default());
        }
        Ok(body)
    })
}
