//! The reader against a plain model of one: the model has all bytes at once, keeps every payload in a buffer of its own,
//! and judges a text anew with each byte.

use super::*;
use proptest::prelude::*;

/// Small, so that messages exceed it.
const LIMIT: usize = 300;

type Outcome = (Vec<Owned>, Option<u16>);

struct Model<'a> {
    bytes: &'a [u8],
    /// Whether the message under way is a text, and its payload so far.
    message: Option<(bool, Vec<u8>)>,
    read: Vec<Owned>,
}

/// A close code, or the end of the bytes.
enum Stop {
    Violation(u16),
    End,
}

impl Model<'_> {
    fn run(bytes: &[u8]) -> Outcome {
        let mut model = Model { bytes, message: None, read: Vec::new() };
        loop {
            match model.frame() {
                Ok(()) => {}
                Err(Stop::Violation(code)) => return (model.read, Some(code)),
                Err(Stop::End) => return (model.read, None),
            }
        }
    }

    fn byte(&mut self) -> Result<u8, Stop> {
        let (&byte, rest) = self.bytes.split_first().ok_or(Stop::End)?;
        self.bytes = rest;
        Ok(byte)
    }

    fn number(&mut self, bytes: usize) -> Result<u128, Stop> {
        (0..bytes).try_fold(0, |number, _| Ok(number * 256 + u128::from(self.byte()?)))
    }

    fn frame(&mut self) -> Result<(), Stop> {
        let first = self.byte()?;
        let (fin, reserved, opcode) = (first >> 7 == 1, first >> 4 & 7, first & 15);
        let control = opcode >= 8;
        demand(reserved == 0 && [0, 1, 2, 8, 9, 10].contains(&opcode), 1002)?;
        demand(fin || !control, 1002)?;
        demand(control || self.message.is_some() == (opcode == 0), 1002)?;
        let second = self.byte()?;
        demand(second >> 7 == 1, 1002)?;
        let short = second & 127;
        demand(short <= 125 || !control, 1002)?;
        let length = match short {
            126 => self.number(2)?,
            127 => self.number(8)?,
            short => short.into(),
        };
        demand(length < 1 << 63, 1002)?;
        let before = self.message.as_ref().map_or(0, |(_, payload)| payload.len() as u128);
        demand(control || before + length <= LIMIT as u128, 1009)?;
        let mask = [self.byte()?, self.byte()?, self.byte()?, self.byte()?];
        if !control {
            self.message.get_or_insert((opcode == 1, Vec::new()));
        }

        let mut payload = Vec::new();
        for i in 0..length as usize {
            payload.push(self.byte()? ^ mask[i % 4]);
            if !control && let Some((is_text, message)) = &mut self.message {
                message.push(payload[i]);
                demand(!*is_text || may_become_text(message), 1007)?;
            }
        }
        let said = match opcode {
            8 => {
                self.bytes = &[];
                close(payload)?
            }
            9 => Owned::Ping(payload),
            10 => Owned::Pong(payload),
            _ if !fin => return Ok(()),
            _ => match self.message.take() {
                Some((true, message)) => Owned::Text(text(message)?),
                Some((false, message)) => Owned::Binary(message),
                None => unreachable!("began with its first frame"),
            },
        };
        self.read.push(said);
        Ok(())
    }
}

fn demand(right: bool, code: u16) -> Result<(), Stop> {
    if right { Ok(()) } else { Err(Stop::Violation(code)) }
}

fn close(payload: Vec<u8>) -> Result<Owned, Stop> {
    if payload.is_empty() {
        return Ok(Owned::Close(None));
    }
    demand(payload.len() > 1, 1002)?;
    let code = u16::from(payload[0]) * 256 + u16::from(payload[1]);
    demand((1000..1015).contains(&code) || (3000..5000).contains(&code), 1002)?;
    demand(![1004, 1005, 1006].contains(&code), 1002)?;
    Ok(Owned::Close(Some((code, text(payload[2..].to_vec())?))))
}

fn text(bytes: Vec<u8>) -> Result<String, Stop> {
    String::from_utf8(bytes).map_err(|_| Stop::Violation(1007))
}

fn may_become_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).err().is_none_or(|error| error.error_len().is_none())
}

fn check(bytes: &[u8], pieces: &[usize]) -> Result<(), TestCaseError> {
    let (messages, violation) = read(bytes, pieces, LIMIT);
    let code = violation.map(|violation| violation.close_code().code());
    prop_assert_eq!((messages, code), Model::run(bytes));
    Ok(())
}

/// A frame as clients may send it: mostly right, in every respect wrong now and then.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let opcode = prop_oneof![4 => Just(0u8), 4 => 1u8..3, 3 => 8u8..11, 1 => 0u8..16];
    let reserved = prop_oneof![40 => Just(0u8), 1 => 1u8..8];
    let payload = prop_oneof![
        4 => ".{0,12}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..20),
        1 => prop::collection::vec(Just(b'x'), 100..200),
        1 => (990u16..1020, ".{0,9}").prop_map(|(code, text)| [&code.to_be_bytes(), text.as_bytes()].concat()),
        // Ends within a character, for the next fragment to go on.
        1 => Just(b"\xf0\x9f".to_vec()),
        1 => Just(b"\x98\x80".to_vec()),
    ];
    let length_bytes = prop_oneof![6 => Just(0usize), 1 => Just(2usize), 1 => Just(8usize)];
    let is_masked = prop::bool::weighted(0.98);
    // Claims that much more than it carries.
    let surplus = prop_oneof![60 => Just(0u64), 1 => any::<u64>()];
    let fin = any::<bool>();
    (fin, reserved, opcode, is_masked, length_bytes, surplus, any::<[u8; 4]>(), payload).prop_map(
        |(fin, reserved, opcode, is_masked, length_bytes, surplus, mask, payload)| {
            // Most control frames are not fragmented, or else little would be reached behind them.
            let fin = fin || (opcode >= 8 && mask[0] < 240);
            let mut out = vec![u8::from(fin) << 7 | reserved << 4 | opcode];
            let length = (payload.len() as u64).wrapping_add(surplus);
            let (short, length_bytes) = match length_bytes {
                0 if length <= 125 => (length as u8, 0),
                0 | 2 if length <= 65_535 => (126, 2),
                _ => (127, 8),
            };
            out.push(u8::from(is_masked) << 7 | short);
            out.extend_from_slice(&length.to_be_bytes()[8 - length_bytes..]);
            push_masked(&mut out, mask, &payload);
            out
        },
    )
}

fn any_frames() -> impl Strategy<Value = Vec<u8>> {
    let frames = prop::collection::vec(any_frame(), 0..12);
    (frames, prop::option::weighted(0.3, 0usize..40)).prop_map(|(frames, cut)| {
        let mut bytes = frames.concat();
        bytes.truncate(bytes.len().saturating_sub(cut.unwrap_or(0)));
        bytes
    })
}

/// What a client that keeps the rules sends: messages in fragments, control frames between them.
fn conversation() -> impl Strategy<Value = (Vec<u8>, Vec<Owned>)> {
    let data = prop_oneof![
        ".{0,70}".prop_map(|text| (TEXT, text.clone().into_bytes(), Owned::Text(text))),
        prop::collection::vec(any::<u8>(), 0..LIMIT).prop_map(|bytes| (
            BINARY,
            bytes.clone(),
            Owned::Binary(bytes)
        )),
    ];
    let control = prop::collection::vec(any::<u8>(), 0..=125).prop_flat_map(|payload| {
        prop_oneof![
            Just((client(PING, &payload), Owned::Ping(payload.clone()))),
            Just((client(PONG, &payload), Owned::Pong(payload))),
        ]
    });
    let cuts = prop::collection::vec((0usize..100, prop::option::of(control)), 0..4);
    prop::collection::vec((data, cuts), 0..6).prop_map(|messages| {
        let (mut bytes, mut wanted) = (Vec::new(), Vec::new());
        for ((mut opcode, payload, message), cuts) in messages {
            let mut payload = &payload[..];
            for (length, control) in cuts {
                let (fragment, rest) = payload.split_at(length.min(payload.len()));
                bytes.extend(client(opcode, fragment));
                (opcode, payload) = (CONTINUATION, rest);
                if let Some((frame, message)) = control {
                    bytes.extend(frame);
                    wanted.push(message);
                }
            }
            bytes.extend(client(FIN | opcode, payload));
            wanted.push(message);
        }
        (bytes, wanted)
    })
}

proptest! {
    #[test]
    fn every_split_of_the_bytes_gives_the_same_messages(
        (bytes, wanted) in conversation(),
        pieces in prop::collection::vec(0usize..60, 0..200),
    ) {
        prop_assert_eq!(read(&bytes, &pieces, LIMIT), (wanted, None));
        check(&bytes, &pieces)?;
    }

    #[test]
    fn right_and_wrong_frames_are_judged_as_by_the_model(
        bytes in any_frames(),
        pieces in prop::collection::vec(0usize..30, 0..99),
    ) {
        check(&bytes, &pieces)?;
    }

    #[test]
    fn arbitrary_bytes_are_judged_as_by_the_model(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        pieces in prop::collection::vec(0usize..9, 0..99),
    ) {
        check(&bytes, &pieces)?;
    }
}
