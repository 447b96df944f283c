//! How the gateway itself is doing.

use super::{
    Reply,
    parameters::{Parameters, bad},
    reply::{self, Problem},
};
use crate::{telemetry, worker::Shared};
use hyper::{StatusCode, header};
use serde::Serialize;
use session::SubscriberInfo;
use std::{net::SocketAddr, rc::Rc};
use wire::message::ErrorCode;

/// Whether clients are to be sent here.
pub(super) fn ready(shared: &Shared) -> Result<Reply, Problem> {
    let control = &shared.control;
    let unready = if control.is_draining() {
        "the gateway is shutting down"
    } else if control.stats.is_feed_stalled() {
        "the feed gives no sign of life"
    } else if control.stats.books_standing() == 0 && !control.hold.is_paused() {
        "no book stands yet"
    } else {
        return Ok(reply::text("ready\n"));
    };
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Stale, unready);
    Err(problem.with(header::RETRY_AFTER, 1))
}

pub(super) fn metrics(shared: &Shared) -> Reply {
    let text = telemetry::metrics(&shared.control);
    reply::body("application/openmetrics-text; version=1.0.0; charset=utf-8", text.into_bytes())
}

pub(super) fn latency(shared: &Shared, parameters: &mut Parameters<'_>) -> Result<Reply, Problem> {
    match parameters.text("format").as_deref() {
        None | Some("json") => Ok(object("stages", telemetry::stages(&shared.control))),
        Some("hlog") => Ok(reply::body("text/plain; charset=utf-8", telemetry::hlog(&shared.control))),
        Some(other) => Err(bad(format!("there is no format '{other}'; use json or hlog"))),
    }
}

/// A row of `/v1/subscribers`.
#[derive(Serialize)]
struct Row {
    id: String,
    transport: &'static str,
    dialect: &'static str,
    address: SocketAddr,
    topics: usize,
    lag_seq: u64,
    conflated: u64,
    gaps: u64,
    bytes_pending: usize,
    bytes_sent: u64,
    verify_ok: u32,
    verify_mismatch: u32,
}

pub(super) async fn subscribers(shared: &Rc<Shared>) -> Reply {
    let of_worker = |shared: &Rc<Shared>| {
        let subscribers = shared.with(|engine| engine.subscribers());
        subscribers.into_iter().map(|(address, info)| row(shared.index, address, info)).collect::<Vec<_>>()
    };
    let rows = shared.control.ask_all(of_worker).await;
    object("subscribers", rows.into_iter().flatten().collect())
}

fn row(worker: usize, address: SocketAddr, info: SubscriberInfo) -> Row {
    Row {
        id: format!("{worker}-{}", info.conn.0),
        transport: info.envelope.transport(),
        dialect: info.dialect.as_str(),
        address,
        topics: info.topics,
        lag_seq: info.lag_seq,
        conflated: info.figures.conflated,
        gaps: info.figures.gaps,
        bytes_pending: info.bytes_pending,
        bytes_sent: info.figures.bytes_sent,
        verify_ok: info.figures.verify_ok,
        verify_mismatch: info.figures.verify_mismatch,
    }
}

fn object<T: Serialize>(name: &str, rows: Vec<T>) -> Reply {
    let mut body = format!("{{\"{name}\":").into_bytes();
    serde_json::to_writer(&mut body, &rows).expect("rows of ours can be written");
    body.push(b'}');
    reply::json(body)
}
