"""A book as a client keeps it: by the rule for clients, proved by the checksum of each message. For the tests of transports."""

import zlib


class Book:
    def __init__(self, instrument, depth):
        self.depth = depth
        self.decimals = instrument["price_decimals"], instrument["qty_decimals"]
        self.bids, self.asks, self.last = {}, {}, 0
        self.updates, self.snapshots = 0, []

    def apply(self, kind, data):
        if kind == "snapshot":
            self.bids, self.asks = {}, {}
            self.snapshots.append(data["reason"])
        else:
            if data["seq"] <= self.last:
                return
            assert data["first_seq"] <= self.last + 1, f"a gap: {data['first_seq']} after {self.last}"
            self.updates += 1
        self.last = data["seq"]
        for side, levels in (("bids", self.bids), ("asks", self.asks)):
            for level in data[side]:
                levels[level["price"]] = level["qty"]
                if level["qty"] == 0:
                    del levels[level["price"]]
            for price in self.best(side)[self.depth:]:
                del levels[price]
        assert self.checksum() == data["checksum"], f"the book at {self.last}"

    def best(self, side):
        return sorted(self.bids, reverse=True) if side == "bids" else sorted(self.asks)

    def checksum(self):
        price_decimals, qty_decimals = self.decimals

        def digits(value, decimals):
            return f"{value:.{decimals}f}".replace(".", "").lstrip("0")

        text = ""
        for side, levels in (("asks", self.asks), ("bids", self.bids)):
            for price in self.best(side):
                text += digits(price, price_decimals) + digits(levels[price], qty_decimals)
        return zlib.crc32(text.encode())
