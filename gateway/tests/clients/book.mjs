// A book as a client keeps it: by the rule for clients, proved by the checksum of each message. For the tests of transports.
import assert from "node:assert/strict";

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
  return byte;
});

function crc32(text) {
  let crc = ~0;
  for (const char of text) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ char.charCodeAt(0)) & 0xff];
  return ~crc >>> 0;
}

export class Book {
  constructor(instrument, depth) {
    this.instrument = instrument;
    this.depth = depth;
    this.last = 0;
    this.updates = 0;
    this.snapshots = [];
  }

  apply(type, data) {
    if (type === "snapshot") {
      this.bids = new Map();
      this.asks = new Map();
      this.snapshots.push(data.reason);
    } else {
      if (data.seq <= this.last) return;
      assert(data.first_seq <= this.last + 1, `a gap: ${data.first_seq} after ${this.last}`);
      this.updates++;
    }
    this.last = data.seq;
    for (const side of ["bids", "asks"]) {
      for (const { price, qty } of data[side]) {
        if (qty === 0) this[side].delete(price);
        else this[side].set(price, qty);
      }
      for (const [price] of this.best(side).slice(this.depth)) this[side].delete(price);
    }
    assert.equal(this.checksum(), data.checksum, `the book at ${data.seq}`);
  }

  best(side) {
    const order = side === "bids" ? -1 : 1;
    return [...this[side]].sort(([a], [b]) => order * (a - b));
  }

  checksum() {
    const { price_decimals, qty_decimals } = this.instrument;
    const digits = (value, decimals) => value.toFixed(decimals).replace(".", "").replace(/^0+/, "");
    const text = ([price, qty]) => digits(price, price_decimals) + digits(qty, qty_decimals);
    return crc32([...this.best("asks"), ...this.best("bids")].map(text).join(""));
  }
}
