//! The connection that comes back by itself.

use crate::{
    ClientError, Fault, Status, Tracker, Update,
    backoff::Backoff,
    connection::{Connection, Task, get},
    request,
    target::Target,
};
use market::Seq;
use serde::Deserialize;
use std::time::Duration;
use wire::message::{Channel, Depth, Interval, Policy};

/// One channel of some symbols.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Which channel.
    pub channel: Channel,
    /// Of which symbols; none stands for all that the gateway has when the client connects first.
    pub symbols: Vec<String>,
    /// How deep a book.
    pub depth: Depth,
    /// How much feed time a message covers.
    pub interval: Interval,
    /// What happens when this client is slow.
    pub policy: Policy,
    /// Whether messages carry stamps.
    pub stamps: bool,
}

impl Subscription {
    /// With the protocol's defaults: depth 10, each exchange event, `conflate`, no stamps.
    pub fn new(channel: Channel, symbols: impl IntoIterator<Item = impl Into<String>>) -> Subscription {
        Subscription {
            channel,
            symbols: symbols.into_iter().map(Into::into).collect(),
            depth: Depth::default(),
            interval: Interval::EACH_EVENT,
            policy: Policy::default(),
            stamps: false,
        }
    }
}

/// How a client connects.
#[derive(Debug, Clone)]
pub struct Options {
    /// What to subscribe to; a channel and symbol at most once.
    pub subscriptions: Vec<Subscription>,
    /// How often the gateway shows that it lives, 250 ms to 60 s. Three times that in silence, the client connects anew.
    pub heartbeat: Duration,
    /// Longer messages end the connection.
    pub max_message_bytes: usize,
}

impl Options {
    /// With a heartbeat each second and messages of up to 64 MiB (a whole book is one).
    pub fn new(subscriptions: Vec<Subscription>) -> Options {
        Options { subscriptions, heartbeat: Duration::from_secs(1), max_message_bytes: 64 << 20 }
    }
}

/// What [`Client::next`] tells.
#[derive(Debug)]
pub enum Event<'c> {
    /// A message that proved itself.
    Update(Update<'c>),
    /// A message that did not: the client connects anew, and resumes from what it holds that is proven.
    Fault(Fault),
    /// A connection is made and everything is asked for.
    Connected,
    /// The connection is gone, or could not be made. It is tried again by itself.
    Disconnected {
        /// Why.
        error: ClientError,
        /// When it is tried again.
        retry_in: Duration,
    },
}

/// A client of one gateway that reconnects by itself, resumes where it was, and proves what it is sent.
pub struct Client {
    tracker: Tracker,
    link: Link,
    /// The message that is being taken.
    text: Vec<u8>,
}

impl Client {
    /// Connects and subscribes. `url` is `ws://host:port/feed`, `http://host:port` or `host:port`.
    ///
    /// # Errors
    /// [`ClientError`] if the address is wrong, nobody answers there, or there is nothing to subscribe to. From then on
    /// the client does not give up.
    pub async fn connect(url: &str, options: Options) -> Result<Client, ClientError> {
        let target = Target::parse(url)?;
        let heartbeat = options.heartbeat.clamp(Duration::from_millis(250), Duration::from_secs(60));
        let mut options = Options { heartbeat, ..options };
        name_symbols(&target, &mut options).await?;
        let tracker = Tracker::new();
        let opening = Connection::open(target.clone(), options.max_message_bytes, patience(&options));
        let connection = opening.await?;
        let state = State::Connected(connection);
        let mut link = Link { target, options, backoff: Backoff::default(), state };
        link.subscribe(&tracker);
        Ok(Client { tracker, link, text: Vec::new() })
    }

    /// Waits for what happens next; never ends by itself. If the future is dropped before it is done, nothing is lost: the
    /// next call goes on with it.
    pub async fn next(&mut self) -> Event<'_> {
        match &mut self.link.state {
            State::Opening(opening) => match opening.as_mut().await {
                Ok(connection) => {
                    self.tracker.reconnected();
                    self.link.state = State::Connected(connection);
                    self.link.subscribe(&self.tracker);
                    return Event::Connected;
                }
                Err(error) => return self.link.lost(error),
            },
            State::Connected(connection) => {
                if let Err(error) = connection.receive(&mut self.text).await {
                    return self.link.lost(error);
                }
            }
        }
        match self.tracker.on_text(&self.text) {
            Ok(update) => {
                self.link.note(&update);
                Event::Update(update)
            }
            Err(fault) => {
                self.link.retry();
                Event::Fault(fault)
            }
        }
    }

    /// Asks the gateway whether a book is right: the request goes out with the next [`Client::next`], and the answer comes
    /// as [`Update::Verified`]. Without a connection nothing is asked.
    pub fn verify(&mut self, symbol: &str, seq: Seq, checksum: u32) {
        if let State::Connected(connection) = &mut self.link.state {
            connection.send(request::verify(symbol, seq, checksum));
        }
    }

    /// What is held.
    pub fn tracker(&self) -> &Tracker {
        &self.tracker
    }

    /// What is subscribed to, all symbols named.
    pub fn subscriptions(&self) -> &[Subscription] {
        &self.link.options.subscriptions
    }
}

/// The connection, and what it takes to make it again.
struct Link {
    target: Target,
    options: Options,
    backoff: Backoff,
    state: State,
}

enum State {
    /// Waits for its time, and then for the handshake.
    Opening(Task<Result<Connection, ClientError>>),
    Connected(Connection),
}

impl Link {
    /// Asks for everything on a new connection, from where the tracker stands.
    fn subscribe(&mut self, tracker: &Tracker) {
        let State::Connected(connection) = &mut self.state else { return };
        let token = tracker.token();
        for subscription in &self.options.subscriptions {
            request::subscribe(subscription, self.options.heartbeat, token.as_ref())
                .into_iter()
                .for_each(|text| connection.send(text));
        }
    }

    fn note(&mut self, update: &Update<'_>) {
        match update {
            Update::Status(Status::Shutdown { retry_after_ms }) => {
                self.backoff.ask(Duration::from_millis(*retry_after_ms));
            }
            Update::Heartbeat => self.backoff.reset(),
            _ => {}
        }
    }

    fn lost<'c>(&mut self, error: ClientError) -> Event<'c> {
        Event::Disconnected { error, retry_in: self.retry() }
    }

    /// Begins to connect anew; answers when that will be.
    fn retry(&mut self) -> Duration {
        let retry_in = Duration::from_millis(rand::random_range(self.backoff.next()));
        let (limit, patience) = (self.options.max_message_bytes, patience(&self.options));
        let opening = Connection::open(self.target.clone(), limit, patience);
        self.state = State::Opening(Box::pin(async move {
            tokio::time::sleep(retry_in).await;
            opening.await
        }));
        retry_in
    }
}

/// The gateway may be silent for three heartbeats.
fn patience(options: &Options) -> Duration {
    options.heartbeat * 3
}

/// Fills in all symbols where none are named.
async fn name_symbols(target: &Target, options: &mut Options) -> Result<(), ClientError> {
    if options.subscriptions.iter().all(|subscription| !subscription.symbols.is_empty()) {
        return Ok(());
    }
    let symbols = instruments(target, patience(options)).await?;
    for subscription in options.subscriptions.iter_mut().filter(|wanted| wanted.symbols.is_empty()) {
        subscription.symbols.clone_from(&symbols);
    }
    Ok(())
}

/// The symbols of `/v1/instruments`, in the feed's order; at least one.
pub(crate) async fn instruments(target: &Target, patience: Duration) -> Result<Vec<String>, ClientError> {
    const PATH: &str = "/v1/instruments";
    /// A million instruments would fit.
    const MOST_BYTES: usize = 256 << 20;

    #[derive(Deserialize)]
    struct Table {
        instruments: Vec<Instrument>,
    }
    #[derive(Deserialize)]
    struct Instrument {
        symbol: String,
    }
    let body = get(target, PATH, MOST_BYTES, patience).await?;
    let table: Table = serde_json::from_slice(&body)
        .map_err(|error| ClientError::Http { path: PATH.into(), reason: error.to_string() })?;
    if table.instruments.is_empty() {
        return Err(ClientError::NoSymbols);
    }
    Ok(table.instruments.into_iter().map(|instrument| instrument.symbol).collect())
}
