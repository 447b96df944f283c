// The newest trades, coloured by the aggressor, who is named as well.

/** As many as the ladder has with both sides and the spread. */
const ROWS = 21;

export function showTrades(body, trades) {
  body.replaceChildren(...trades.slice(0, ROWS).map((trade) => (trade.gap ? gapRow(trade.gap) : tradeRow(trade))));
}

function tradeRow({ timestamp, side, price, qty }) {
  const row = document.createElement("tr");
  row.className = side;
  // HH:MM:SS.mmm of an RFC 3339 time.
  for (const text of [timestamp.slice(11, 23), side, price, qty]) row.insertCell().textContent = text;
  return row;
}

function gapRow(range) {
  const row = document.createElement("tr");
  row.className = "gap";
  const cell = row.insertCell();
  cell.colSpan = 4;
  cell.textContent = `trades in seq ${range} were not received`;
  return row;
}
