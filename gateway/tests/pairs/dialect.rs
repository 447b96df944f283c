//! What the script needs to know of a dialect: how its clients ask, and what they make of what they are told. All is about one
//! symbol.

use crate::{
    support::{Wrong, account::Heard, transport::Transport},
    witness::Witness,
};
use market::Seq;
use std::net::SocketAddr;
use wire::{
    message::{Channel, Encoding},
    token::Token,
};

/// One client of a dialect: what it says, and what it has, over all its connections.
pub trait Dialect: Sized {
    /// For people.
    const NAME: &'static str;
    /// Over what it is offered.
    const TRANSPORTS: &'static [Transport];
    /// Where its WebSockets are, with a heartbeat each 250 ms where it has them.
    const PATH: &'static str;
    /// How its events are encoded, where a client says so when it begins.
    const ENCODING: Encoding;
    /// So many messages of a book are enough to see that it goes on.
    const ENOUGH: usize;
    /// Whether the answer to a subscription says if that goes on where the token was; else what follows shows it.
    const SAYS_IF_RECOVERED: bool;

    /// Whether each subscription is answered, before anything of it comes.
    fn is_answered(transport: Transport) -> bool;

    /// Whether a client can go on where it was; else it has to begin anew, and sees that it has to.
    fn has_tokens(transport: Transport) -> bool;

    /// A client that has nothing, of a gateway at these addresses, which it may ask for more over HTTP.
    fn client(addresses: [SocketAddr; 2]) -> Self;

    /// What a stream or a poll asks for, as a query.
    fn query(channels: &[Channel]) -> String;

    /// A request for one channel.
    fn subscribe(&mut self, transport: Transport, channel: Channel, since: Option<&Token>) -> Request;

    /// A request after which nothing of the channel comes.
    fn unsubscribe(&mut self, transport: Transport, channel: Channel) -> Request;

    /// Requests that are refused: for a symbol, a depth and a channel that there is not.
    fn mistakes(transport: Transport) -> [Mistake; 3];

    /// A new connection begins, and wants these channels; what the client has stays.
    fn connects(&mut self, transport: Transport, channels: &[Channel], since: Option<&Token>);

    /// What is left of the client when the gateway is another one: what it remembers, to see by it that all is new.
    fn outlives(&self, addresses: [SocketAddr; 2]) -> Self;

    /// Takes a message and proves it, as far as it can be.
    fn message(&mut self, text: &[u8]) -> Result<Heard, Wrong>;

    /// Takes a token of the gateway's own.
    fn given(&mut self, token: &str) -> Result<(), Wrong>;

    /// Takes the answer to a poll for these channels from a cursor on.
    fn polled(
        &mut self,
        channels: &[Channel],
        since: Option<&Token>,
        cursor: &str,
        messages: Vec<Vec<u8>>,
    ) -> Result<Vec<Heard>, Wrong>;

    /// Where to go on: as the gateway said, where it did, else by the client's own reckoning.
    fn token(&self) -> Option<Token>;

    /// The gateway's number through which the client has the book; 0 if it has none.
    fn through(&self) -> Seq;

    /// Compares all that the client has with what really happened.
    fn prove(&self, witness: &Witness) -> Result<(), Wrong>;
}

/// A request.
pub struct Request {
    pub method: &'static str,
    /// As JSON.
    pub params: String,
}

/// A request that is refused.
pub struct Mistake {
    pub request: Request,
    /// The same for a stream or a poll.
    pub query: String,
    pub code: &'static str,
    /// Of the answer to a stream or a poll.
    pub query_code: &'static str,
    pub status: u16,
}
