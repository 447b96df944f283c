// ccxt for JavaScript, pointed at the gateway whose host and port it gets: books by its own checks, trades, tops, each printed as a
// line of JSON for whoever knows better.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const ccxt = createRequire(new URL("../node/", import.meta.url))("ccxt");
const [host] = process.argv.slice(2);
const SYMBOL = "BTC/USDT";
const tell = (what) => console.log(JSON.stringify(what));
const levels = (side) => side.map(([price, qty]) => [price, qty]);
const tellTrade = ({ id, price, amount, side }) => tell({ trade: Number(id), price, qty: amount, side });

const exchange = new ccxt.pro.binance({ newUpdates: true, options: { fetchMarkets: { types: ["spot"] } } });
exchange.urls.api.public = `http://${host}/api/v3`;
exchange.urls.api.ws.spot = `ws://${host}/ws`;
// It asks for this where a socket is not encrypted.
await exchange.loadHttpProxyAgent();
assert.equal(exchange.handleOption("watchOrderBook", "checksum", true), true);

async function books() {
  for (let i = 0; i < 40; i++) {
    const { nonce, bids, asks } = await exchange.watchOrderBook(SYMBOL);
    tell({ id: nonce, bids: levels(bids), asks: levels(asks) });
  }
}

async function trades() {
  for (let i = 0; i < 20; i++) (await exchange.watchTrades(SYMBOL)).forEach(tellTrade);
}

async function tops() {
  for (let i = 0; i < 20; i++) {
    const { bid, bidVolume, ask, askVolume, info } = (await exchange.watchBidsAsks([SYMBOL]))[SYMBOL];
    tell({ id: Number(info.u), bids: [[bid, bidVolume]], asks: [[ask, askVolume]], depth: 1 });
  }
}

await exchange.loadMarkets();
const { nonce, bids, asks } = await exchange.fetchOrderBook(SYMBOL);
tell({ id: nonce, bids, asks });
(await exchange.fetchTrades(SYMBOL, undefined, 20)).forEach(tellTrade);
await Promise.all([books(), trades(), tops()]);
await exchange.close();
console.log("done");
