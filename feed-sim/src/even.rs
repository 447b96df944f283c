//! Level changes made directly, without orders: each changes the quantity of one of the ten best levels of a side, and
//! prices stand still. For benchmarks, which want to know exactly what they measure.

use crate::{listing::Listing, packet::Packet, random::Random, scenario::Even};
use market::{Level, Price, Qty, Side, SymbolId};

/// How many of a side's best levels change.
const CHANGING: usize = 10;

#[derive(Debug)]
pub(crate) struct Changes {
    books: Vec<Book>,
    burst: u64,
    /// Whose turn it is, and how many of its burst are left.
    turn: usize,
    left: u64,
}

#[derive(Debug)]
struct Book {
    best_bid: Price,
    usual_qty: u64,
    /// Bids and asks, the best first.
    sides: [Box<[u64]>; 2],
}

impl Changes {
    pub fn new(listings: &[Listing], Even { levels, burst }: Even) -> Changes {
        let book = |listing: &Listing| Book {
            // Far enough from zero for all levels.
            best_bid: listing.price.max(Price(levels as i64)),
            usual_qty: listing.qty_for(500).max(2),
            sides: Side::BOTH.map(|_| vec![0; levels as usize].into()),
        };
        Changes { books: listings.iter().map(book).collect(), burst, turn: 0, left: burst }
    }

    /// So many events of a symbol come at once, from the next symbol on.
    pub fn change_burst(&mut self, burst: u64) {
        self.burst = burst;
        self.left = self.left.min(burst);
    }

    /// Gives every level of `symbol` a new quantity.
    pub fn begin_book(&mut self, symbol: SymbolId, random: &mut Random) {
        let book = &mut self.books[symbol.index()];
        for qty in book.sides.iter_mut().flat_map(|side| side.iter_mut()) {
            *qty = random.size(book.usual_qty);
        }
    }

    /// The levels of a side, the best first.
    pub fn levels(&self, symbol: SymbolId, side: Side) -> impl Iterator<Item = Level> {
        let book = &self.books[symbol.index()];
        book.sides[side.index()]
            .iter()
            .enumerate()
            .map(move |(place, &qty)| Level { price: book.price(side, place), qty: Qty(qty) })
    }

    /// What stands at a price.
    pub fn qty_at(&self, symbol: SymbolId, side: Side, price: Price) -> Qty {
        self.levels(symbol, side).find(|level| level.price == price).map_or(Qty::ZERO, |level| level.qty)
    }

    /// Whose turn it is.
    pub fn next_symbol(&self) -> SymbolId {
        SymbolId(self.turn as u32)
    }

    /// Changes one level of the symbol whose turn it is; returns whether its burst is over.
    pub fn act(&mut self, random: &mut Random, packet: &mut Packet<'_>) -> bool {
        let book = &mut self.books[self.turn];
        let side = Side::BOTH[random.below(2) as usize];
        let changing = book.sides[side.index()].len().min(CHANGING);
        let place = random.below(changing as u64) as usize;
        let drawn = random.size(book.usual_qty);
        let qty = &mut book.sides[side.index()][place];
        *qty = if drawn == *qty { drawn + 1 } else { drawn };
        let qty = Qty(*qty);
        packet.level(side, Level { price: book.price(side, place), qty });
        self.left -= 1;
        let over = self.left == 0;
        if over {
            self.left = self.burst;
            self.turn = (self.turn + 1) % self.books.len();
        }
        over
    }
}

impl Book {
    fn price(&self, side: Side, place: usize) -> Price {
        Price(match side {
            Side::Bid => self.best_bid.0 - place as i64,
            Side::Ask => self.best_bid.0 + 1 + place as i64,
        })
    }
}
