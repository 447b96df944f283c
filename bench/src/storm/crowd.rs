//! All that come back, in one thread that waits for whichever of their sockets has something.

use super::client::{Answer, Token};
use crate::{
    load::{Address, Arrived, Connection, Speech},
    servers::Running,
};
use anyhow::{Context, bail};
use hdrhistogram::Histogram;
use market::{Nanos, clock};
use mio::{Events, Interest, Poll, Registry};
use std::{io::ErrorKind, time::Duration};

/// Who is not answered after so long never is.
const PATIENCE: Duration = Duration::from_secs(60);
/// Who was refused tries again after this.
const AGAIN: Duration = Duration::from_millis(50);
/// Room for what is read at once, at the least.
const READ: usize = 256 << 10;
/// The longest that is slept at once.
const LOOK: Duration = Duration::from_millis(50);

/// The clients.
pub struct Crowd {
    sockets: Sockets,
    address: Address,
    speech: Speech,
    clients: Vec<Client>,
    /// Those that were refused, and when they try again.
    refused: Vec<(Nanos, usize)>,
    answers: Answers,
}

struct Client {
    token: Token,
    connection: Option<Connection>,
    is_awaiting: bool,
}

struct Sockets {
    poll: Poll,
    /// What was read last, of whichever client.
    buffer: Vec<u8>,
}

/// How they were answered.
#[derive(Debug)]
pub struct Answers {
    /// When all were meant to come.
    pub begun: Nanos,
    /// How long after that each was answered, in nanoseconds.
    pub times: Histogram<u64>,
    /// With all that was missing.
    pub recovered: u64,
    /// With a snapshot.
    pub snapshots: u64,
    /// With something else.
    pub holes: u64,
    /// Connections that failed before.
    pub refused: u64,
}

impl Answers {
    fn new(begun: Nanos) -> Answers {
        let longest = 2 * PATIENCE.as_nanos() as u64;
        let times = Histogram::new_with_bounds(1, longest, 3).expect("the bounds are valid");
        Answers { begun, times, recovered: 0, snapshots: 0, holes: 0, refused: 0 }
    }

    /// How long the last one waited.
    pub fn last(&self) -> Duration {
        Duration::from_nanos(self.times.max())
    }

    fn count(&mut self, answer: Answer, now: Nanos) {
        self.times.saturating_record(now.since(self.begun).as_nanos() as u64);
        match answer {
            Answer::Recovered => self.recovered += 1,
            Answer::Snapshot => self.snapshots += 1,
            Answer::Hole => self.holes += 1,
        }
    }
}

impl Crowd {
    /// Connects a client for each of these topics, and waits until each has its snapshot.
    ///
    /// # Errors
    /// If one gets none.
    pub fn gather(running: &Running, topics: Vec<String>) -> anyhow::Result<Crowd> {
        Ok(Crowd::come(running, topics.into_iter().map(Token::new).collect())?.0)
    }

    /// All come at once, with these tokens.
    ///
    /// # Errors
    /// If one is not answered.
    pub fn come(running: &Running, tokens: Vec<Token>) -> anyhow::Result<(Crowd, Answers)> {
        let poll = Poll::new().context("ask for an epoll instance")?;
        let client = |token| Client { token, connection: None, is_awaiting: true };
        let begun = clock::now();
        let mut crowd = Crowd {
            sockets: Sockets { poll, buffer: vec![0; READ] },
            address: running.address.into(),
            speech: running.speech,
            clients: tokens.into_iter().map(client).collect(),
            refused: Vec::new(),
            answers: Answers::new(begun),
        };
        for at in 0..crowd.clients.len() {
            crowd.connect(at)?;
        }
        let answers = crowd.wait_for_answers()?;
        Ok((crowd, answers))
    }

    /// All unsubscribe, and keep their connections.
    ///
    /// # Errors
    /// If a connection is broken.
    pub fn leave(&mut self) -> anyhow::Result<()> {
        self.tell_all("unsubscribe")
    }

    /// Reads what comes for so long.
    ///
    /// # Errors
    /// If a connection is broken.
    pub fn rest(&mut self, time: Duration) -> anyhow::Result<()> {
        let until = clock::now() + time;
        let mut events = Events::with_capacity(1024);
        while clock::now() < until {
            self.turn(&mut events, until.since(clock::now()))?;
        }
        Ok(())
    }

    /// All subscribe again at once, each from where it left off.
    ///
    /// # Errors
    /// If one is not answered.
    pub fn resume(&mut self) -> anyhow::Result<Answers> {
        self.answers = Answers::new(clock::now());
        self.clients.iter_mut().for_each(|client| client.is_awaiting = true);
        self.tell_all("subscribe")?;
        self.wait_for_answers()
    }

    /// What each has.
    pub fn tokens(&self) -> Vec<Token> {
        self.clients.iter().map(|client| client.token.clone()).collect()
    }

    fn tell_all(&mut self, method: &str) -> anyhow::Result<()> {
        for client in &mut self.clients {
            let connection = client.connection.as_mut().context("a client has lost its connection")?;
            connection.ask(method, &client.token.subscription())?;
        }
        Ok(())
    }

    fn connect(&mut self, at: usize) -> anyhow::Result<()> {
        let client = &mut self.clients[at];
        let mut connection = Connection::open(&self.address, self.speech, &client.token.subscription())?;
        register(self.sockets.poll.registry(), &mut connection, at)?;
        client.connection = Some(connection);
        Ok(())
    }

    fn wait_for_answers(&mut self) -> anyhow::Result<Answers> {
        let until = self.answers.begun + PATIENCE;
        let mut events = Events::with_capacity(1024);
        loop {
            let answered = self.answers.times.len();
            if answered == self.clients.len() as u64 {
                return Ok(std::mem::replace(&mut self.answers, Answers::new(clock::now())));
            }
            if clock::now() > until {
                bail!("after {PATIENCE:?} only {answered} of {} clients were answered", self.clients.len());
            }
            self.turn(&mut events, LOOK)?;
        }
    }

    /// Waits for bytes, and reads each client that has some.
    fn turn(&mut self, events: &mut Events, longest: Duration) -> anyhow::Result<()> {
        match self.sockets.poll.poll(events, Some(longest.min(LOOK))) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            polled => polled.context("wait for sockets")?,
        }
        for event in events.iter() {
            let at = event.token().0;
            let client = &mut self.clients[at];
            let Err(error) = client.read(&mut self.sockets.buffer, &mut self.answers) else { continue };
            if !client.is_awaiting {
                return Err(error.context("a client that was answered lost its connection"));
            }
            client.connection = None;
            self.answers.refused += 1;
            self.refused.push((clock::now() + AGAIN, at));
        }
        self.retry()
    }

    fn retry(&mut self) -> anyhow::Result<()> {
        let now = clock::now();
        // They were put there in the order in which they try again.
        let due = self.refused.partition_point(|(again, _)| *again <= now);
        let due: Vec<usize> = self.refused.drain(..due).map(|(_, at)| at).collect();
        due.into_iter().try_for_each(|at| self.connect(at))
    }
}

impl Client {
    /// Sends what waits, and reads all that there is.
    fn read(&mut self, buffer: &mut Vec<u8>, answers: &mut Answers) -> anyhow::Result<()> {
        let Client { token, connection, is_awaiting } = self;
        let Some(connection) = connection else { return Ok(()) };
        connection.flush()?;
        loop {
            let (Arrived::All(bytes) | Arrived::Some(bytes)) = connection.read(buffer)? else {
                return Ok(());
            };
            let now = clock::now();
            connection.take(buffer, bytes, |text| {
                if let Some(answer) = token.follow(text)
                    && std::mem::take(is_awaiting)
                {
                    answers.count(answer, now);
                }
            })?;
        }
    }
}

fn register(registry: &Registry, connection: &mut Connection, at: usize) -> anyhow::Result<()> {
    let interest = Interest::READABLE | Interest::WRITABLE;
    registry.register(connection.stream(), mio::Token(at), interest).context("wait for a socket")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_waits_from_the_moment_at_which_all_came() {
        let mut answers = Answers::new(Nanos(1_000));
        for (answer, millis) in [(Answer::Recovered, 1), (Answer::Snapshot, 30), (Answer::Snapshot, 4_000)] {
            answers.count(answer, Nanos(1_000) + Duration::from_millis(millis));
        }
        assert_eq!((answers.recovered, answers.snapshots, answers.holes), (1, 2, 0));
        assert_eq!(answers.last().as_millis(), 4_001, "to three digits, rounded up");
    }
}
