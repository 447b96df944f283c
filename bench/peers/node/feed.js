// The feed of the peers in Node.js: what is published and when. Timers of the event loop are good to a millisecond only, so a
// thread of its own sleeps until something is due and wakes the server's thread, which then publishes all that is due. The
// feed goes on whatever becomes of the server (open loop), and a server that is behind still gets to its sockets between
// one burst and the next.

import { readFileSync } from "node:fs";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";

/// What this server was offered: the file that is its first argument.
export function readOffer() {
  return JSON.parse(readFileSync(process.argv[2], "utf8"));
}

/// Calls `publish(symbol, seq, due)` for each message, those of a burst one after the other, topics in turn; `due` in
/// nanoseconds since 1970.
export function startFeed({ symbols, burst, first, intervalNs }, publish) {
  const interval = BigInt(intervalNs);
  const start = process.hrtime.bigint();
  // 1 while this thread has been woken and has not come yet.
  const woken = new Int32Array(new SharedArrayBuffer(4));
  let place = 0;
  let due = start;
  let isPublishing = false;
  const worker = new Worker(new URL(import.meta.url), { workerData: { interval, start, woken } });
  const publishNext = () => {
    const symbol = symbols[place % symbols.length];
    const before = first + Math.floor(place / symbols.length) * burst;
    for (let n = 1; n <= burst; n++) publish(symbol, before + n, anchor + due);
    place++;
    due += interval;
  };
  const publishDue = () => {
    if (due <= process.hrtime.bigint()) {
      publishNext();
      setImmediate(publishDue);
    } else {
      isPublishing = false;
    }
  };
  worker.on("message", () => {
    Atomics.store(woken, 0, 0);
    if (!isPublishing) {
      isPublishing = true;
      publishDue();
    }
  });
  worker.on("error", (error) => {
    // A server without its feed would be measured as a fast one.
    console.error("the feed ended:", error);
    process.exit(1);
  });
}

/// A message: the native update or snapshot with its symbol, its number and its time filled in.
export class Template {
  #parts;

  constructor(text) {
    this.#parts = text.split(/@(symbol|seq|due)@/);
  }

  fill(symbol, seq, due) {
    const values = { symbol, seq, due };
    let text = this.#parts[0];
    for (let n = 1; n < this.#parts.length; n += 2) text += values[this.#parts[n]] + this.#parts[n + 1];
    return text;
  }
}

/// Now, in nanoseconds since 1970, by a clock that never goes back.
export function now() {
  return anchor + process.hrtime.bigint();
}

// The system's clock is told in milliseconds: the moment at which it goes on by one is known much better. Of a few such moments
// the one counts that was seen soonest.
function findAnchor() {
  let best = { took: Infinity, anchor: 0n };
  for (let tries = 0; tries < 5; tries++) {
    const start = Date.now();
    let before = process.hrtime.bigint();
    for (;;) {
      const millis = Date.now();
      const after = process.hrtime.bigint();
      if (millis !== start) {
        const took = Number(after - before);
        if (took < best.took) best = { took, anchor: BigInt(millis) * 1_000_000n - (before + after) / 2n };
        break;
      }
      before = after;
    }
  }
  return best.anchor;
}

const anchor = isMainThread ? findAnchor() : 0n;

function sleepAndWake({ interval, start, woken }) {
  const asleep = new Int32Array(new SharedArrayBuffer(4));
  for (let due = start; ; ) {
    const now = process.hrtime.bigint();
    if (now >= due) {
      if (Atomics.exchange(woken, 0, 1) === 0) parentPort.postMessage(null);
      due += interval * ((now - due) / interval + 1n);
    }
    Atomics.wait(asleep, 0, 0, Number(due - now) / 1e6);
  }
}

if (!isMainThread) sleepAndWake(workerData);
