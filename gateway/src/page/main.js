// The page: it puts the market, the ladder, the trades and the latency together.

import { Ladder } from "./ladder.js";
import { showLatency } from "./latency.js";
import { DEPTH, Market } from "./market.js";
import { showTrades } from "./tape.js";

const SECOND = 1000;
const at = (id) => document.getElementById(id);
const picker = at("symbol");
const ladder = new Ladder(at("ladder"), DEPTH);
const market = new Market(feedUrl(), { changed: show, connection: showConnection, refused });

function feedUrl() {
  const url = new URL("feed", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.hash = "";
  return url.href;
}

let isDrawing = false;

/** Draws once a frame, however much has changed. */
function show() {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(draw);
}

function draw() {
  isDrawing = false;
  const { book, trades, checksum, checked } = market;
  ladder.show(book);
  showTrades(at("trades").tBodies[0], trades);
  at("checksum").dataset.state = checksum;
  at("checksum").textContent = checksum;
  at("checked").textContent = checked.toLocaleString("en");
  at("seq").textContent = book.position.last?.toLocaleString("en") ?? "–";
  at("epoch").textContent = book.position.epoch ?? "–";
}

function showConnection(state, detail = "") {
  at("connection").dataset.state = state;
  at("connection").textContent = detail ? `${state}, ${detail}` : state;
}

function refused(code, text) {
  showConnection("refused", text);
  if (code === "bad_symbol") loadInstruments();
}

async function fetchJson(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(2 * SECOND) });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

/** Fills the symbol picker, and turns to the symbol that the address names, else to the first. */
async function loadInstruments() {
  let instruments;
  try {
    ({ instruments } = await fetchJson("v1/instruments"));
  } catch {
    setTimeout(loadInstruments, 2 * SECOND);
    return;
  }
  const symbols = instruments.map(({ symbol }) => symbol);
  picker.replaceChildren(...symbols.map((symbol) => new Option(symbol)));
  picker.disabled = false;
  const named = decodeURIComponent(location.hash.slice(1));
  choose(symbols.includes(named) ? named : symbols[0]);
}

function choose(symbol) {
  picker.value = symbol;
  document.title = `${symbol} – depthcast`;
  market.choose(symbol);
}

picker.addEventListener("change", () => {
  history.replaceState(null, "", `#${picker.value}`);
  choose(picker.value);
});

let messagesBefore = 0;

async function eachSecond() {
  at("rate").textContent = (market.messages - messagesBefore).toLocaleString("en");
  messagesBefore = market.messages;
  if (document.hidden) return;
  try {
    showLatency(at("latency").tBodies[0], (await fetchJson("v1/latency")).stages);
  } catch {
    showLatency(at("latency").tBodies[0], []);
  }
}

setInterval(eachSecond, SECOND);
loadInstruments();
