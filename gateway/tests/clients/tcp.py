"""Follows a book over plain sockets that are closed again and again, resuming with a token of its own, and has the gateway
verify it. Takes the gateway's URL, and host and port of its TCP port."""

import json
import socket
import sys
import urllib.request

from book import Book

URL, HOST, PORT = sys.argv[1], sys.argv[2], int(sys.argv[3])
SYMBOL, DEPTH, CONNECTIONS, UPDATES = "BTC/USDT", 10, 4, 60

with urllib.request.urlopen(f"{URL}/v1/instruments") as answer:
    instruments = json.load(answer)["instruments"]
book = Book(next(one for one in instruments if one["symbol"] == SYMBOL), DEPTH)
recovered, verdicts, epoch = [], [], ""
for _ in range(CONNECTIONS):
    goal = book.updates + UPDATES
    params = {"channel": "book", "symbol": SYMBOL, "depth": DEPTH}
    if epoch:
        params["since"] = f"{epoch}:{SYMBOL}@{DEPTH}={book.last}"
    with socket.create_connection((HOST, PORT)) as connection, connection.makefile("rw") as lines:
        print(json.dumps({"method": "subscribe", "params": params}), file=lines, flush=True)
        asked = False
        for line in lines:
            message = json.loads(line)
            if message.get("method") == "subscribe":
                epoch = message["result"]["epoch"]
                recovered.append(message["result"]["recovered"])
            elif message.get("method") == "verify":
                verdicts.append(message["result"]["verdict"])
                break
            elif message["channel"] == "book":
                book.apply(message["type"], message["data"][0])
            if book.updates >= goal and not asked:
                asked = True
                params = {"symbol": SYMBOL, "seq": book.last, "checksum": book.checksum()}
                print(json.dumps({"method": "verify", "params": params}), file=lines, flush=True)
assert recovered == [False] + [True] * (CONNECTIONS - 1), recovered
assert verdicts == ["ok"] * CONNECTIONS, verdicts
assert book.snapshots == ["subscribe"], book.snapshots
print("done")
