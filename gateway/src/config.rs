//! What an operator may choose: one struct, filled from the command line, the environment and a file.
//!
//! Knows nothing of what the choices do. Zero switches a limit off where its text says so.

mod feed_spec;
mod layers;
mod plain;
mod text;

pub use feed_spec::{FeedSpec, FeedSpecError};
pub use layers::layered;
pub use plain::{Plain, PlainError};

use clap::ValueEnum;
use ingest::OnCross;
use market::{Nanos, Speed};
use rings::wait::WaitStrategy;
use serde::{Deserialize, Serialize};
use session::Limits;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// Options of `depthcast serve`. The names of the fields are the keys of the file; in the environment they stand in capitals
/// after `DEPTHCAST_`.
#[derive(Debug, Clone, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where market data comes from: sim, sim:NAME (a built-in scenario), sim:FILE (a scenario file), journal:DIR (a
    /// recording), or shm:NAME (what `feed-sim --to shm:NAME` writes into shared memory)
    #[arg(long, env = "DEPTHCAST_FEED", help_heading = "Feed", value_name = "FEED", default_value_t = Config::default().feed)]
    #[serde(with = "text")]
    pub feed: FeedSpec,

    /// Simulated instruments; the scenario's own number if left out
    #[arg(long, env = "DEPTHCAST_SYMBOLS", help_heading = "Feed", value_name = "N")]
    pub symbols: Option<u32>,

    /// Simulated events a second, all instruments together; the scenario's own rate if left out
    #[arg(long, env = "DEPTHCAST_RATE", help_heading = "Feed", value_name = "N")]
    pub rate: Option<u64>,

    /// Seed of the simulation: the same one tells the same story
    #[arg(long, env = "DEPTHCAST_SEED", help_heading = "Feed", value_name = "N", default_value_t = Config::default().seed)]
    pub seed: u64,

    /// Exchange time of the first simulated event (RFC 3339, or ns since 1970); now if left out
    #[arg(long, env = "DEPTHCAST_START", help_heading = "Feed", value_name = "TIME")]
    #[serde(default, with = "text::option", skip_serializing_if = "Option::is_none")]
    pub start: Option<Nanos>,

    /// How fast a recording is played: a number, or max
    #[arg(long, env = "DEPTHCAST_SPEED", help_heading = "Feed", value_name = "SPEED", default_value_t = Config::default().speed)]
    #[serde(with = "text")]
    pub speed: Speed,

    /// Seconds for which a recording played at full speed waits for a lossless client that is far behind and takes nothing (0: it does
    /// not wait); then that client is closed as too slow
    #[arg(long, env = "DEPTHCAST_PACE_TIMEOUT", help_heading = "Feed", value_name = "SECONDS", default_value_t = Config::default().pace_timeout)]
    pub pace_timeout: u32,

    /// Hold the feed's clock until the first client subscribes, polls, or fetches a book by /api/v3/depth, so that a recording can be watched from its start
    #[arg(long, env = "DEPTHCAST_HOLD", help_heading = "Feed")]
    pub hold: bool,

    /// Play a recording from this feed time on (RFC 3339, or ns since 1970), with the books as they stood then
    #[arg(long, env = "DEPTHCAST_FROM", help_heading = "Feed", value_name = "TIME")]
    #[serde(default, with = "text::option", skip_serializing_if = "Option::is_none")]
    pub from: Option<Nanos>,

    /// Play a recording up to this feed time, that included
    #[arg(long, env = "DEPTHCAST_TO", help_heading = "Feed", value_name = "TIME")]
    #[serde(default, with = "text::option", skip_serializing_if = "Option::is_none")]
    pub to: Option<Nanos>,

    /// Play a recording again and again: at its end, or that of --to, it goes on at its beginning, or --from, with numbers in a
    /// new epoch
    #[arg(long, env = "DEPTHCAST_LOOP", help_heading = "Feed")]
    pub r#loop: bool,

    /// What the end of a recording means: serve (its last books go on being served) or exit (clients are sent what is outstanding, then the
    /// gateway ends)
    #[arg(long, env = "DEPTHCAST_ON_END", help_heading = "Feed", value_enum, default_value_t = Config::default().on_end)]
    pub on_end: OnEnd,

    /// Let stretches of a recording in which nothing happens pass in at most so much feed time (0: as they were)
    #[arg(long, env = "DEPTHCAST_MAX_GAP_MS", help_heading = "Feed", value_name = "MS", default_value_t = Config::default().max_gap_ms)]
    pub max_gap_ms: u64,

    /// What a crossed book means: status (announced, and served as it is) or reset (a fault of the feed)
    #[arg(long, env = "DEPTHCAST_ON_CROSS", help_heading = "Feed", value_enum, default_value_t = Config::default().on_cross)]
    pub on_cross: CrossRule,

    /// Address and port of HTTP, and of all that begins with it: WebSocket, Socket.IO, server-sent events, long polling; port
    /// 0 takes a free one
    #[arg(long, env = "DEPTHCAST_LISTEN", help_heading = "Network", value_name = "ADDR", default_value_t = Config::default().listen)]
    pub listen: SocketAddr,

    /// Address and port of plain TCP connections, a JSON text a line, or off; the port after that of --listen if left out
    /// (127.0.0.1:9001)
    #[arg(long, env = "DEPTHCAST_TCP", help_heading = "Network", value_name = "ADDR|off")]
    #[serde(default, with = "text::option", skip_serializing_if = "Option::is_none")]
    pub tcp: Option<Plain>,

    /// Share the port with another process that asks for it too, for overlapping deploys
    #[arg(long, env = "DEPTHCAST_REUSE_PORT", help_heading = "Network")]
    pub reuse_port: bool,

    /// Origins of web pages that may connect besides those of this very host, such as https://example.com, or *
    #[arg(
        long,
        env = "DEPTHCAST_ALLOW_ORIGIN",
        help_heading = "Network",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    pub allow_origin: Vec<String>,

    /// Bytes that the kernel may hold for one connection
    #[arg(long, env = "DEPTHCAST_SEND_BUFFER", help_heading = "Network", value_name = "BYTES", default_value_t = Config::default().send_buffer)]
    pub send_buffer: usize,

    /// Compress messages of 512 bytes and more for WebSocket clients that offer it (permessage-deflate)
    #[arg(long, env = "DEPTHCAST_DEFLATE", help_heading = "Network")]
    pub deflate: bool,

    /// Whoever sends this token as `Authorization: Bearer …` may use /v1/admin from other machines; better in the environment or a file than
    /// on the command line, which others can read
    #[arg(
        long,
        env = "DEPTHCAST_ADMIN_TOKEN",
        hide_env_values = true,
        help_heading = "Network",
        value_name = "TOKEN"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin_token: Option<String>,

    /// Serve /echo, a WebSocket echo through the production connection code, for conformance suites
    #[arg(long, env = "DEPTHCAST_ECHO", help_heading = "Network")]
    pub echo: bool,

    /// Let clients ask by the method chaos that messages to them are dropped, repeated, reordered or corrupted, to test how they
    /// notice and resync
    #[arg(long, env = "DEPTHCAST_ALLOW_CHAOS", help_heading = "Network")]
    pub allow_chaos: bool,

    /// Record what is sequenced into this folder; a recording that is there goes on as a new run
    #[arg(
        long,
        visible_alias = "out",
        env = "DEPTHCAST_RECORD",
        help_heading = "Recording",
        value_name = "DIR"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<PathBuf>,

    /// Milliseconds between two times at which what was recorded is made durable: at most so much, and what the disk takes to do
    /// it, is lost in a power cut
    #[arg(long, env = "DEPTHCAST_RECORD_SYNC_MS", help_heading = "Recording", value_name = "MS", default_value_t = Config::default().record_sync_ms)]
    pub record_sync_ms: u32,

    /// Compress the recording (Zstandard)
    #[arg(long, env = "DEPTHCAST_RECORD_COMPRESS", help_heading = "Recording")]
    pub record_compress: bool,

    /// Bytes of a segment, the part of a recording that is removed as a whole
    #[arg(long, env = "DEPTHCAST_RECORD_SEGMENT_BYTES", help_heading = "Recording", value_name = "BYTES", default_value_t = Config::default().record_segment_bytes)]
    pub record_segment_bytes: u64,

    /// Bytes of the recording to keep, the oldest segments going first (0: all)
    #[arg(long, env = "DEPTHCAST_RECORD_KEEP_BYTES", help_heading = "Recording", value_name = "BYTES", default_value_t = Config::default().record_keep_bytes)]
    pub record_keep_bytes: u64,

    /// Seconds of the recording to keep, in feed time before its newest event (0: all)
    #[arg(long, env = "DEPTHCAST_RECORD_KEEP_S", help_heading = "Recording", value_name = "SECONDS", default_value_t = Config::default().record_keep_s)]
    pub record_keep_s: u64,

    /// Replays for one client each that may run at a time (0: no limit)
    #[arg(long, env = "DEPTHCAST_REPLAYS", help_heading = "Recording", value_name = "N", default_value_t = Config::default().replays)]
    pub replays: usize,

    /// Bytes of a recording that are kept once they were read, for all who look into it at the same place
    #[arg(long, env = "DEPTHCAST_REPLAY_CACHE_BYTES", help_heading = "Recording", value_name = "BYTES", default_value_t = Config::default().replay_cache_bytes)]
    pub replay_cache_bytes: u64,

    /// Threads that serve connections; the cores less one if left out
    #[arg(long, env = "DEPTHCAST_WORKERS", help_heading = "Threads", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: Option<u16>,

    /// What threads do between two events: spin (fastest, a core each), backoff, or park (least processor time)
    #[arg(long, env = "DEPTHCAST_WAIT", help_heading = "Threads", value_name = "STRATEGY", default_value_t = Config::default().wait)]
    #[serde(with = "text")]
    pub wait: WaitStrategy,

    /// Whether the feed has a thread of its own (split) or is part of the first worker (inline); auto looks at the cores
    #[arg(long, env = "DEPTHCAST_THREADS", help_heading = "Threads", value_enum, default_value_t = Config::default().threads)]
    pub threads: Threads,

    /// Slots of the event ring, a power of two
    #[arg(long, env = "DEPTHCAST_RING_SLOTS", help_heading = "Memory", value_name = "N", default_value_t = Config::default().ring_slots)]
    pub ring_slots: usize,

    /// Bytes of book history of each worker, for resuming and merging
    #[arg(long, env = "DEPTHCAST_HISTORY_BYTES", help_heading = "Memory", value_name = "BYTES", default_value_t = Config::default().history_bytes)]
    pub history_bytes: usize,

    /// Bytes of messages that a worker holds for each topic
    #[arg(long, env = "DEPTHCAST_LOG_BYTES", help_heading = "Memory", value_name = "BYTES", default_value_t = Config::default().log_bytes)]
    pub log_bytes: usize,

    /// Bytes of the last trades of all instruments, of each worker
    #[arg(long, env = "DEPTHCAST_TRADES_BYTES", help_heading = "Memory", value_name = "BYTES", default_value_t = Config::default().trades_bytes)]
    pub trades_bytes: usize,

    /// Closed candles of each interval that each worker holds of each instrument that trades: 640 bytes each, and 57 KiB besides
    #[arg(long, env = "DEPTHCAST_CANDLES", help_heading = "Memory", value_name = "N", default_value_t = Config::default().candles)]
    pub candles: usize,

    /// Bytes of large snapshots that may wait in the sockets of a worker; beyond it they wait their turn
    #[arg(long, env = "DEPTHCAST_PRIVATE_BYTES", help_heading = "Memory", value_name = "BYTES", default_value_t = Config::default().private_bytes)]
    pub private_bytes: usize,

    /// Longest message from a client, in bytes
    #[arg(long, env = "DEPTHCAST_INBOUND_BYTES", help_heading = "Limits", value_name = "BYTES", default_value_t = Config::default().inbound_bytes)]
    pub inbound_bytes: usize,

    /// Requests a second of one connection (0: no limit)
    #[arg(long, env = "DEPTHCAST_REQUESTS_PER_SECOND", help_heading = "Limits", value_name = "N", default_value_t = Config::default().requests_per_second)]
    pub requests_per_second: u32,

    /// Requests that one connection may send at once
    #[arg(long, env = "DEPTHCAST_REQUEST_BURST", help_heading = "Limits", value_name = "N", default_value_t = Config::default().request_burst)]
    pub request_burst: u32,

    /// Subscriptions of one connection (0: no limit)
    #[arg(long, env = "DEPTHCAST_TOPICS_PER_CONNECTION", help_heading = "Limits", value_name = "N", default_value_t = Config::default().topics_per_connection)]
    pub topics_per_connection: usize,

    /// Seconds for a client to send the head of a request
    #[arg(long, env = "DEPTHCAST_HANDSHAKE_TIMEOUT_S", help_heading = "Limits", value_name = "SECONDS", default_value_t = Config::default().handshake_timeout_s)]
    pub handshake_timeout_s: u32,

    /// New connections that become a stream or a session, in 5 minutes from one address; loopback is exempt (0: no limit)
    #[arg(long, env = "DEPTHCAST_CONNECTIONS_PER_ADDRESS", help_heading = "Limits", value_name = "N", default_value_t = Config::default().connections_per_address)]
    pub connections_per_address: u32,

    /// Plain HTTP requests a second from one address, four times as many at once (0: no limit)
    #[arg(long, env = "DEPTHCAST_HTTP_REQUESTS_PER_SECOND", help_heading = "Limits", value_name = "N", default_value_t = Config::default().http_requests_per_second)]
    pub http_requests_per_second: u32,

    /// What is logged to standard error, such as info, debug, or gateway=debug,warn
    #[arg(long, env = "DEPTHCAST_LOG", help_heading = "General", value_name = "FILTER", default_value_t = Config::default().log)]
    pub log: String,

    /// Read options from this TOML file; the command line and the environment win over it
    #[arg(long, env = "DEPTHCAST_CONFIG", help_heading = "General", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
}

/// Who runs source and ingest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Threads {
    /// Inline where there are fewer cores than threads would be.
    #[default]
    Auto,
    /// The first worker, within its own turn.
    Inline,
    /// A thread of its own.
    Split,
}

/// What a crossed book means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CrossRule {
    /// It is announced and served as it is: it is legal in an auction.
    #[default]
    Status,
    /// It is a fault of the feed: the book is stale until it is written anew.
    Reset,
}

/// What the end of the feed means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnEnd {
    /// Its last books go on being served.
    #[default]
    Serve,
    /// The gateway ends, too, once clients were sent all of it.
    Exit,
}

impl Default for Config {
    fn default() -> Config {
        let limits = Limits::default();
        Config {
            feed: FeedSpec::default(),
            symbols: None,
            rate: None,
            seed: 1,
            start: None,
            speed: Speed::REAL_TIME,
            pace_timeout: 5,
            hold: false,
            from: None,
            to: None,
            r#loop: false,
            on_end: OnEnd::default(),
            max_gap_ms: 0,
            on_cross: CrossRule::default(),
            listen: SocketAddr::from(([127, 0, 0, 1], 9000)),
            tcp: None,
            reuse_port: false,
            allow_origin: Vec::new(),
            send_buffer: 256 << 10,
            deflate: false,
            admin_token: None,
            echo: false,
            allow_chaos: false,
            record: None,
            record_sync_ms: 1_000,
            record_compress: false,
            record_segment_bytes: 256 << 20,
            record_keep_bytes: 0,
            record_keep_s: 0,
            replays: 256,
            replay_cache_bytes: 64 << 20,
            workers: None,
            wait: WaitStrategy::default(),
            threads: Threads::default(),
            ring_slots: 1 << 18,
            history_bytes: limits.history_bytes,
            log_bytes: limits.log_bytes,
            trades_bytes: limits.trades_bytes,
            candles: limits.candles,
            private_bytes: limits.private_bytes,
            inbound_bytes: limits.inbound_message,
            requests_per_second: limits.requests_per_second,
            request_burst: limits.request_burst,
            topics_per_connection: limits.topics_per_connection,
            handshake_timeout_s: 10,
            connections_per_address: 300,
            http_requests_per_second: 50,
            log: "info".to_owned(),
            config: None,
        }
    }
}

impl Config {
    /// How many workers there are on a machine with so many cores.
    pub fn worker_count(&self, cores: usize) -> usize {
        self.workers.map_or(cores.saturating_sub(1).max(1), usize::from)
    }

    /// Whether source and ingest run inside the first worker, on a machine with so many cores.
    pub fn is_inline(&self, cores: usize) -> bool {
        match self.threads {
            Threads::Auto => cores < self.worker_count(cores) + 1,
            Threads::Inline => true,
            Threads::Split => false,
        }
    }

    /// Where plain TCP connections are taken, if anywhere.
    pub fn tcp_address(&self) -> Option<SocketAddr> {
        match self.tcp {
            Some(Plain::Off) => None,
            Some(Plain::At(address)) => Some(address),
            None => {
                let port = if self.listen.port() == 0 { 0 } else { self.listen.port().checked_add(1)? };
                Some(SocketAddr::new(self.listen.ip(), port))
            }
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            inbound_message: self.inbound_bytes,
            requests_per_second: self.requests_per_second,
            request_burst: self.request_burst,
            topics_per_connection: self.topics_per_connection,
            log_bytes: self.log_bytes,
            history_bytes: self.history_bytes,
            trades_bytes: self.trades_bytes,
            candles: self.candles,
            private_bytes: self.private_bytes,
            allow_chaos: self.allow_chaos,
            ..Limits::default()
        }
    }

    pub(crate) fn on_cross(&self) -> OnCross {
        match self.on_cross {
            CrossRule::Status => OnCross::Status,
            CrossRule::Reset => OnCross::Reset,
        }
    }

    pub(crate) fn handshake_timeout(&self) -> Duration {
        Duration::from_secs(self.handshake_timeout_s.into())
    }

    /// What is wrong with the choices, taken together.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |option, what| Err(ConfigError { option, what });
        if !self.ring_slots.is_power_of_two() || !(1 << 10..=1 << 28).contains(&self.ring_slots) {
            return wrong("ring-slots", "it has to be a power of two from 1024 to 268435456");
        }
        if self.workers == Some(0) {
            return wrong("workers", "there has to be at least one");
        }
        if self.inbound_bytes < 125 {
            return wrong("inbound-bytes", "a client has to be able to send a request: at least 125");
        }
        if self.handshake_timeout_s == 0 {
            return wrong(
                "handshake-timeout-s",
                "a client without a deadline could hold a connection for ever: at least 1",
            );
        }
        if self.admin_token.as_ref().is_some_and(|token| token.len() < 16) {
            return wrong("admin-token", "one that is short is easily guessed: at least 16 characters");
        }
        if self.from.zip(self.to).is_some_and(|(from, to)| from > to) {
            return wrong("from", "it has to be before --to");
        }
        if self.hold && matches!(self.feed, FeedSpec::Shared(_)) {
            return wrong(
                "hold",
                "a feed in shared memory cannot be held: it goes on whatever its readers do",
            );
        }
        if self.r#loop && !matches!(self.feed, FeedSpec::Journal(_)) {
            return wrong(
                "loop",
                "only a recording has an end to begin again at; play one with --feed journal:DIR",
            );
        }
        if self.r#loop && self.record.is_some() {
            return wrong("loop", "what goes back in time cannot be recorded; leave out --loop or --record");
        }
        if self.r#loop && self.on_end == OnEnd::Exit {
            return wrong("on-end", "with --loop there is no end to exit at; leave out one of them");
        }
        if self.record_segment_bytes < 1 << 20 {
            return wrong("record-segment-bytes", "smaller ones are too many files: at least 1048576");
        }
        if self.record_sync_ms == 0 {
            return wrong("record-sync-ms", "the disk has to have a moment between two times: at least 1");
        }
        if self.history_bytes < 1 << 20 || self.log_bytes < 1 << 12 {
            return wrong(
                "history-bytes",
                "too little to serve anyone: at least 1048576 (and --log-bytes at least 4096)",
            );
        }
        if !(stats::MIN_HISTORY..=stats::MAX_HISTORY).contains(&self.candles) {
            return wrong("candles", "it has to be from 300 to 1000");
        }
        Ok(())
    }
}

/// A choice that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("--{option}: {what}")]
pub struct ConfigError {
    option: &'static str,
    what: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_core_is_left_to_the_feed_where_there_are_several() {
        let config = Config::default();
        let check = |cores, workers, inline| {
            assert_eq!(
                (config.worker_count(cores), config.is_inline(cores)),
                (workers, inline),
                "{cores} cores"
            );
        };
        check(1, 1, true);
        check(2, 1, false);
        check(8, 7, false);
    }

    #[test]
    fn the_feed_moves_in_where_workers_take_all_cores() {
        let config = Config { workers: Some(2), ..Config::default() };
        assert!(config.is_inline(2) && !config.is_inline(3));
    }

    #[test]
    fn plain_tcp_is_beside_http_unless_it_is_elsewhere_or_off() {
        let check = |listen: &str, tcp: Option<&str>, wanted: Option<&str>| {
            let tcp = tcp.map(|text| text.parse().unwrap());
            let config = Config { listen: listen.parse().unwrap(), tcp, ..Config::default() };
            assert_eq!(config.tcp_address(), wanted.map(|address| address.parse().unwrap()));
        };
        check("127.0.0.1:9000", None, Some("127.0.0.1:9001"));
        check("0.0.0.0:0", None, Some("0.0.0.0:0"));
        check("[::1]:65535", None, None);
        check("127.0.0.1:9000", Some("off"), None);
        check("127.0.0.1:9000", Some("0.0.0.0:7000"), Some("0.0.0.0:7000"));
        assert_eq!("on".parse::<Plain>(), Err(PlainError));
    }

    #[test]
    fn a_ring_is_a_power_of_two() {
        let error = Config { ring_slots: 1000, ..Config::default() }.check().unwrap_err();
        assert!(error.to_string().starts_with("--ring-slots: it has to be a power of two"), "{error}");
        assert_eq!(Config::default().check(), Ok(()));
    }
}
