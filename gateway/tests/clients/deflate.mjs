// Follows a book over a compressed WebSocket connection of the ws package. Takes the gateway's URL.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { Book } from "./book.mjs";

const WebSocket = createRequire(new URL("node/", import.meta.url))("ws");
const [url] = process.argv.slice(2);
const SYMBOL = "BTC/USDT";
const DEPTH = 100;
const UPDATES = 30;

const { instruments } = await (await fetch(`${url}/v1/instruments`)).json();
const book = new Book(instruments.find(({ symbol }) => symbol === SYMBOL), DEPTH);
// What it sends is compressed however short it is.
const ws = new WebSocket(`${url.replace("http", "ws")}/feed`, { perMessageDeflate: { threshold: 0 } });
const failed = (error) => {
  console.error(error);
  process.exit(1);
};
ws.on("error", failed);
ws.on("open", () => {
  assert.match(ws.extensions, /permessage-deflate/);
  const params = { channel: "book", symbol: SYMBOL, depth: DEPTH, interval_ms: 100 };
  ws.send(JSON.stringify({ method: "subscribe", params }));
});
ws.on("message", (text) => {
  const { channel, type, data, success } = JSON.parse(text);
  try {
    assert.notEqual(success, false);
    if (channel === "book") book.apply(type, data[0]);
  } catch (error) {
    failed(error);
  }
  if (book.updates >= UPDATES) {
    assert.deepEqual(book.snapshots, ["subscribe"]);
    console.log("done");
    process.exit(0);
  }
});
