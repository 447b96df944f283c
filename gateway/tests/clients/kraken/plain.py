"""Keeps a book at several depths with nothing but a WebSocket and Kraken's guide: numbers are kept as the text that came, and each
message is proved by its checksum. Takes the gateway's host and port; prints each book, a line of JSON, for whoever knows better."""

import asyncio
import json
import sys

import websockets
from proved import Book

HOST, SYMBOL, UPDATES = sys.argv[1], "BTC/USDT", 300


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
