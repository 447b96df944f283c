//! Requests and messages in terms of no dialect: what a client may ask for and what it is sent.
//!
//! Messages borrow what they tell, are built on the stack, encoded once by a dialect and forgotten.

mod answer;
mod chaos;
mod code;
mod encoding;
mod market_data;
mod notice;
mod replay;
mod request;
mod topic;

pub use answer::{ErrorAnswer, Pong, Replaying, Subscribed, Subscription, Unsubscribed, Verdict, Verified};
pub use chaos::{Chance, Chaos, ChaosDeed, ChaosPlan, ChaosSubject};
pub use code::{ChaosAct, CloseCode, ErrorCode, GapReason, SnapshotReason};
pub use encoding::Encoding;
pub use market_data::{BboMessage, BookKind, BookMessage, Stamps, Summary, Trade, TradeKind, TradeMessage};
pub use notice::{Gap, Quiet, Stats, Status};
pub use replay::{Replay, Steer, Steering};
pub use request::{
    MAX_REQ_ID_BYTES, MAX_SYMBOLS, Method, Modify, ReqId, Request, RequestError, Subscribe, Unsubscribe,
    Verify,
};
pub use topic::{Channel, Depth, Interval, Policy, Refusal};

/// Most subscriptions where the resume token has to fit into a header or an event.
pub const TOPICS_WITH_TOKEN: usize = 64;
