"""Keeps books by the procedure of Binance's guide, with nothing but a WebSocket, and prints each as a line of JSON after each event.
Takes the gateway's host and port, a stream, how many events, and whether the first one has to begin exactly where the book that
was fetched ends, which some clients demand."""

import asyncio
import json
import sys
import urllib.request

import websockets

HOST, STREAM, EVENTS, EXACTLY = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:] == ["exactly"]
SYMBOL = STREAM.split("@")[0].upper()
# Books that are fetched at so many moments, so far apart: at some of them an event is under way.
BOOKS, APART_S = 8, 0.37


def fetch():
    with urllib.request.urlopen(f"http://{HOST}/api/v3/depth?symbol={SYMBOL}&limit=5000") as answer:
        return json.load(answer)


class LocalBook:
    def __init__(self, fetched):
        self.sides = {"b": dict(fetched["bids"]), "a": dict(fetched["asks"])}
        self.last, self.begun = fetched["lastUpdateId"], False
        self.tell()

    def take(self, event):
        if event["u"] <= self.last:
            assert not self.begun, f"an old event after a new one: {event}"
            return
        exactly = EXACTLY or self.begun
        follows = event["U"] == self.last + 1 if exactly else event["U"] <= self.last + 1
        assert follows, f"{self.last} before {event}"
        self.begun, self.last = True, event["u"]
        for name, levels in self.sides.items():
            for price, qty in event[name]:
                assert len(price.split(".")[1]) == len(qty.split(".")[1]) == 8, (price, qty)
                levels[price] = qty
                if qty == "0.00000000":
                    del levels[price]
        self.tell()

    def tell(self):
        bids, asks = (list(self.sides[name].items()) for name in "ba")
        print(json.dumps({"id": self.last, "bids": bids, "asks": asks}), flush=True)


async def begin_books(events, books):
    while len(books) < BOOKS:
        fetched = await asyncio.to_thread(fetch)
        # One that is older than the first event could not go on.
        if fetched["lastUpdateId"] + 1 >= events[0]["U"]:
            book = LocalBook(fetched)
            for event in events:
                book.take(event)
            books.append(book)
        await asyncio.sleep(APART_S)


async def main():
    async with websockets.connect(f"ws://{HOST}/ws/{STREAM}") as socket:
        events, books = [json.loads(await socket.recv())], []
        beginning = asyncio.create_task(begin_books(events, books))
        while len(events) < EVENTS or len(books) < BOOKS:
            event = json.loads(await socket.recv())
            events.append(event)
            for book in books:
                book.take(event)
            # What went wrong there is told here.
            if beginning.done():
                beginning.result()


asyncio.run(main())
print("done")
