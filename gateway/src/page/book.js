// A client's side of the native protocol: reading messages with exact digits, the rule for sequence numbers, the cut, and
// the checksum that proves a book. It knows nothing of sockets, clocks or the page.

/** A price or a quantity in a message: floating point would lose the digits that the checksum covers. */
const DECIMAL = /"(price|qty)":(-?\d+(?:\.\d+)?)/g;

/** The most levels a side that a checksum covers. */
const CHECKSUM_LEVELS = 100;

/** Reads a message of the gateway; prices and quantities come as texts, digit by digit as they were sent. */
export function parse(text) {
  return JSON.parse(text.replace(DECIMAL, '"$1":"$2"'));
}

/** A price or a quantity in its smallest units: "61659.70" is 6165970n. */
export function units(text) {
  return BigInt(text.replace(".", ""));
}

/** How far a subscription has come. */
export class Position {
  epoch = null;
  /** The last sequence number that was applied; null before a snapshot. */
  last = null;

  get isBegun() {
    return this.last !== null;
  }

  /** Goes on behind a snapshot. */
  begin(epoch, seq) {
    this.epoch = epoch;
    this.last = seq;
  }

  /** Waits for a snapshot. */
  forget() {
    this.epoch = null;
    this.last = null;
  }

  /** Takes an update's range, unless it says "dropped" (nothing new in it) or "gap" (something before it is missing). */
  advance(epoch, firstSeq, seq) {
    if (!this.isBegun) return "dropped";
    if (epoch !== this.epoch || firstSeq > this.last + 1) return "gap";
    if (seq <= this.last) return "dropped";
    this.last = seq;
    return "applied";
  }

  /** Takes an entry of a heartbeat: nothing lies between `seq`, the last message, and `through`. */
  heartbeat({ seq, through }) {
    if (!this.isBegun) return "dropped";
    if (this.last < seq) return "gap";
    this.last = Math.max(this.last, through);
    return "applied";
  }

  /** The token that resumes `topic`, such as BTC/USDT or BTC/USDT@10; null if there is nothing to resume. */
  token(topic) {
    return this.isBegun ? `${this.epoch}:${topic}=${this.last}` : null;
  }
}

/** The best levels of one symbol, kept by the book messages of one subscription. */
export class Book {
  /** Levels from the best on: `price` and `qty` as sent, and both in units. */
  bids = [];
  asks = [];
  position = new Position();
  #depth;

  /** A book of the best `depth` levels a side; 0 is all of them. */
  constructor(depth) {
    this.#depth = depth;
  }

  /** Takes a book message: "applied", "dropped", "gap", or "mismatch" if the book is not what its sender holds. After the
   * last two the book waits for a snapshot. */
  apply({ type, data: [entry] }) {
    const outcome = type === "snapshot" ? this.#begin(entry) : this.#advance(entry);
    if (outcome === "gap" || outcome === "mismatch") this.position.forget();
    return outcome;
  }

  /** Takes this book's entry of a heartbeat. */
  heartbeat(entry) {
    const outcome = this.position.heartbeat(entry);
    if (outcome === "gap") this.position.forget();
    return outcome;
  }

  /** CRC32 of the digits of the asks ascending, then of the bids descending. */
  checksum() {
    const digits = ({ ticks, lots }) => `${ticks}${lots}`;
    const covered = [...this.asks.slice(0, CHECKSUM_LEVELS), ...this.bids.slice(0, CHECKSUM_LEVELS)];
    return crc32(covered.map(digits).join(""));
  }

  #begin(entry) {
    this.bids = [];
    this.asks = [];
    this.position.begin(entry.epoch, entry.seq);
    return this.#change(entry);
  }

  #advance(entry) {
    const outcome = this.position.advance(entry.epoch, entry.first_seq, entry.seq);
    return outcome === "applied" ? this.#change(entry) : outcome;
  }

  #change({ bids, asks, checksum }) {
    for (const level of bids) set(this.bids, level, (a, b) => a > b);
    for (const level of asks) set(this.asks, level, (a, b) => a < b);
    if (this.#depth !== 0) {
      this.bids.length = Math.min(this.bids.length, this.#depth);
      this.asks.length = Math.min(this.asks.length, this.#depth);
    }
    return this.checksum() === checksum ? "applied" : "mismatch";
  }
}

/** Puts a level into its place, or takes it out if its quantity is zero. */
function set(levels, { price, qty }, isBetter) {
  const [ticks, lots] = [units(price), units(qty)];
  let at = levels.findIndex((level) => !isBetter(level.ticks, ticks));
  if (at < 0) at = levels.length;
  const held = levels[at]?.ticks === ticks ? 1 : 0;
  if (lots === 0n) levels.splice(at, held);
  else levels.splice(at, held, { price, qty, ticks, lots });
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC32 (IEEE) of an ASCII text. */
function crc32(text) {
  let crc = 0xffffffff;
  for (let i = 0; i < text.length; i++) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ text.charCodeAt(i)) & 0xff];
  return (crc ^ 0xffffffff) >>> 0;
}
