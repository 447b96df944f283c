//! Ready-made frames: updates of one level, as long as the gateway's, in which only the numbers and one stamp change. All
//! numbers have ten digits, which is what lets them be overwritten in place.

use crate::messages::{self, FIRST};
use market::{Instrument, Nanos, Seq};
use memchr::memmem;
use std::ops::Range;
use wire::envelope::websocket::{self, Opcode};

/// Any stamp of these years has as many digits.
const SOME_MOMENT: Nanos = Nanos(1_800_000_000_000_000_000);

/// The frame of an update, and where in it is what changes.
pub struct Template {
    frame: Vec<u8>,
    first_seq: Range<usize>,
    seq: Range<usize>,
    engine: Range<usize>,
}

impl Template {
    /// For an instrument.
    pub fn new(instrument: &Instrument) -> Template {
        let frame = framed(|text| messages::push_update(text, instrument, FIRST, SOME_MOMENT));
        let digits = |key: &str, count: usize| {
            let start = memmem::find(&frame, key.as_bytes()).expect("an update has it") + key.len();
            start..start + count
        };
        Template {
            first_seq: digits("\"first_seq\":", 10),
            seq: digits(",\"seq\":", 10),
            engine: digits("\"engine\":", 19),
            frame,
        }
    }

    /// The bytes of an update of whatever number.
    pub fn frame(&self) -> &[u8] {
        &self.frame
    }

    /// Makes `frame`, made of this template, the update of this number, meant to happen then.
    pub fn patch(&self, frame: &mut [u8], seq: Seq, engine: Nanos) {
        let mut digits = itoa::Buffer::new();
        let text = digits.format(seq).as_bytes();
        frame[self.first_seq.clone()].copy_from_slice(text);
        frame[self.seq.clone()].copy_from_slice(text);
        frame[self.engine.clone()].copy_from_slice(digits.format(engine.0).as_bytes());
    }
}

/// Appends the frame of a snapshot as of a number.
pub fn push_snapshot(out: &mut Vec<u8>, instrument: &Instrument, seq: Seq) {
    out.extend(framed(|text| messages::push_snapshot(text, instrument, seq, SOME_MOMENT)));
}

fn framed(push: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut frame = Vec::new();
    websocket::frame(&mut frame, Opcode::Text, push);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{floor::tests::instrument, messages::EPOCH, websocket::take_frame};

    fn text(mut frame: &[u8]) -> Vec<u8> {
        take_frame(&mut frame).expect("it is whole").1.to_vec()
    }

    #[test]
    fn a_patched_frame_says_its_number_and_when_it_was_meant_to_be() {
        let template = Template::new(&instrument());
        let mut frame = template.frame().to_vec();
        template.patch(&mut frame, FIRST + 7, Nanos(1_790_000_000_123_456_789));
        let message: serde_json::Value = serde_json::from_slice(&text(&frame)).unwrap();
        let data = &message["data"][0];
        assert_eq!(data["first_seq"], FIRST + 7);
        assert_eq!(data["seq"], FIRST + 7);
        assert_eq!(data["ts"]["engine"], 1_790_000_000_123_456_789u64);
    }

    #[test]
    fn a_frame_is_as_long_as_the_gateways() {
        let length = Template::new(&instrument()).frame().len();
        // depthcast's are 365 to 380 bytes, by how many digits its numbers have.
        assert!((360..=385).contains(&length), "{length}");
    }

    #[test]
    fn a_client_that_proves_everything_finds_nothing_wrong() {
        let template = Template::new(&instrument());
        let mut tracker = client::Tracker::new();
        let mut snapshot = Vec::new();
        push_snapshot(&mut snapshot, &instrument(), FIRST);
        let mut frames = vec![snapshot];
        for seq in FIRST + 1..FIRST + 100 {
            let mut frame = template.frame().to_vec();
            template.patch(&mut frame, seq, SOME_MOMENT);
            frames.push(frame);
        }
        let subscribed = subscribed();
        tracker.on_text(&subscribed).unwrap();
        for frame in frames {
            tracker.on_text(&text(&frame)).unwrap();
        }
        assert_eq!(tracker.book("BTC/USDT").unwrap().seq, FIRST + 99);
    }

    fn subscribed() -> Vec<u8> {
        serde_json::to_vec(&serde_json::json!({"method": "subscribe", "success": true, "result": {
            "channel": "book", "symbol": "BTC/USDT", "depth": 10, "interval_ms": 0, "policy": "conflate",
            "epoch": EPOCH.to_string(), "seq": FIRST, "recovered": false,
        }}))
        .unwrap()
    }
}
