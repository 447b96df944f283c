"""A book by Kraken's guide, of numbers that are kept as the text that came; each message is proved by its checksum."""

import zlib
from decimal import Decimal


class Book:
    def __init__(self, depth):
        self.depth, self.updates, self.bids, self.asks = depth, 0, {}, {}

    def take(self, kind, data):
        if kind == "snapshot":
            assert not self.updates, "nobody was slow"
            self.bids, self.asks = {}, {}
        self.updates += kind == "update"
        for levels, changes in ((self.bids, data["bids"]), (self.asks, data["asks"])):
            for level in changes:
                if Decimal(level["qty"]) == 0:
                    assert kind == "update" and level["price"] in levels, f"no such level: {level}"
                    del levels[level["price"]]
                else:
                    levels[level["price"]] = level["qty"]
        bids, asks = self.sides()
        for levels, best in ((self.bids, bids), (self.asks, asks)):
            for price, _ in best[self.depth :]:
                del levels[price]
        digits = "".join(text.replace(".", "").lstrip("0") for level in asks[:10] + bids[:10] for text in level)
        assert zlib.crc32(digits.encode()) == int(data["checksum"]), f"the book at {data['timestamp']}"

    def sides(self):
        def price(level):
            return Decimal(level[0])

        return sorted(self.bids.items(), key=price, reverse=True), sorted(self.asks.items(), key=price)
