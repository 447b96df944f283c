//! What goes over the wire: the messages in terms of no dialect ([`message`]), the resume token ([`token`]), and the
//! dialects that write them down and read requests ([`dialect`]), wrapped for a transport ([`envelope`], [`codec`]).
//!
//! This crate does no I/O, reads no clock and keeps no subscriptions: bytes in, a request out; a message in, bytes
//! out. It knows neither sockets nor sessions.

pub mod message;
pub mod token;

pub mod codec;
pub mod dialect;
pub mod envelope;

mod tamper;
