"""Keeps a book at several depths with nothing but a WebSocket and Kraken's guide: numbers are kept as the text that came, and each
message is proved by its checksum. Takes the gateway's host and port; prints each book, a line of JSON, for whoever knows better."""

import asyncio
import json
import sys
import zlib
from decimal import Decimal

import websockets

HOST, SYMBOL, UPDATES = sys.argv[1], "BTC/USDT", 300


class Book:
    def __init__(self, depth):
        self.depth, self.updates, self.bids, self.asks = depth, 0, {}, {}

    def take(self, kind, data):
        if kind == "snapshot":
            assert not self.updates, "nobody was slow"
            self.bids, self.asks = {}, {}
        self.updates += kind == "update"
        for levels, changes in ((self.bids, data["bids"]), (self.asks, data["asks"])):
            for level in changes:
                if Decimal(level["qty"]) == 0:
                    assert kind == "update" and level["price"] in levels, f"no such level: {level}"
                    del levels[level["price"]]
                else:
                    levels[level["price"]] = level["qty"]
        bids, asks = self.sides()
        for levels, best in ((self.bids, bids), (self.asks, asks)):
            for price, _ in best[self.depth :]:
                del levels[price]
        digits = "".join(text.replace(".", "").lstrip("0") for level in asks[:10] + bids[:10] for text in level)
        assert zlib.crc32(digits.encode()) == int(data["checksum"]), f"the book at {data['timestamp']}"

    def sides(self):
        def price(level):
            return Decimal(level[0])

        return sorted(self.bids.items(), key=price, reverse=True), sorted(self.asks.items(), key=price)


async def follow(depth):
    book = Book(depth)
    async with websockets.connect(f"ws://{HOST}/v2") as socket:
        params = {"channel": "book", "symbol": [SYMBOL], "depth": depth}
        await socket.send(json.dumps({"method": "subscribe", "params": params, "req_id": depth}))
        while book.updates < UPDATES:
            message = json.loads(await socket.recv(), parse_float=str, parse_int=str)
            if message.get("channel") == "book":
                data = message["data"][0]
                book.take(message["type"], data)
                if book.updates in (0, 1, UPDATES // 2, UPDATES):
                    bids, asks = (side[:depth] for side in book.sides())
                    print(json.dumps({"at": data["timestamp"], "depth": depth, "bids": bids, "asks": asks}))


async def main():
    await asyncio.gather(*(follow(depth) for depth in (10, 25, 100, 1000)))


asyncio.run(main())
print("done")
