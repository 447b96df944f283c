//! The codec as an echo server, with fastwebsockets as its client, over a stream.

use super::*;
use fastwebsockets::{Frame, OpCode, Role, WebSocket, WebSocketError};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use wire::envelope::websocket::{Opcode, frame, push_close, push_ping, push_pong};

/// Holds all that one side sends: each may write before the other reads.
const STREAM: usize = 4 << 20;

/// Reads in pieces of at most `piece` bytes and sends every message back, until the client closes.
async fn echo(mut stream: DuplexStream, piece: usize) -> Vec<Owned> {
    let mut decoder = Decoder::new(1 << 20);
    let (mut buffer, mut read) = (vec![0; piece], Vec::new());
    loop {
        let length = stream.read(&mut buffer).await.expect("a stream in memory");
        let (mut input, mut out) = (&mut buffer[..length], Vec::new());
        while let Some(message) = decoder.next(&mut input).expect("a good client") {
            match message {
                Message::Text(text) => {
                    frame(&mut out, Opcode::Text, |body| body.extend_from_slice(text.as_bytes()));
                }
                Message::Binary(bytes) => {
                    frame(&mut out, Opcode::Binary, |body| body.extend_from_slice(bytes))
                }
                Message::Ping(payload) => push_pong(&mut out, payload),
                Message::Pong(payload) => push_ping(&mut out, payload),
                Message::Close(close) => push_close(&mut out, close.map(|close| (close.code, close.reason))),
            }
            read.push(message.into());
        }
        stream.write_all(&out).await.expect("a stream in memory");
        if length == 0 || matches!(read.last(), Some(Owned::Close(_))) {
            return read;
        }
    }
}

/// Sends each message in fragments of these lengths and reads as many, then closes and reads the close.
async fn converse(stream: DuplexStream, sent: &[(Owned, Vec<usize>)]) -> Result<Vec<Owned>, WebSocketError> {
    let mut client = WebSocket::after_handshake(stream, Role::Client);
    client.set_auto_pong(false);
    client.set_auto_close(false);
    for (message, fragments) in sent {
        let (mut opcode, mut rest) = match message {
            Owned::Text(text) => (OpCode::Text, text.as_bytes()),
            Owned::Binary(bytes) => (OpCode::Binary, &bytes[..]),
            Owned::Ping(payload) => (OpCode::Ping, &payload[..]),
            Owned::Pong(payload) => (OpCode::Pong, &payload[..]),
            Owned::Close(_) => unreachable!("only at the end"),
        };
        for &length in fragments {
            let (fragment, behind) = rest.split_at(length.min(rest.len()));
            client.write_frame(Frame::new(false, opcode, None, fragment.to_vec().into())).await?;
            (opcode, rest) = (OpCode::Continuation, behind);
        }
        client.write_frame(Frame::new(true, opcode, None, rest.to_vec().into())).await?;
    }
    let mut read = Vec::new();
    for _ in sent {
        read.push(owned(client.read_frame().await?));
    }
    client.write_frame(Frame::close(4000, b"all said")).await?;
    read.push(owned(client.read_frame().await?));
    Ok(read)
}

fn owned(frame: Frame<'_>) -> Owned {
    assert!(frame.fin, "the server does not fragment");
    let payload = frame.payload.to_vec();
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).expect("UTF-8").to_owned();
    match frame.opcode {
        OpCode::Text => Owned::Text(text(&payload)),
        OpCode::Binary => Owned::Binary(payload),
        OpCode::Ping => Owned::Ping(payload),
        OpCode::Pong => Owned::Pong(payload),
        OpCode::Close => {
            Owned::Close(Some((u16::from_be_bytes([payload[0], payload[1]]), text(&payload[2..]))))
        }
        OpCode::Continuation => unreachable!("all frames are final"),
    }
}

fn check(sent: &[(Owned, Vec<usize>)], piece: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let (ours, theirs) = tokio::io::duplex(STREAM);
    let (we_read, they_read) =
        runtime.block_on(async { tokio::join!(echo(ours, piece), converse(theirs, sent)) });

    let close = Owned::Close(Some((4000, "all said".into())));
    let messages: Vec<Owned> = sent.iter().map(|(message, _)| message.clone()).chain([close]).collect();
    assert_eq!(we_read, messages);
    let echoes: Vec<Owned> = messages
        .into_iter()
        .map(|message| match message {
            Owned::Ping(payload) => Owned::Pong(payload),
            Owned::Pong(payload) => Owned::Ping(payload),
            data => data,
        })
        .collect();
    assert_eq!(they_read.expect("a good server"), echoes);
}

#[test]
fn frames_of_every_form_of_length_are_understood_by_both() {
    let lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 200_000];
    let messages: Vec<_> = lengths.iter().map(|&length| (Owned::Binary(vec![9; length]), vec![])).collect();
    for piece in [1400, 1 << 20] {
        check(&messages, piece);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_a_client_says_comes_back(
        sent in prop::collection::vec(
            prop_oneof![
                (".{0,200}".prop_map(Owned::Text), prop::collection::vec(0usize..100, 0..4)),
                (
                    prop::collection::vec(any::<u8>(), 0..2000).prop_map(Owned::Binary),
                    prop::collection::vec(0usize..1000, 0..4),
                ),
                (prop::collection::vec(any::<u8>(), 0..=125).prop_map(Owned::Ping), Just(vec![])),
                (prop::collection::vec(any::<u8>(), 0..=125).prop_map(Owned::Pong), Just(vec![])),
            ],
            0..8,
        ),
        piece in 1usize..3000,
    ) {
        check(&sent, piece);
    }
}
