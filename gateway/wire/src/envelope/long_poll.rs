//! Long polling: one JSON object answers a poll.

/// Appends one of the answer's messages, the one that `body` appends.
pub fn push_message(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    body(out);
    out.push(b',');
}

/// Appends an answer: the cursor that `cursor` appends, and messages that [`push_message`] collected.
pub fn push_answer(out: &mut Vec<u8>, cursor: impl FnOnce(&mut Vec<u8>), messages: &[u8]) {
    out.extend_from_slice(b"{\"cursor\":\"");
    cursor(out);
    out.extend_from_slice(b"\",\"messages\":[");
    out.extend_from_slice(messages.strip_suffix(b",").unwrap_or(messages));
    out.extend_from_slice(b"]}");
}
