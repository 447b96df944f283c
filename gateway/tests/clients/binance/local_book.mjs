// Keeps books by the procedure of Binance's guide, with ws, and prints each as a line of JSON after each event. Takes the gateway's
// host and port, a stream, and how many events.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { setTimeout } from "node:timers/promises";

const { WebSocket } = createRequire(new URL("../node/", import.meta.url))("ws");
const [host, stream, count] = process.argv.slice(2);
const symbol = stream.split("@")[0].toUpperCase();
// Books that are fetched at so many moments, so far apart: at some of them an event is under way.
const BOOKS = 8;
const APART_MS = 370;

class LocalBook {
  constructor({ lastUpdateId, bids, asks }) {
    this.sides = { b: new Map(bids), a: new Map(asks) };
    this.last = lastUpdateId;
    this.begun = false;
    this.tell();
  }

  take({ U, u, ...sides }) {
    if (u <= this.last) return assert(!this.begun, "an old event after a new one");
    assert(this.begun ? U === this.last + 1 : U <= this.last + 1, `${this.last} before ${U}`);
    [this.begun, this.last] = [true, u];
    for (const [name, levels] of Object.entries(this.sides)) {
      for (const [price, qty] of sides[name]) {
        if (qty === "0.00000000") levels.delete(price);
        else levels.set(price, qty);
      }
    }
    this.tell();
  }

  tell() {
    console.log(JSON.stringify({ id: this.last, bids: [...this.sides.b], asks: [...this.sides.a] }));
  }
}

const events = [];
const books = [];
const socket = new WebSocket(`ws://${host}/ws/${stream}`);
socket.on("error", (error) => assert.fail(error));
socket.on("close", () => assert(events.length >= Number(count), "it was closed"));
socket.on("message", (text) => {
  const event = JSON.parse(text);
  events.push(event);
  books.forEach((book) => book.take(event));
});
while (events.length < 1) await setTimeout(1);
while (books.length < BOOKS || events.length < Number(count)) {
  if (books.length < BOOKS) {
    const fetched = await (await fetch(`http://${host}/api/v3/depth?symbol=${symbol}&limit=5000`)).json();
    // One that is older than the first event could not go on.
    if (fetched.lastUpdateId + 1 >= events[0].U) {
      const book = new LocalBook(fetched);
      events.forEach((event) => book.take(event));
      books.push(book);
    }
  }
  await setTimeout(APART_MS);
}
socket.terminate();
console.log("done");
