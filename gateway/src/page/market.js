// One symbol as the gateway tells it: the subscriptions to its book and its trades, resumed after a reconnect and begun anew
// after a gap. It knows nothing of how they are shown.

import { Book, Position, parse } from "./book.js";
import { Connection } from "./connection.js";

export const DEPTH = 10;
const TRADES = 50;
/** The least time between two fresh starts, so that a fault that stays does not become a storm of requests. */
const FRESH_START_MS = 1000;

export class Market {
  symbol = null;
  book = new Book(DEPTH);
  /** The newest trades, the newest first; `{ gap: "12 to 34" }` stands for trades that were not received. */
  trades = [];
  /** Messages received since the page was opened. */
  messages = 0;
  /** Book messages whose checksum was that of the book. */
  checked = 0;
  /** "waiting", "ok" or "failed". */
  checksum = "waiting";
  #tape = new Position();
  #connection;
  #handlers;
  #connections = 0;
  #freshStart = null;

  /** Calls `changed()` when the market did, `connection(state, detail)`, and `refused(code, text)`. */
  constructor(url, handlers) {
    this.#handlers = handlers;
    handlers.connection("connecting");
    this.#connection = new Connection(url, {
      opened: () => this.#opened(),
      received: (text) => this.#received(text),
      lost: (wait) => handlers.connection("reconnecting", `in ${(wait / 1000).toFixed(1)} s`),
    });
  }

  /** Turns to another symbol. */
  choose(symbol) {
    if (this.symbol !== null) this.#unsubscribe();
    this.symbol = symbol;
    this.book = new Book(DEPTH);
    this.#tape = new Position();
    this.trades = [];
    this.checksum = "waiting";
    this.#subscribe();
    this.#handlers.changed();
  }

  #opened() {
    this.#connections++;
    this.#handlers.connection("connected");
    if (this.symbol !== null) this.#subscribe();
  }

  #subscribe() {
    const request = (channel, params, since) => {
      if (since) params.since = since;
      this.#connection.send({ method: "subscribe", params: { channel, symbol: [this.symbol], ...params } });
    };
    request("book", { depth: DEPTH }, this.book.position.token(`${this.symbol}@${DEPTH}`));
    request("trade", { snapshot: true }, this.#tape.token(this.symbol));
  }

  #unsubscribe() {
    for (const channel of ["book", "trade"]) {
      this.#connection.send({ method: "unsubscribe", params: { channel, symbol: [this.symbol] } });
    }
  }

  #received(text) {
    this.messages++;
    const message = parse(text);
    switch (message.channel) {
      case "book":
        return this.#bookMessage(message);
      case "trade":
        return this.#tradeMessage(message);
      case "heartbeat":
        return message.data.forEach((entry) => this.#heartbeat(entry));
      case "gap":
        return message.data.forEach((entry) => this.#missing(entry));
      case "status":
        return message.data.forEach((entry) => this.#status(entry));
      default:
        return this.#answer(message);
    }
  }

  #bookMessage(message) {
    if (message.data[0].symbol !== this.symbol) return;
    const outcome = this.book.apply(message);
    if (outcome === "applied") {
      this.checked++;
      this.checksum = "ok";
    }
    if (outcome === "mismatch") this.checksum = "failed";
    this.#take(outcome);
  }

  #tradeMessage({ type, epoch, first_seq, seq, data }) {
    if (data.some((trade) => trade.symbol !== this.symbol)) return;
    if (type === "snapshot") {
      this.#tape.begin(epoch, seq);
      this.trades = [...data].reverse();
      return this.#handlers.changed();
    }
    const before = this.#tape.last;
    const outcome = this.#tape.advance(epoch, first_seq, seq);
    if (outcome === "applied") this.#addTrades(data.filter((trade) => trade.seq > before));
    this.#take(outcome);
  }

  #addTrades(newer) {
    this.trades = [...newer.reverse(), ...this.trades].slice(0, TRADES);
  }

  #heartbeat(entry) {
    if (entry.symbol !== this.symbol) return;
    if (entry.channel === "book") this.#take(this.book.heartbeat(entry));
    if (entry.channel === "trade") this.#take(this.#tape.heartbeat(entry));
  }

  /** The gateway names trades that it could not send; the stream goes on behind them. */
  #missing({ channel, symbol, from_seq, to_seq }) {
    if (channel !== "trade" || symbol !== this.symbol) return;
    this.#addTrades([{ gap: `${from_seq} to ${to_seq}` }]);
    if (this.#tape.isBegun) this.#tape.begin(this.#tape.epoch, Math.max(this.#tape.last, to_seq));
    this.#handlers.changed();
  }

  #status({ event, retry_after_ms }) {
    if (event === "shutdown") this.#connection.retryAfter(retry_after_ms);
    if (event === "feed_ended") this.#handlers.connection("connected", "the feed has ended");
    if (event === "feed_stalled") this.#handlers.connection("connected", "the feed is silent");
  }

  #answer({ method, success, result, code, error, retry_after_ms }) {
    if (success === false) {
      if (code === "rate_limited") {
        this.#connection.retryAfter(retry_after_ms ?? FRESH_START_MS);
        this.#connection.restart();
      }
      return this.#handlers.refused(code, error);
    }
    const reconnects = this.#connections - 1;
    if (method !== "subscribe" || result.channel !== "book" || reconnects === 0) return;
    const times = reconnects === 1 ? "1 reconnect" : `${reconnects} reconnects`;
    this.#handlers.connection(result.recovered ? "resumed" : "connected", times);
  }

  #take(outcome) {
    if (outcome === "gap" || outcome === "mismatch") this.#startAfresh();
    if (outcome !== "dropped") this.#handlers.changed();
  }

  /** Asks for snapshots, after a while. */
  #startAfresh() {
    this.#freshStart ??= setTimeout(() => {
      this.#freshStart = null;
      this.#unsubscribe();
      this.book.position.forget();
      this.#tape.forget();
      this.#subscribe();
    }, FRESH_START_MS);
  }
}
