"""ccxt for Python, pointed at the gateway whose host and port it gets: books by its own checks, trades, tops, each printed as a line
of JSON for whoever knows better."""

import asyncio
import json
import sys

import ccxt.pro

HOST, SYMBOL, BOOKS = sys.argv[1], "BTC/USDT", 40


def tell(**what):
    print(json.dumps(what), flush=True)


async def books(exchange):
    for _ in range(BOOKS):
        book = await exchange.watch_order_book(SYMBOL)
        tell(id=book["nonce"], bids=[level[:2] for level in book["bids"]], asks=[level[:2] for level in book["asks"]])


async def trades(exchange):
    exchange.newUpdates = True
    for _ in range(20):
        for trade in await exchange.watch_trades(SYMBOL):
            side = "sell" if trade["info"]["m"] else "buy"
            assert side == trade["side"], trade
            tell(trade=int(trade["id"]), price=trade["price"], qty=trade["amount"], side=side)


async def tops(exchange):
    for _ in range(20):
        top = (await exchange.watch_bids_asks([SYMBOL]))[SYMBOL]
        bid, ask = [top["bid"], top["bidVolume"]], [top["ask"], top["askVolume"]]
        tell(id=top["info"]["u"], bids=[bid], asks=[ask], depth=1)


async def main():
    exchange = ccxt.pro.binance({"options": {"fetchMarkets": {"types": ["spot"]}}})
    exchange.urls["api"]["public"] = f"http://{HOST}/api/v3"
    exchange.urls["api"]["ws"]["spot"] = f"ws://{HOST}/ws"
    assert exchange.handle_option("watchOrderBook", "checksum", True) is True
    try:
        markets = await exchange.load_markets()
        assert markets[SYMBOL]["spot"] and markets[SYMBOL]["active"], markets[SYMBOL]
        book = await exchange.fetch_order_book(SYMBOL)
        tell(id=book["nonce"], bids=book["bids"], asks=book["asks"])
        for trade in await exchange.fetch_trades(SYMBOL, limit=20):
            tell(trade=int(trade["id"]), price=trade["price"], qty=trade["amount"], side=trade["side"])
        await asyncio.gather(books(exchange), trades(exchange), tops(exchange))
    finally:
        await exchange.close()


asyncio.run(main())
print("done")
