"""Follows a book over compressed WebSocket connections and has the gateway verify it. Takes the gateway's URL, and the most window
bits to offer, or none."""

import json
import sys
import urllib.request

from book import Book
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.sync.client import connect

URL, BITS = sys.argv[1], [int(bits) for bits in sys.argv[2:]]
SYMBOL, DEPTH, UPDATES = "BTC/USDT", 100, 30

with urllib.request.urlopen(f"{URL}/v1/instruments") as answer:
    instruments = json.load(answer)["instruments"]
book = Book(next(one for one in instruments if one["symbol"] == SYMBOL), DEPTH)
compressed, plain = [], []


def count(extension):
    """Counts what comes compressed, and what does not, by its length."""
    decode = extension.decode

    def counting(frame, **options):
        decoded = decode(frame, **options)
        (compressed if frame.rsv1 else plain).append((len(frame.data), len(decoded.data)))
        return decoded

    extension.decode = counting


offers = [ClientPerMessageDeflateFactory(server_max_window_bits=bits) for bits in BITS] or None
with connect(URL.replace("http", "ws") + "/feed", extensions=offers) as ws:
    agreed = ws.response.headers["Sec-WebSocket-Extensions"]
    assert "server_no_context_takeover; client_no_context_takeover" in agreed, agreed
    assert ("server_max_window_bits=9" in agreed) == bool(BITS), agreed
    count(ws.protocol.extensions[0])
    with urllib.request.urlopen(f"{URL}/v1/subscribers") as answer:
        assert [row["transport"] for row in json.load(answer)["subscribers"]] == ["websocket"]
    params = {"channel": "book", "symbol": SYMBOL, "depth": DEPTH, "interval_ms": 100}
    ws.send(json.dumps({"method": "subscribe", "params": params}))
    for text in ws:
        message = json.loads(text)
        if message.get("channel") == "book":
            book.apply(message["type"], message["data"][0])
        elif message.get("method") == "verify":
            assert message["result"]["verdict"] == "ok", message
            break
        if book.updates == UPDATES:
            params = {"symbol": SYMBOL, "seq": book.last, "checksum": book.checksum()}
            ws.send(json.dumps({"method": "verify", "params": params}))
assert book.snapshots == ["subscribe"], book.snapshots
assert any(length < 0.6 * inflated for length, inflated in compressed), compressed
assert all(inflated >= 512 for _, inflated in compressed), compressed
assert any(length < 512 for length, _ in plain), plain
print("done")
