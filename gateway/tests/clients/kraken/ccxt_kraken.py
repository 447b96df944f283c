"""ccxt for Python, pointed at the gateway whose host and port it gets: what it believes of books, trades, tickers and candles, each a
line of JSON for whoever knows better. Its own check of checksums is left off, as it is by default: it stumbles over numbers."""

import asyncio
import json
import sys

import ccxt.pro

HOST, SYMBOL = sys.argv[1], "BTC/USDT"


def tell(**what):
    print(json.dumps(what), flush=True)


def tell_ticker(ticker):
    tell(ticker={name: ticker[name] for name in ("baseVolume", "last", "high", "low", "vwap")})


def tell_trades(trades):
    for trade in trades:
        tell(trade=int(trade["id"]), price=trade["price"], qty=trade["amount"], side=trade["side"])


async def books(exchange):
    for _ in range(60):
        book = await exchange.watch_order_book(SYMBOL, 25)
        if book["timestamp"]:
            bids, asks = ([level[:2] for level in book[side]] for side in ("bids", "asks"))
            tell(at=book["datetime"], depth=25, bids=bids, asks=asks)


async def trades(exchange):
    for _ in range(20):
        tell_trades(await exchange.watch_trades(SYMBOL))


async def tickers(exchange):
    for _ in range(5):
        tell_ticker(await exchange.watch_ticker(SYMBOL))
    for _ in range(5):
        top = (await exchange.watch_bids_asks([SYMBOL]))[SYMBOL]
        assert top["bid"] < top["ask"], top


async def candles(exchange):
    for _ in range(5):
        for candle in await exchange.watch_ohlcv(SYMBOL, "1m"):
            tell(candle=candle, timeframe=60)


async def main():
    exchange = ccxt.pro.kraken({"enableRateLimit": False})
    exchange.urls["api"]["public"] = f"http://{HOST}"
    exchange.urls["api"]["ws"]["publicV2"] = f"ws://{HOST}/v2"
    exchange.newUpdates = True
    try:
        markets = await exchange.load_markets()
        assert markets[SYMBOL]["spot"] and markets[SYMBOL]["active"], markets[SYMBOL]
        assert (await exchange.fetch_status())["status"] == "ok"
        await asyncio.gather(*(follow(exchange) for follow in (books, trades, tickers, candles)))
        book = await exchange.fetch_order_book(SYMBOL, 25)
        assert len(book["bids"]) == len(book["asks"]) == 25, book
        tell_trades(await exchange.fetch_trades(SYMBOL, limit=50))
        tell_ticker(await exchange.fetch_ticker(SYMBOL))
        for timeframe, seconds in (("1m", 60), ("1h", 3600)):
            for candle in await exchange.fetch_ohlcv(SYMBOL, timeframe):
                tell(candle=candle, timeframe=seconds)
    finally:
        await exchange.close()


asyncio.run(main())
print("done")
