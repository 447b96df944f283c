// A client of socket.io's own library: keeps two books by the rule for clients, proves them by their checksums, goes away and
// comes back where it was. Takes the gateway's URL, and the transports that the library may use.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { Book } from "../clients/book.mjs";

const { io } = createRequire(new URL("../clients/node/", import.meta.url))("socket.io-client");
const [url, ...transports] = process.argv.slice(2);
const DEPTH = 10;
const SYMBOLS = ["BTC/USDT", "ETH/USDT"];

const { instruments } = await (await fetch(`${url}/v1/instruments`)).json();
const books = new Map(instruments.map((instrument) => [instrument.symbol, new Book(instrument, DEPTH)]));

async function connected() {
  const socket = io(url, { transports, forceNew: true, reconnection: false });
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("connect_error", reject));
  return socket;
}

// All arguments of the acknowledgement: one for each symbol.
const ask = (socket, method, params) =>
  new Promise((resolve) => socket.emit(method, params, (...answers) => resolve(answers)));

// Follows the books until each has so many updates more. The token is that of the last batch.
function follow(socket, updates) {
  const goals = new Map(SYMBOLS.map((symbol) => [symbol, books.get(symbol).updates + updates]));
  return new Promise((resolve, reject) => {
    socket.on("disconnect", (reason) => reject(new Error(`disconnected: ${reason}`)));
    socket.on("market", ({ channel, type, data }) => {
      if (channel === "book") books.get(data[0].symbol).apply(type, data[0]);
    });
    socket.on("cursor", (token) => {
      if (SYMBOLS.every((symbol) => books.get(symbol).updates >= goals.get(symbol))) {
        socket.off("disconnect").off("market").off("cursor");
        resolve(token);
      }
    });
  });
}

// The token says through where we have everything, which may be beyond the last message.
function resumeAt(token) {
  for (const [, symbol, seq] of token.matchAll(/([A-Z0-9./_-]+)@\d+=(\d+)/g)) books.get(symbol).last = Number(seq);
}

setTimeout(() => {
  console.error("it takes too long", [...books.values()].map(({ last, updates }) => ({ last, updates })));
  process.exit(1);
}, 25_000).unref();
process.on("exit", (code) => code === 13 && console.error("nothing more comes"));

let socket = await connected();
let followed = follow(socket, 50);
let answers = await ask(socket, "subscribe", { channel: "book", symbol: SYMBOLS, depth: DEPTH });
assert.deepEqual(answers.map(({ success, result }) => [success, result.symbol]), SYMBOLS.map((symbol) => [true, symbol]));
const [refused] = await ask(socket, "subscribe", { channel: "book", symbol: SYMBOLS[0], depth: 7 });
assert.equal(refused.code, "bad_depth");
let token = await followed;
if (transports.length > 1) assert.equal(socket.io.engine.transport.name, "websocket", "it was upgraded");
socket.disconnect();

resumeAt(token);
socket = await connected();
followed = follow(socket, 50);
answers = await ask(socket, "subscribe", { channel: "book", symbol: SYMBOLS, depth: DEPTH, since: token });
assert(answers.every(({ result }) => result.recovered), JSON.stringify(answers));
await followed;
for (const symbol of SYMBOLS) assert.deepEqual(books.get(symbol).snapshots, ["subscribe"], "that of the first connection");

const [gone] = await ask(socket, "unsubscribe", { channel: "book", symbol: SYMBOLS[0] });
assert(gone.success);
const heard = new Set();
await new Promise((resolve) => {
  socket.on("market", ({ channel, data }) => {
    if (channel !== "book") return;
    heard.add(data[0].symbol);
    if (books.get(SYMBOLS[1]).updates++ > 150) resolve();
  });
});
assert.deepEqual([...heard], [SYMBOLS[1]], "nothing follows the answer");
socket.off("market");

// Binary is refused, and the client is told so.
const ended = new Promise((resolve) => socket.once("disconnect", resolve));
const status = new Promise((resolve) => {
  socket.on("market", ({ channel, data }) => channel === "status" && resolve(data[0]));
});
socket.emit("subscribe", Buffer.from([1, 2, 3]));
assert.equal((await status).code, 1003);
await ended;
console.log("done");
