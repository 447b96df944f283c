//! What stands where in the file. It knows words and places, and nothing of how a feed goes on.
//!
//! All numbers are words in the byte order of the machine:
//!
//! | from word | what |
//! |---|---|
//! | 0 | magic, layout, slots, words of a record, room for instruments, words in all, incarnation, process, start |
//! | 16 | the ring's head |
//! | 32 | the writer's: beats, watermark, state, instruments |
//! | 48 | the readers': how often they asked for books |
//! | 512 | the instruments ([`table`](super::table)), then a bit for each: its book is asked for |
//! | at the next 4,096 bytes | the slots of the ring |
//!
//! Words 0 to 15 and the sizes never change; a reader takes them once. What different parties write stands in different cache
//! lines, two of them apart, as processors fetch them in pairs.

use super::{SharedError, file, name::FeedName, table::RECORD};
use market::{Event, SymbolId};
use rings::{
    broadcast::{Mapped, Slot},
    shared_memory::SharedMemory,
};
use std::{
    fs::File,
    ops::Range,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// The ring's storage: an event a slot.
pub(super) type Ring = Mapped<{ Event::WORDS }>;

pub(super) const MAGIC: u64 = u64::from_le_bytes(*b"DPTHFEED");
/// To be raised whenever something stands elsewhere, or means something else.
pub(super) const LAYOUT: u64 = 1;

/// Slots that a ring may have.
const SLOTS: Range<usize> = 1 << 10..(1 << 26) + 1;
/// Room for so many instruments at least, and for twice as many as there are.
const LEAST_ROOM: usize = 4_096;

/// However large the ring is, an exchange event has no more events: a reader holds it until it is whole.
const LARGEST: usize = 1 << 20;

const HEADER: usize = 512;
const PAGE: usize = 512;
const SLOT: usize = size_of::<Slot<{ Event::WORDS }>>() / size_of::<u64>();

/// The places of single words.
pub(super) mod at {
    pub const MAGIC: usize = 0;
    pub const LAYOUT: usize = 1;
    pub const SLOTS: usize = 2;
    pub const WORDS: usize = 3;
    pub const ROOM: usize = 4;
    pub const SIZE: usize = 5;
    pub const INCARNATION: usize = 6;
    pub const PROCESS: usize = 7;
    pub const STARTED: usize = 8;
    pub const HEAD: usize = 16;
    pub const BEATS: usize = 32;
    pub const WATERMARK: usize = 33;
    pub const STATE: usize = 34;
    pub const INSTRUMENTS: usize = 35;
    pub const ASKED: usize = 48;
}

/// The writer has come to its end in good order.
pub(super) const ENDED: u64 = 2;
/// It has not.
pub(super) const RUNNING: u64 = 1;

/// How large the parts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    pub slots: usize,
    /// Instruments that there is room for.
    pub room: usize,
}

impl Sizes {
    /// For a new feed of so many instruments.
    pub fn new(slots: usize, instruments: usize) -> Result<Sizes, SharedError> {
        let most = Event::MAX_SYMBOLS as usize;
        if !slots.is_power_of_two() || !SLOTS.contains(&slots) {
            return Err(SharedError::BadSlots(slots));
        }
        if instruments > most {
            return Err(SharedError::TooManyInstruments { room: most, wanted: instruments });
        }
        Ok(Sizes { slots, room: (2 * instruments).clamp(LEAST_ROOM, most) })
    }

    /// As a file says; `None` if they cannot be.
    fn told(slots: u64, room: u64) -> Option<Sizes> {
        let (slots, room) = (usize::try_from(slots).ok()?, usize::try_from(room).ok()?);
        let can_be = slots.is_power_of_two() && SLOTS.contains(&slots);
        (can_be && room <= Event::MAX_SYMBOLS as usize).then_some(Sizes { slots, room })
    }

    fn instruments(self) -> Range<usize> {
        HEADER..HEADER + self.room * RECORD
    }

    fn asked(self) -> Range<usize> {
        let begin = self.instruments().end;
        begin..begin + self.room.div_ceil(u64::BITS as usize)
    }

    fn first_slot(self) -> usize {
        self.asked().end.next_multiple_of(PAGE)
    }

    /// Words of the whole file.
    pub fn words(self) -> usize {
        self.first_slot() + self.slots * SLOT
    }
}

/// The mapped file of a feed.
#[derive(Debug)]
pub(super) struct Area {
    memory: Arc<SharedMemory>,
    pub sizes: Sizes,
    pub path: PathBuf,
}

impl Area {
    /// Of a new file, all zeros, of the right size.
    pub fn begin(file: &File, path: PathBuf, sizes: Sizes) -> Result<Area, SharedError> {
        let area = Area { memory: map(file, &path)?, sizes, path };
        let told = [
            (at::SLOTS, sizes.slots as u64),
            (at::WORDS, Event::WORDS as u64),
            (at::ROOM, sizes.room as u64),
            (at::SIZE, sizes.words() as u64),
            (at::STATE, RUNNING),
            (at::LAYOUT, LAYOUT),
            (at::MAGIC, MAGIC),
        ];
        told.into_iter().for_each(|(place, word)| area.store(place, word));
        Ok(area)
    }

    /// The feed that has this name now.
    pub fn open(name: &FeedName) -> Result<Area, SharedError> {
        let path = name.path();
        Area::read(&file::open_own(&path)?, path)
    }

    /// Of a file that another process has begun: it is believed nothing that its size does not confirm.
    fn read(file: &File, path: PathBuf) -> Result<Area, SharedError> {
        let memory = map(file, &path)?;
        let words = memory.words();
        let word = |place: usize| words[place].load(Ordering::Acquire);
        if words.len() < HEADER || word(at::MAGIC) != MAGIC {
            return Err(SharedError::NoFeed(path));
        }
        if word(at::LAYOUT) != LAYOUT {
            return Err(SharedError::OtherLayout { path, found: word(at::LAYOUT), known: LAYOUT });
        }
        let sizes = Sizes::told(word(at::SLOTS), word(at::ROOM));
        let sizes =
            sizes.filter(|sizes| sizes.words() == words.len() && word(at::SIZE) == words.len() as u64);
        match sizes {
            Some(sizes) if word(at::WORDS) == Event::WORDS as u64 => Ok(Area { memory, sizes, path }),
            _ => Err(SharedError::Damaged { path, what: "its sizes do not fit together" }),
        }
    }

    pub fn load(&self, place: usize) -> u64 {
        self.memory.words()[place].load(Ordering::Acquire)
    }

    pub fn store(&self, place: usize, word: u64) {
        self.memory.words()[place].store(word, Ordering::Release);
    }

    pub fn ring(&self) -> Arc<Ring> {
        let first = self.sizes.first_slot();
        let ring = Ring::new(Arc::clone(&self.memory), at::HEAD, first, self.sizes.slots);
        Arc::new(ring.expect("the size of the file was held against its sizes"))
    }

    /// The most events of an exchange event.
    pub fn largest(&self) -> usize {
        (self.sizes.slots / 4).min(LARGEST)
    }

    /// How many instruments there are, as far as there is room.
    pub fn instruments(&self) -> usize {
        usize::try_from(self.load(at::INSTRUMENTS)).unwrap_or(usize::MAX).min(self.sizes.room)
    }

    /// The words of an instrument that there is room for.
    pub fn instrument(&self, place: usize) -> &[AtomicU64] {
        let begin = self.sizes.instruments().start + place * RECORD;
        &self.memory.words()[begin..begin + RECORD]
    }

    /// Asks the writer for the books of these.
    pub fn ask(&self, symbols: impl Iterator<Item = SymbolId>) {
        let bits = &self.memory.words()[self.sizes.asked()];
        for symbol in symbols {
            if let Some(word) = bits.get(symbol.index() / u64::BITS as usize) {
                word.fetch_or(1 << (symbol.0 % u64::BITS), Ordering::Relaxed);
            }
        }
        // Behind the bits: whoever sees that there was a question sees which.
        self.memory.words()[at::ASKED].fetch_add(1, Ordering::Release);
    }

    /// Takes what was asked for, of the first `instruments`.
    pub fn take_asked(&self, instruments: usize, mut f: impl FnMut(SymbolId)) {
        let words = instruments.div_ceil(u64::BITS as usize);
        let asked = &self.memory.words()[self.sizes.asked()];
        for (at, word) in asked.iter().take(words).enumerate() {
            let mut bits =
                if word.load(Ordering::Relaxed) == 0 { 0 } else { word.swap(0, Ordering::Acquire) };
            while bits != 0 {
                let symbol = at as u32 * u64::BITS + bits.trailing_zeros();
                bits &= bits - 1;
                if (symbol as usize) < instruments {
                    f(SymbolId(symbol));
                }
            }
        }
    }
}

fn map(file: &File, path: &Path) -> Result<Arc<SharedMemory>, SharedError> {
    match SharedMemory::map(file) {
        Ok(memory) => Ok(Arc::new(memory)),
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            Err(SharedError::NoFeed(path.to_owned()))
        }
        Err(source) => Err(SharedError::Io { doing: "map", path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(sizes: Sizes) -> (File, Area) {
        let file = tempfile::tempfile().unwrap();
        file.set_len(sizes.words() as u64 * 8).unwrap();
        let area = Area::begin(&file, "feed".into(), sizes).unwrap();
        (file, area)
    }

    #[test]
    fn a_file_is_read_only_if_all_that_it_says_of_itself_fits() {
        let sizes = Sizes::new(1_024, 20).unwrap();
        let (file, area) = begun(sizes);
        let complaint = |place: usize, word: u64| {
            let was = area.load(place);
            area.store(place, word);
            let error = Area::read(&file, "feed".into()).unwrap_err().to_string();
            area.store(place, was);
            error
        };
        assert!(complaint(at::MAGIC, 0).contains("is no feed"));
        assert!(complaint(at::LAYOUT, 9).contains("has layout 9, and this program reads layout 1"));
        for (place, word) in [
            (at::SLOTS, 2_048),
            (at::SLOTS, 0),
            (at::SLOTS, u64::MAX),
            (at::SLOTS, 1 << 63),
            (at::ROOM, 0),
            (at::ROOM, u64::MAX),
            (at::WORDS, 6),
            (at::SIZE, 1),
        ] {
            assert!(complaint(place, word).contains("do not fit together"), "{word} at {place}");
        }
        assert_eq!(Area::read(&file, "feed".into()).unwrap().sizes, sizes);
        file.set_len(4_096).unwrap();
        assert!(Area::read(&file, "feed".into()).unwrap_err().to_string().contains("do not fit together"));
        file.set_len(0).unwrap();
        assert!(Area::read(&file, "feed".into()).unwrap_err().to_string().contains("is no feed"));
    }

    #[test]
    fn what_is_asked_for_is_taken_once() {
        let (_file, area) = begun(Sizes::new(1_024, 200).unwrap());
        let taken = || {
            let mut taken = Vec::new();
            area.take_asked(200, |symbol| taken.push(symbol.0));
            taken
        };
        area.ask([0, 63, 64, 199, 200, u32::MAX].map(SymbolId).into_iter());
        area.ask([63].map(SymbolId).into_iter());
        assert_eq!((taken(), taken()), (vec![0, 63, 64, 199], vec![]), "those that there are");
    }

    #[test]
    fn sizes_have_bounds() {
        for slots in [0, 512, 1_000, 1 << 27] {
            assert!(Sizes::new(slots, 1).is_err(), "{slots}");
        }
        assert!(Sizes::new(1_024, 1 << 21).is_err());
        let sizes = Sizes::new(1 << 18, 20_000).unwrap();
        assert_eq!((sizes.room, sizes.words() * 8 % 4_096), (40_000, 0));
    }
}
