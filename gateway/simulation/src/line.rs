//! How a client of a test is connected, on each transport: what it sends as bytes, and the messages and tokens in the
//! bytes that come. It knows nothing of what they say.

use flate2::bufread::DeflateDecoder;
use std::io::Read;
use wire::envelope::{Envelope, websocket::frame_lengths};

/// What came, in order.
#[derive(Debug, PartialEq, Eq)]
pub enum Item {
    /// A message, whatever it is in.
    Message(Vec<u8>),
    /// A token of the gateway's own.
    Token(String),
}

/// What a transport sends for a request: a method and its params as JSON.
pub fn request(envelope: Envelope, method: &str, params: &str) -> Vec<u8> {
    match envelope {
        Envelope::SocketIo => masked(&format!("42[\"{method}\",{params}]")),
        Envelope::Tcp | Envelope::LengthPrefixed => {
            format!("{{\"method\":\"{method}\",\"params\":{params}}}\n").into_bytes()
        }
        Envelope::WebSocket | Envelope::DeflatedWebSocket(_) | Envelope::Sse | Envelope::LongPoll => {
            masked(&format!("{{\"method\":\"{method}\",\"params\":{params}}}"))
        }
    }
}

/// What a transport sends before anything else.
pub fn greeting(envelope: Envelope) -> Option<Vec<u8>> {
    (envelope == Envelope::SocketIo).then(|| masked("40"))
}

/// Whether a client can ask for something on an open connection.
pub fn takes_requests(envelope: Envelope) -> bool {
    !matches!(envelope, Envelope::Sse | Envelope::LongPoll)
}

/// Takes what arrived whole out of `inbox`.
pub fn take_items(envelope: Envelope, inbox: &mut Vec<u8>) -> Vec<Item> {
    let mut items = Vec::new();
    let taken = match envelope {
        Envelope::WebSocket | Envelope::DeflatedWebSocket(_) | Envelope::SocketIo => {
            take_frames(envelope, inbox, &mut items)
        }
        Envelope::Tcp => take_until(inbox, b"\n", |line| items.push(Item::Message(line.to_vec()))),
        Envelope::LengthPrefixed => take_behind_lengths(inbox, &mut items),
        Envelope::Sse => take_until(inbox, b"\n\n", |event| take_event(event, &mut items)),
        Envelope::LongPoll => 0,
    };
    inbox.drain(..taken);
    items
}

/// Takes an answer to a poll apart: its cursor and its messages.
pub fn poll_answer(body: &[u8]) -> Result<(String, Vec<Vec<u8>>), String> {
    #[derive(serde::Deserialize)]
    struct Answer<'a> {
        cursor: String,
        #[serde(borrow)]
        messages: Vec<&'a serde_json::value::RawValue>,
    }
    let answer: Answer<'_> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    Ok((answer.cursor, answer.messages.iter().map(|text| text.get().as_bytes().to_vec()).collect()))
}

fn take_frames(envelope: Envelope, inbox: &[u8], items: &mut Vec<Item>) -> usize {
    let mut at = 0;
    while let Some((opcode, payload, end)) = frame(inbox, at) {
        let text = &inbox[payload..end];
        match envelope {
            _ if !matches!(opcode, 0x1 | 0x2) => {}
            Envelope::SocketIo => items.extend(packet(text)),
            Envelope::DeflatedWebSocket(_) if inbox[at] & 0x40 != 0 => {
                items.push(Item::Message(inflate(text)));
            }
            _ => items.push(Item::Message(text.to_vec())),
        }
        at = end;
    }
    at
}

fn take_behind_lengths(inbox: &[u8], items: &mut Vec<Item>) -> usize {
    let mut rest = inbox;
    while let Some((length, behind)) = rest.split_first_chunk()
        && let Some((message, behind)) = behind.split_at_checked(u32::from_le_bytes(*length) as usize)
    {
        items.push(Item::Message(message.to_vec()));
        rest = behind;
    }
    inbox.len() - rest.len()
}

/// What a compressed message says.
fn inflate(payload: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let payload = std::io::Read::chain(payload, &[0, 0, 0xFF, 0xFF, 1, 0, 0, 0xFF, 0xFF][..]);
    DeflateDecoder::new(payload).read_to_end(&mut text).expect("what the gateway compresses can be inflated");
    text
}

/// What a packet of Socket.IO holds.
pub fn packet(text: &[u8]) -> Option<Item> {
    let body = |name: &str| {
        let argument = text.strip_prefix(format!("42[\"{name}\",").as_bytes())?;
        argument.strip_suffix(b"]")
    };
    let token = |quoted: &[u8]| String::from_utf8_lossy(&quoted[1..quoted.len() - 1]).into_owned();
    body("market")
        .map(|message| Item::Message(message.to_vec()))
        .or_else(|| body("cursor").map(|quoted| Item::Token(token(quoted))))
}

fn take_event(event: &[u8], items: &mut Vec<Item>) {
    for line in event.split(|&byte| byte == b'\n') {
        if let Some(data) = line.strip_prefix(b"data: ") {
            items.push(Item::Message(data.to_vec()));
        } else if let Some(id) = line.strip_prefix(b"id: ") {
            items.push(Item::Token(String::from_utf8_lossy(id).into_owned()));
        }
    }
}

fn take_until(inbox: &[u8], end: &[u8], mut each: impl FnMut(&[u8])) -> usize {
    let mut at = 0;
    while let Some(length) = inbox[at..].windows(end.len()).position(|bytes| bytes == end) {
        each(&inbox[at..at + length]);
        at += length + end.len();
    }
    at
}

/// A client's text frame, under a mask of zeros.
pub fn masked(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match text.len() {
        short @ 0..=125 => frame.push(0x80 | short as u8),
        medium => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(medium as u16).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(text.as_bytes());
    frame
}

/// The whole frame at a place: its opcode, where its payload begins, and where it ends.
pub fn frame(bytes: &[u8], at: usize) -> Option<(u8, usize, usize)> {
    let (header, length) = frame_lengths(bytes.get(at..)?)?;
    let (payload, end) = (at + header, at + header + length);
    (end <= bytes.len()).then(|| (bytes[at] & 0x0F, payload, end))
}
