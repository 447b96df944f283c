//! Lines on a plain TCP connection: UTF-8, each ended by a line feed (a carriage return before it is part of the end). What the
//! gateway sends may be messages behind their lengths instead.

use super::{room::append, websocket::Violation};

/// Appends one line with the text that `text` appends, which holds no line breaks.
pub fn push_line(out: &mut Vec<u8>, text: impl FnOnce(&mut Vec<u8>)) {
    text(out);
    out.push(b'\n');
}

/// Bytes of a length.
const LENGTH: usize = 4;

/// Appends what `body` appends, which may be anything, behind its length: four bytes, little-endian.
///
/// # Panics
/// If that is 4 GiB or longer.
pub fn push_behind_length(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; LENGTH]);
    body(out);
    let length = u32::try_from(out.len() - start - LENGTH).expect("a message is shorter than 4 GiB");
    out[start..start + LENGTH].copy_from_slice(&length.to_le_bytes());
}

/// What stands behind a length.
pub(super) fn behind_length(message: &[u8]) -> Option<&[u8]> {
    message.get(LENGTH..)
}

/// Reads what one client sends. Between lines it holds no memory, and a line that comes in one piece is not copied.
///
/// ```
/// use wire::envelope::tcp::Decoder;
///
/// let mut decoder = Decoder::new(64 << 10);
/// let mut arrived = *b"one\r\n\ntw";
/// let mut input = &mut arrived[..];
/// assert_eq!(decoder.next(&mut input), Ok(Some("one")));
/// assert_eq!(decoder.next(&mut input), Ok(None));
/// assert!(decoder.is_in_line());
/// ```
#[derive(Debug)]
pub struct Decoder {
    /// Most bytes of a line.
    limit: u32,
    held: Option<Box<Held>>,
}

/// What has arrived of a line that is incomplete, and what was given out last.
#[derive(Debug, Default)]
struct Held {
    line: Vec<u8>,
    given: Vec<u8>,
}

impl Decoder {
    /// A decoder of lines of at most `limit` bytes.
    pub fn new(limit: usize) -> Decoder {
        Decoder { limit: u32::try_from(limit).unwrap_or(u32::MAX), held: None }
    }

    /// The next line in `input`, which moves behind what was read of it; empty lines are skipped. `None` when there is no
    /// further one in this input.
    ///
    /// # Errors
    /// [`Violation::TooBig`] as soon as a line is over the limit, [`Violation::NotUtf8`] at its end.
    pub fn next<'a, 'input: 'a>(
        &'a mut self,
        input: &mut &'input mut [u8],
    ) -> Result<Option<&'a str>, Violation> {
        if let Some(held) = &mut self.held {
            held.given = Vec::new();
            if held.line.is_empty() {
                self.held = None;
            }
        }
        loop {
            let all = std::mem::take(input);
            let held = self.held.as_ref().map_or(0, |held| held.line.len());
            let end = all.iter().position(|&byte| byte == b'\n');
            if held + end.unwrap_or(all.len()) > self.limit as usize {
                return Err(Violation::TooBig);
            }
            let Some(end) = end else {
                if !all.is_empty() {
                    append(&mut self.held.get_or_insert_default().line, all, self.limit as usize);
                }
                return Ok(None);
            };
            let (line, rest) = all.split_at_mut(end);
            *input = &mut rest[1..];
            let is_empty = match &self.held {
                Some(held) => held.line == b"\r" && line.is_empty(),
                None => trimmed(line).is_empty(),
            };
            if is_empty {
                self.held = None;
                continue;
            }
            let line: &'a [u8] = match &mut self.held {
                Some(held) => {
                    append(&mut held.line, line, self.limit as usize);
                    held.given = std::mem::take(&mut held.line);
                    &held.given
                }
                None => line,
            };
            return std::str::from_utf8(trimmed(line)).map(Some).map_err(|_| Violation::NotUtf8);
        }
    }

    /// Whether a line has begun and not ended.
    pub fn is_in_line(&self) -> bool {
        self.held.as_ref().is_some_and(|held| !held.line.is_empty())
    }
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use allocation_counter::measure;
    use proptest::prelude::*;

    fn lines(decoder: &mut Decoder, bytes: &[u8]) -> Result<Vec<String>, Violation> {
        let mut bytes = bytes.to_vec();
        let (mut input, mut lines) = (&mut bytes[..], Vec::new());
        while let Some(line) = decoder.next(&mut input)? {
            lines.push(line.to_owned());
        }
        Ok(lines)
    }

    #[test]
    fn what_is_over_the_limit_is_refused_before_it_ends() {
        let mut decoder = Decoder::new(4);
        assert_eq!(lines(&mut decoder, b"1234\n12"), Ok(vec!["1234".to_owned()]));
        assert_eq!(lines(&mut decoder, b"345"), Err(Violation::TooBig));
    }

    #[test]
    fn what_is_not_utf8_is_refused() {
        assert_eq!(lines(&mut Decoder::new(9), b"\xff\n"), Err(Violation::NotUtf8));
    }

    #[test]
    fn a_line_takes_no_more_room_than_it_may_be_long() {
        let mut line = vec![b'x'; 5_000];
        line.push(b'\n');
        let used = measure(|| {
            let mut decoder = Decoder::new(5_000);
            for mut piece in line.chunks_mut(7) {
                while decoder.next(&mut piece).expect("a line").is_some() {}
            }
        });
        // While it grows, what it was and what it becomes.
        assert!(used.bytes_max <= 2 * 5_000 + 100, "{used:?}");
    }

    proptest! {
        /// Against the standard library's own lines, however the bytes are cut.
        #[test]
        fn lines_do_not_depend_on_how_they_arrive(text in "([a-zü]{0,5}(\r)?\n){0,8}", cuts in prop::collection::vec(1usize..9, 1..40)) {
            let mut decoder = Decoder::new(100);
            let (mut rest, mut got) = (text.as_bytes(), Vec::new());
            for cut in cuts.iter().cycle() {
                let (piece, behind) = rest.split_at((*cut).min(rest.len()));
                got.extend(lines(&mut decoder, piece).unwrap());
                rest = behind;
                if rest.is_empty() {
                    break;
                }
            }
            let wanted: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
            prop_assert_eq!(got, wanted);
            prop_assert!(!decoder.is_in_line());
        }
    }
}
