// A server with ws, as its examples broadcast: a set of clients for each topic, and a send for each client and message. It
// answers the native protocol's subscribe and ping.

import { WebSocketServer, WebSocket } from "ws";
import { Template, now, readOffer, startFeed } from "./feed.js";

const offer = readOffer();
const update = new Template(offer.update);
const snapshot = new Template(offer.snapshot);
const topics = new Map(offer.symbols.map((symbol) => [symbol, { clients: new Set(), seq: offer.first }]));

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, path: "/feed", backlog: 4096, perMessageDeflate: false });
server.on("listening", () => console.error(`serving 127.0.0.1:${server.address().port}`));
server.on("connection", (client) => {
  client.on("message", (text) => answer(client, text));
  client.on("close", () => topics.forEach((topic) => topic.clients.delete(client)));
  client.on("error", () => client.terminate());
});

function answer(client, text) {
  const timeIn = now();
  const { method, params } = JSON.parse(text);
  if (method === "ping") {
    client.send(JSON.stringify({ method: "pong", time_in: rfc3339(timeIn), time_out: rfc3339(now()) }));
  } else if (method === "subscribe") {
    for (const symbol of [].concat(params.symbol)) subscribe(client, symbol, params.channel);
  } else {
    client.send(JSON.stringify({ method, success: false, error: "this server only knows subscribe and ping", code: "bad_method" }));
  }
}

function subscribe(client, symbol, channel) {
  const topic = topics.get(symbol);
  if (!topic) {
    const error = "there is no such symbol in this feed";
    client.send(JSON.stringify({ method: "subscribe", success: false, error, code: "bad_symbol", symbol }));
    return;
  }
  client.send(JSON.stringify({ method: "subscribe", success: true, result: { channel, symbol, seq: topic.seq } }));
  client.send(snapshot.fill(symbol, topic.seq, now()));
  topic.clients.add(client);
}

function rfc3339(nanos) {
  const fraction = String(nanos % 1_000_000_000n).padStart(9, "0");
  return new Date(Number(nanos / 1_000_000n)).toISOString().replace(/\.\d+Z$/, `.${fraction}Z`);
}

startFeed(offer, (symbol, seq, due) => {
  const topic = topics.get(symbol);
  topic.seq = seq;
  if (topic.clients.size === 0) return;
  const text = Buffer.from(update.fill(symbol, seq, due));
  for (const client of topic.clients) {
    if (client.readyState === WebSocket.OPEN) client.send(text, { binary: false });
  }
});
