//! Socket.IO over real sockets: with the libraries that people use, and with whoever does what those never do.

mod libraries;
mod line;
mod sessions;

#[path = "../support/mod.rs"]
mod support;
