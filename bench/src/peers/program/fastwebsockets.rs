//! A plain server with fastwebsockets on hyper, after its examples: a task for each connection and one write for each message.

use super::market::{Answer, Market};
use anyhow::Context;
use bytes::Bytes;
use fastwebsockets::{
    FragmentCollectorRead, Frame, OpCode, Payload, WebSocketError, WebSocketWrite,
    upgrade::{UpgradeFut, upgrade},
};
use http_body_util::Empty;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn, upgrade::Upgraded};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use tokio::{io::WriteHalf, net::TcpListener, sync::mpsc};
use tokio_stream::{StreamExt, StreamMap, wrappers::BroadcastStream};

type Shared = Arc<Market<Bytes>>;
type Writer = WebSocketWrite<WriteHalf<TokioIo<Upgraded>>>;

/// Serves until the process ends.
///
/// # Errors
/// If the listener fails.
pub async fn serve(listener: TcpListener, market: Shared) -> anyhow::Result<()> {
    loop {
        let (stream, _) = listener.accept().await.context("accept a connection")?;
        let market = Arc::clone(&market);
        tokio::spawn(async move {
            let service = service_fn(|request| handshake(request, Arc::clone(&market)));
            // Whatever ends a connection ends only that one.
            let _ =
                http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
        });
    }
}

async fn handshake(
    mut request: Request<Incoming>,
    market: Shared,
) -> Result<Response<Empty<Bytes>>, WebSocketError> {
    let (response, upgraded) = upgrade(&mut request)?;
    tokio::spawn(async move {
        let _ = client(upgraded, market).await;
    });
    Ok(response)
}

/// Reads requests; what is to be sent is sent by a task of its own.
async fn client(upgraded: UpgradeFut, market: Shared) -> Result<(), WebSocketError> {
    let (reader, writer) = upgraded.await?.split(tokio::io::split);
    let (answers, answered) = mpsc::channel(1);
    tokio::spawn(write(writer, answered));
    let mut reader = FragmentCollectorRead::new(reader);
    loop {
        // The load sends neither pings nor a goodbye, so that there is nothing that would have to be sent from here.
        let frame = reader.read_frame(&mut |_| async { Ok::<_, WebSocketError>(()) }).await?;
        match frame.opcode {
            OpCode::Text => {
                let answer = market.answer(&String::from_utf8_lossy(&frame.payload));
                if answers.send(answer).await.is_err() {
                    return Ok(());
                }
            }
            OpCode::Close => return Ok(()),
            _ => {}
        }
    }
}

async fn write(
    mut writer: Writer,
    mut answered: mpsc::Receiver<Answer<Bytes>>,
) -> Result<(), WebSocketError> {
    let mut topics = StreamMap::new();
    loop {
        tokio::select! {
            answer = answered.recv() => {
                let Some(answer) = answer else { return Ok(()) };
                for text in answer.texts {
                    writer.write_frame(Frame::text(Payload::Owned(text.into_bytes()))).await?;
                }
                topics.extend(answer.begun.into_iter().map(|(topic, updates)| (topic, BroadcastStream::new(updates))));
            }
            Some((_, update)) = topics.next() => {
                // An error says that it was too slow and lost some: it goes on with the oldest that there is.
                if let Ok(update) = update {
                    writer.write_frame(Frame::text(Payload::Borrowed(&update))).await?;
                }
            }
        }
    }
}
