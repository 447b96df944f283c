"""Follows a recording to its end, by Binance's procedure and by a depth cache of python-binance at once. Takes the gateway's host and
port, a symbol, and of how many books one is to be told; prints those and the last one, a line of JSON each, for whoever knows better."""

import asyncio
import json
import pathlib
import sys

import websockets
from binance import AsyncClient, BinanceSocketManager
from binance.ws.depthcache import DepthCache, DepthCacheManager
from binance.ws.reconnecting_websocket import ReconnectingWebsocket
from procedure import LocalBook

sys.path.append(str(pathlib.Path(__file__).parent.parent))
import replay

HOST, SYMBOL, TOLD = sys.argv[1], sys.argv[2].replace("/", ""), int(sys.argv[3])
AsyncClient.API_URL = f"http://{HOST}/api"
BinanceSocketManager.STREAM_URL = f"ws://{HOST}/"
# It waits so long for a message before it can be stopped.
ReconnectingWebsocket.TIMEOUT = 1
DEPTH = f"/api/v3/depth?symbol={SYMBOL}&limit=5000"


async def procedure(end):
    async with websockets.connect(f"ws://{HOST}/ws/{SYMBOL.lower()}@depth@100ms") as socket:
        # The library buffers what comes meanwhile.
        book = LocalBook(json.loads(await asyncio.to_thread(replay.get, f"http://{HOST}{DEPTH}")), True, TOLD)
        await replay.follow(
            socket.recv, lambda text: book.take(json.loads(text)), lambda final: book.last == final["lastUpdateId"], end
        )
        assert book.begun
        book.tell()


async def cache(end):
    client = await AsyncClient.create()
    begun, taken = [], 0

    def tell(book):
        print(json.dumps({"id": manager._last_update_id, "bids": book.get_bids(), "asks": book.get_asks()}), flush=True)

    def take(book):
        nonlocal taken
        assert isinstance(book, DepthCache), book
        if book not in begun:
            begun.append(book)
        taken += 1
        if taken % TOLD == 0:
            tell(book)

    # A recording is faster than a venue, and this process has more to do.
    sockets = BinanceSocketManager(client, max_queue_size=100_000)
    async with DepthCacheManager(client, SYMBOL, bm=sockets, ws_interval=100, limit=5000) as manager:
        await replay.follow(manager.recv, take, lambda final: manager._last_update_id == final["lastUpdateId"], end)
        # Where something is missing it begins anew by itself.
        assert len(begun) == 1, f"{len(begun) - 1} times it began anew"
        tell(begun[0])
    await client.close_connection()


async def main():
    end = asyncio.create_task(replay.at_the_end(HOST, DEPTH))
    await asyncio.gather(procedure(end), cache(end))


asyncio.run(main())
print("done")
