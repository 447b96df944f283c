//! Server-sent events (WHATWG HTML, section 9.2): each message is an event without a name.

use std::time::Duration;

/// Appends one event with the data that `data` appends, which holds no line breaks.
pub fn push_event(out: &mut Vec<u8>, data: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(b"data: ");
    data(out);
    out.extend_from_slice(b"\n\n");
}

/// Appends a comment, which clients ignore and which keeps proxies from closing a silent connection.
pub fn push_comment(out: &mut Vec<u8>) {
    out.extend_from_slice(b":\n\n");
}

/// Gives the event that `out` ends with the id that `id` appends. The order of an event's lines is free, so the events
/// themselves are the same bytes for everybody.
///
/// # Panics
/// If `out` does not end with an event.
pub fn push_id(out: &mut Vec<u8>, id: impl FnOnce(&mut Vec<u8>)) {
    push_field(out, b"id: ", id);
}

/// Gives the event that `out` ends with the time after which clients are to come back when the connection ends, which
/// browsers do by themselves.
///
/// # Panics
/// If `out` does not end with an event.
pub fn push_retry(out: &mut Vec<u8>, after: Duration) {
    push_field(out, b"retry: ", |out| out.extend_from_slice(after.as_millis().to_string().as_bytes()));
}

fn push_field(out: &mut Vec<u8>, name: &[u8], value: impl FnOnce(&mut Vec<u8>)) {
    assert!(out.ends_with(b"\n\n"), "a field belongs to an event");
    out.pop();
    out.extend_from_slice(name);
    value(out);
    out.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_event_gets_the_id_and_the_time() {
        let mut out = Vec::new();
        push_event(&mut out, |data| data.extend_from_slice(b"{\"a\":1}"));
        push_event(&mut out, |data| data.extend_from_slice(b"{\"a\":2}"));
        push_id(&mut out, |id| id.extend_from_slice(b"9c41:BTC/USDT@10=7"));
        push_retry(&mut out, Duration::from_millis(1840));
        push_comment(&mut out);
        let wanted = "data: {\"a\":1}\n\ndata: {\"a\":2}\nid: 9c41:BTC/USDT@10=7\nretry: 1840\n\n:\n\n";
        assert_eq!(String::from_utf8(out).unwrap(), wanted);
    }
}
