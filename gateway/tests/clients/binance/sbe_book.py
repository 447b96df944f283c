"""Keeps books of Binance's binary streams by the venue's guide: events by SBE, the book that they go on from by REST. Binary messages are read by
a library that knows nothing but the schema. Takes the gateway's host and port, and whether it names its streams in the URL or by a request
(`url` or `request`); prints what it believes, a line of JSON each."""

import asyncio
import json
import sys
import urllib.request
from decimal import Decimal
from pathlib import Path

import sbe
import websockets

HOST, NAMES_IN_URL = sys.argv[1], sys.argv[2] == "url"
SYMBOL, EVENTS = "BTCUSDT", 60
STREAMS = [f"btcusdt@{name}" for name in ("depth", "depth20", "bestBidAsk", "trade")]
SCHEMA_FILE = Path(__file__).parents[4] / "docs" / "protocol" / "binance-stream.xml"
with open(SCHEMA_FILE, "rb") as file:
    SCHEMA = sbe.Schema.parse(file)


def fetch():
    with urllib.request.urlopen(f"http://{HOST}/api/v3/depth?symbol={SYMBOL}&limit=5000") as answer:
        return json.load(answer)


def decode(payload):
    message = SCHEMA.decode(payload)
    # The library does not read texts of any length: the symbol is the only one, and stands last.
    length = message.value["symbol"]["length"]
    assert payload[-length - 1] == length and payload[-length:].decode() == SYMBOL, payload
    return message.message_name, message.value


class Reader:
    """What the streams say, each with what it has to do with what came before."""

    def __init__(self):
        self.book, self.last, self.waiting = None, 0, []
        self.counts, self.last_ids, self.last_time = {}, {}, {}

    def take(self, name, event):
        self.counts[name] = self.counts.get(name, 0) + 1
        assert event["eventTime"] >= self.last_time.get(name, 1_500_000_000_000_000), "time goes back"
        self.last_time[name] = event["eventTime"]
        getattr(self, name)(event)

    def number(self, event, mantissa, of):
        return format(Decimal(mantissa).scaleb(event[f"{of}Exponent"]), "f")

    def levels(self, event, side):
        return [[self.number(event, level["price"], "price"), self.number(event, level["qty"], "qty")] for level in event[side]]

    def grows(self, name, last):
        assert last > self.last_ids.get(name, 0), f"{name}: {last} after {self.last_ids[name]}"
        self.last_ids[name] = last

    def DepthDiffStreamEvent(self, event):
        first, last = event["firstBookUpdateId"], event["lastBookUpdateId"]
        before = self.last_ids.get("diff")
        assert before is None or first == before + 1, f"{first} after {before}"
        self.grows("diff", last)
        self.waiting.append((first, last, self.levels(event, "bids"), self.levels(event, "asks")))
        self.go_on()

    def begin(self, fetched):
        # No book is older than an event that came before it was asked for.
        assert fetched["lastUpdateId"] >= self.waiting[0][1], (fetched["lastUpdateId"], self.waiting[0])
        # Keyed by number: the REST writes eight decimals, and events those of the instrument.
        self.book = [{Decimal(price): qty for price, qty in fetched[side]} for side in ("bids", "asks")]
        self.last = fetched["lastUpdateId"]
        self.go_on()

    def go_on(self):
        if self.book is None:
            return
        for first, last, *sides in self.waiting:
            if last <= self.last:
                continue
            assert first == self.last + 1, f"{first} after {self.last}"
            self.last = last
            for levels, changes in zip(self.book, sides):
                for price, qty in changes:
                    levels[Decimal(price)] = qty
                    if Decimal(qty) == 0:
                        del levels[Decimal(price)]
            bids, asks = ([[str(price), qty] for price, qty in levels.items()] for levels in self.book)
            print(json.dumps({"id": self.last, "bids": bids, "asks": asks}))
        self.waiting = []

    def DepthSnapshotStreamEvent(self, event):
        self.grows("view", event["bookUpdateId"])
        bids, asks = self.levels(event, "bids"), self.levels(event, "asks")
        assert len(bids) == len(asks) == 20, event
        print(json.dumps({"id": event["bookUpdateId"], "depth": 20, "bids": bids, "asks": asks}))

    def BestBidAskStreamEvent(self, event):
        self.grows("best", event["bookUpdateId"])
        sides = [[self.number(event, event[f"{side}Price"], "price"), self.number(event, event[f"{side}Qty"], "qty")] for side in ("bid", "ask")]
        print(json.dumps({"id": event["bookUpdateId"], "depth": 1, "bids": sides[:1], "asks": sides[1:]}))

    def TradesStreamEvent(self, event):
        assert event["trades"] and event["transactTime"] == event["eventTime"], event
        for trade in event["trades"]:
            before = self.last_ids.get("trade")
            assert before is None or trade["id"] == before + 1, f"trade {trade['id']} after {before}"
            self.grows("trade", trade["id"])
            side = "sell" if trade["isBuyerMaker"] == "True" else "buy"
            price, qty = self.number(event, trade["price"], "price"), self.number(event, trade["qty"], "qty")
            print(json.dumps({"trade": trade["id"], "price": price, "qty": qty, "side": side}))


async def main():
    path = f"stream?streams={'/'.join(STREAMS)}" if NAMES_IN_URL else "ws"
    reader, fetching = Reader(), None
    async with websockets.connect(f"ws://{HOST}/sbe/{path}") as socket:
        if not NAMES_IN_URL:
            await socket.send(json.dumps({"method": "SUBSCRIBE", "params": STREAMS, "id": 1}))
            assert json.loads(await socket.recv()) == {"result": None, "id": 1}
        while reader.counts.get("DepthDiffStreamEvent", 0) < EVENTS:
            payload = await socket.recv()
            assert isinstance(payload, bytes), payload
            reader.take(*decode(payload))
            if reader.book is None and reader.waiting and fetching is None:
                fetching = asyncio.create_task(asyncio.to_thread(fetch))
            if reader.book is None and fetching and fetching.done():
                reader.begin(fetching.result())
        await socket.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": "x"}))
        while isinstance(payload := await socket.recv(), bytes):
            reader.take(*decode(payload))
        assert json.loads(payload)["id"] == "x" and sorted(json.loads(payload)["result"]) == sorted(STREAMS), payload


asyncio.run(main())
print("done")
