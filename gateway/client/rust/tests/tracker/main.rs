//! The tracker against streams that are written by the gateway's own encoder: what is right is taken, and whatever is
//! wrong with a stream is noticed.

mod mutations;
mod resumes;
mod rules;
mod stream;
