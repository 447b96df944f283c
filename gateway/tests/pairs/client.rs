//! A client of any dialect over any transport: what it asks for, and what it hears, in order. Whatever the script, it hears
//! nothing that it is not subscribed to, and nothing before its subscription is answered.

use crate::{
    dialect::{Dialect, Mistake},
    support::{
        Wrong,
        account::Heard,
        narrow,
        transport::{Connection, Query, Transport},
    },
};
use market::{Nanos, clock};
use simulation::line::Item;
use std::{
    collections::VecDeque,
    io,
    net::{SocketAddr, TcpStream},
    time::Duration,
};
use wire::{message::Channel, token::Token};

/// Whatever has to happen happens in this time, also beside other work.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A client, connected.
pub struct Client<D> {
    pub dialect: D,
    connection: Connection,
    addresses: [SocketAddr; 2],
    channels: Vec<Channel>,
    /// What was granted, and whether that goes on where the token was.
    granted: Vec<(Channel, bool)>,
    /// With what it polls next.
    cursor: Option<Token>,
    /// What came and was not looked at.
    heard: VecDeque<Heard>,
}

fn broken(error: io::Error) -> Wrong {
    format!("the connection breaks: {error}")
}

impl<D: Dialect> Client<D> {
    /// Connects and asks for these channels.
    pub fn open(
        dialect: D,
        transport: Transport,
        addresses: [SocketAddr; 2],
        channels: &[Channel],
        since: Option<Token>,
    ) -> Result<Client<D>, Wrong> {
        let stream = TcpStream::connect(transport.address(addresses)).map_err(broken)?;
        Client::over(stream, dialect, transport, addresses, channels, since)
    }

    /// The same over a socket that holds little.
    pub fn open_narrow(
        dialect: D,
        transport: Transport,
        addresses: [SocketAddr; 2],
        channels: &[Channel],
    ) -> Result<Client<D>, Wrong> {
        let stream = narrow(transport.address(addresses));
        Client::over(stream, dialect, transport, addresses, channels, None)
    }

    fn over(
        stream: TcpStream,
        mut dialect: D,
        transport: Transport,
        addresses: [SocketAddr; 2],
        channels: &[Channel],
        since: Option<Token>,
    ) -> Result<Client<D>, Wrong> {
        dialect.connects(transport, channels, since.as_ref());
        stream.set_read_timeout(Some(PATIENCE)).map_err(broken)?;
        let (path, text, encoding) = (D::PATH, D::query(channels), D::ENCODING);
        let query = Query { path, text, since: since.clone(), by_header: true, encoding };
        let mut connection = Connection::begin(stream, transport, &query).map_err(broken)?;
        if transport.takes_requests() {
            for &channel in channels {
                let request = dialect.subscribe(transport, channel, since.as_ref());
                connection.request(request.method, &request.params).map_err(broken)?;
            }
        }
        Ok(Client {
            dialect,
            connection,
            addresses,
            channels: channels.to_vec(),
            granted: Vec::new(),
            cursor: since,
            heard: VecDeque::new(),
        })
    }

    /// Goes on where it was, over another connection of whatever transport that has tokens, with these channels.
    pub fn go_on(self, transport: Transport, channels: &[Channel]) -> Result<Client<D>, Wrong> {
        let token = self.dialect.token().ok_or("there is no token")?;
        self.come_back(transport, channels, Some(token))
    }

    /// Takes all that it has over to another connection.
    pub fn come_back(
        self,
        transport: Transport,
        channels: &[Channel],
        since: Option<Token>,
    ) -> Result<Client<D>, Wrong> {
        self.connection.end().map_err(broken)?;
        let mut client = Client::open(self.dialect, transport, self.addresses, channels, since)?;
        match client.until_granted()?.contains(&false) {
            true => Err(format!("not recovered over {transport:?}")),
            false => Ok(client),
        }
    }

    /// Its own address.
    pub fn address(&self) -> SocketAddr {
        self.connection.local_address().expect("a connected socket has an address")
    }

    /// Goes in good order.
    pub fn end(self) -> Result<(), Wrong> {
        self.connection.end().map_err(broken)
    }

    /// What is left without a client that reads it.
    pub fn into_connection(self) -> Connection {
        self.connection
    }

    /// Asks for what comes next, where it has to ask, and does not read it.
    pub fn ask(&mut self) -> Result<(), Wrong> {
        self.connection.ask(&D::query(&self.channels), self.cursor.as_ref()).map_err(broken)
    }

    /// Sends the beginning of a request.
    pub fn send_part(&mut self) -> Result<(), Wrong> {
        self.connection.send_part().map_err(broken)
    }

    /// Does without a channel: nothing of it comes any more once this returns.
    pub fn leave(mut self, channel: Channel) -> Result<Client<D>, Wrong> {
        let others: Vec<Channel> = self.channels.iter().copied().filter(|&other| other != channel).collect();
        if !self.connection.transport.takes_requests() {
            let transport = self.connection.transport;
            return self.go_on(transport, &others);
        }
        let request = self.dialect.unsubscribe(self.connection.transport, channel);
        self.connection.request(request.method, &request.params).map_err(broken)?;
        self.until("the answer to unsubscribe", |_, heard| *heard == Heard::Answered)?;
        self.channels = others;
        self.granted.retain(|(other, _)| *other != channel);
        Ok(self)
    }

    /// Asks for what there is not; the code of the refusal.
    pub fn refusal(&mut self, mistake: &Mistake) -> Result<String, Wrong> {
        self.connection.request(mistake.request.method, &mistake.request.params).map_err(broken)?;
        let mut told = None;
        self.until("a refusal", |_, heard| {
            if let Heard::Refused { code, .. } = heard {
                told = Some(code.clone());
            }
            told.is_some()
        })?;
        told.ok_or_else(|| "there is no code".into())
    }

    /// What its subscriptions were answered: whether each goes on where the token was, where that is said.
    pub fn until_granted(&mut self) -> Result<Vec<bool>, Wrong> {
        if !D::is_answered(self.connection.transport) {
            return Ok(Vec::new());
        }
        let deadline = clock::now() + PATIENCE;
        while self.granted.len() < self.channels.len() {
            self.next(deadline, "the answers to subscribe")?;
        }
        let recovered = self.granted.iter().filter(|_| D::SAYS_IF_RECOVERED).map(|(_, recovered)| *recovered);
        Ok(recovered.collect())
    }

    /// Hears on until something is as it should be.
    pub fn until(&mut self, what: &str, mut done: impl FnMut(&D, &Heard) -> bool) -> Result<(), Wrong> {
        let deadline = clock::now() + PATIENCE;
        loop {
            let heard = self.next(deadline, what)?;
            if done(&self.dialect, &heard) {
                return Ok(());
            }
            if let Heard::Refused { code, text } = heard {
                return Err(format!("a refusal came instead of {what}: {code}, {text}"));
            }
        }
    }

    /// The next thing that it hears.
    fn next(&mut self, deadline: Nanos, what: &str) -> Result<Heard, Wrong> {
        loop {
            if let Some(heard) = self.heard.pop_front() {
                self.judge(&heard)?;
                return Ok(heard);
            }
            if clock::now() > deadline {
                return Err(format!("{what} did not come in {PATIENCE:?}"));
            }
            let heard = self.hear().map_err(|wrong| format!("{wrong}, while it waits for {what}"))?;
            self.heard.extend(heard);
        }
    }

    /// What comes at once: at least something, or nothing from a poll in vain.
    pub fn hear(&mut self) -> Result<Vec<Heard>, Wrong> {
        if self.connection.transport == Transport::LongPoll {
            return self.poll();
        }
        let mut heard = Vec::new();
        for item in self.connection.read().map_err(broken)? {
            match item {
                Item::Message(text) => heard.push(self.dialect.message(&text)?),
                Item::Token(token) => self.dialect.given(&token)?,
            }
        }
        Ok(heard)
    }

    fn poll(&mut self) -> Result<Vec<Heard>, Wrong> {
        let since = self.cursor.clone();
        let answer = self.connection.poll(&D::query(&self.channels), since.as_ref()).map_err(broken)?;
        let Some((cursor, messages)) = answer else { return Ok(Vec::new()) };
        self.cursor = Some(cursor.parse().map_err(|error| format!("{error}"))?);
        self.dialect.polled(&self.channels, since.as_ref(), &cursor, messages)
    }

    /// Whether something may come now.
    fn judge(&mut self, heard: &Heard) -> Result<(), Wrong> {
        let channel = match *heard {
            Heard::Granted { channel, recovered } => {
                self.granted.push((channel, recovered));
                return Ok(());
            }
            Heard::Snapshot { channel, .. } | Heard::Update { channel, .. } => channel,
            Heard::Missing { .. } => Channel::Trade,
            Heard::Refused { .. } | Heard::Answered | Heard::Nothing => return Ok(()),
        };
        let is_answered = self.granted.iter().any(|(granted, _)| *granted == channel);
        if !self.channels.contains(&channel) {
            return Err(format!("{heard:?} comes and is not wanted"));
        }
        match is_answered || !D::is_answered(self.connection.transport) {
            true => Ok(()),
            false => Err(format!("{heard:?} comes before its subscription is answered")),
        }
    }
}
