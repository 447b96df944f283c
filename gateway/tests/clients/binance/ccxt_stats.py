"""ccxt for Python, pointed at the gateway whose host and port it gets: what it believes of tickers and candles, each a line of JSON for
whoever knows better."""

import asyncio
import json
import sys

import ccxt.pro

HOST, SYMBOL = sys.argv[1], "BTC/USDT"


def tell_ticker(ticker):
    names = ("baseVolume", "last", "high", "low", "vwap")
    print(json.dumps({"ticker": {name: ticker[name] for name in names}}), flush=True)


def tell_candles(candles, seconds):
    for candle in candles:
        print(json.dumps({"candle": candle, "timeframe": seconds}), flush=True)


async def tickers(exchange):
    for _ in range(3):
        tell_ticker(await exchange.watch_ticker(SYMBOL))


async def candles(exchange, timeframe, seconds):
    for _ in range(3):
        tell_candles(await exchange.watch_ohlcv(SYMBOL, timeframe), seconds)


async def main():
    exchange = ccxt.pro.binance({"options": {"fetchMarkets": {"types": ["spot"]}}})
    exchange.urls["api"]["public"] = f"http://{HOST}/api/v3"
    exchange.urls["api"]["ws"]["spot"] = f"ws://{HOST}/ws"
    exchange.newUpdates = True
    try:
        await exchange.load_markets()
        await asyncio.gather(tickers(exchange), candles(exchange, "1m", 60), candles(exchange, "1s", 1))
        tell_ticker(await exchange.fetch_ticker(SYMBOL))
        assert SYMBOL in await exchange.fetch_tickers([SYMBOL])
        for timeframe, seconds in (("1m", 60), ("1d", 86400)):
            tell_candles(await exchange.fetch_ohlcv(SYMBOL, timeframe), seconds)
    finally:
        await exchange.close()


asyncio.run(main())
print("done")
