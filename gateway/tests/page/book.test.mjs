// The browser's book against a book that holds everything, and against checksums made elsewhere.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { Book, Position, parse, units } from "../../src/page/book.js";

const EPOCH = "9c41d7e0a25b7f3a";

/** The text of a message, with numbers as the gateway writes them. */
function text(type, { bids = [], asks = [], checksum = 0, first_seq, seq, epoch = EPOCH }) {
  const levels = (side) => side.map(([price, qty]) => `{"price":${price},"qty":${qty}}`).join(",");
  const first = type === "update" ? `"first_seq":${first_seq},` : "";
  return (
    `{"channel":"book","type":"${type}","data":[{"symbol":"BTC/USDT","bids":[${levels(bids)}],"asks":[${levels(asks)}],` +
    `"checksum":${checksum},"epoch":"${epoch}",${first}"seq":${seq}}]}`
  );
}

const apply = (book, type, fields) => book.apply(parse(text(type, fields)));

/** The checksum as the protocol words it, over texts. */
function checksumOf(bids, asks) {
  const digits = ([price, qty]) => [price, qty].map((it) => it.replace(".", "").replace(/^0+/, "")).join("");
  const packed = gzipSync([...asks, ...bids].map(digits).join(""));
  // RFC 1952, section 2.3: the CRC32 stands before the last four bytes.
  return packed.readUInt32LE(packed.length - 8);
}

// The book and the checksum that Kraken's guide to its v2 book checksum works out by hand.
const KRAKEN = {
  bids: [
    ["45283.5", "0.10000000"], ["45283.4", "1.54582015"], ["45282.1", "0.10000000"], ["45281.0", "0.10000000"],
    ["45280.3", "1.54592586"], ["45279.0", "0.07990000"], ["45277.6", "0.03310103"], ["45277.5", "0.30000000"],
    ["45277.3", "1.54602737"], ["45276.6", "0.15445238"],
  ],
  asks: [
    ["45285.2", "0.00100000"], ["45286.4", "1.54571953"], ["45286.6", "1.54571109"], ["45289.6", "1.54560911"],
    ["45290.2", "0.15890660"], ["45291.8", "1.54553491"], ["45294.7", "0.04454749"], ["45296.1", "0.35380000"],
    ["45297.5", "0.09945542"], ["45299.5", "0.18772827"],
  ],
  checksum: 3310070434,
};

test("the checksum is that of Kraken's worked example", () => {
  assert.equal(apply(new Book(10), "snapshot", { ...KRAKEN, seq: 1 }), "applied");
});

test("numbers keep the digits that floating point would lose", () => {
  const [bid] = parse(text("snapshot", { bids: [["123456789012.10", "98765432109876.54321000"]], seq: 1 })).data[0].bids;
  assert.deepEqual(bid, { price: "123456789012.10", qty: "98765432109876.54321000" });
  assert.equal(units(bid.qty), 9876543210987654321000n);
});

test("what looks like a number inside a text is left alone", () => {
  const error = 'not a request: {"price":1.50}';
  assert.equal(parse(JSON.stringify({ error })).error, error);
});

test("an update is dropped, applied or refused by its range", () => {
  const check = (range, outcome, last) => {
    const position = new Position();
    position.begin(EPOCH, 10);
    assert.equal(position.advance(range.epoch ?? EPOCH, ...range.covers), outcome);
    assert.equal(position.last, last);
  };
  check({ covers: [11, 11] }, "applied", 11);
  check({ covers: [11, 20] }, "applied", 20);
  check({ covers: [5, 11] }, "applied", 11);
  check({ covers: [5, 10] }, "dropped", 10);
  check({ covers: [12, 12] }, "gap", 10);
  check({ covers: [11, 11], epoch: "0000000000000001" }, "gap", 10);
});

test("a heartbeat moves a quiet subscription on, or shows a loss", () => {
  const check = (entry, outcome, last) => {
    const position = new Position();
    position.begin(EPOCH, 10);
    assert.equal(position.heartbeat(entry), outcome);
    assert.equal(position.last, last);
  };
  check({ seq: 10, through: 15 }, "applied", 15);
  check({ seq: 8, through: 9 }, "applied", 10);
  check({ seq: 11, through: 15 }, "gap", 10);
});

test("the resume token names the last seq, and there is none before a snapshot", () => {
  const position = new Position();
  assert.equal(position.token("BTC/USDT@10"), null);
  position.begin(EPOCH, 1041);
  assert.equal(position.token("BTC/USDT@10"), `${EPOCH}:BTC/USDT@10=1041`);
});

test("after a gap or a wrong checksum nothing is applied before a snapshot", () => {
  const checksum = checksumOf([], [["2.00", "1"]]);
  const snapshot = { asks: [["2.00", "1"]], checksum, seq: 10 };
  const check = (update, outcome) => {
    const book = new Book(10);
    assert.equal(apply(book, "snapshot", snapshot), "applied");
    assert.equal(apply(book, "update", update), outcome);
    assert.equal(book.position.token("BTC/USDT@10"), null);
    assert.equal(apply(book, "update", { checksum, first_seq: 11, seq: 11 }), "dropped");
    assert.equal(book.heartbeat({ seq: 11, through: 12 }), "dropped");
    assert.equal(apply(book, "snapshot", snapshot), "applied");
  };
  check({ checksum, first_seq: 12, seq: 12 }, "gap");
  check({ checksum: checksum ^ 1, first_seq: 11, seq: 11 }, "mismatch");
});

/** A small generator of pseudo-random numbers (mulberry32). */
function generator(seed) {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** One side of a whole book: every level, and the view of the best ones as texts. */
class WholeSide {
  #levels = new Map();
  #order;

  constructor(order) {
    this.#order = order;
  }

  change(ticks, lots) {
    if (lots === 0) this.#levels.delete(ticks);
    else this.#levels.set(ticks, lots);
  }

  view(depth) {
    const best = [...this.#levels].sort(([a], [b]) => this.#order * (a - b)).slice(0, depth);
    return best.map(([ticks, lots]) => [(ticks / 100).toFixed(2), (lots / 1000).toFixed(3)]);
  }
}

/** What a view's subscriber has to hear: changed and new levels, and zero for the levels in view that are gone from the
 * book. Those pushed out of view are the client's to cut. */
function difference(before, after, isGone) {
  const known = new Map(before);
  const now = new Map(after);
  const removed = before.filter(([price]) => !now.has(price) && isGone(price)).map(([price]) => [price, "0.000"]);
  return [...removed, ...after.filter(([price, qty]) => known.get(price) !== qty)];
}

test("the book is the best of the whole book after any changes", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = generator(seed);
    const depth = [1, 5, 10][random(3)];
    const whole = { bids: new WholeSide(-1), asks: new WholeSide(1) };
    const book = new Book(depth);
    apply(book, "snapshot", { seq: 0 });
    for (let seq = 1; seq <= 200; seq++) {
      const [side, lowest] = random(2) ? ["bids", 980] : ["asks", 1000];
      const before = whole[side].view(depth);
      whole[side].change(lowest + random(20), random(3) && 1 + random(5000));
      const everything = new Map(whole[side].view(Infinity));
      const changed = difference(before, whole[side].view(depth), (price) => !everything.has(price));
      const [bids, asks] = [whole.bids.view(depth), whole.asks.view(depth)];
      const update = { [side]: changed, checksum: checksumOf(bids, asks), first_seq: seq, seq };
      assert.equal(apply(book, "update", update), "applied", `seed ${seed}, seq ${seq}`);
      assert.deepEqual(book.bids.map(({ price, qty }) => [price, qty]), bids, `seed ${seed}, seq ${seq}`);
      assert.deepEqual(book.asks.map(({ price, qty }) => [price, qty]), asks, `seed ${seed}, seq ${seq}`);
    }
  }
});
