//! The checksum by which a client proves its book.

use market::Level;

/// Levels beyond this do not count, whatever the depth.
const MOST_LEVELS: usize = 100;

/// See [`crate::Ladder::checksum`].
pub(crate) fn checksum(
    depth: u32,
    asks: impl Iterator<Item = Level>,
    bids: impl Iterator<Item = Level>,
) -> u32 {
    let levels = if depth == 0 { MOST_LEVELS } else { MOST_LEVELS.min(depth as usize) };
    let mut digits = Digits::new();
    for level in asks.take(levels).chain(bids.take(levels)) {
        digits.push_level(level);
    }
    digits.finish()
}

/// Collects digits and feeds them to the CRC in blocks, long ones being what it is fast with.
struct Digits {
    block: [u8; Digits::BLOCK],
    len: usize,
    crc: crc32fast::Hasher,
}

impl Digits {
    const BLOCK: usize = 512;
    /// A sign and two numbers of 20 digits, and the slack of the last 8-byte write.
    const LONGEST_LEVEL: usize = 1 + 20 + 20 + 8;

    fn new() -> Digits {
        Digits { block: [0; Digits::BLOCK], len: 0, crc: crc32fast::Hasher::new() }
    }

    fn push_level(&mut self, level: Level) {
        if self.len > Digits::BLOCK - Digits::LONGEST_LEVEL {
            self.crc.update(&self.block[..self.len]);
            self.len = 0;
        }
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

    fn finish(mut self) -> u32 {
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
