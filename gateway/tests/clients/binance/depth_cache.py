"""python-binance, pointed at the gateway whose host and port it gets: its depth caches, a trade socket and a combined one, each thing
printed as a line of JSON for whoever knows better."""

import asyncio
import json
import sys

from binance import AsyncClient, BinanceSocketManager
from binance.ws.depthcache import DepthCacheManager

HOST, SYMBOL = sys.argv[1], "BTCUSDT"
AsyncClient.API_URL = f"http://{HOST}/api"
BinanceSocketManager.STREAM_URL = f"ws://{HOST}/"


def tell(**what):
    print(json.dumps(what), flush=True)


def tell_trade(event):
    tell(trade=event["t"], price=event["p"], qty=event["q"], side="sell" if event["m"] else "buy")


async def cache(client, interval, books):
    async with DepthCacheManager(client, SYMBOL, ws_interval=interval, limit=5000) as manager:
        begun = []
        for number in range(books):
            book = await manager.recv()
            if book not in begun:
                begun.append(book)
            # Where its first event overlaps the book that it fetched, it fetches another one, which may be newer than the event.
            if number >= 2:
                tell(id=manager._last_update_id, bids=book.get_bids(), asks=book.get_asks())
        # Where something is missing it begins anew by itself.
        assert len(begun) <= 2, f"{len(begun) - 1} times it began anew"


async def sockets(client):
    manager = BinanceSocketManager(client)
    async with manager.trade_socket(SYMBOL) as socket:
        for _ in range(20):
            tell_trade(await socket.recv())
    async with manager.multiplex_socket(["btcusdt@trade", "btcusdt@bookTicker"]) as socket:
        for _ in range(100):
            message = await socket.recv()
            event = message["data"]
            if message["stream"] == "btcusdt@trade":
                tell_trade(event)
            else:
                tell(id=event["u"], bids=[[event["b"], event["B"]]], asks=[[event["a"], event["A"]]], depth=1)


async def main():
    client = await AsyncClient.create()
    try:
        info = await client.get_symbol_info(SYMBOL)
        assert info["status"] == "TRADING" and info["filters"][0]["filterType"] == "PRICE_FILTER", info
        book = await client.get_order_book(symbol=SYMBOL, limit=5000)
        tell(id=book["lastUpdateId"], bids=book["bids"], asks=book["asks"])
        await asyncio.gather(cache(client, 100, 40), cache(client, None, 7), sockets(client))
    finally:
        await client.close_connection()


asyncio.run(main())
print("done")
