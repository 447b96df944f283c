//! A server with axum, as its examples do it: tungstenite's WebSocket, a task for each connection, a tokio broadcast channel
//! for each topic, and a `send` (one write) for each message.

use super::market::Market;
use anyhow::Context;
use axum::{
    Router,
    extract::{
        State,
        ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade},
    },
    response::Response,
    routing::any,
};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_stream::{StreamExt, StreamMap, wrappers::BroadcastStream};

type Shared = Arc<Market<Utf8Bytes>>;

/// Serves until the process ends.
///
/// # Errors
/// If the listener fails.
pub async fn serve(listener: TcpListener, market: Shared) -> anyhow::Result<()> {
    let app = Router::new().route("/feed", any(upgrade)).with_state(market);
    axum::serve(listener, app).await.context("serve with axum")
}

async fn upgrade(upgrade: WebSocketUpgrade, State(market): State<Shared>) -> Response {
    upgrade.on_upgrade(|socket| async move {
        // Whatever ends a connection ends only that one.
        let _ = client(socket, market).await;
    })
}

async fn client(mut socket: WebSocket, market: Shared) -> Result<(), axum::Error> {
    let mut topics = StreamMap::new();
    loop {
        tokio::select! {
            received = socket.recv() => match received {
                Some(Ok(Message::Text(request))) => {
                    let answer = market.answer(&request);
                    for text in answer.texts {
                        socket.send(Message::Text(text.into())).await?;
                    }
                    topics.extend(answer.begun.into_iter().map(|(topic, updates)| (topic, BroadcastStream::new(updates))));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            },
            Some((_, update)) = topics.next() => {
                // An error says that it was too slow and lost some: it goes on with the oldest that there is.
                if let Ok(update) = update {
                    socket.send(Message::Text(update)).await?;
                }
            }
        }
    }
}
