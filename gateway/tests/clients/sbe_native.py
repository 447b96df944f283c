"""Follows a market over JSON, over SBE by WebSocket and over SBE by TCP at once, and holds each message of one against that of the others.
Binary messages are read by a library that knows nothing but the schema. Over TCP it comes back again and again with a token of its own, and
has the gateway verify its book. Takes the gateway's URL, and host and port of its TCP port."""

import asyncio
import json
import sys
import zlib
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import sbe
import websockets

HTTP, HOST, PORT = sys.argv[1].removeprefix("http://"), sys.argv[2], int(sys.argv[3])
SYMBOL, DEPTH, UPDATES = "BTC/USDT", 10, 400
FOLDER = Path(__file__).parents[3] / "docs" / "protocol"
with open(FOLDER / "depthcast.xml", "rb") as file:
    SCHEMA = sbe.Schema.parse(file)


def moment(nanos):
    return f"{datetime.fromtimestamp(nanos // 10**9, timezone.utc):%Y-%m-%dT%H:%M:%S}.{nanos % 10**9:09}Z"


def from_json(message):
    """What is in a message of the JSON protocol, with numbers as mantissas."""

    def mantissa(number):
        if number is None:
            return None
        return int(number.as_tuple().sign and -1 or 1) * int("".join(map(str, number.as_tuple().digits)))

    channel = message["channel"]
    data = message if channel == "trade" else message["data"][0]
    first = data.get("first_seq")
    common = channel, message.get("type"), data["epoch"], first, data["seq"], data.get("reason"), bool(data.get("ts"))
    if channel == "trade":
        trades = (
            (mantissa(one["price"]), mantissa(one["qty"]), one["side"], one["trade_id"], one["timestamp"], one["seq"])
            for one in message["data"]
        )
        return common, tuple(trades)
    conflated = data.get("conflated", False), data.get("merged", 0)
    if channel == "bbo":
        best = tuple(mantissa(data[name]) for name in ("bid", "bid_qty", "ask", "ask_qty"))
        return common, conflated + best + (data["timestamp"],)
    sides = (tuple((mantissa(one["price"]), mantissa(one["qty"])) for one in data[side]) for side in ("bids", "asks"))
    return common, conflated + tuple(sides) + (data["checksum"], data["venue_seq"], data["timestamp"])


def from_sbe(payload):
    """The same of a binary message."""
    message = SCHEMA.decode(payload)
    channel, data = message.message_name.lower(), message.value
    if channel not in ("book", "trade", "bbo"):
        return (channel,), data
    assert data["symbol"] == SYMBOL and data["priceExponent"] == -2 and data["qtyExponent"] == -5, data
    epoch, reason = f"{data['epoch']:016x}", None if data["reason"] == "none" else data["reason"]
    common = channel, data["type"], epoch, data["firstSeq"], data["seq"], reason, data["ts"]["engine"] is not None
    if channel == "trade":
        trades = (
            (one["price"], one["qty"], one["side"], one["tradeId"], moment(one["timestamp"]), one["seq"])
            for one in data["trades"]
        )
        return common, tuple(trades)
    conflated = data["conflated"] == "true", data["merged"]
    if channel == "bbo":
        best = tuple(data[name] for name in ("bid", "bidQty", "ask", "askQty"))
        return common, conflated + best + (moment(data["timestamp"]),)
    sides = (tuple((one["price"], one["qty"]) for one in data[side]) for side in ("bids", "asks"))
    return common, conflated + tuple(sides) + (data["checksum"], data["venueSeq"], moment(data["timestamp"]))


class Account:
    """What one client has: a book by the rule for clients, proved by each checksum, and all messages by channel and number."""

    def __init__(self):
        self.book, self.last, self.epoch, self.updates, self.others = ({}, {}), 0, None, 0, []
        self.messages, self.answers = {}, []

    def take(self, common, rest):
        if common[0] not in ("book", "trade", "bbo"):
            return self.others.append((common[0], rest))
        channel, kind, epoch, first, seq, reason, _ = common
        if kind == "update":
            assert (channel, seq) not in self.messages, f"{channel} {seq} comes twice"
            self.messages[channel, seq] = common, rest
        if channel != "book":
            return
        if kind == "snapshot":
            assert reason == "subscribe", reason
            self.book = {}, {}
        else:
            assert first == self.last + 1, f"{first} after {self.last}"
            self.updates += 1
        self.last, self.epoch = seq, epoch
        for levels, changes in zip(self.book, rest[2:4]):
            for price, qty in changes:
                levels[price] = qty
                if qty == 0:
                    del levels[price]
        for levels, best in zip(self.book, self.best()):
            for price in best[DEPTH:]:
                del levels[price]
        assert self.checksum() == rest[4], f"the book at {seq}"

    def best(self):
        return sorted(self.book[0], reverse=True), sorted(self.book[1])

    def checksum(self):
        (bids, asks), (book_bids, book_asks) = self.best(), self.book
        digits = [f"{price}{book_asks[price]}" for price in asks] + [f"{price}{book_bids[price]}" for price in bids]
        return zlib.crc32("".join(digits).encode())


def requests(**more):
    for channel in ("book", "trade", "bbo"):
        params = {"channel": channel, "symbol": SYMBOL, "depth": DEPTH, "stamps": True} | more
        yield json.dumps({"method": "subscribe", "params": params})


async def over_websocket(account, protocol):
    async with websockets.connect(f"ws://{HTTP}/feed?heartbeat_ms=250", subprotocols=protocol) as socket:
        assert socket.subprotocol == (protocol and protocol[0]), socket.subprotocol
        for request in requests(policy="lossless"):
            await socket.send(request)
        while account.updates < UPDATES:
            payload = await socket.recv()
            if isinstance(payload, bytes):
                account.take(*from_sbe(payload))
                continue
            message = json.loads(payload, parse_float=Decimal)
            if "method" in message:
                account.answers.append(message)
            elif protocol:
                raise AssertionError(f"an event in text: {payload}")
            elif message["channel"] in ("book", "trade", "bbo"):
                account.take(*from_json(message))


async def over_tcp(account):
    """Four connections, each after the first one with a token; at the end of each the book is verified."""
    for part in range(1, 5):
        reader, writer = await asyncio.open_connection(HOST, PORT)
        writer.write(b'{"method":"hello","encoding":"sbe","req_id":"x"}\n')
        greeting = json.loads(await reader.readline())
        assert greeting["success"] and greeting["req_id"] == "x", greeting
        assert greeting["result"]["schema_id"] == int(SCHEMA.id), greeting
        since = {"since": f"{account.epoch}:{SYMBOL}@{DEPTH}={account.last}"} if account.epoch else {}
        writer.writelines(f"{request}\n".encode() for request in requests(**since))
        asked, verdict = False, None
        while verdict is None:
            length = int.from_bytes(await reader.readexactly(4), "little")
            payload = await reader.readexactly(length)
            if payload.startswith(b'{"'):
                message = json.loads(payload)
                assert message["success"], message
                if message["method"] == "verify":
                    verdict = message["result"]["verdict"]
                elif message["result"]["channel"] == "book":
                    assert message["result"]["recovered"] == (part > 1), message
                continue
            common, rest = from_sbe(payload)
            # What was sent since the token's number comes again on those channels that had more.
            if common[0] in ("trade", "bbo") and (common[0], common[4]) in account.messages:
                continue
            account.take(common, rest)
            if account.updates >= UPDATES * part // 4 and not asked:
                asked = True
                params = {"symbol": SYMBOL, "seq": account.last, "checksum": account.checksum()}
                writer.write(json.dumps({"method": "verify", "params": params}).encode() + b"\n")
        assert verdict == "ok", verdict
        writer.close()
        await writer.wait_closed()


async def main():
    text, binary, tcp = Account(), Account(), Account()
    await asyncio.gather(over_websocket(text, None), over_websocket(binary, ["depthcast.v1.sbe"]), over_tcp(tcp))
    assert len(binary.answers) == 3 and all(answer["success"] for answer in binary.answers), binary.answers
    assert {name for name, _ in binary.others} == {"heartbeat"}, binary.others
    for channel, at_least in (("book", UPDATES // 2), ("trade", 20), ("bbo", 20)):
        of_text, of_binary = (
            {seq: message for (name, seq), message in account.messages.items() if name == channel}
            for account in (text, binary)
        )
        # The first update begins where the client came in: that is not the same for both.
        begin, end = max(min(of_text), min(of_binary)), min(max(of_text), max(of_binary))
        both = [seq for seq in sorted(of_text | of_binary) if begin < seq <= end]
        assert len(both) >= at_least, (channel, len(both))
        for seq in both:
            assert of_text.get(seq) == of_binary.get(seq), f"{of_text.get(seq)}\n{of_binary.get(seq)}"
    # Those of a resume say the same in one message: there the checksums of the books speak.
    same = [key for key, message in tcp.messages.items() if binary.messages.get(key) == message]
    assert len(same) >= UPDATES // 2, len(same)


asyncio.run(main())
print("done")
