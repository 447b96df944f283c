"""Keeps books by the procedure of Binance's guide, with nothing but a WebSocket, and prints each as a line of JSON after each event.
Takes the gateway's host and port, a stream, how many events, and whether the first one has to begin exactly where the book that
was fetched ends, which some clients demand."""

import asyncio
import json
import sys
import urllib.request

import websockets
from procedure import LocalBook

HOST, STREAM, EVENTS, EXACTLY = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:] == ["exactly"]
SYMBOL = STREAM.split("@")[0].upper()
# Books that are fetched at so many moments, so far apart: at some of them an event is under way.
BOOKS, APART_S = 8, 0.37


def fetch():
    with urllib.request.urlopen(f"http://{HOST}/api/v3/depth?symbol={SYMBOL}&limit=5000") as answer:
        return json.load(answer)


async def begin_books(events, books):
    while len(books) < BOOKS:
        fetched = await asyncio.to_thread(fetch)
        # One that is older than the first event could not go on.
        if fetched["lastUpdateId"] + 1 >= events[0]["U"]:
            book = LocalBook(fetched, EXACTLY)
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
