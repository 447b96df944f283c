//! Dialects: how requests are read and messages are written. Each is a module with the same shape:
//! `parse_request` takes a client's text, and a `push_…` function for each kind of message appends its bytes. Which
//! of them a connection speaks, and how they are framed, is not known here.

pub mod native_json;
