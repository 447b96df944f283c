//! Envelopes: how a body is wrapped for a transport, and how a client's bytes become requests again. An envelope knows
//! nothing of what it carries.

pub mod websocket;
