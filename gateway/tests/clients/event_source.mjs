// Follows a stream with an EventSource, that of the npm package or a browser's own, through a forwarder that cuts the
// connection again and again: it comes back by itself, and nothing is lost. Takes the gateway's URL, and `package` or `browser`.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import net from "node:net";
import { Book } from "./book.mjs";

const require = createRequire(new URL("node/", import.meta.url));
const [url, kind] = process.argv.slice(2);
const [SYMBOL, DEPTH, CUTS, UPDATES] = ["BTC/USDT", 10, 2, 60];
const QUERY = `channel=book,trade&symbol=${SYMBOL}&depth=${DEPTH}`;

setTimeout(() => {
  console.error("it takes too long", { last: book.last, updates: book.updates, connections });
  process.exit(1);
}, 60_000).unref();

let connections = 0;
const cut = [];
const forwarder = net.createServer((near) => {
  const far = net.connect(new URL(url).port, new URL(url).hostname);
  near.pipe(far).pipe(near);
  for (const [socket, other] of [[near, far], [far, near]]) socket.on("error", () => {}).on("close", () => other.destroy());
  near.on("data", (head) => {
    if (!String(head).startsWith("GET /sse")) return;
    connections++;
    cut.push(() => near.resetAndDestroy());
  });
});
await new Promise((resolve) => forwarder.listen(0, "127.0.0.1", resolve));
const here = `http://127.0.0.1:${forwarder.address().port}`;

const { instruments } = await (await fetch(`${url}/v1/instruments`)).json();
const book = new Book(instruments.find(({ symbol }) => symbol === SYMBOL), DEPTH);
const trades = { seqs: [], first: undefined, last: 0 };
const recovered = [];

function take({ method, success, result, channel, type, first_seq, seq, data }) {
  if (method === "subscribe") {
    assert(success);
    recovered.push(result.recovered);
    // The id says through where we have everything, which may be beyond the last message.
    if (result.recovered && result.channel === "book") book.last = Math.max(book.last, result.seq);
    if (result.channel === "trade") {
      trades.first ??= result.seq + 1;
      trades.last = Math.max(trades.last, result.seq);
    }
  } else if (channel === "book") {
    book.apply(type, data[0]);
  } else if (channel === "trade" && seq > trades.last) {
    assert(first_seq <= trades.last + 1, `a gap: trades from ${first_seq} after ${trades.last}`);
    trades.seqs.push(...data.map((trade) => trade.seq).filter((one) => one > trades.last));
    trades.last = seq;
  }
  assert.notEqual(channel, "gap");
}

let goal = UPDATES;
const done = new Promise((resolve, reject) => {
  globalThis.heard = (text) => {
    try {
      take(JSON.parse(text));
    } catch (error) {
      reject(error);
    }
    if (book.updates < goal) return;
    goal += UPDATES;
    // In the middle of whatever is on its way.
    if (cut.length <= CUTS) cut.at(-1)();
    else resolve();
  };
});

let stop;
if (kind === "browser") {
  const { chromium } = require("playwright-core");
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
  const page = await browser.newPage();
  await page.exposeFunction("heard", globalThis.heard);
  await page.goto(`${here}/healthz`);
  await page.evaluate((path) => {
    new EventSource(path).onmessage = ({ data }) => window.heard(data);
  }, `/sse?${QUERY}`);
  stop = () => browser.close();
} else {
  const { EventSource } = require("eventsource");
  const source = new EventSource(`${here}/sse?${QUERY}`);
  source.onmessage = ({ data }) => globalThis.heard(data);
  stop = () => source.close();
}
await done;
await stop();
forwarder.close();

assert.equal(connections, CUTS + 1);
assert.deepEqual(recovered, [false, false, ...Array(2 * CUTS).fill(true)], "two channels a connection");
assert.deepEqual(book.snapshots, ["subscribe"]);
const range = `from_seq=${trades.first}&to_seq=${trades.last}`;
const { trades: wanted } = await (await fetch(`${url}/v1/trades?symbol=${SYMBOL}&${range}`)).json();
assert(wanted.length > 0);
assert.deepEqual(trades.seqs, wanted.map(({ seq }) => seq), "each trade once");
console.log("done");
process.exit(0);
