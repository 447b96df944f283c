//! An instrument as words. The table only grows, so an instrument that is there once never changes, and the number of them is
//! all that a reader has to look at again.

use super::{
    SharedError,
    area::{Area, at},
};
use market::{Instrument, Instruments, Price, Qty, Status, SymbolId};
use std::{
    array,
    sync::atomic::{AtomicU64, Ordering},
};

/// Words of an instrument: four for its symbol, four for that of the venue (both filled up with zeros), one for decimals and
/// status, tick, lot, and the CRC-32C of all of them and the place.
pub(super) const RECORD: usize = 12;
const NAME: usize = 4;
const CHECKED: usize = RECORD - 1;

/// Appends to the table of `area`, which has `from` instruments, what `table` has more; then tells how many there are.
pub(super) fn append(table: &Instruments, from: usize, area: &Area) -> Result<usize, SharedError> {
    let room = area.sizes.room;
    if table.len() > room {
        return Err(SharedError::TooManyInstruments { room, wanted: table.len() });
    }
    for (place, instrument) in table.iter().skip(from) {
        write(place, instrument, area.instrument(place.index()));
    }
    let there = table.len().max(from);
    area.store(at::INSTRUMENTS, there as u64);
    Ok(there)
}

/// Writes the instrument of this place.
fn write(place: SymbolId, instrument: &Instrument, to: &[AtomicU64]) {
    let mut words = [0; RECORD];
    words[..NAME].copy_from_slice(&name(&instrument.symbol));
    words[NAME..2 * NAME].copy_from_slice(&name(&instrument.venue_symbol));
    let halted = u64::from(instrument.status == Status::Halted);
    words[8] = u64::from(instrument.price_decimals) | u64::from(instrument.qty_decimals) << 8 | halted << 16;
    words[9] = instrument.tick.0 as u64;
    words[10] = instrument.lot.0;
    words[CHECKED] = checksum(place, &words);
    to.iter().zip(words).for_each(|(to, word)| to.store(word, Ordering::Relaxed));
}

/// Takes the instruments of `area` from place `from` on, as many as there are now: those that `table` has must be the same, the
/// others are appended to it. Returns how many there are.
pub(super) fn take(table: &mut Instruments, from: usize, area: &Area) -> Result<usize, SharedError> {
    let there = area.instruments().max(from);
    for place in from..there {
        let id = SymbolId(place as u32);
        let damaged = || SharedError::Damaged { path: area.path.clone(), what: "an instrument is not whole" };
        let instrument = read(id, area.instrument(place)).ok_or_else(damaged)?;
        match table.get(id) {
            None => _ = table.push(instrument)?,
            Some(known) if known.goes_on_as(&instrument) => {}
            Some(known) => {
                let (was, now) = (known.symbol.clone(), instrument.symbol);
                return Err(SharedError::OtherInstruments { place, was, now });
            }
        }
    }
    Ok(there)
}

/// The instrument of this place, if it is whole.
fn read(place: SymbolId, from: &[AtomicU64]) -> Option<Instrument> {
    let words: [u64; RECORD] = array::from_fn(|at| from[at].load(Ordering::Relaxed));
    if words[CHECKED] != checksum(place, &words) {
        return None;
    }
    let [price_decimals, qty_decimals, halted, ..] = words[8].to_le_bytes();
    Some(Instrument {
        symbol: text(&words[..NAME])?,
        venue_symbol: text(&words[NAME..2 * NAME])?,
        price_decimals,
        qty_decimals,
        tick: Price(words[9] as i64),
        lot: Qty(words[10]),
        status: if halted == 0 { Status::Trading } else { Status::Halted },
    })
}

fn checksum(place: SymbolId, words: &[u64; RECORD]) -> u64 {
    let place = crc32c::crc32c(&place.0.to_le_bytes());
    let of = |crc, word: &u64| crc32c::crc32c_append(crc, &word.to_le_bytes());
    words[..CHECKED].iter().fold(place, of).into()
}

/// A symbol has at most 32 bytes.
fn name(symbol: &str) -> [u64; NAME] {
    let mut bytes = [0; NAME * 8];
    bytes[..symbol.len()].copy_from_slice(symbol.as_bytes());
    array::from_fn(|at| u64::from_le_bytes(array::from_fn(|byte| bytes[at * 8 + byte])))
}

fn text(words: &[u64]) -> Option<String> {
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.truncate(bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len()));
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instrument() -> Instrument {
        Instrument {
            symbol: "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345".into(),
            venue_symbol: "A".into(),
            price_decimals: 18,
            qty_decimals: 0,
            tick: Price(i64::MAX),
            lot: Qty(u64::MAX),
            status: Status::Halted,
        }
    }

    #[test]
    fn an_instrument_comes_back_as_it_was() {
        let words: [AtomicU64; RECORD] = array::from_fn(|_| AtomicU64::new(0));
        write(SymbolId(7), &instrument(), &words);
        assert_eq!(read(SymbolId(7), &words), Some(instrument()));
        assert_eq!(read(SymbolId(8), &words), None, "in another's place");
        for word in &words {
            for bit in 0..64 {
                word.fetch_xor(1 << bit, Ordering::Relaxed);
                assert_eq!(read(SymbolId(7), &words), None);
                word.fetch_xor(1 << bit, Ordering::Relaxed);
            }
        }
    }

    #[test]
    fn what_was_never_written_is_no_instrument() {
        let words: [AtomicU64; RECORD] = array::from_fn(|_| AtomicU64::new(0));
        assert_eq!(read(SymbolId(0), &words), None);
    }
}
