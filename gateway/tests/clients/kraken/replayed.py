"""Follows a recording to its end, at several depths with each message proved by its checksum, and by ccxt. Takes the gateway's host and
port, a symbol, and of how many books one is to be told; prints those and the last one, a line of JSON each, for whoever knows better."""

import asyncio
import json
import pathlib
import sys

import ccxt.pro
import websockets
from proved import Book

sys.path.append(str(pathlib.Path(__file__).parent.parent))
import replay

HOST, SYMBOL, TOLD = sys.argv[1], sys.argv[2], int(sys.argv[3])


def tell(at, depth, bids, asks, **more):
    print(json.dumps({"at": at, "depth": depth, "bids": bids, "asks": asks, **more}), flush=True)


def is_final(best, final):
    """Whether the best of each side are those of an answer of REST."""
    (book,) = final["result"].values()
    wanted = [[(float(price), float(qty)) for price, qty, _ in book[side]] for side in ("bids", "asks")]
    return [[(float(price), float(qty)) for price, qty in side[:10]] for side in best] == wanted


async def proved(depth, end):
    book, last, taken = Book(depth), None, 0

    def tell_book():
        bids, asks = (side[:depth] for side in book.sides())
        tell(last["timestamp"], depth, bids, asks, checksum=int(last["checksum"]))

    def take(text):
        nonlocal last, taken
        message = json.loads(text, parse_float=str, parse_int=str)
        if message.get("channel") != "book":
            return
        last = message["data"][0]
        book.take(message["type"], last)
        taken += 1
        if taken % TOLD == 1:
            tell_book()

    async with websockets.connect(f"ws://{HOST}/v2") as socket:
        params = {"channel": "book", "symbol": [SYMBOL], "depth": depth}
        await socket.send(json.dumps({"method": "subscribe", "params": params}))
        await replay.follow(socket.recv, take, lambda final: is_final(book.sides(), final), end)
        tell_book()


async def by_ccxt(end):
    kraken = ccxt.pro.kraken({"enableRateLimit": False})
    kraken.urls["api"]["public"] = f"http://{HOST}"
    kraken.urls["api"]["ws"]["publicV2"] = f"ws://{HOST}/v2"
    sides, taken = [[], []], 0

    def take(book):
        nonlocal sides, taken
        sides = [[level[:2] for level in book[side]] for side in ("bids", "asks")]
        taken += 1
        if book["timestamp"] and taken % TOLD == 1:
            tell(book["datetime"], 25, *sides)

    try:
        await kraken.load_markets()
        await replay.follow(
            lambda: kraken.watch_order_book(SYMBOL, 25), take, lambda final: is_final(sides, final), end
        )
    finally:
        await kraken.close()


async def main():
    end = asyncio.create_task(replay.at_the_end(HOST, f"/0/public/Depth?pair={SYMBOL}&count=10"))
    await asyncio.gather(by_ccxt(end), *(proved(depth, end) for depth in (10, 100, 1000)))


asyncio.run(main())
print("done")
