// Keeps a book by Kraken's guide: numbers are kept as the text that came, and each message is proved by its checksum; logs some books
// as lines of JSON. The page's query names the gateway and how many updates to follow.
const query = new URLSearchParams(location.search);
const [host, count] = [query.get("gateway"), Number(query.get("events"))];
const [SYMBOL, DEPTH, CHECKSUM_DEPTH, TOLD] = ["BTC/USDT", 100, 10, 10];

const check = (right, what) => {
  if (!right) throw new Error(what);
};

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
  return byte;
});

function crc32(text) {
  let crc = ~0;
  for (const char of text) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ char.charCodeAt(0)) & 0xff];
  return ~crc >>> 0;
}

const asTexts = (_, value, { source }) => (typeof value === "number" ? source : value);
const digits = (text) => text.replace(".", "").replace(/^0+/, "");

const sides = { bids: new Map(), asks: new Map() };
const best = { bids: () => [...sides.bids].sort(([a], [b]) => b - a), asks: () => [...sides.asks].sort(([a], [b]) => a - b) };
let taken = -1;

function take(snapshot, { checksum, timestamp, ...changes }) {
  check(snapshot === (taken === -1), "one snapshot, before all else");
  for (const [name, levels] of Object.entries(sides)) {
    for (const { price, qty } of changes[name]) {
      if (Number(qty) === 0) levels.delete(price);
      else levels.set(price, qty);
    }
    for (const [price] of best[name]().slice(DEPTH)) levels.delete(price);
  }
  const [bids, asks] = [best.bids(), best.asks()];
  const proved = [...asks.slice(0, CHECKSUM_DEPTH), ...bids.slice(0, CHECKSUM_DEPTH)].flat().map(digits).join("");
  check(crc32(proved) === Number(checksum), `the book at ${timestamp}`);
  if (++taken % TOLD === 0) console.log(JSON.stringify({ at: timestamp, depth: DEPTH, bids, asks }));
  if (taken === count) console.log("done");
}

const socket = new WebSocket(`ws://${host}/v2`);
socket.onclose = ({ code }) => check(false, `it was closed with ${code}`);
socket.onmessage = ({ data }) => {
  const message = JSON.parse(data, asTexts);
  if (message.channel === "book") take(message.type === "snapshot", message.data[0]);
};
socket.onopen = () =>
  socket.send(JSON.stringify({ method: "subscribe", params: { channel: "book", symbol: [SYMBOL], depth: DEPTH } }));
