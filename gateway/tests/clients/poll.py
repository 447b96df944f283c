"""Keeps a book and trades by the answers that curl gets to polls, each with the cursor of the one before: nothing is lost. Takes the
gateway's URL."""

import json
import subprocess
import sys

from book import Book

URL = sys.argv[1]
SYMBOL, DEPTH, UPDATES = "BTC/USDT", 10, 100


def curl(path):
    run = subprocess.run(["curl", "-sS", "--fail-with-body", "--max-time", "40", f"{URL}{path}"], stdout=subprocess.PIPE)
    assert run.returncode == 0, run.stdout
    return run.stdout


instruments = json.loads(curl("/v1/instruments"))["instruments"]
book = Book(next(one for one in instruments if one["symbol"] == SYMBOL), DEPTH)
seqs, first, cursor = [], None, None
while book.updates < UPDATES:
    since = f"&cursor={cursor}" if cursor else ""
    body = curl(f"/poll?channel=book,trade&symbol={SYMBOL}&depth={DEPTH}{since}")
    if not body:
        continue
    answer = json.loads(body)
    for message in answer["messages"]:
        if message["channel"] == "book":
            book.apply(message["type"], message["data"][0])
        else:
            assert message["channel"] == "trade", message
            seqs += [trade["seq"] for trade in message["data"]]
    cursor = answer["cursor"]
    # It says through where we have everything, which may be beyond the last message.
    book.last = int(cursor.rsplit("=")[-1])
    first = first or book.last + 1
assert book.snapshots == ["subscribe"], book.snapshots
wanted = json.loads(curl(f"/v1/trades?symbol={SYMBOL}&from_seq={first}&to_seq={book.last}"))["trades"]
assert seqs and seqs == [trade["seq"] for trade in wanted], "each trade once"
print("done")
