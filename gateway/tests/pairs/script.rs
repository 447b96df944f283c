//! What every client does, of whatever dialect over whatever transport.

use crate::{
    client::Client,
    dialect::Dialect,
    site::Site,
    support::{
        Wrong,
        account::Heard,
        transport::{Connection, Transport},
    },
};
use market::Seq;
use std::net::TcpStream;
use wire::{
    message::{Channel, SnapshotReason},
    token::{Token, TokenEntry},
};

const CHANNELS: [Channel; 2] = [Channel::Book, Channel::Trade];
/// So many trades are enough to see that they go on.
const ENOUGH: usize = 3;
/// By so many numbers a slow client falls behind.
const BEHIND: Seq = 400;
/// So many break off at once.
const VICTIMS: usize = 8;
/// The most that the gateway may keep for a client that takes nothing.
const EACH: u64 = 64 << 10;

/// Plays all of it, and says in which step something was wrong.
pub fn play<D: Dialect>(transport: Transport) -> Result<(), Wrong> {
    let mut site = in_step("starts", Site::start())?;
    let client = in_step("subscribes", subscribes::<D>(&site, transport))?;
    let client = in_step("unsubscribes", unsubscribes(&site, client))?;
    in_step("errs", errs(&site, transport, client))?;
    in_step("resumes", resumes::<D>(&site, transport))?;
    in_step("is slow", is_slow::<D>(&site, transport))?;
    in_step("breaks off", breaks_off::<D>(&site, transport))?;
    in_step("outlives the gateway", outlives_the_gateway::<D>(&mut site, transport))
}

fn in_step<T>(name: &str, result: Result<T, Wrong>) -> Result<T, Wrong> {
    result.map_err(|wrong| format!("{name}: {wrong}"))
}

fn ensure(is_right: bool, or: impl FnOnce() -> Wrong) -> Result<(), Wrong> {
    if is_right { Ok(()) } else { Err(or()) }
}

fn open<D: Dialect>(site: &Site, transport: Transport, since: Option<Token>) -> Result<Client<D>, Wrong> {
    Client::open(D::client(site.addresses), transport, site.addresses, &CHANNELS, since)
}

/// Waits for the snapshot, and for all answers.
fn begins<D: Dialect>(client: &mut Client<D>, reason: SnapshotReason) -> Result<(), Wrong> {
    let mut told = None;
    client.until("a snapshot of the book", |_, heard| {
        if let Heard::Snapshot { channel: Channel::Book, reason } = heard {
            told = Some(*reason);
        }
        told.is_some()
    })?;
    ensure(told == Some(reason), || format!("the book begins with the reason {told:?}, not {reason:?}"))?;
    let granted = client.until_granted()?;
    ensure(!granted.contains(&true), || "recovered, where there was nothing to go on with".into())
}

/// Follows the book for a while, and trades if it has them, as somebody who misses nothing. Where the machine has other work it
/// may count as slow, and something is merged.
fn follows<D: Dialect>(client: &mut Client<D>, channels: &[Channel]) -> Result<(), Wrong> {
    let mut missing = [D::ENOUGH, ENOUGH];
    let mut other = None;
    if !channels.contains(&Channel::Trade) {
        missing[1] = 0;
    }
    client.until("updates and trades", |_, heard| {
        match heard {
            Heard::Update { channel: Channel::Book, .. } => missing[0] = missing[0].saturating_sub(1),
            Heard::Update { channel: Channel::Trade, .. } => missing[1] = missing[1].saturating_sub(1),
            Heard::Nothing | Heard::Granted { recovered: true, .. } => {}
            _ => other = Some(heard.clone()),
        }
        missing == [0, 0] || other.is_some()
    })?;
    other.map_or(Ok(()), |heard| Err(format!("{heard:?} comes to somebody who misses nothing")))
}

fn subscribes<D: Dialect>(site: &Site, transport: Transport) -> Result<Client<D>, Wrong> {
    let mut client = open::<D>(site, transport, None)?;
    begins(&mut client, SnapshotReason::Subscribe)?;
    follows(&mut client, &CHANNELS)?;
    client.dialect.prove(&site.witness)?;
    Ok(client)
}

/// From then on trades would be something that is not wanted.
fn unsubscribes<D: Dialect>(site: &Site, client: Client<D>) -> Result<Client<D>, Wrong> {
    let mut client = client.leave(Channel::Trade)?;
    let behind_trades = site.witness.trade_on(ENOUGH)?;
    client.until("the book going on", |dialect, _| dialect.through() >= behind_trades)?;
    client.dialect.prove(&site.witness)?;
    Ok(client)
}

/// Each mistake is told to whoever makes it, and what it has goes on.
fn errs<D: Dialect>(site: &Site, transport: Transport, mut client: Client<D>) -> Result<(), Wrong> {
    for mistake in D::mistakes(transport) {
        let (code, wanted) = if transport.takes_requests() {
            (client.refusal(&mistake)?, mistake.code)
        } else {
            let path = if transport == Transport::Sse { "sse" } else { "poll" };
            let answer = site.ask(&format!("/{path}?{}", mistake.query));
            ensure(answer.status == mistake.status, || format!("{} for {}", answer.status, mistake.query))?;
            (answer.json()["code"].as_str().unwrap_or_default().to_owned(), mistake.query_code)
        };
        ensure(code == wanted, || format!("told {code} and not {wanted}"))?;
        follows(&mut client, &[Channel::Book])?;
    }
    client.dialect.prove(&site.witness)?;
    client.end()
}

/// With a token from another transport it goes on exactly, and from there with the token that it has then.
fn resumes<D: Dialect>(site: &Site, transport: Transport) -> Result<(), Wrong> {
    if !D::has_tokens(transport) {
        return comes_back::<D>(site, transport);
    }
    let mut others = D::TRANSPORTS.iter().filter(|&&other| other != transport && D::has_tokens(other));
    let other = *others.next().ok_or("no other transport has tokens")?;
    let mut client = open::<D>(site, other, None)?;
    begins(&mut client, SnapshotReason::Subscribe)?;
    follows(&mut client, &CHANNELS)?;
    for transport in [transport, other] {
        // Meanwhile much happens that it does not read.
        site.witness.trade_on(ENOUGH)?;
        client = client.go_on(transport, &CHANNELS)?;
        follows(&mut client, &CHANNELS)?;
        client.dialect.prove(&site.witness)?;
    }
    client.end()
}

/// Without a token it begins anew, and is right after it.
fn comes_back<D: Dialect>(site: &Site, transport: Transport) -> Result<(), Wrong> {
    let mut client = open::<D>(site, transport, None)?;
    begins(&mut client, SnapshotReason::Subscribe)?;
    follows(&mut client, &CHANNELS)?;
    site.witness.trade_on(ENOUGH)?;
    client = client.come_back(transport, &CHANNELS, None)?;
    begins(&mut client, SnapshotReason::Resume)?;
    follows(&mut client, &CHANNELS)?;
    client.dialect.prove(&site.witness)?;
    client.end()
}

/// Who does not read for a while is told so, misses nothing else, and is up to date after it.
fn is_slow<D: Dialect>(site: &Site, transport: Transport) -> Result<(), Wrong> {
    let mut client = Client::open_narrow(D::client(site.addresses), transport, site.addresses, &CHANNELS)?;
    begins(&mut client, SnapshotReason::Subscribe)?;
    if transport == Transport::LongPoll {
        return polls_late(site, client);
    }
    let address = client.address().to_string();
    site.until("its socket is full and it is far behind", |site| {
        let clients = site.clients();
        let row = clients.iter().find(|row| row["address"] == *address);
        row.is_some_and(|row| row["bytes_pending"] != 0 && row["lag_seq"].as_u64() > Some(BEHIND))
    })?;
    let now = site.witness.seq()?;
    client.until("that it was slow", |_, heard| tells_of_slowness(heard))?;
    client.until("all that happened meanwhile", |dialect, _| dialect.through() >= now)?;
    client.dialect.prove(&site.witness)?;
    client.end()
}

fn tells_of_slowness(heard: &Heard) -> bool {
    matches!(
        heard,
        Heard::Update { channel: Channel::Book, merged: true }
            | Heard::Snapshot { channel: Channel::Book, reason: SnapshotReason::SlowConsumer }
            | Heard::Missing { .. }
    )
}

/// What happened between two polls is one message, without a word of it.
fn polls_late<D: Dialect>(site: &Site, mut client: Client<D>) -> Result<(), Wrong> {
    let now = site.witness.go_on(BEHIND)?;
    let heard = client.hear()?;
    let of_book = heard.iter().filter(|heard| matches!(heard, Heard::Update { channel: Channel::Book, .. }));
    ensure(of_book.count() == 1 && client.dialect.through() >= now, || format!("it heard {heard:?}"))?;
    client.dialect.prove(&site.witness)
}

/// Those who go without a word are forgotten with all that was kept for them, and nobody else notices.
fn breaks_off<D: Dialect>(site: &Site, transport: Transport) -> Result<(), Wrong> {
    let mut victims = Vec::new();
    for at in 0..VICTIMS {
        let mut client =
            Client::open_narrow(D::client(site.addresses), transport, site.addresses, &CHANNELS)?;
        if at % 2 == 0 {
            begins(&mut client, SnapshotReason::Subscribe)?;
            client.ask()?;
            client.send_part()?;
        }
        victims.push(client.into_connection());
    }
    let pending = |row: &serde_json::Value| row["bytes_pending"].as_u64().unwrap_or(0);
    if transport != Transport::LongPoll {
        site.until("each stands with something half sent", |site| {
            site.clients().iter().filter(|row| pending(row) > 0).count() == VICTIMS
        })?;
        let most = site.clients().iter().map(pending).max();
        ensure(most <= Some(EACH), || format!("{most:?} bytes wait for one client"))?;
    }
    for victim in victims {
        let session = victim.session().to_owned();
        victim.reset().map_err(|error| error.to_string())?;
        if transport == Transport::SocketIoPolling {
            // A session ends with its pings, or when its client says so over whatever connection.
            let stream = TcpStream::connect(site.addresses[0]).map_err(|error| error.to_string())?;
            Connection::of_session(stream, &session).end().map_err(|error| error.to_string())?;
        }
    }
    site.until("they are forgotten", |site| site.clients().is_empty() && site.connections() == 2)?;
    site.witness.go_on(BEHIND).map(drop)
}

/// A gateway that is started anew numbers anew: nothing goes on where the old one was, whatever the number.
fn outlives_the_gateway<D: Dialect>(site: &mut Site, transport: Transport) -> Result<(), Wrong> {
    let mut client = open::<D>(site, transport, None)?;
    begins(&mut client, SnapshotReason::Subscribe)?;
    follows(&mut client, &CHANNELS)?;
    let token = client.dialect.token().filter(|_| D::has_tokens(transport));
    ensure(token.is_some() == D::has_tokens(transport), || "there is no token".into())?;
    let before = client.dialect;
    site.restart()?;
    let held = site.witness.go_on(1)?;
    let of_now = token.as_ref().map(|token| at(token, held)).transpose()?;
    for token in [of_now, token] {
        let mut client =
            Client::open(before.outlives(site.addresses), transport, site.addresses, &CHANNELS, token)?;
        begins(&mut client, SnapshotReason::Resume)?;
        let now = site.witness.trade_on(ENOUGH)?;
        client.until("the book going on", |dialect, _| dialect.through() >= now)?;
        client.dialect.prove(&site.witness)?;
    }
    Ok(())
}

/// The token at another number.
fn at(token: &Token, seq: Seq) -> Result<Token, Wrong> {
    let entries = token.entries().iter().map(|entry| TokenEntry { seq, ..entry.clone() });
    Token::new(token.epoch(), entries.collect()).map_err(|error| error.to_string())
}
