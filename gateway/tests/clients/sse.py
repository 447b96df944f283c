"""Follows a stream with httpx-sse, goes away in the middle of it, and comes back with the last id: nothing is lost. Takes the
gateway's URL."""

import sys

import httpx
from book import Book
from httpx_sse import connect_sse

URL = sys.argv[1]
SYMBOL, DEPTH, CONNECTIONS, UPDATES = "BTC/USDT", 10, 4, 60

instruments = httpx.get(f"{URL}/v1/instruments").json()["instruments"]
book = Book(next(one for one in instruments if one["symbol"] == SYMBOL), DEPTH)
recovered, last_id = [], ""
for _ in range(CONNECTIONS):
    goal = book.updates + UPDATES
    headers = {"Last-Event-ID": last_id} if last_id else {}
    params = {"channel": "book", "symbol": SYMBOL, "depth": DEPTH}
    with httpx.Client() as client, connect_sse(client, "GET", f"{URL}/sse", params=params, headers=headers) as stream:
        for event in stream.iter_sse():
            last_id = event.id or last_id
            message = event.json()
            if message.get("method") == "subscribe":
                result = message["result"]
                recovered.append(result["recovered"])
                if result["recovered"]:
                    book.last = max(book.last, result["seq"])
            elif message["channel"] == "book":
                book.apply(message["type"], message["data"][0])
            if book.updates >= goal:
                break
assert recovered == [False] + [True] * (CONNECTIONS - 1), recovered
assert book.snapshots == ["subscribe"], book.snapshots
print("done")
