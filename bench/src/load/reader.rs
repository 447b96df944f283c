//! One thread that reads its share of the connections and counts what arrives.

use super::{
    connection::{Address, Connection},
    message::{self, Message, Update},
    speech::{Speech, Subscription, Talk},
    tally::{Tally, Window},
};
use crate::websocket::{self, Opcode};
use anyhow::{Context, ensure};
use market::{Nanos, Seq, clock};
use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    rc::Rc,
    sync::mpsc,
};
use tokio::{
    runtime::{Builder, LocalOptions},
    sync::watch,
    task::spawn_local,
    time::sleep,
};

/// Told once for each connection: it has all its subscriptions, or why not.
pub type Opened = anyhow::Result<()>;

/// What every connection does.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where to.
    pub address: Address,
    /// How to speak.
    pub speech: Speech,
    /// What to subscribe to.
    pub subscription: Subscription,
}

/// Opens so many connections, tells `opened` of each, and counts what they read in the window that `begun` brings.
///
/// # Errors
/// If the operating system gives no runtime.
pub fn run(
    plan: &Plan,
    connections: u32,
    opened: mpsc::Sender<Opened>,
    mut begun: watch::Receiver<Option<Window>>,
) -> anyhow::Result<Tally> {
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    let shared = Rc::new(Shared { opened, window: Cell::new(None), tally: RefCell::default() });
    runtime.block_on(async {
        for _ in 0..connections {
            open(plan, &shared).await;
        }
        // Without a window the measurement was given up, and this thread with it.
        let Ok(Some(window)) = begun.wait_for(Option::is_some).await.map(|window| *window) else { return };
        shared.window.set(Some(window));
        sleep(window.end().since(clock::now())).await;
    });
    Ok(shared.tally.take())
}

/// What the connections of a thread share.
struct Shared {
    opened: mpsc::Sender<Opened>,
    window: Cell<Option<Window>>,
    tally: RefCell<Tally>,
}

/// Opens a connection and reads it in a task of its own, at once: whoever is not read is slow.
async fn open(plan: &Plan, shared: &Rc<Shared>) {
    match subscribe(plan).await {
        Ok((connection, talk)) => {
            let client = Client {
                connection,
                known: Known::new(&plan.subscription.topics),
                talk,
                is_open: false,
                shared: Rc::clone(shared),
            };
            spawn_local(client.run());
        }
        Err(error) => shared.tell(Err(error)),
    }
}

async fn subscribe(plan: &Plan) -> anyhow::Result<(Connection, Talk)> {
    let path = plan.speech.path(&plan.subscription);
    let mut connection = Connection::open(&plan.address, &path).await?;
    let mut talk = plan.speech.talk(&plan.subscription);
    let mut out = Vec::new();
    talk.begin(&mut out);
    connection.write(&out).await.context("subscribe")?;
    Ok((connection, talk))
}

impl Shared {
    fn tell(&self, opened: Opened) {
        // Nobody listens any more if the measurement was given up.
        let _ = self.opened.send(opened);
    }
}

/// A connection that is read.
struct Client {
    connection: Connection,
    known: Known,
    talk: Talk,
    /// Whether all its subscriptions stand.
    is_open: bool,
    shared: Rc<Shared>,
}

impl Client {
    async fn run(mut self) {
        let Err(error) = self.read_all().await;
        if self.is_open {
            self.shared.tally.borrow_mut().counts.closed += 1;
        } else {
            self.shared.tell(Err(error));
        }
    }

    /// Reads until the server closes.
    async fn read_all(&mut self) -> anyhow::Result<Infallible> {
        let mut answers = Vec::new();
        loop {
            let read = self.connection.read().await?;
            ensure!(read > 0, "the server closed the connection");
            self.take(read, clock::now(), &mut answers)?;
            if !answers.is_empty() {
                self.connection.write(&answers).await?;
                answers.clear();
            }
        }
    }

    /// Takes what was read at `now`, and counts it if that is in the window.
    fn take(&mut self, read: usize, now: Nanos, answers: &mut Vec<u8>) -> anyhow::Result<()> {
        let Client { connection, known, talk, is_open, shared } = self;
        let second = shared.window.get().and_then(|window| window.second_of(now));
        let mut tally = shared.tally.borrow_mut();
        if second.is_some() {
            tally.counts.bytes += read as u64;
        }
        let mut taken = Ok(());
        connection.take_frames(|opcode, payload| match opcode {
            Opcode::PING => websocket::push_pong(answers, payload),
            Opcode::TEXT | Opcode::BINARY if taken.is_ok() => {
                taken = talk.take(opcode, payload, answers, |text| {
                    let message = message::read(text);
                    let is_hole = message.as_ref().is_some_and(|message| known.follow(message));
                    if let Some(second) = second {
                        tally.counts.holes += u64::from(is_hole);
                        tally.count(message.as_ref(), second, now);
                    }
                });
            }
            _ => {}
        });
        taken?;
        if !*is_open && talk.is_ready() {
            *is_open = true;
            shared.tell(Ok(()));
        }
        Ok(())
    }
}

/// Through which number each symbol is known; `None` before its snapshot and behind a gap message.
struct Known(Vec<(String, Option<Seq>)>);

impl Known {
    fn new(symbols: &[String]) -> Known {
        Known(symbols.iter().map(|symbol| (symbol.clone(), None)).collect())
    }

    /// Follows the numbers of a message; returns whether something is missing before it, of which nothing was said.
    fn follow(&mut self, message: &Message<'_>) -> bool {
        match *message {
            Message::Update(Update { symbol, first_seq, seq, .. }) => {
                let before = self.replace(symbol, seq);
                before.is_some_and(|before| first_seq > before + 1)
            }
            Message::Snapshot { symbol, seq } => {
                self.replace(symbol, seq);
                false
            }
            Message::Gap => {
                self.0.iter_mut().for_each(|(_, last)| *last = None);
                false
            }
            Message::Other => false,
        }
    }

    fn replace(&mut self, symbol: &[u8], seq: Seq) -> Option<Seq> {
        self.0.iter_mut().find(|(known, _)| known.as_bytes() == symbol)?.1.replace(seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(symbol: &str, first_seq: Seq, seq: Seq) -> Message<'_> {
        Message::Update(Update {
            symbol: symbol.as_bytes(),
            first_seq,
            seq,
            conflated: false,
            engine: Nanos(1),
        })
    }

    #[test]
    fn a_hole_is_what_nothing_was_said_about() {
        let mut known = Known::new(&["A".into(), "B".into()]);
        let mut check =
            |message: Message<'_>, is_hole| assert_eq!(known.follow(&message), is_hole, "{message:?}");
        check(Message::Snapshot { symbol: b"A", seq: 10 }, false);
        check(Message::Snapshot { symbol: b"B", seq: 50 }, false);
        check(update("A", 11, 13), false);
        check(update("A", 12, 14), false);
        check(update("B", 52, 53), true);
        check(update("A", 16, 16), true);
        check(Message::Gap, false);
        check(update("A", 19, 20), false);
        check(Message::Snapshot { symbol: b"A", seq: 30 }, false);
        check(update("A", 31, 31), false);
    }
}
