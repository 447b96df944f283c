// Keeps a book by the procedure of Binance's guide, and trades and tops beside it; logs each as a line of JSON. The page's query names
// the gateway and how many events to follow.
const query = new URLSearchParams(location.search);
const [host, count] = [query.get("gateway"), Number(query.get("events"))];
const tell = (what) => console.log(JSON.stringify(what));

const check = (right, what) => {
  if (!right) throw new Error(what);
};

const take = {
  trade: ({ t, p, q, m }) => tell({ trade: t, price: p, qty: q, side: m ? "sell" : "buy" }),
  bookTicker: ({ u, b, B, a, A }) => tell({ id: u, bids: [[b, B]], asks: [[a, A]], depth: 1 }),
  "depth@100ms": (event) => (book ? follow(event) : waiting.push(event)),
};

// Events that came before the book.
const waiting = [];
let book;
let taken = 0;

function follow({ U, u, ...sides }) {
  if (u <= book.last) return check(taken === 0, "an old event after a new one");
  check(taken ? U === book.last + 1 : U <= book.last + 1, `a gap: ${book.last} before ${U}`);
  book.last = u;
  for (const [name, levels] of Object.entries(book.sides)) {
    for (const [price, qty] of sides[name]) {
      if (qty === "0.00000000") levels.delete(price);
      else levels.set(price, qty);
    }
  }
  tellBook();
  if (++taken === count) console.log("done");
}

const tellBook = () => tell({ id: book.last, bids: [...book.sides.b], asks: [...book.sides.a] });

const socket = new WebSocket(`ws://${host}/stream?streams=btcusdt@depth@100ms/btcusdt@trade/btcusdt@bookTicker`);
socket.onclose = ({ code }) => check(false, `it was closed with ${code}`);
socket.onmessage = ({ data }) => {
  const { stream, data: event } = JSON.parse(data);
  take[stream.slice(stream.indexOf("@") + 1)](event);
};
await new Promise((resolve) => (socket.onopen = resolve));
const { lastUpdateId, bids, asks } = await (await fetch(`http://${host}/api/v3/depth?symbol=BTCUSDT&limit=5000`)).json();
book = { last: lastUpdateId, sides: { b: new Map(bids), a: new Map(asks) } };
tellBook();
waiting.forEach(follow);
