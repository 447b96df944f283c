//! The checksum by which a client proves its book.

use market::Level;

/// Levels beyond this do not count, whatever the depth.
const MOST_LEVELS: usize = 100;

/// How many levels a side count at a depth.
pub(crate) fn counted(depth: u32) -> usize {
    if depth == 0 { MOST_LEVELS } else { MOST_LEVELS.min(depth as usize) }
}

/// See [`crate::Ladder::checksum`].
pub(crate) fn checksum(
    depth: u32,
    asks: impl Iterator<Item = Level>,
    bids: impl Iterator<Item = Level>,
) -> u32 {
    let mut digits = Digits::new();
    for level in asks.take(counted(depth)).chain(bids.take(counted(depth))) {
        digits.push_level(level);
    }
    digits.finish()
}

/// The digits of one level, kept from one checksum to the next: of the many that count, one message changes few.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Text {
    /// The last byte says how many digits there are: 0 while nobody has asked, [`Text::TOO_LONG`] for more than there is
    /// room for.
    bytes: [u8; 16],
}

impl Text {
    const ROOM: usize = 15;
    const TOO_LONG: u8 = u8::MAX;

    fn of(level: Level) -> Text {
        let mut digits = Digits::new();
        digits.push_level(level);
        let mut text = Text::default();
        if digits.len > Text::ROOM {
            text.bytes[Text::ROOM] = Text::TOO_LONG;
        } else {
            text.bytes[..digits.len].copy_from_slice(&digits.block[..digits.len]);
            text.bytes[Text::ROOM] = digits.len as u8;
        }
        text
    }

    fn len(&self) -> u8 {
        self.bytes[Text::ROOM]
    }
}

/// Collects digits and feeds them to the CRC in blocks, long ones being what it is fast with.
pub(crate) struct Digits {
    block: [u8; Digits::BLOCK],
    len: usize,
    crc: crc32fast::Hasher,
}

impl Digits {
    const BLOCK: usize = 512;
    /// A sign and two numbers of 20 digits, and the slack of the last 8-byte write.
    const LONGEST_LEVEL: usize = 1 + 20 + 20 + 8;

    pub(crate) fn new() -> Digits {
        Digits { block: [0; Digits::BLOCK], len: 0, crc: crc32fast::Hasher::new() }
    }

    /// Adds a level whose digits may be known; they are afterwards.
    pub(crate) fn push_known(&mut self, level: Level, text: &mut Text) {
        if text.len() == 0 {
            *text = Text::of(level);
        }
        if text.len() == Text::TOO_LONG {
            return self.push_level(level);
        }
        self.make_room();
        self.block[self.len..self.len + text.bytes.len()].copy_from_slice(&text.bytes);
        self.len += usize::from(text.len());
    }

    fn make_room(&mut self) {
        if self.len > Digits::BLOCK - Digits::LONGEST_LEVEL {
            self.crc.update(&self.block[..self.len]);
            self.len = 0;
        }
    }

    fn push_level(&mut self, level: Level) {
        self.make_room();
        if level.price.0 < 0 {
            self.block[self.len] = b'-';
            self.len += 1;
        }
        self.push_number(level.price.0.unsigned_abs());
        self.push_number(level.qty.0);
    }

    /// Appends the decimal digits of `number`.
    fn push_number(&mut self, number: u64) {
        if number < EIGHT {
            let digits = eight_digits(number);
            // Zero has no significant digit and still is one.
            let zeros = (digits.trailing_zeros() / 8).min(7);
            self.push_bytes(digits >> (8 * zeros), 8 - zeros as usize);
        } else {
            self.push_number(number / EIGHT);
            self.push_bytes(eight_digits(number % EIGHT), 8);
        }
    }

    fn push_bytes(&mut self, digits: u64, count: usize) {
        const ASCII_ZEROS: u64 = 0x3030_3030_3030_3030;
        self.block[self.len..self.len + 8].copy_from_slice(&(digits | ASCII_ZEROS).to_le_bytes());
        self.len += count;
    }

    pub(crate) fn finish(mut self) -> u32 {
        self.crc.update(&self.block[..self.len]);
        self.crc.finalize()
    }
}

/// Ten to the eighth: as many digits as fit into the bytes of a word.
const EIGHT: u64 = 100_000_000;

/// The eight digits of a number below 10^8 as the bytes of a word, the first digit in the lowest byte: halves of four,
/// then two, then one digit are split off in all lanes at once, a division by 100 or 10 being a multiplication by its
/// scaled reciprocal.
fn eight_digits(number: u64) -> u64 {
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x7F_0000_007F;
    let twos = hundreds | ((fours - hundreds * 100) << 16);
    let tens = ((twos * 103) >> 10) & 0x000F_000F_000F_000F;
    tens | ((twos - tens * 10) << 8)
}
