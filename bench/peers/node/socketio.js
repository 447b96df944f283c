// A server with Socket.IO: a room for each topic, and an emit to the room for each message. Events carry objects, as is usual
// with it; numbers beyond 2^53 (the stamps) lose their last digits thereby, a fraction of a microsecond.

import { createServer } from "node:http";
import { Server } from "socket.io";
import { Template, now, readOffer, startFeed } from "./feed.js";

const offer = readOffer();
const fill = (text) => {
  const template = new Template(text);
  return (...values) => JSON.parse(template.fill(...values));
};
const update = fill(offer.update);
const snapshot = fill(offer.snapshot);
const seqs = new Map(offer.symbols.map((symbol) => [symbol, offer.first]));

const http = createServer();
// Compression is off by default; long polling is not what is compared.
const io = new Server(http, { transports: ["websocket"], serveClient: false });
io.on("connection", (socket) => {
  socket.on("subscribe", ({ symbol: symbols }) => {
    socket.join(symbols);
    for (const symbol of symbols) {
      socket.emit("market", { method: "subscribe", success: true, result: { symbol } });
      socket.emit("market", snapshot(symbol, seqs.get(symbol), now()));
    }
  });
});
http.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
  console.error(`serving 127.0.0.1:${http.address().port}`);
});

startFeed(offer, (symbol, seq, due) => {
  seqs.set(symbol, seq);
  io.to(symbol).emit("market", update(symbol, seq, due));
});
