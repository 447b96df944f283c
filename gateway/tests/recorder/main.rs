//! Recording, as an operator sees it: what is promised to be durable is there after `kill -9`, what could not be recorded is
//! named, a full disk stops the recording and nothing else, and what was recorded is what was served.

#[path = "../support/mod.rs"]
mod support;

mod admin;
mod ends;
mod exports;
mod full;
mod gaps;
mod killed;
mod lines;
mod pace;
mod replay_ends;
mod replays;
mod rounds;
mod served;
mod streams;
mod travel;
