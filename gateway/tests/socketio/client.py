"""A client of python-socketio: keeps two books by the rule for clients, proves them by their checksums, goes away and comes back
where it was. Takes the gateway's URL, and the transports that the library may use."""

import json
import re
import sys
import threading
import urllib.request
from pathlib import Path

import socketio

sys.path.append(str(Path(__file__).parent.parent / "clients"))
from book import Book  # noqa: E402

URL, *TRANSPORTS = sys.argv[1:]
DEPTH = 10
SYMBOLS = ["BTC/USDT", "ETH/USDT"]
PATIENCE = 20


class Client:
    """One connection. What goes wrong in a handler is told where it is waited for."""

    def __init__(self, books):
        self.books, self.error, self.token, self.goal = books, None, None, 0
        self.status, self.reached, self.ended = None, threading.Event(), threading.Event()
        self.socket = socketio.Client(reconnection=False)
        self.socket.on("market", self.market)
        self.socket.on("cursor", self.cursor)
        self.socket.on("disconnect", self.ended.set)
        self.socket.connect(URL, transports=TRANSPORTS)

    def market(self, message):
        if message.get("channel") == "status":
            self.status = message["data"][0]
        if message.get("channel") != "book" or self.error:
            return
        try:
            data = message["data"][0]
            self.books[data["symbol"]].apply(message["type"], data)
        except AssertionError as error:
            self.error = error
            self.reached.set()

    def cursor(self, token):
        self.token = token
        if all(book.updates >= self.goal for book in self.books.values()):
            self.reached.set()

    def ask(self, method, params):
        answers = self.socket.call(method, params, timeout=PATIENCE)
        # Several arguments of an acknowledgement come as a tuple.
        return list(answers) if isinstance(answers, tuple) else [answers]

    def follow(self, updates):
        self.goal = updates
        self.reached.clear()
        assert self.reached.wait(PATIENCE), "no updates came"
        assert self.error is None, self.error


with urllib.request.urlopen(f"{URL}/v1/instruments") as reply:
    instruments = {each["symbol"]: each for each in json.load(reply)["instruments"]}
books = {symbol: Book(instruments[symbol], DEPTH) for symbol in SYMBOLS}

client = Client(books)
answers = client.ask("subscribe", {"channel": "book", "symbol": SYMBOLS, "depth": DEPTH})
assert [answer["result"]["symbol"] for answer in answers] == SYMBOLS, answers
[refused] = client.ask("subscribe", {"channel": "book", "symbol": SYMBOLS[0], "depth": 7})
assert refused["code"] == "bad_depth", refused
client.follow(50)
client.socket.disconnect()
client.ended.wait(PATIENCE)
token = client.token
# It says through where we have everything, which may be beyond the last message.
for symbol, seq in re.findall(r"([A-Z0-9./_-]+)@\d+=(\d+)", token):
    books[symbol].last = int(seq)

client = Client(books)
answers = client.ask("subscribe", {"channel": "book", "symbol": SYMBOLS, "depth": DEPTH, "since": token})
assert all(answer["result"]["recovered"] for answer in answers), answers
client.follow(100)
for book in books.values():
    assert book.snapshots == ["subscribe"], "that of the first connection"

[gone] = client.ask("unsubscribe", {"channel": "book", "symbol": SYMBOLS})[:1]
assert gone["success"], gone

# Binary is refused, and the client is told so.
client.socket.emit("subscribe", b"\x01\x02\x03")
assert client.ended.wait(PATIENCE), "the gateway closes"
assert client.status and client.status["code"] == 1003, client.status
print("done")
