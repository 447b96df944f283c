"""The procedure of Binance's guide for a book of one's own, which is printed as a line of JSON."""

import json


class LocalBook:
    """Begins with a book that was fetched. `exactly`: the first event has to begin where that ends, which some clients demand. Of so
    many books one is told."""

    def __init__(self, fetched, exactly, told=1):
        self.sides = {"b": dict(fetched["bids"]), "a": dict(fetched["asks"])}
        self.last, self.begun, self.exactly = fetched["lastUpdateId"], False, exactly
        self.taken, self.told = 0, told
        self.tell()

    def take(self, event):
        if event["u"] <= self.last:
            assert not self.begun, f"an old event after a new one: {event}"
            return
        exactly = self.exactly or self.begun
        follows = event["U"] == self.last + 1 if exactly else event["U"] <= self.last + 1
        assert follows, f"{self.last} before {event}"
        self.begun, self.last = True, event["u"]
        for name, levels in self.sides.items():
            for price, qty in event[name]:
                assert len(price.split(".")[1]) == len(qty.split(".")[1]) == 8, (price, qty)
                levels[price] = qty
                if qty == "0.00000000":
                    del levels[price]
        self.taken += 1
        if self.taken % self.told == 0:
            self.tell()

    def tell(self):
        bids, asks = (list(self.sides[name].items()) for name in "ba")
        print(json.dumps({"id": self.last, "bids": bids, "asks": asks}), flush=True)
