// The browser's subscriptions over a connection that breaks, against a gateway that the test plays itself.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { backoff } from "../../src/page/connection.js";
import { Market } from "../../src/page/market.js";

const EPOCH = "9c41d7e0a25b7f3a";
const EMPTY = 0;

/** The sockets that the page opened, the newest last. */
let sockets;
let states;
let market;

class Socket {
  static OPEN = 1;
  readyState = 0;
  sent = [];

  constructor(url) {
    this.url = url;
    sockets.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  open() {
    this.readyState = 1;
    this.onopen();
  }

  say(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }

  /** Takes what was asked since the last call: the method, the channel, and the token if there is one. */
  asked() {
    const shown = ({ method, params: { channel, since } }) => [method, channel, since].filter(Boolean).join(" ");
    return this.sent.splice(0).map(shown);
  }
}

globalThis.WebSocket = Socket;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable();
  sockets = [];
  states = [];
  const connection = (state) => states.push(state);
  market = new Market("ws://gateway/feed", { changed() {}, connection, refused: (code) => states.push(code) });
  market.choose("BTC/USDT");
  newest().open();
  assert.deepEqual(newest().asked(), ["subscribe book", "subscribe trade"]);
});

const newest = () => sockets.at(-1);
const book = (type, fields) =>
  newest().say({ channel: "book", type, data: [{ symbol: "BTC/USDT", bids: [], asks: [], checksum: EMPTY, epoch: EPOCH, ...fields }] });
const trades = (first_seq, seq, ...seqs) =>
  newest().say({ channel: "trade", type: "update", epoch: EPOCH, first_seq, seq, data: seqs.map((seq) => ({ symbol: "BTC/USDT", seq })) });

/** Both subscriptions have their snapshots. */
function begin(seq) {
  book("snapshot", { seq });
  newest().say({ channel: "trade", type: "snapshot", epoch: EPOCH, seq, data: [] });
}

function reconnect() {
  mock.timers.tick(10_000);
  newest().open();
}

test("a connection that breaks is resumed behind the last message of each subscription", () => {
  begin(10);
  book("update", { first_seq: 11, seq: 12 });
  trades(11, 11, 11);
  newest().onclose();
  reconnect();
  const tokens = [`subscribe book ${EPOCH}:BTC/USDT@10=12`, `subscribe trade ${EPOCH}:BTC/USDT=11`];
  assert.deepEqual(newest().asked(), tokens);
  newest().say({ method: "subscribe", success: true, result: { channel: "book", recovered: true } });
  assert.deepEqual(states, ["connecting", "connected", "reconnecting", "connected", "resumed"]);
});

test("a silent connection is given up", () => {
  begin(10);
  const first = newest();
  mock.timers.tick(3_000);
  newest().say({ channel: "heartbeat", data: [] });
  mock.timers.tick(3_000);
  assert.equal(first.readyState, Socket.OPEN);
  mock.timers.tick(1_000);
  assert.equal(first.readyState, 3);
  assert.equal(states.at(-1), "reconnecting");
});

test("a gap, a loss that a heartbeat shows, and a wrong checksum each end in fresh snapshots", () => {
  const check = (fault) => {
    begin(10);
    fault();
    mock.timers.tick(1_000);
    const afresh = ["unsubscribe book", "unsubscribe trade", "subscribe book", "subscribe trade"];
    assert.deepEqual(newest().asked(), afresh);
  };
  check(() => book("update", { first_seq: 12, seq: 12 }));
  check(() => book("update", { first_seq: 11, seq: 11, checksum: 1 }));
  check(() => trades(12, 12, 12));
  const lost = (channel) => [{ channel, symbol: "BTC/USDT", seq: 11, through: 12 }];
  check(() => newest().say({ channel: "heartbeat", data: lost("book") }));
  check(() => newest().say({ channel: "heartbeat", data: lost("trade") }));
});

test("a trade is shown once, and missing trades are named", () => {
  begin(10);
  trades(11, 12, 11, 12);
  trades(11, 14, 11, 12, 14);
  const range = { channel: "trade", symbol: "BTC/USDT", from_seq: 15, to_seq: 20 };
  newest().say({ channel: "gap", data: [range] });
  trades(21, 21, 21);
  assert.deepEqual(market.trades.map(({ seq, gap }) => seq ?? gap), [21, "15 to 20", 14, 12, 11]);
});

test("what an old symbol still says is not taken for the new one's", () => {
  begin(10);
  market.choose("ETH/USDT");
  book("snapshot", { seq: 11 });
  trades(11, 11, 11);
  assert.equal(market.book.position.last, null);
  assert.deepEqual(market.trades, []);
});

test("the wait before a reconnect grows to a limit, with jitter", () => {
  const check = (attempt, least, most) => assert.deepEqual([backoff(attempt, 0), backoff(attempt, 1)], [least, most]);
  check(0, 125, 250);
  check(1, 250, 500);
  check(5, 4_000, 8_000);
  check(6, 5_000, 10_000);
  check(1_000, 5_000, 10_000);
});

test("a gateway that shuts down is left alone for as long as it asks", () => {
  newest().say({ channel: "status", data: [{ event: "shutdown", retry_after_ms: 1_840, reason: "deploy" }] });
  newest().onclose();
  mock.timers.tick(1_839);
  assert.equal(sockets.length, 1);
  mock.timers.tick(500);
  assert.equal(sockets.length, 2);
});
