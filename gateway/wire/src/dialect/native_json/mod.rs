//! The native protocol as JSON.

mod answer;
mod json;
mod market_data;
mod notice;
mod params;
mod request;
mod rest;

pub use answer::{
    push_error, push_list, push_modified, push_pong, push_subscribed, push_unsubscribed, push_verified,
};
pub use market_data::{push_bbo, push_book, push_trade};
pub use notice::{push_gap, push_heartbeat, push_stats, push_status};
pub use request::parse_request;
pub use rest::{push_book_object, push_instruments, push_rest_error, push_trades};
